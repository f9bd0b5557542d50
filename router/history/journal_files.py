"""Writes and reads the files of a journal: compressed lines of JSON, a new file each hour and at each start."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

from router.toml_source import require_ordinary

SUFFIX = ".jsonl.gz"
_NAME = "%Y%m%dT%H%M%S.%fZ"
LEVEL = 6
GZIP = 31
"""The window of zlib that makes and reads gzip (zlib's manual, deflateInit2)."""
CHUNK = 1 << 16
BACK = timedelta(hours=1)
DELETED_AT_ONCE = 48
"""Files that one new hour deletes at most: a clock that is wrong by years must not delete a whole journal at once."""


@dataclass
class JournalFiles:
    """Appends records to the file of the hour in ``folder``, and deletes files that are older than ``keep``.

    Each file can be read without the one before it. ``write`` and ``flush`` raise OSError, and the next record then
    begins a new file, because nothing may follow a torn record.
    """

    folder: Path
    keep: timedelta
    _handle: int | None = None
    _hour: datetime | None = None
    _squeeze: Any = None
    _pending: bytearray = field(default_factory=bytearray)

    def begins(self, at: datetime) -> bool:
        """Returns whether a record of this instant begins a new file. A clock that is set back by some minutes does not
        begin one: it would be read before the present file."""
        if self._handle is None or self._hour is None:
            return True
        return not self._hour - BACK <= _hour_of(at) <= self._hour

    def begin(self, at: datetime) -> Path:
        """Begins a new file. Raises OSError."""
        self.close()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._free_path(at)
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._hour, self._squeeze = _hour_of(at), zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
        self._prune(at)
        return path

    def write(self, record: object) -> int:
        """Appends one record; it is on its way to the disk after ``flush``. Returns its size before compression."""
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        self._pending += self._squeeze.compress(line)
        if len(self._pending) >= CHUNK:
            self._send()
        return len(line)

    def flush(self) -> None:
        """Writes every record of the file so that a reader gets all of them, whatever happens to this process."""
        if self._handle is not None:
            self._pending += self._squeeze.flush(zlib.Z_SYNC_FLUSH)
            self._send()

    def close(self) -> None:
        """Ends the file. Raises OSError if its last records could not be written; the file is closed all the same."""
        if self._handle is None:
            return
        try:
            self._pending += self._squeeze.flush(zlib.Z_FINISH)
            self._send()
            os.fsync(self._handle)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Leaves the file as it is."""
        handle, self._handle = self._handle, None
        self._pending.clear()
        if handle is not None:
            os.close(handle)

    def _send(self) -> None:
        assert self._handle is not None, "a file is open"
        while self._pending:
            written = os.write(self._handle, self._pending)
            del self._pending[:written]

    def _free_path(self, at: datetime) -> Path:
        while (path := self.folder / f"{at:{_NAME}}{SUFFIX}").exists():
            at += timedelta(microseconds=1)
        return path

    def _prune(self, now: datetime) -> None:
        old = [path for path in journal_paths(self.folder) if (began := began_at(path)) and began < now - self.keep]
        for path in old[:DELETED_AT_ONCE]:
            path.unlink(missing_ok=True)


def _hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def journal_paths(folder: Path) -> list[Path]:
    """Returns the files of a journal, the oldest first; of a path to one file that file. Raises OSError."""
    if folder.is_file():
        return [folder]
    return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))


def began_at(path: Path) -> datetime | None:
    """Returns when a file of a journal began, by its name; ``None`` for another name."""
    try:
        return datetime.strptime(path.name.removesuffix(SUFFIX), _NAME).replace(tzinfo=UTC)
    except ValueError:
        return None


def paths_between(folder: Path, since: datetime, until: datetime) -> list[Path]:
    """Returns the files that may have records of this time."""
    paths = journal_paths(folder)
    begins = [began_at(path) for path in paths]
    wanted = []
    for path, begin, end in zip_longest(paths, begins, begins[1:]):
        if (begin is None or begin < until) and (end is None or end >= since):
            wanted.append(path)
    return wanted


@dataclass(frozen=True, slots=True)
class Damage:
    """Names the place in a file from which on a record, or the rest of the file, could not be read."""

    file: str
    offset: int
    why: str


def read_lines(path: Path) -> Iterator[dict[str, Any] | Damage]:
    """Yields the records of a file, and a ``Damage`` for each place that is none. Ends at the last whole record."""
    try:
        require_ordinary(path)
        with path.open("rb") as file:
            yield from _records(path, _lines(path, iter(lambda: file.read(CHUNK), b"")))
    except OSError as error:
        yield Damage(str(path), 0, error.strerror or str(error))


def _lines(path: Path, chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes] | Damage]:
    """Yields each whole line with the number of compressed bytes that were read when it was there."""
    expand = zlib.decompressobj(GZIP)
    rest, offset = b"", 0
    for chunk in chunks:
        try:
            text = expand.decompress(chunk)
        except zlib.error as error:
            yield Damage(str(path), offset, f"the rest of the file is damaged: {error}")
            return
        offset += len(chunk)
        *whole, rest = (rest + text).split(b"\n")
        for line in whole:
            yield offset, line
        if expand.unused_data:
            yield Damage(str(path), offset, "there is something after the end of the journal")
            return
    if rest:
        yield Damage(str(path), offset, "the last record is torn")


def _records(path: Path, lines: Iterable[tuple[int, bytes] | Damage]) -> Iterator[dict[str, Any] | Damage]:
    for line in lines:
        if isinstance(line, Damage):
            yield line
            continue
        try:
            record = json.loads(line[1])
        except (ValueError, RecursionError):
            record = None
        yield record if isinstance(record, dict) else Damage(str(path), line[0], "a record is no JSON object")
