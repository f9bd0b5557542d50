"""Lists what a transaction changes, row by row: enough to make the same change to another copy of the ledger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TypeAlias

Value: TypeAlias = str | int
Row: TypeAlias = Mapping[str, Value]
Change: TypeAlias = tuple[str, tuple[Value, ...], Row | None]
"""A table, the key of a row, and the row as it is now, without its empty columns; ``None``: it is gone."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "actions": ("id",),
    "segments": ("contact_id",),
    "pauses": ("kind", "subject"),
    "resumed_flows": ("flow_id",),
    "breaches": ("wait_id", "began_at", "rule"),
    "notices": ("key",),
}
"""The shared tables with the keys of their rows. The instance is no part of a key: a copy has one instance only."""

_WATCH = """
    CREATE TEMP TRIGGER changed_{event}_{table} AFTER {event} ON main.{table} BEGIN
        INSERT OR IGNORE INTO changed VALUES ('{table}', json_array({key}));
    END;"""


def watch(connection: sqlite3.Connection) -> None:
    """Records from now on which rows the connection changes; a transaction that is undone records nothing."""
    connection.execute("CREATE TEMP TABLE changed (name TEXT, key TEXT, PRIMARY KEY (name, key)) WITHOUT ROWID")
    for table, columns in KEYS.items():
        if not _columns(connection, table):  # the schema of an older version
            continue
        for event, of in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            key = ", ".join(f"{of}.{column}" for column in columns)
            connection.execute(_WATCH.format(event=event, table=table, key=key))


def changed(connection: sqlite3.Connection, instance_id: str) -> tuple[Change, ...]:
    """Returns what was changed since the last call."""
    noted = connection.execute("SELECT name, key FROM changed ORDER BY name, key").fetchall()
    connection.execute("DELETE FROM changed")
    return tuple(_change(connection, instance_id, table, tuple(json.loads(key))) for table, key in noted)


def everything(connection: sqlite3.Connection, instance_id: str) -> Iterator[Change]:
    """Returns the whole ledger, as changes to an empty one."""
    for table, columns in KEYS.items():
        for row in connection.execute(f"SELECT * FROM {table} WHERE instance = ?", (instance_id,)):
            yield table, tuple(row[column] for column in columns), _filled(row)


def apply(connection: sqlite3.Connection, instance_id: str, changes: Iterable[Change], *, new: bool = False) -> None:
    """Makes the same changes, within the caller's transaction. The old rows go first: of two that exclude each other
    (an intent that was settled, and the next of its chain) either may come before the other. ``new``: there are none.

    Raises ``sqlite3.Error`` or ``KeyError`` for a table or a column that this version does not have.
    """
    rows = list(changes)
    known = {table: _columns(connection, table) for table in KEYS}
    for table, key, _ in () if new else rows:
        connection.execute(f"DELETE FROM {table} WHERE {_where(table)}", _named(table, key, instance_id))
    for (table, columns), of_them in groupby(rows, lambda one: (one[0], None if one[2] is None else tuple(one[2]))):
        if columns is None:
            continue
        if unknown := set(columns) - known[table]:
            raise KeyError(f"{table} has no {', '.join(sorted(unknown))}")
        places = ", ".join("?" * (len(columns) + 1))
        statement = f"INSERT INTO {table} ({', '.join((*columns, 'instance'))}) VALUES ({places})"
        connection.executemany(statement, ((*row.values(), instance_id) for _, _, row in of_them if row is not None))
    connection.execute("DELETE FROM changed")


def newest_id(connection: sqlite3.Connection) -> int:
    """Returns the last id that was given to an action, also if that action was removed."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'actions'").fetchone()
    return row[0] if row is not None else 0


def begin_after(connection: sqlite3.Connection, action_id: int) -> None:
    """Gives the next action a later id, also if the newest ones were removed."""
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'actions'")
    connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('actions', ?)", (action_id,))


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}


def _change(connection: sqlite3.Connection, instance_id: str, table: str, key: tuple[Value, ...]) -> Change:
    found = connection.execute(f"SELECT * FROM {table} WHERE {_where(table)}", _named(table, key, instance_id))
    row = found.fetchone()
    return table, key, None if row is None else _filled(row)


def _filled(row: sqlite3.Row) -> Row:
    return {name: row[name] for name in row.keys() if row[name] is not None and name != "instance"}  # noqa: SIM118


def _where(table: str) -> str:
    return " AND ".join(f"{column} = :{column}" for column in ("instance", *KEYS[table]))


def _named(table: str, key: tuple[Value, ...], instance_id: str) -> dict[str, Value]:
    return {"instance": instance_id, **dict(zip(KEYS[table], key, strict=True))}
