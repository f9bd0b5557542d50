"""Migrations are ordered, are applied together or not at all, have a row each, and none is changed once shipped."""

import hashlib
import sqlite3
from contextlib import closing

import pytest

from router.ledger import LedgerUnavailable, schema, sqlite
from router.ledger.connection import open_memory
from router.ledger.schema import APPLICATION_ID, Migration, shipped, upgrade
from router.model import Landing

SHIPPED = {
    "0001_actions": "d80c6255c54a4b8d",
    "0002_routing": "7668301fe61fbf76",
    "0003_pauses": "99fb37045c62d99a",
    "0004_waits": "05d597246e550b31",
    "0005_channel": "b3cdfd21794fcf5a",
    "0006_breaches": "a175156f4a25f531",
    "0007_notices": "26ef669f36b0f10f",
}
"""What was shipped is in ledgers that exist: it is never edited, another migration is added."""

LAST = len(SHIPPED)
ADDS = Migration(LAST + 1, "adds", "ALTER TABLE actions ADD COLUMN note TEXT; CREATE TABLE notes (id INTEGER) STRICT;")
FAILS = Migration(LAST + 2, "fails", "CREATE TABLE half (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1);")


def rows(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute("SELECT version, name FROM migrations ORDER BY version")]


def version(connection: sqlite3.Connection) -> object:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def test_a_shipped_migration_is_never_edited():
    assert {each.name: hashlib.sha256(each.sql.encode()).hexdigest()[:16] for each in shipped()} == SHIPPED


def test_the_shipped_migrations_are_numbered_from_one_without_a_gap():
    assert [each.version for each in shipped()] == list(range(1, len(shipped()) + 1))
    assert all(each.name.startswith(f"{each.version:04}_") for each in shipped())


def test_a_new_ledger_has_every_migration_with_its_row(open_ledger, now):
    connection = open_ledger()._connection

    assert rows(connection) == [(each.version, each.name) for each in shipped()]
    assert version(connection) == shipped()[-1].version
    assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    applied = connection.execute("SELECT applied_at FROM migrations").fetchone()[0]
    assert applied == int(now.timestamp()) * 1_000_000


def test_every_table_is_strict(open_ledger):
    tables = open_ledger()._connection.execute("PRAGMA table_list").fetchall()

    ours = {row["name"]: row["strict"] for row in tables if not row["name"].startswith("sqlite_")}
    tables = ("migrations", "actions", "segments", "pauses", "resumed_flows", "breaches", "notices")
    assert ours == dict.fromkeys(tables, 1)


def test_an_older_ledger_is_upgraded_with_all_it_holds(open_ledger, monkeypatch, act):
    with open_ledger() as ledger:
        recorded = ledger.record(act())
        intent = ledger.intend(act("c-2"))
    monkeypatch.setattr(sqlite, "shipped", lambda: (*shipped(), ADDS))

    with open_ledger() as ledger:
        assert not ledger.created
        assert ledger.history() == (recorded, intent)
        assert rows(ledger._connection)[-1] == (LAST + 1, "adds")
        assert version(ledger._connection) == LAST + 1
        ledger._connection.execute("SELECT note FROM actions")
    with open_ledger() as ledger:
        assert len(rows(ledger._connection)) == LAST + 1


def test_a_ledger_of_each_version_that_was_shipped_is_upgraded_with_all_it_holds(open_ledger, monkeypatch, path, now):
    for had in range(1, LAST + 1):
        name = path.with_name(f"of-version-{had}.db")
        with closing(sqlite3.connect(name, isolation_level=None)) as connection:
            upgrade(connection, 0, shipped()[:had], now)
            wait_id = "case_id" if had < 4 else "wait_id"
            connection.execute(
                f"""
                INSERT INTO actions (instance, kind, state, observed, {wait_id}, began_at, chain_id, contact_id,
                    queue_id, enqueued_at, rule, step, at, first_clock_started_at, first_queue_id, first_waited,
                    revision, fingerprint, cycle, decided_at, series, attempts)
                VALUES ('instance-1', 'warn', 'acted', 0, 'c', 1, 'c', 'c', 'q', 1, 'r', 1, 1, 1, 'q', 1, 'v', 'f', 1,
                    ?, 0, 0)""",
                (int(now.timestamp()) * 1_000_000,),
            )
        name.chmod(0o600)
        with open_ledger(path=name) as ledger:
            assert [action.rule for action in ledger.history()] == ["r"]
            assert version(ledger._connection) == LAST


def test_an_older_ledger_is_not_read_with_newer_eyes(open_ledger, read_ledger, monkeypatch, path):
    open_ledger().close()
    before = path.read_bytes()
    monkeypatch.setattr(sqlite, "shipped", lambda: (*shipped(), ADDS))

    with pytest.raises(LedgerUnavailable, match=f"has schema {LAST}; starting the service upgrades it"):
        read_ledger()
    assert path.read_bytes() == before


def test_an_upgrade_of_which_a_migration_fails_leaves_the_ledger_as_it_was(now):
    with closing(open_memory()) as connection:
        upgrade(connection, 0, shipped(), now)
        with pytest.raises(sqlite3.OperationalError):
            upgrade(connection, LAST, (*shipped(), ADDS, FAILS), now)

        assert version(connection) == LAST
        assert [name for _, name in rows(connection)] == list(SHIPPED)
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        assert names.isdisjoint({"notes", "half"})
        assert not connection.in_transaction


def test_an_upgrade_that_failed_is_made_as_a_whole_at_the_next_start(open_ledger, monkeypatch, act):
    with open_ledger() as ledger:
        recorded = ledger.record(act())
    monkeypatch.setattr(sqlite, "shipped", lambda: (*shipped(), ADDS, FAILS))
    with pytest.raises(LedgerUnavailable):
        open_ledger()
    mended = Migration(LAST + 2, "mended", "CREATE TABLE half (id INTEGER) STRICT;")
    monkeypatch.setattr(sqlite, "shipped", lambda: (*schema.shipped(), ADDS, mended))

    ledger = open_ledger()
    assert [name for _, name in rows(ledger._connection)] == [*SHIPPED, "adds", "mended"]
    assert ledger.history() == (recorded,)


def test_the_model_has_no_landing_that_a_statement_has_to_learn_by_hand():
    from router.ledger.statements import FOLLOWED

    listed = {value.strip("' ") for value in FOLLOWED.split(",")}
    assert listed == {landing.value for landing in Landing if landing.followed}
