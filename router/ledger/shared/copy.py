"""Holds the copy of a shared ledger in SQLite, also of a ledger that an older version wrote."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import islice

from router.ledger.connection import closing_on_error, open_private, transaction
from router.ledger.errors import LedgerBroken
from router.ledger.rows import EPOCH
from router.ledger.schema import shipped, upgrade
from router.ledger.shared import changes

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

    def load(self, instance_id: str, rows: Iterable[changes.Change], newest_id: int) -> None:
        """Fills the empty copy with a base. Raises what ``changes.apply`` raises."""
        with transaction(self._connection):
            left = iter(rows)
            while some := list(islice(left, LOADED_AT_ONCE)):
                changes.apply(self._connection, instance_id, some, new=True)
            changes.begin_after(self._connection, newest_id)

    def follow(self, instance_id: str, rows: Iterable[changes.Change], schema: int) -> None:
        """Makes the changes of an entry. Its ``schema`` may be newer than the copy's, and is older than this version's.

        Raises ``LedgerBroken`` for an entry that is older than the copy, and what ``changes.apply`` raises.
        """
        if schema < self.schema:
            raise LedgerBroken(older_than(schema, self.schema))
        if schema > self.schema:
            self._connection = upgraded(self._connection, self.schema, schema)
            self.schema = schema
            self._watch()
        with transaction(self._connection):
            changes.apply(self._connection, instance_id, rows)

    def newest(self) -> sqlite3.Connection:
        """Returns another copy with the same rows in the schema of this version."""
        still = open_private()
        with closing_on_error(still):
            self._connection.backup(still)
            return upgraded(still, self.schema, shipped()[-1].version)

    def close(self) -> None:
        self._connection.close()

    def _watch(self) -> None:
        changes.watch(self._connection)


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
