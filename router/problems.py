"""Describes what is wrong in a file that the user wrote: one located line a problem, all problems at once."""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Locates a text in a file; line and column count from 1, columns in characters.

    ``note`` names the places that use a text which is written once and used elsewhere; messages end with it.
    """

    file: str
    line: int
    column: int
    note: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def problem(self, message: str, severity: Literal["error", "warning"] = "error") -> Problem:
        return Problem(self.file, self.line, self.column, message + self.note, severity)


LONGEST = 1_000
"""Characters of a message. None of ours is so long by itself, but it may quote a value of a file."""

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Describes one problem. Line and column count from 1, columns in characters.

    Line 0 means a place that has no lines: an environment variable, a command-line option, a file that cannot be read.
    """

    file: str
    line: int
    column: int
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else shortened(self.file)
        return printable(f"{where}: {shortened(self.message)}")


class Problems(Exception):
    """Collects everything that is wrong, sorted by place, each problem once; ``str()`` gives one line each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def printable(text: str) -> str:
    """Escapes every character of a text that could move a cursor, break the line or turn it round."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if unicodedata.category(char) in _UNPRINTABLE else char for char in text)


def shortened(text: str) -> str:
    """Cuts the middle out of a long message, because its beginning and end are what matters."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 4 :]}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that was most likely meant, ignoring upper and lower case; ``None`` if none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in sorted(known, reverse=True)}
    found = difflib.get_close_matches(name.casefold()[:200], by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns `` (did you mean 'x'?)``, to be put after a message; empty if no name is near."""
    near = nearest(name, known)
    return f" (did you mean '{near}'?)" if near is not None else ""


def as_written(value: object) -> str:
    """Returns a value as the file has it, shortened; tables and lists by their kind."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value if len(value) <= 60 else value[:57] + "...", ensure_ascii=False)
        case int() if abs(value) >= 10**40:
            return "a huge number"
        case date() | time():
            return value.isoformat()
        case dict():
            return "a table"
        case list() | tuple():
            return "a list"
        case _:
            return str(value)[:60]


def _escaped(char: str) -> str:
    code = ord(char)
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if named is not None:
        return named
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
