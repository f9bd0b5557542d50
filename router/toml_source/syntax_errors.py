"""Describes in plain words why a file is no TOML 1.0, and where.

A file has one syntax error at a time, because what follows the first cannot be separated from its consequences.
"""

from __future__ import annotations

import re
from typing import Any

import tomli

from router.problems import as_written
from router.toml_source.positions import Repeated, Spots, SyntaxMistake

_WORD = re.compile(r"[\w.:+-]+")
_REPEATED = ("Cannot overwrite", "Cannot declare", "Duplicate inline", "Cannot mutate")
_UNCLOSED = frozenset(
    {
        "Unterminated string",
        "Illegal character '\\n'",
        "Found invalid character '\\n'",
        'Expected "\'"',
        "Expected \"'''\"",
    }
)


def read(text: str) -> tuple[dict[str, Any], Spots]:
    """Returns the values of a document, line ends as ``\\n``, and where they are. Raises ``SyntaxMistake``."""
    try:
        return tomli.loads(text), Spots(text)
    except tomli.TOMLDecodeError as error:
        raise _mistake(error, text) from None
    except RecursionError:
        Spots(text)  # knows where the value that is nested too deeply begins
        raise SyntaxMistake(0, "lists and tables are nested too deeply") from None
    except ValueError:  # an integer of more digits than Python converts
        found = re.search(r"[0-9_]{4000,}", text)
        raise SyntaxMistake(found.start() if found is not None else 0, "this number is too large") from None


def _mistake(error: tomli.TOMLDecodeError, text: str) -> SyntaxMistake:
    """Returns the reader's error in plain words, at the place where the mistake begins.

    The reader notices a text without a closing quote only at its end, and a repeated key only after its value.
    """
    if error.msg in _UNCLOSED or error.msg.startswith(_REPEATED):
        try:
            spots = Spots(text[: error.pos])
        except SyntaxMistake as before:
            return before
        if error.msg.startswith(_REPEATED):
            return _repetition(error.pos, text, spots.repeated)
    begin = text.rfind("\n", 0, error.pos) + 1
    line = text[begin:].partition("\n")[0]
    column, message = _words(error.msg, line, error.pos - begin)
    return SyntaxMistake(begin + column, message)


def _repetition(at: int, text: str, repeated: list[Repeated]) -> SyntaxMistake:
    if not repeated or text.count("\n", repeated[-1].at, at):
        return SyntaxMistake(at, "a key or table before this one already has that name")
    again = repeated[-1]
    first = text.count("\n", 0, again.first) + 1
    return SyntaxMistake(again.at, f"'{again.name}' is defined a second time (first in line {first})")


def _words(kind: str, line: str, column: int) -> tuple[int, str]:
    """Returns the column, from 0, and the message. ``kind`` is the reader's own message."""
    rest = line[column:].strip()
    if kind == "Invalid value":
        return column, _no_value(rest)
    if kind.startswith("Expected newline"):
        return _after_value(line, column)
    if kind == "Unclosed array":
        return column, "a list that begins before this is not closed"
    if kind == "Invalid initial character for a key part":
        hint = "put keys with characters other than A-Z a-z 0-9 _ - in quotes"
        return column, f"expected a key, found {as_written(rest)} ({hint})"
    if kind == "Invalid statement":
        return column, f"expected a key or a table header, found {as_written(rest)}"
    if kind in _UNCLOSED:
        return column, "this text has no closing quote"
    if kind.startswith("Unescaped '\\'"):
        return max(0, column - 2), "a backslash in a text is written '\\\\' (or put the text in single quotes)"
    return column, kind[:1].lower() + kind[1:]


def _no_value(rest: str) -> str:
    if not rest or rest.startswith("#"):
        return "expected a value, found the end of the line"
    if re.match(r"[A-Za-z]", rest):
        return f"expected a value, found {as_written(rest)} (put text in quotes; write true and false in small letters)"
    return f"expected a value, found {as_written(rest)}"


def _after_value(line: str, column: int) -> tuple[int, str]:
    """Returns the place of the whole word: the reader takes the ``15`` of ``15m`` and the ``inf`` of ``info`` for the
    value, and complains of the rest."""
    word = next((found for found in _WORD.finditer(line) if found.start() < column < found.end()), None)
    if word is None:
        return column, f"unexpected {as_written(line[column:].strip())} after the value"
    why = "a number does not begin with 0" if word[0].isdigit() else "put durations and other texts in quotes"
    return word.start(), f"expected a value, found {as_written(word[0])} ({why})"
