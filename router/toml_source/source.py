"""A TOML file, read once: its values, and where each of them stands."""

from __future__ import annotations

import codecs
import stat
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from router.problems import Problem, Problems
from router.toml_source.positions import Spot, Spots, find_spots
from router.toml_source.syntax_errors import Mistake, mistakes, read, worded

LARGEST = 10_000_000
"""Bytes. No rule file is; a log or a dump in the rules folder is refused at once instead of read for minutes."""

KeyPath = tuple[str | int, ...]
"""Keys, and indexes into lists, from the top of the document."""


@dataclass(frozen=True, slots=True)
class TomlSource:
    """``file`` is the name shown in messages, as the user gave it."""

    file: str
    data: dict[str, Any]
    _lines: tuple[bytes, ...] = field(repr=False)
    _starts: tuple[int, ...] = field(repr=False)
    _root: Spot = field(repr=False)

    @classmethod
    def parse(cls, file: str, data: bytes) -> TomlSource:
        """Raises ``Problems`` with every located mistake; nothing else, whatever the bytes."""
        text = _text(file, data)
        values = read(text)
        spots = find_spots(data)
        if isinstance(values, Mistake):
            raise Problems(_explain(file, text, values, _lines(data), spots))
        lines, starts = _lines(data)
        return cls(file, values, lines, starts, spots.root)

    def position(self, path: KeyPath, *, of: Literal["key", "value"]) -> tuple[int, int]:
        """Line and column, from 1, the column in characters. A path that the file does not have gives the position of
        the nearest thing around it that it has. The value of a ``[table]`` is its header."""
        spot = self._root
        for part in path:
            if part not in spot.inside:
                of = "value"
                break
            spot = spot.inside[part]
        return _place(spot.key if of == "key" else spot.value, (self._lines, self._starts))

    def problem(self, path: KeyPath, message: str, *, of: Literal["key", "value"] = "value") -> Problem:
        """An error at that position."""
        return Problem(self.file, *self.position(path, of=of), message)


_Lines = tuple[tuple[bytes, ...], tuple[int, ...]]


def _text(file: str, data: bytes) -> str:
    """The characters; ``Problems`` with one line if they cannot be those of a TOML file at all."""
    if len(data) > LARGEST:
        raise Problems([Problem(file, 1, 1, f"the file is larger than {LARGEST // 1_000_000} MB")])
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Problems([Problem(file, 1, 1, "the file is UTF-16: save it as UTF-8")])
    if data.startswith(codecs.BOM_UTF8):
        raise Problems([Problem(file, 1, 1, "the file begins with a byte order mark: save it as UTF-8 without one")])
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line, column = _after(data[: error.start].decode())
        message = f"the file is not UTF-8 (byte 0x{data[error.start]:02x})"
        raise Problems([Problem(file, line, column, message)]) from None
    if not text.strip():
        raise Problems([Problem(file, 1, 1, "the file is empty")])
    _refuse(file, text, text.find("\0"), "the file holds a NUL character")
    _refuse(file, text, text.replace("\r\n", "\n\n").find("\r"), "a carriage return without a line feed")
    return text


def _refuse(file: str, text: str, at: int, message: str) -> None:
    if at >= 0:
        raise Problems([Problem(file, *_after(text[:at]), message)])


def _explain(file: str, text: str, first: Mistake, lines: _Lines, spots: Spots) -> list[Problem]:
    shown = text.replace("\r\n", "\n").split("\n")
    return [
        _twice(file, mistake, lines, spots) or worded(mistake, file, shown)
        for mistake in mistakes(text.replace("\r\n", "\n"), first)
    ]


def _twice(file: str, mistake: Mistake, lines: _Lines, spots: Spots) -> Problem | None:
    """The reader notices a repeated key only after its value and does not know the first: both are told here."""
    if not mistake.kind.startswith(("Cannot overwrite", "Cannot declare", "Duplicate inline", "Cannot mutate")):
        return None
    for again in spots.repeated:
        line, column = _place(again.at, lines)
        if line == mistake.line:
            first, _ = _place(again.first, lines)
            return Problem(file, line, column, f"'{again.name}' stands here a second time (first in line {first})")
    return Problem(file, mistake.line, mistake.column, "a key or table before this one already has that name")


def _after(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def _lines(data: bytes) -> _Lines:
    lines = data.split(b"\n")
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    return tuple(lines), tuple(starts)


def _place(offset: int, lines: _Lines) -> tuple[int, int]:
    texts, starts = lines
    line = bisect_right(starts, offset) - 1
    return line + 1, len(texts[line][: offset - starts[line]].decode(errors="replace")) + 1


# The bytes of a file that the user named.

def read_bytes(path: Path, *, shown: str | None = None) -> bytes:
    """At most one byte more than a TOML file may have. ``Problems`` with one line, under the name ``shown`` (the path,
    if ``None``), where there is no such file, it is no ordinary file, or it may not be read."""
    try:
        # Asked before opening: opening a pipe would wait for somebody to write into it.
        if not stat.S_ISREG(path.stat().st_mode):
            raise Problems([Problem(shown or str(path), 1, 1, "this is not a file" + _instead(path))])
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        message = "there is no such file"
    except ValueError:  # a NUL in the path
        message = "no file can have this name"
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
    raise Problems([Problem(shown or str(path), 1, 1, message)])


def _instead(path: Path) -> str:
    return " but a folder" if path.is_dir() else ""
