"""Follows the log of a shared ledger: makes in the copy in SQLite what the routers have written, also of an
older version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice

from router.ledger.connection import closing_on_error, open_private, transaction
from router.ledger.errors import LedgerBroken, LedgerUnavailable
from router.ledger.rows import EPOCH
from router.ledger.schema import shipped, upgrade
from router.ledger.shared import changes as change
from router.ledger.shared.log import Base, LogEntry, Moved, TransactionLog, Writer
from router.ledger.sqlite import SqliteLedger

TRIES = 5
LOADED_AT_ONCE = 5_000


def new_copy(schema: int) -> sqlite3.Connection:
    """Returns an empty copy with that schema, private to this process."""
    connection = open_private()
    with closing_on_error(connection):
        upgrade(connection, 0, shipped()[:schema], EPOCH)
    return connection


class OlderCopy:
    """Holds the ledger in the schema of an older version, which still writes it, or was the last to write it.

    Every router that reads on upgrades the same rows by the same migrations at the same entry, the first of the newer
    version. Therefore all their copies are equal, the ids of new rows included.
    """

    def __init__(self, schema: int) -> None:
        self.schema = schema
        self._connection = new_copy(schema)
        self._watch()

    def load(self, instance_id: str, rows: Iterable[change.Change], newest_id: int) -> None:
        """Fills the empty copy with a base. Raises what ``change.apply`` raises."""
        with transaction(self._connection):
            left = iter(rows)
            while some := list(islice(left, LOADED_AT_ONCE)):
                change.apply(self._connection, instance_id, some, new=True)
            change.begin_after(self._connection, newest_id)

    def follow(self, instance_id: str, rows: Iterable[change.Change], schema: int) -> None:
        """Makes the changes of an entry. Its ``schema`` may be newer than the copy's, and is older than this version's.

        Raises ``LedgerBroken`` for an entry that is older than the copy, and what ``change.apply`` raises.
        """
        if schema < self.schema:
            raise LedgerBroken(older_than(schema, self.schema))
        if schema > self.schema:
            self._connection = upgraded(self._connection, self.schema, schema)
            self.schema = schema
            self._watch()
        with transaction(self._connection):
            change.apply(self._connection, instance_id, rows)

    def newest(self) -> sqlite3.Connection:
        """Returns another copy with the same rows in the schema of this version."""
        still = open_private()
        with closing_on_error(still):
            self._connection.backup(still)
            return upgraded(still, self.schema, shipped()[-1].version)

    def close(self) -> None:
        self._connection.close()

    def _watch(self) -> None:
        change.watch(self._connection)


def upgraded(connection: sqlite3.Connection, schema: int, to: int) -> sqlite3.Connection:
    """Returns a copy of the connection's rows in a newer schema, and closes the connection: its triggers that watch
    for changes would not outlive a table that is rebuilt."""
    newer = open_private()
    with closing_on_error(newer):
        connection.backup(newer)
        connection.close()
        upgrade(newer, schema, shipped()[:to], EPOCH)
    return newer


def older_than(schema: int, known: int) -> str:
    """Returns why an older router's entry is refused after a newer one's."""
    return (
        f"written by an older connect-router (schema {schema}) after a newer one (schema {known}); "
        "install the newer version there too"
    )


class LogFollower(SqliteLedger):
    """Holds the copy of the ledger as it was after an entry of the log, and the last writer. Thread-safe.

    While the last writer is of an older version, its changes are made in a copy of its schema (``OlderCopy``), which is
    upgraded before it is read.
    """

    def __init__(self, connection: sqlite3.Connection, log: TransactionLog, *, keep: timedelta) -> None:
        super().__init__(connection, name=log.table.url, instance_id=log.instance_id, keep=keep, writable=False)
        self._log = log
        self._schema = shipped()[-1].version
        self._last: Writer | None = None
        self._number = 0
        self._tail = 0
        self._base = Base()
        self._older: OlderCopy | None = None
        self._stale = False

    def catch_up(self) -> None:
        """Reads what was written since; the copy changes entry by entry, each whole."""
        for _ in range(TRIES):
            head = self._log.head()
            if head is None and self.began_at is None:
                return
            if head is None:
                raise LedgerUnavailable(f"{self.name}: its head is not found any more")
            self.began_at = head.made_at
            try:
                if head.base.number > self._number:
                    self._load(head.base)
                else:
                    self._base = head.base
                self._follow()
            except Moved:
                continue
            finally:
                self._show_older()
            return
        raise LedgerUnavailable(f"{self.name}: changed while it was read; try again")

    def _load(self, base: Base) -> None:
        self._require_schema(base.schema)
        if base.schema < self._schema:
            self._load_older(base)
            return
        with self._alone() as connection, transaction(connection):
            for table in change.KEYS:
                connection.execute(f"DELETE FROM {table}")
            rows = self._log.base(base)
            while some := list(islice(rows, LOADED_AT_ONCE)):
                self._apply(connection, some, "the base", new=True)
            change.begin_after(connection, base.newest_id)
            self._leave_older()
            self._number, self._base, self._tail, self._last = base.number, base, 0, base.writer
        self._recent.forget()

    def _load_older(self, base: Base) -> None:
        """Reads a base that an older version wrote into a copy of its schema."""
        older = OlderCopy(base.schema)
        try:
            with self._readable("the base"):
                older.load(self.instance_id, self._log.base(base), base.newest_id)
        except BaseException:
            older.close()
            raise
        with self._one_at_a_time:
            self._leave_older()
            self._older, self._number, self._base, self._tail = older, base.number, base, 0
            self._last = base.writer
            self._stale = True

    def _follow(self) -> None:
        for entry in self._log.after(self._number):
            self._require_schema(entry.schema)
            if entry.schema == self._schema:
                self._show_older()
            with self._alone() as connection:
                if entry.number != self._number + 1:
                    return  # another thread was faster
                if entry.schema < self._schema:
                    self._follow_older(entry)
                else:
                    self._leave_older()
                    with transaction(connection):
                        self._apply(connection, entry.changes, f"entry {entry.number}")
                self._number = entry.number
                self._tail += entry.size
                self._last = entry.writer
            self._recent.forget()

    def _follow_older(self, entry: LogEntry) -> None:
        """Makes an older version's changes in a copy of its schema. Raises ``LedgerBroken`` if this version has already
        written: the older one must not go on after that."""
        if self._older is None and self._number > 0:
            raise LedgerBroken(f"{self.name}: {older_than(entry.schema, self._schema)}")
        if self._older is None:
            self._older = OlderCopy(entry.schema)
        with self._readable(f"entry {entry.number}"):
            self._older.follow(self.instance_id, entry.changes, entry.schema)
        self._stale = True

    def _show_older(self) -> None:
        """Upgrades what an older version wrote since the last time, for this version's statements to read."""
        if self._older is None or not self._stale:
            return
        with self._one_at_a_time:
            newest = self._older.newest()
            change.watch(newest)
            self._connection.close()
            self._connection, self._stale = newest, False
        self._recent.forget()

    def _leave_older(self) -> None:
        """Uses the upgraded copy alone: from here on no older version can write."""
        if self._older is not None:
            self._older.close()
        self._older, self._stale = None, False

    @contextmanager
    def _readable(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise LedgerBroken(f"{self.name}: {what} cannot be read ({error})") from error

    def _apply(
        self, connection: sqlite3.Connection, changes: Iterable[change.Change], what: str, *, new: bool = False
    ) -> None:
        with self._readable(what):
            change.apply(connection, self.instance_id, changes, new=new)

    def _require_schema(self, schema: int) -> None:
        if schema > self._schema:
            raise LedgerBroken(
                f"{self.name}: written by a newer connect-router (schema {schema}, this one knows up to "
                f"{self._schema}); install that version here too"
            )
