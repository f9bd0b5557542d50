"""Writes and reads the log of a shared ledger: the changes of every transaction, in one order that all routers see.

An entry is put under the number after the last one, on the condition that nothing has that number yet: of two routers
that write at the same moment one learns that it was second, and has changed nothing. There is therefore one history,
and a router that adds to it must know all of it.

From time to time the holder writes the result of the log so far (the *base*). A router that starts reads the base and
the entries after it. Entries that the base contains are kept for a day: a number must not become free again while a
router that was stopped in mid-write could still take it. AWS refuses a request that was signed more than 15 minutes
ago (IAM User Guide, Signature Version 4). A day is therefore plenty.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from router.ledger.errors import LedgerBroken, LedgerUnavailable
from router.ledger.rows import instant_of, micros
from router.ledger.shared.changes import Change
from router.ledger.shared.table import Attribute, DynamoTable, Item

HEAD = "head"
INLINE = 200_000
"""Characters of changes that an entry holds as text, for people to read. Longer changes are compressed into parts."""
PART = 350_000
"""Bytes: an item has at most 400 KB, names included (DynamoDB Developer Guide, Quotas)."""
KEPT = timedelta(days=1)

Pieces = Sequence[bytes]


class Overtaken(Exception):
    """Another entry has this number."""


class Moved(Exception):
    """The base was replaced while it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Names a router in its turn: ``id`` is of one process, ``name`` for people; turns are counted over all routers."""

    id: str
    name: str
    term: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Holds the result of the log at ``number``, whose ``writer`` was the last by then (``None``: there is no entry
    yet).

    ``size`` is in characters, before compression.
    """

    number: int = 0
    nonce: str = "none"
    parts: int = 0
    size: int = 0
    newest_id: int = 0
    schema: int = 0
    writer: Writer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    made_at: datetime
    base: Base


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    number: int
    writer: Writer
    schema: int
    changes: tuple[Change, ...]
    size: int


