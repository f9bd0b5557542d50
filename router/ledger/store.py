"""Reads and writes actions as rows of SQLite, over one connection that one thread uses at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType, TracebackType
from typing import Self

from router.ledger import statements
from router.ledger.connection import REMEDY, WriterLock, patient, prove_writable, transaction, translated
from router.ledger.errors import AlreadyIntended, LedgerBroken, LedgerUnavailable, NotOpen
from router.ledger.rows import Value, action_of, row_of
from router.model import Action


class Store:
    """Holds the connection and the lock of the file. Thread-safe; everything raises ``LedgerUnavailable`` after
    ``close``."""

    def __init__(
        self, connection: sqlite3.Connection, *, name: str, instance_id: str, lock: WriterLock | None, writable: bool
    ) -> None:
        self._connection = connection
        self._one_at_a_time = threading.Lock()
        self._writer_lock = lock
        self._writable = writable
        self._closed = False
        self.name = name
        self.instance_id = instance_id

    def close(self) -> None:
        """Lets go of the file and of the lock; harmless when done twice."""
        with self._one_at_a_time:
            self._closed = True
            self._connection.close()
            if self._writer_lock is not None:
                self._writer_lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def rows(self, statement: str, values: Mapping[str, Value]) -> list[sqlite3.Row]:
        with self._alone() as connection:
            return connection.execute(statement, {**values, "instance": self.instance_id}).fetchall()

    def _read(self, statement: str, values: Mapping[str, Value] = MappingProxyType({})) -> tuple[Action, ...]:
        return self._actions(self.rows(statement, values))

    def _actions(self, rows: Iterable[sqlite3.Row]) -> tuple[Action, ...]:
        try:
            return tuple(action_of(row) for row in rows)
        except (ValueError, OverflowError) as error:
            raise LedgerBroken(f"{self.name}: a record cannot be read ({error}); {REMEDY}") from error

    def prove_writable(self) -> None:
        """Raises ``LedgerUnavailable`` if nothing can be written now."""
        if self._writable:
            with self._alone() as connection:
                prove_writable(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        if not self._writable:
            raise LedgerUnavailable(f"{self.name}: opened for reading only")
        with self._alone() as connection, patient(connection), transaction(connection):
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        with self._one_at_a_time, translated(self.name):
            if self._closed:
                raise LedgerUnavailable(f"{self.name}: the ledger is closed")
            yield self._connection

    def _insert(self, connection: sqlite3.Connection, action: Action) -> Action:
        row = row_of(action, self.instance_id)
        columns, places = ", ".join(row), ", ".join(f":{column}" for column in row)
        try:
            cursor = connection.execute(f"INSERT INTO actions ({columns}) VALUES ({places})", row)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                raise
            what = f"{action.kind} at {action.at} of rule {action.rule}"
            raise AlreadyIntended(f"{self.name}: wait {action.wait.wait_id} has had its {what}") from error
        assert cursor.lastrowid is not None, "an INSERT has a row id"
        return replace(action, id=cursor.lastrowid)

    def _update(
        self, connection: sqlite3.Connection, statement: str, action: Action, values: Mapping[str, Value]
    ) -> None:
        try:
            cursor = connection.execute(statement, {**values, "instance": self.instance_id, "id": action.id})
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                raise
            raise AlreadyIntended(f"{self.name}: contact {action.contact_id} has another update under way") from error
        if cursor.rowcount == 0:
            raise NotOpen(f"{self.name}: action {action.id} of contact {action.contact_id} is not open for this")

    def _follow_up(self, connection: sqlite3.Connection, action: Action) -> Action:
        values = {"instance": self.instance_id, "parent": action.parent, "kind": action.kind.value}
        known = connection.execute(statements.FOLLOW_UP, values).fetchone()
        if known is not None:
            return action_of(known)
        statements.adopt(connection, self.instance_id, action)
        return self._insert(connection, action)
