"""Checks that the file is readable by its owner alone, is read without a trace, and has one schema."""

import os
import sqlite3
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from router.ledger import LedgerUnavailable, SqliteLedger
from router.model import Channel, Contact, ContactId


def test_a_new_ledger_says_that_it_was_made_and_an_old_one_does_not(open_ledger, path):
    with open_ledger() as made:
        assert made.created
    with open_ledger() as found:
        assert not found.created


def test_a_new_ledger_and_its_lock_are_for_their_owner_alone_whatever_the_umask(open_ledger, path):
    before = os.umask(0)
    try:
        open_ledger()
    finally:
        os.umask(before)

    assert {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {
        "ledger.db": 0o600,
        "ledger.db.lock": 0o600,
    }


def test_the_journal_is_for_its_owner_alone_too(open_ledger, path, act):
    ledger = open_ledger()
    modes: list[int] = []
    ledger._connection.set_trace_callback(
        lambda statement: modes.extend(each.stat().st_mode & 0o777 for each in path.parent.glob("*-journal"))
    )
    ledger.record(act())

    assert modes
    assert set(modes) == {0o600}


def test_a_private_file_in_a_private_folder_is_no_cause_for_warnings(open_ledger):
    assert open_ledger().warnings == ()


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
def test_a_file_that_everybody_may_read_or_write_is_warned_about_and_left_as_it_is(open_ledger, path, mode):
    open_ledger().close()
    path.chmod(mode)

    (warning,) = open_ledger().warnings

    assert warning == f"{path}: open to every user of this machine; chmod o-rwx"
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_group_may_read_a_ledger_without_a_warning(open_ledger, path):
    open_ledger().close()
    path.chmod(0o640)
    path.parent.chmod(0o750)

    assert open_ledger().warnings == ()


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_folder_that_everybody_may_look_into_is_warned_about(open_ledger, path, mode):
    path.parent.chmod(mode)

    (warning,) = open_ledger().warnings

    assert warning.startswith(f"{path.parent}: this folder of the ledger is open to every user")


@pytest.mark.parametrize("name", ["ledger?mode=memory.db", "a#b%20c.db", "ü – ledger.db", "ledger.db;x"])
def test_any_file_name_is_taken_as_it_is(open_ledger, read_ledger, path, act, name):
    odd = path.with_name(name)
    recorded = open_ledger(path=odd).record(act())

    assert odd.is_file()
    assert read_ledger(odd).history() == (recorded,)


def test_it_runs_with_a_rollback_journal_and_syncs_the_folder_after_a_commit(open_ledger):
    connection = open_ledger()._connection
    settings = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "busy_timeout")
    }

    assert settings == {"journal_mode": "delete", "synchronous": 3, "busy_timeout": 5000}


def test_a_file_that_was_switched_to_wal_is_switched_back(open_ledger, path):
    open_ledger().close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal"
    connection.close()

    assert open_ledger()._connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


def test_every_transaction_begins_by_taking_the_write_lock(open_ledger, act):
    ledger = open_ledger()
    seen: list[str] = []
    ledger._connection.set_trace_callback(seen.append)
    ledger.record(act())

    assert seen[0] == "BEGIN IMMEDIATE"
    assert [one for one in seen if not one.startswith("PRAGMA")][-1] == "COMMIT"


def test_opening_removes_what_is_older_than_is_kept(open_ledger, act, now, keep):
    with open_ledger() as ledger:
        ledger.record(act("old"))
        recent = ledger.record(act("recent", decided_at=now + keep + timedelta(days=1)))

    with open_ledger(now=now + keep + timedelta(days=1)) as ledger:
        assert ledger.history() == (recent,)


def test_keeping_for_longer_than_there_is_a_calendar_is_keeping_everything(open_ledger, act):
    with open_ledger() as ledger:
        recorded = ledger.record(act())
    with open_ledger(keep=timedelta(days=2_000_000)) as ledger:
        assert ledger.history() == (recorded,)


