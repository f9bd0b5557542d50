"""What keeps a file from being TOML: as many of its mistakes as can be told apart, in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tomli

from router.problems import Problem, as_written

MOST_PROBLEMS = 20
LONGEST_FOR_ALL = 300_000
"""Characters. Looking on after a mistake reads the file again; in a larger file only the first mistake is told."""

_STATEMENT = re.compile(r"\s*(?:\[|(?:[A-Za-z0-9_-]+|\"[^\"\n]*\"|'[^'\n]*')\s*[.=])")
_WORD = re.compile(r"[\w.:+-]+")
_TEXTS = re.compile(
    r"\"\"\"(?:\\.|[^\\])*?\"\"\"|'''.*?'''|(?P<long>\"\"\"|''')"
    r"|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|#[^\n]*|(?P<short>[\"'])",
    re.DOTALL,
)
_UNCLOSED = frozenset(
    {
        "Unterminated string",
        "Illegal character '\\n'",
        "Found invalid character '\\n'",
        'Expected "\'"',
        "Expected \"'''\"",
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """``kind`` is the reader's own word for it."""

    line: int
    column: int
    kind: str


def read(text: str) -> dict[str, Any] | Mistake:
    """The values, or the first mistake."""
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        error_at = Mistake(error.lineno, error.colno, error.msg)
        return _unclosed(text) or error_at if error.msg in _UNCLOSED else error_at
    except RecursionError:
        return Mistake(1, 1, "lists and tables are nested too deeply")
    except ValueError:  # an integer of more digits than Python converts
        found = re.search(r"[0-9_]{4000,}", text)
        return Mistake(*_place(text, found.start() if found is not None else 0), "this number is too large")


def mistakes(text: str, first: Mistake) -> Iterator[Mistake]:
    """The first mistake, and those found after taking out, each time, the lines that the one before spoils."""
    lines = text.split("\n")
    found: Mistake | None = first
    for _ in range(MOST_PROBLEMS):
        if found is None:
            return
        yield found
        if len(text) > LONGEST_FOR_ALL:
            return
        lines, later = _without(lines, found)
        found = later if later is not None and later.line > found.line else None


def worded(mistake: Mistake, file: str, lines: list[str]) -> Problem:
    line = lines[mistake.line - 1] if mistake.line <= len(lines) else ""
    column, message = _words(mistake, line)
    return Problem(file, mistake.line, column, message)


def _words(mistake: Mistake, line: str) -> tuple[int, str]:
    rest = line[mistake.column - 1 :].strip()
    if mistake.kind == "Invalid value":
        return mistake.column, _no_value(rest)
    if mistake.kind.startswith("Expected newline"):
        return _after_value(line, mistake.column)
    if mistake.kind == "Unclosed array":
        return mistake.column, "a list that begins before this is not closed"
    if mistake.kind == "Invalid initial character for a key part":
        return mistake.column, f"expected a key, found {as_written(rest)} (other than A-Z a-z 0-9 _ - stands in quotes)"
    if mistake.kind == "Invalid statement":
        return mistake.column, f"expected a key or a table header, found {as_written(rest)}"
    if mistake.kind in _UNCLOSED:
        return mistake.column, "this text has no closing quote"
    if mistake.kind.startswith("Unescaped '\\'"):
        return max(1, mistake.column - 2), "a backslash in a text is written '\\\\' (or put the text in single quotes)"
    return mistake.column, mistake.kind[:1].lower() + mistake.kind[1:]


def _no_value(rest: str) -> str:
    if not rest or rest.startswith("#"):
        return "expected a value, found the end of the line"
    if re.match(r"[A-Za-z]", rest):
        return f"expected a value, found {as_written(rest)} (text stands in quotes; true and false in small letters)"
    return f"expected a value, found {as_written(rest)}"


def _after_value(line: str, column: int) -> tuple[int, str]:
    """The reader takes the ``15`` of ``15m`` and the ``inf`` of ``info`` for the value; whoever wrote it meant all."""
    word = next((found for found in _WORD.finditer(line) if found.start() < column - 1 < found.end()), None)
    if word is None:
        return column, f"unexpected {as_written(line[column - 1 :].strip())} after the value"
    if word[0].isdigit():
        return word.start() + 1, f"expected a value, found {as_written(word[0])} (a number does not begin with 0)"
    why = "durations and other texts stand in quotes"
    return word.start() + 1, f"expected a value, found {as_written(word[0])} ({why})"


def _unclosed(text: str) -> Mistake | None:
    """The quote that opens a text which never closes; the reader notices only at the end of the line or the file."""
    for found in _TEXTS.finditer(text):
        if found["long"] or found["short"]:
            return Mistake(*_place(text, found.start()), "Unterminated string")
    return None


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _without(lines: list[str], found: Mistake) -> tuple[list[str], Mistake | None]:
    """Of the ways to take the mistake out, the one after which the most of the file can be read: its own line alone,
    from the statement that it interrupts up to it, or that statement's lines without its own."""
    last = min(found.line, len(lines)) - 1
    start = next((n for n in range(last - 1, max(-1, last - 200), -1) if _STATEMENT.match(lines[n])), last)
    tries = []
    for begin, end in dict.fromkeys([(last, last), (start, last), (start, max(start, last - 1))]):
        left = [*lines[:begin], *_blank(lines[begin : end + 1], begin), *lines[end + 1 :]]
        outcome = read("\n".join(left))
        if not isinstance(outcome, Mistake):
            return left, None
        tries.append((outcome, left))
    outcome, left = max(tries, key=lambda attempt: attempt[0])
    return left, outcome


def _blank(lines: list[str], number: int) -> list[str]:
    """Nothing in place of the lines, save that a table header is still one: the keys under it are not those of the
    table before."""
    header = lines[0].lstrip().startswith("[") and "=" not in lines[0]
    return [f'["line {number}"]' if header else "", *[""] * (len(lines) - 1)]