@dataclass(frozen=True, slots=True)
class TransactionLog:
    """Reads and writes the log of one Connect instance.

    Raises ``LedgerUnavailable`` if the table cannot be reached, ``LedgerBroken`` if its content is not what was
    written.
    """

    table: DynamoTable
    instance_id: str

    def head(self) -> Head | None:
        """Returns the head; ``None`` if this instance has no ledger yet."""
        item = self.table.get(self.instance_id, HEAD)
        return None if item is None else self._head(item)

    def make(self, now: datetime) -> bool:
        """Begins a ledger; returns ``False`` if there is one."""
        return self.table.put_new(self._head_item(Head(made_at=now, base=Base())))

    def append(self, number: int, writer: Writer, changes: Sequence[Change], *, schema: int, now: datetime) -> int:
        """Returns the entry's size after it is in the table. Raises ``Overtaken`` if another entry has the number.

        The SDK repeats a write whose response was lost, and DynamoDB then refuses the repeat because of the first.
        Therefore a refusal counts only after the present entry is seen to be another.
        """
        nonce, body = secrets.token_hex(8), json.dumps(changes, separators=(",", ":"))
        item: dict[str, Attribute] = {
            "instance": self.instance_id,
            "entry": _entry(number),
            "nonce": nonce,
            "at": micros(now),
            "schema": schema,
            **_writer_item(writer),
        }
        if len(body) <= INLINE:
            item["changes"] = body
        else:
            item["parts"] = self._write_parts(nonce, compressed([body]))
        if not self.table.put_new(item):
            there = self.table.get(self.instance_id, _entry(number))
            if there is None or there.get("nonce") != nonce:
                raise Overtaken
        return len(body)

    def after(self, number: int) -> Iterator[LogEntry]:
        """Returns every entry since, in order. Raises ``Moved`` if the next one no longer exists."""
        for item in self.table.between(self.instance_id, _entry(number + 1), _entry(10**15 - 1)):
            number += 1
            if item.get("entry") != _entry(number):
                raise Moved
            yield self._read(number, item)

    def base(self, base: Base) -> Iterator[Change]:
        """Returns the rows of a base. Raises ``Moved`` if another base has replaced it."""
        for line in self._read_parts(base.nonce, base.parts):
            yield self._change(line)

    def replace_base(self, head: Head, pieces: Pieces, new: Base) -> bool:
        """Replaces the base and removes what is thereby superfluous; returns ``False`` if another router has
        replaced it."""
        nonce = secrets.token_hex(8)
        parts = self._write_parts(nonce, pieces)
        replaced = replace(head, base=replace(new, nonce=nonce, parts=parts))
        if not self.table.replace(self._head_item(replaced), expected={"base_nonce": head.base.nonce}):
            self._remove_parts(nonce, parts)
            return False
        self._remove_parts(head.base.nonce, head.base.parts)
        return True

    def forget(self, upto: int, *, before: datetime) -> int:
        """Removes the entries up to ``upto`` that were written before then; returns how many."""
        old: list[str] = []
        found = self.table.between(self.instance_id, _entry(0), _entry(upto), only=("entry", "at", "nonce", "parts"))
        for item in found:
            if int(item.get("at", 0)) >= micros(before):
                break
            old.append(str(item["entry"]))
            if isinstance(item.get("parts"), int):
                self._remove_parts(str(item.get("nonce")), cast(int, item["parts"]))
        self.table.remove(self.instance_id, old)
        return len(old)

    def _read(self, number: int, item: Item) -> LogEntry:
        try:
            if "parts" in item:
                body = "".join(self._read_parts(str(item["nonce"]), int(item["parts"])))
            else:
                body = str(item["changes"])
            return LogEntry(
                number=number,
                writer=_writer(item),
                schema=int(item["schema"]),
                changes=tuple((str(table), tuple(key), row) for table, key, row in json.loads(body)),
                size=len(body),
            )
        except (KeyError, ValueError, TypeError, zlib.error) as error:
            raise self._broken(f"entry {number}", error) from error

    def _change(self, line: str) -> Change:
        try:
            table, key, row = json.loads(line)
            return str(table), tuple(key), row
        except (ValueError, TypeError) as error:
            raise self._broken("the base", error) from error

    def _broken(self, what: str, error: Exception) -> LedgerBroken:
        why = f"{type(error).__name__} {error}".strip()
        return LedgerBroken(f"{self.table.url}: {what} of instance {self.instance_id} cannot be read ({why})")

    def _write_parts(self, nonce: str, pieces: Iterable[bytes]) -> int:
        number = 0
        for number, piece in enumerate(pieces, 1):
            item: Item = {"instance": self.instance_id, "entry": _part(nonce, number), "body": piece}
            if not self.table.put_new(item) and self.table.get(self.instance_id, _part(nonce, number)) != item:
                raise LedgerUnavailable(f"{self.table.url}: a part of an entry was not written")
        return number

    def _read_parts(self, nonce: str, count: int) -> Iterator[str]:
        """Returns the lines that were compressed."""
        if not count:
            return
        unpacker, rest, seen = zlib.decompressobj(), b"", 0
        try:
            for item in self.table.between(self.instance_id, _part(nonce, 1), _part(nonce, count)):
                seen += 1
                if item.get("entry") != _part(nonce, seen):
                    raise Moved  # they are removed in no order
                body = item.get("body")
                *whole, rest = (rest + unpacker.decompress(body if isinstance(body, bytes) else b"")).split(b"\n")
                yield from (line.decode() for line in whole)
            if seen < count:
                raise Moved
            yield from (line.decode() for line in (rest + unpacker.flush()).split(b"\n") if line)
        except (zlib.error, UnicodeDecodeError) as error:
            raise self._broken("a part", error) from error

    def _remove_parts(self, nonce: str, count: int) -> None:
        self.table.remove(self.instance_id, (_part(nonce, number) for number in range(1, count + 1)))

    def _head_item(self, head: Head) -> Item:
        return {
            "instance": self.instance_id,
            "entry": HEAD,
            "made_at": micros(head.made_at),
            "base_number": head.base.number,
            "base_nonce": head.base.nonce,
            "base_parts": head.base.parts,
            "base_size": head.base.size,
            "newest_id": head.base.newest_id,
            "schema": head.base.schema,
            **(_writer_item(head.base.writer) if head.base.writer is not None else {}),
        }

    def _head(self, item: Item) -> Head:
        try:
            return Head(
                made_at=instant_of(int(item["made_at"])),
                base=Base(
                    number=int(item["base_number"]),
                    nonce=str(item["base_nonce"]),
                    parts=int(item["base_parts"]),
                    size=int(item["base_size"]),
                    newest_id=int(item["newest_id"]),
                    schema=int(item["schema"]),
                    writer=_writer(item) if "writer" in item else None,
                ),
            )
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            raise self._broken("the head", error) from error


def _writer_item(writer: Writer) -> Item:
    return {"writer": writer.id, "by": writer.name, "term": writer.term}


def _writer(item: Item) -> Writer:
    return Writer(id=str(item["writer"]), name=str(item["by"]), term=int(item["term"]))


class Counted:
    """Lines as they come, and the ``size`` of those that came."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.size += len(line)
            yield line


def compressed(lines: Iterable[str]) -> list[bytes]:
    """Compresses lines into pieces that fit into an item."""
    packer, pieces, piece = zlib.compressobj(6), [], bytearray()
    for line in lines:
        piece += packer.compress(line.encode() + b"\n")
        while len(piece) >= PART:
            pieces.append(bytes(piece[:PART]))
            del piece[:PART]
    piece += packer.flush()
    while piece:
        pieces.append(bytes(piece[:PART]))
        del piece[:PART]
    return pieces


def _entry(number: int) -> str:
    return f"log#{number:015d}"


def _part(nonce: str, number: int) -> str:
    return f"part#{nonce}#{number:06d}"
