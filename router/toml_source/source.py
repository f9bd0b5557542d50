"""Reads a TOML file: its bytes, its values, and where each of them is."""

from __future__ import annotations

import codecs
import errno
import re
import stat
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from router.problems import Place, Problem, Problems
from router.toml_source.positions import Spot, SyntaxMistake
from router.toml_source.syntax_errors import read

LARGEST = 10_000_000
"""Bytes. No rule file is larger. A log or a dump in the rules folder is refused at once, not read for minutes."""

KeyPath = tuple[str | int, ...]
"""Keys, and indexes into lists, from the top of the document."""


@dataclass(frozen=True, slots=True)
class Graft:
    """Names where a value is written that has been put into a document from another place.

    ``use`` describes its new place in words. ``copied``: the key was put in, too, so that both places have the same
    mistakes.
    """

    source: TomlSource
    path: KeyPath
    use: str
    copied: bool = False


@dataclass(frozen=True, slots=True)
class TomlSource:
    """Holds a TOML file: its values and where each of them is. ``file`` is its name in messages.

    ``grafts`` are the values of ``data`` that were put in after reading, by their paths.
    """

    file: str
    data: dict[str, Any]
    _line_starts: tuple[int, ...] = field(repr=False)
    _root: Spot = field(repr=False)
    grafts: dict[KeyPath, Graft] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, file: str, data: bytes) -> TomlSource:
        """Returns the file that has these bytes. Raises only ``Problems``, with the first thing that is no TOML 1.0."""
        text = _text(file, data)
        try:
            values, spots = read(text)
        except SyntaxMistake as mistake:
            raise Problems([Problem(file, *_after(text[: mistake.at]), str(mistake))]) from None
        starts = (0, *(found.end() for found in re.finditer("\n", text)))
        return cls(file, values, starts, spots.root)

    def position(self, path: KeyPath, *, of: Literal["key", "value"]) -> tuple[int, int]:
        """Returns the line and the column, both from 1, the column in characters.

        For a path that the file does not have, they are those of the nearest thing around it. The value of a
        ``[table]`` is its header.
        """
        spot = self._root
        for part in path:
            if part not in spot.inside:
                of = "value"
                break
            spot = spot.inside[part]
        offset = spot.key if of == "key" else spot.value
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def grafted(self, path: KeyPath) -> tuple[Graft, KeyPath] | None:
        """Returns the graft that a path leads into, and the rest of the path; ``None`` for a value of this file."""
        ends = range(len(path), 0, -1) if self.grafts else ()
        return next(((self.grafts[path[:end]], path[end:]) for end in ends if path[:end] in self.grafts), None)

    def place(self, path: KeyPath, *, of: Literal["key", "value"] = "value") -> Place:
        """Returns where a value is written, with a note if that is not where it is used."""
        found = self.grafted(path)
        if found is None or (of == "key" and not found[1] and not found[0].copied):
            return Place(self.file, *self.position(path, of=of))
        graft, rest = found
        place = graft.source.place((*graft.path, *rest), of=of)
        return replace(place, note=f" ({graft.use}){place.note}")

    def problem(self, path: KeyPath, message: str, *, of: Literal["key", "value"] = "value") -> Problem:
        """Returns an error at that place."""
        return self.place(path, of=of).problem(message)


def _text(file: str, data: bytes) -> str:
    """Returns the text, line ends as ``\\n``. Raises ``Problems`` if no TOML file can have these bytes."""
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
    text = text.replace("\r\n", "\n")
    _refuse(file, text, text.find("\r"), "a carriage return without a line feed")
    return text


def _refuse(file: str, text: str, at: int, message: str) -> None:
    if at >= 0:
        raise Problems([Problem(file, *_after(text[:at]), message)])


def _after(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def read_bytes(path: Path, *, shown: str | None = None) -> bytes:
    """Returns the file's bytes, at most one more than a TOML file may have.

    Raises ``Problems`` with one line if the file does not exist, is no ordinary file or may not be read. ``shown`` is
    its name there; ``None`` means the path.
    """
    try:
        require_ordinary(path)
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except NoOrdinaryFile as error:
        message = str(error.strerror)
    except FileNotFoundError:
        message = "there is no such file"
    except ValueError:  # a NUL in the path
        message = "no file can have this name"
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
    raise Problems([Problem(shown or str(path), 0, 0, message)])


class NoOrdinaryFile(OSError):
    """A path leads to a folder, a pipe or a device."""


def require_ordinary(path: Path) -> None:
    """Raises ``NoOrdinaryFile`` for a folder, a pipe or a device, and ``OSError`` if there is nothing. It is called
    before a file is opened, because opening a pipe would wait for somebody to write into it."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise NoOrdinaryFile(errno.EINVAL, "this is not a file" + _instead(path), str(path))


def _instead(path: Path) -> str:
    return " but a folder" if path.is_dir() else ""
