"""Killed at any point, a write is there whole or not at all, and what was there before stays."""

import os
import signal
import subprocess

import pytest

from router.ledger import LedgerUnavailable

pytestmark = pytest.mark.uses("processes")

STOP_AT = """
def stop_at(ledger, number):
    # SQLite calls back before it runs a statement: here the process waits to be killed.
    seen = []
    def count(statement):
        seen.append(statement)
        if len(seen) == number:
            say(statement.split()[0])
            sys.stdin.readline()
    ledger._connection.set_trace_callback(count)
"""


def killed(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("number", range(1, 10))
def test_killed_before_any_statement_of_an_intent_nothing_of_it_is_there(start, open_ledger, act, number):
    with open_ledger() as ledger:
        kept = ledger.record(act("kept"))
    process = start(STOP_AT + f"ledger = opened(); stop_at(ledger, {number}); ledger.intend(ACTION); say('done')")
    statement = process.stdout.readline().strip()
    assert statement in {"BEGIN", "SAVEPOINT", "SELECT", "UPDATE", "INSERT", "RELEASE", "COMMIT"}

    killed(process)

    with open_ledger() as ledger:
        assert ledger.history() == (kept,)
        assert ledger._connection.execute("SELECT count(*) FROM segments").fetchone()[0] == 1
        ledger.intend(act())


def test_the_last_statement_of_an_intent_is_the_commit(start, open_ledger):
    """Holds the test above to all of the statements that there are."""
    open_ledger().close()
    process = start(STOP_AT + "ledger = opened(); stop_at(ledger, 9); ledger.intend(ACTION)")

    assert process.stdout.readline() == "COMMIT\n"
    killed(process)


def test_killed_right_after_an_intent_was_written_it_is_there_and_open(start, open_ledger, act):
    process = start("ledger = opened(); say(ledger.intend(ACTION).id); sys.stdin.readline()")
    number = int(process.stdout.readline())

    killed(process)

    (intent,) = open_ledger().open_intents()
    assert intent.id == number
    assert intent.target == act().target


def test_killed_with_half_of_a_write_in_the_file_the_next_writer_undoes_it(
    start, open_ledger, read_ledger, act, now, path
):
    """Removes many pages with so little cache that SQLite must write some before the commit."""
    with open_ledger() as ledger:
        ledger._connection.execute("PRAGMA synchronous = OFF")
        for number in range(600):
            ledger.record(act(f"c-{number}"))
        ledger.record(act("recent", decided_at=now.replace(year=now.year + 1)))
        before = ledger.history()
    size = path.stat().st_size
    process = start(
        """
ledger = opened()
ledger._connection.execute("PRAGMA cache_size = 2")
def wait(statement):
    if statement == "COMMIT":
        say("about to commit")
        sys.stdin.readline()
ledger._connection.set_trace_callback(wait)
ledger.prune(NOW + timedelta(days=1))
"""
    )
    assert process.stdout.readline() == "about to commit\n"

    killed(process)

    journal = path.with_name("ledger.db-journal")
    assert journal.stat().st_size > size / 2
    half_written = path.read_bytes()
    with pytest.raises(LedgerUnavailable, match="interrupted; starting the service puts the file in order"):
        read_ledger().history()
    assert path.read_bytes() == half_written
    assert open_ledger().history() == before
    assert read_ledger().history() == before
    assert path.read_bytes() != half_written
    assert not journal.exists()


def test_killed_while_the_ledger_is_made_it_is_made_at_the_next_start(start, open_ledger, read_ledger, path):
    process = start(
        """
import sqlite3
from router.ledger import schema
def stop(connection, migrations, now):
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE actions (id)")
    say("half made")
    sys.stdin.readline()
schema._apply = stop
opened()
"""
    )
    assert process.stdout.readline() == "half made\n"
    assert path.stat().st_size == 0

    killed(process)

    assert read_ledger().history() == ()
    assert open_ledger().created
