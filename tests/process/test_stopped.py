"""Checks a process that is stopped and continues, and one that is ended while moves are under way."""

import json
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta

import pytest

from tests.builders.effort import patience

pytestmark = pytest.mark.timeout(180)
STOPPED_S = 5.0
ONLY_A_MOVE = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "late"
match.queue = "Billing"
[[rule.step]]
at = "1h"
to = [{ queue = "Billing Overflow" }]
"""


class Heard:
    """Holds the lines of a service's log, with the instant at which each arrived."""

    def __init__(self, process):
        self.lines, self._process = [], process
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._process.stdout:
            self.lines.append((time.monotonic(), json.loads(line)))

    def told(self, event, *, since=0.0):
        return [line for at, line in list(self.lines) if line["event"] == event and at >= since]

    def until(self, condition, *, within=90.0):
        end = time.monotonic() + within
        while not condition():
            assert time.monotonic() < end, [line["event"] for _, line in self.lines]
            time.sleep(0.02)

    def end(self):
        self._process.terminate()
        self._process.wait(30)
        self._thread.join(10)
        return self._process.returncode


def intends(path):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as ledger:
        (open_intents,) = ledger.execute("SELECT count(*) FROM actions WHERE state = 'intended'").fetchone()
    return open_intents > 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reading_from_before_a_stop_entitles_to_no_call_after_it(bench, reading, when):
    """Stops the process before or after Connect answers DescribeContact. Meanwhile an agent accepts the contact."""
    (bench.folder / "rules" / "10-late.toml").write_text(ONLY_A_MOVE)  # no warning, which is read for too
    contact_id, stopped = bench.enqueue(), threading.Event()
    bench.sandbox.world.add_user("agent", queues=["Billing"], slots={"TASK": 1})
    service = bench.start("run", "--enforce")

    def stop(_params):
        """Stops the service at the reading that the call rests on, when the intent is already in the ledger."""
        if not stopped.is_set() and intends(bench.folder / "ledger.db"):
            service.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, service.pid, os.WSTOPPED | os.WNOWAIT)  # until then its threads may go on
            stopped.set()

    remove = getattr(bench.sandbox, when)("DescribeContact", stop)
    assert stopped.wait(60)
    remove()
    time.sleep(STOPPED_S)
    bench.sandbox.world.accept(contact_id, "agent")
    service.send_signal(signal.SIGCONT)

    heard = Heard(service)
    heard.until(lambda: len(heard.told("cycle.finished")) >= 2)
    assert heard.end() == 0
    assert bench.sandbox.world.transfers == ()
    assert bench.sandbox.world.taken_from_agents == ()


def test_after_a_stop_of_many_polls_the_next_one_comes_and_none_is_made_up_for(bench, reading):
    service = bench.start("run", "--enforce")
    reading(service, "cycle.finished")
    heard = Heard(service)
    heard.until(lambda: len(heard.told("cycle.finished")) >= 2)

    service.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    late = bench.enqueue()
    service.send_signal(signal.SIGCONT)
    went_on = time.monotonic()

    heard.until(lambda: heard.told("contact.transferred", since=went_on))
    heard.until(lambda: len(heard.told("cycle.finished", since=went_on)) >= 3)
    cycles, took = len(heard.told("cycle.finished", since=went_on)), time.monotonic() - went_on
    assert heard.end() == 0
    assert cycles <= took / 1.0 + 2, f"{cycles} cycles in {took:.1f} s: a burst"
    assert [transfer.contact_id for transfer in bench.sandbox.world.transfers] == [late]


def test_told_to_end_under_load_it_ends_within_ten_seconds_and_the_next_run_settles_what_was_open(bench, reading):
    late = {bench.enqueue(waited=timedelta(hours=2, minutes=number)) for number in range(30)}
    bench.sandbox.world.faults.add("slow", "TransferContact", delay=timedelta(seconds=2))
    service, moving = bench.start("run", "--enforce"), threading.Event()
    remove = bench.sandbox.after("TransferContact", lambda _params: moving.set())
    heard = Heard(service)
    assert moving.wait(60)

    began = time.monotonic()
    assert heard.end() == 0
    took = time.monotonic() - began
    remove()
    bench.sandbox.world.faults.clear()
    world = bench.sandbox.world
    assert took < patience(10)
    assert [line["event"] for _, line in heard.lines][-1] == "service.stopped"
    at_the_end = len(world.transfers)
    assert 0 < at_the_end < len(late)

    assert bench.run("run", "--once", "--enforce").returncode == 0
    moved = [transfer.contact_id for transfer in world.transfers]
    assert (len(moved), set(moved)) == (len(late), late)
    assert {one["outcome"] for one in bench.json("history")} == {"acted"}
