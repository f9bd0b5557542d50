"""Holds the schema of the SQLite ledger: ordered migrations, applied together or not at all, each with its row."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

from router.ledger.errors import LedgerBroken
from router.ledger.rows import EPOCH, MICROSECOND, micros

APPLICATION_ID = 0x43525452
"""``CRTR`` in the file's header: distinguishes a ledger from any other SQLite database."""

OLDEST_SQLITE = (3, 37, 0)
"""The first with STRICT tables (sqlite.org/stricttables.html)."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str


@cache
def shipped() -> tuple[Migration, ...]:
    """Returns the migrations of this version, oldest first, from ``migrations/NNNN_name.sql``."""
    folder = resources.files("router.ledger") / "migrations"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return tuple(
        Migration(int(entry.name.split("_", 1)[0]), entry.name.removesuffix(".sql"), entry.read_text("utf-8"))
        for entry in files
    )


def version_of(connection: sqlite3.Connection, name: str, known: Sequence[Migration]) -> int:
    """Returns the schema version of the file, 0 for an empty one. Raises LedgerBroken if it is no ledger, or a newer
    one."""
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == version == tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise LedgerBroken(f"{name}: this is a SQLite database of another program; name another file in ledger.url")
    newest = known[-1].version
    if version > newest:
        raise LedgerBroken(
            f"{name}: written by a newer connect-router (schema {version}, this one knows up to {newest}); "
            "install that version again, or restore the backup made before the upgrade"
        )
    return version


def began_at(connection: sqlite3.Connection) -> datetime:
    """Returns when the ledger was made, by the first of its migrations."""
    first: int = connection.execute("SELECT min(applied_at) FROM migrations").fetchone()[0]
    return EPOCH + first * MICROSECOND


def upgrade(connection: sqlite3.Connection, version: int, migrations: Sequence[Migration], now: datetime) -> None:
    """Applies the missing migrations in order, in one transaction. If one fails, nothing of any of them remains."""
    missing = [migration for migration in migrations if migration.version > version]
    if missing:
        _apply(connection, missing, now)


def _apply(connection: sqlite3.Connection, migrations: Sequence[Migration], now: datetime) -> None:
    applied = "".join(
        f"""{migration.sql}
        INSERT INTO migrations (version, name, applied_at)
            VALUES ({migration.version}, '{migration.name}', {micros(now)});
        """
        for migration in migrations
    )
    # One script, because executescript commits whatever transaction was begun before it.
    script = f"""BEGIN IMMEDIATE;
        {applied}
        PRAGMA application_id = {APPLICATION_ID};
        PRAGMA user_version = {migrations[-1].version};
        COMMIT;"""
    try:
        connection.executescript(script)
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise
