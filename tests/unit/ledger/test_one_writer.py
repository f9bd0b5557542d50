"""One SQLite ledger serves one process, and the lock ends with that process however it ends."""

import os
import signal

import pytest

from router.ledger import LedgerInUse

RACE = """
sys.stdin.readline()
try:
    ledger = opened()
except LedgerInUse as error:
    say(f"in use: {error}")
else:
    say("opened")
    sys.stdin.readline()
    ledger.close()
"""


@pytest.mark.uses("processes")
@pytest.mark.parametrize("already_there", [True, False])
def test_of_processes_that_race_to_open_one_ledger_one_has_it(start, open_ledger, path, already_there):
    if already_there:
        open_ledger().close()
    racers = [start(RACE) for _ in range(4)]
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()

    answers = [racer.stdout.readline().strip() for racer in racers]

    assert answers.count("opened") == 1
    winner = racers[answers.index("opened")].pid
    others = {answer for answer in answers if answer != "opened"}
    # A loser may look before the winner has written who it is.
    told = f"in use: {path}: in use by process {winner}; one SQLite ledger serves one process"
    assert others <= {told, told.replace(f"process {winner};", "another process;")}


def test_a_second_opening_in_the_same_process_is_refused_and_harms_nothing(open_ledger, path, act):
    ledger = open_ledger()

    with pytest.raises(LedgerInUse, match=f"in use by process {os.getpid()}"):
        open_ledger()
    with pytest.raises(LedgerInUse):
        open_ledger(instance_id="instance-2")

    recorded = ledger.record(act())
    assert ledger.history() == (recorded,)


def test_another_name_for_the_same_file_is_the_same_ledger(open_ledger, path):
    open_ledger()
    other = path.parent.parent / "other.db"
    other.symlink_to(path)

    with pytest.raises(LedgerInUse):
        open_ledger(path=other)


def test_two_ledgers_beside_each_other_do_not_mind_each_other(open_ledger, path):
    open_ledger()

    assert open_ledger(path=path.with_name("other.db")).created


def test_a_ledger_that_was_closed_can_be_opened_again(open_ledger):
    open_ledger().close()

    assert open_ledger().history() == ()


def test_an_opening_that_failed_leaves_no_lock(open_ledger, path):
    path.write_bytes(b"not a ledger, and long enough for SQLite to see that it is none" * 20)
    with pytest.raises(Exception, match="not a ledger"):
        open_ledger()
    path.unlink()

    assert open_ledger().created


@pytest.mark.uses("processes")
def test_a_killed_process_leaves_no_lock(start, open_ledger, act):
    holder = start('ledger = opened(); ledger.record(ACTION); say("opened"); sys.stdin.readline()')
    assert holder.stdout.readline() == "opened\n"
    with pytest.raises(LedgerInUse, match=f"in use by process {holder.pid}"):
        open_ledger()

    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()

    assert len(open_ledger().history()) == 1


@pytest.mark.uses("processes")
def test_a_process_that_the_holder_started_does_not_keep_the_lock(start, open_ledger):
    holder = start(
        """
import subprocess
ledger = opened()
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.readline()"], stdin=sys.stdin)
say(child.pid)
ledger.close()
say("closed")
child.wait()
"""
    )
    holder.stdout.readline()
    assert holder.stdout.readline() == "closed\n"

    assert open_ledger().history() == ()


@pytest.mark.uses("processes")
def test_a_process_reads_while_another_holds_the_lock(start, read_ledger, act):
    holder = start('ledger = opened(); ledger.record(ACTION); say("opened"); sys.stdin.readline()')
    assert holder.stdout.readline() == "opened\n"

    assert len(read_ledger().history()) == 1