def test_reading_a_ledger_that_is_not_there_finds_it_empty_and_makes_nothing(read_ledger, path, now):
    ledger = read_ledger()

    assert ledger.history() == ledger.open_intents() == ledger.followed() == ledger.moves_since(now) == ()
    assert ledger.histories([Contact(id=ContactId("c-1"), channel=Channel.TASK)]) == {"c-1": ()}
    assert list(path.parent.iterdir()) == []


def test_reading_a_ledger_in_a_folder_that_is_not_there_finds_it_empty(read_ledger, path):
    assert read_ledger(path.parent / "none" / "ledger.db").history() == ()
    assert list(path.parent.iterdir()) == []


def test_reading_a_file_of_no_bytes_finds_it_empty_and_leaves_it_so(read_ledger, path):
    path.touch()

    assert read_ledger().history() == ()
    assert path.stat().st_size == 0
    assert [each.name for each in path.parent.iterdir()] == ["ledger.db"]


@pytest.mark.parametrize("exists", [True, False])
def test_what_is_opened_for_reading_cannot_be_written(open_ledger, read_ledger, path, act, now, exists):
    if exists:
        open_ledger().close()
        path.with_name("ledger.db.lock").unlink()
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    ledger = read_ledger()

    writes: list[Callable[[], object]] = [
        lambda: ledger.intend(act()),
        lambda: ledger.record(act()),
        lambda: ledger.renew(act(id=1)),
        lambda: ledger.settle(act(id=1)),
        lambda: ledger.land(act(id=1)),
        lambda: ledger.prune(now),
    ]
    for write in writes:
        with pytest.raises(LedgerUnavailable, match="opened for reading only"):
            write()
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before


def test_readers_see_each_write_while_the_writer_runs_and_do_not_stop_it(open_ledger, read_ledger, act):
    writer = open_ledger()
    readers = [read_ledger() for _ in range(3)]

    for number in range(5):
        written = writer.record(act(f"c-{number}"))
        for reader in [*readers, read_ledger()]:
            assert reader.history(limit=1) == (written,)


def test_a_reader_sees_its_own_instance_alone(open_ledger, read_ledger, act):
    open_ledger().record(act())

    assert len(read_ledger().history()) == 1
    assert read_ledger(instance_id="instance-2").history() == ()


def test_a_closed_ledger_says_so_and_may_be_closed_again(open_ledger, act):
    ledger = open_ledger()
    ledger.close()
    ledger.close()

    with pytest.raises(LedgerUnavailable, match="closed"):
        ledger.record(act())
    with pytest.raises(LedgerUnavailable, match="closed"):
        ledger.history()


def test_ledgers_in_memory_share_nothing(act):
    with SqliteLedger.in_memory("instance-1") as one, SqliteLedger.in_memory("instance-1") as other:
        one.record(act(observed=True))
        assert other.history() == ()


def test_a_ledger_knows_since_when_it_knows(tmp_path):
    path, made_at = tmp_path / "ledger.db", datetime(2026, 3, 1, 12, tzinfo=UTC)
    later = made_at + timedelta(days=3)
    with SqliteLedger.open(path, instance_id="instance-1", now=made_at, keep=timedelta(days=120)) as made:
        assert made.began_at == made_at
    with SqliteLedger.open(path, instance_id="instance-1", now=later, keep=timedelta(days=120)) as opened:
        assert opened.began_at == made_at
    with SqliteLedger.read(path, instance_id="instance-1") as shown:
        assert shown.began_at == made_at


def test_one_that_is_not_there_or_ends_with_the_process_knows_of_nothing_before(tmp_path):
    with SqliteLedger.read(tmp_path / "none.db", instance_id="instance-1") as none:
        assert none.began_at is None
    with SqliteLedger.in_memory("instance-1") as memory:
        assert memory.began_at is None
