"""The service under a system clock that is stepped while it runs: its process sees another time than this one does."""

import json
import subprocess
import threading
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

LIBRARIES = sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))
POLL_S = 1.0
BUSY_S = 5.0
"""What a cycle may take besides, on a machine that others work on."""
YEAR, MINUTES = timedelta(days=365), timedelta(minutes=10)

pytestmark = [
    pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed"),
    pytest.mark.timeout(240),
]


class Stepped:
    """A service whose wall clock is set by a file; its monotonic clock is the machine's."""

    def __init__(self, bench):
        self._bench, self._file = bench, bench.folder / "clock"
        self.set(timedelta())
        self.lines, self._at = [], []
        self.process = bench.start(
            "run",
            "--enforce",
            "--set",
            f"poll.every={POLL_S:.0f}s",
            LD_PRELOAD=str(LIBRARIES[0]),
            FAKETIME_TIMESTAMP_FILE=str(self._file),
            FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def set(self, ahead):
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead.total_seconds():+.0f}\n")
        new.replace(self._file)

    def _read(self):
        for line in self.process.stdout:
            self._at.append(time.monotonic())
            self.lines.append(json.loads(line))

    def cycles(self):
        """Returns the instant at which each cycle ended, by this process's clock."""
        told = zip(self._at, list(self.lines), strict=False)
        return [at for at, line in told if line["event"] == "cycle.finished"]

    def until(self, condition, *, within=90.0):
        end = time.monotonic() + within
        while not condition():
            assert time.monotonic() < end, [line["event"] for line in self.lines]
            assert self.process.poll() is None, self.process.communicate()[1]
            time.sleep(0.05)

    def more_cycles(self, count):
        before = len(self.cycles())
        self.until(lambda: len(self.cycles()) >= before + count)

    def told(self, event):
        return [line for line in self.lines if line["event"] == event]


@pytest.fixture
def service(bench):
    started = Stepped(bench)
    started.more_cycles(2)
    yield started
    started.process.terminate()
    try:
        assert started.process.wait(30) == 0
    except subprocess.TimeoutExpired:
        started.process.kill()
        raise
    finally:
        started._reading.join(10)


def test_steps_of_the_clock_lose_no_poll_for_more_than_two_intervals_and_move_nothing_wrongly(bench, service):
    bench.enqueue(waited=timedelta(minutes=55))  # would be late by a clock that is ten minutes ahead
    late = []

    def transfers():
        return bench.sandbox.world.transfers

    for step in (MINUTES, -MINUTES, YEAR, -YEAR):
        stepped_at = time.monotonic()
        service.set(step)
        late.append(bench.enqueue(waited=timedelta(hours=2)))
        service.until(lambda: service.told("clock.skew") and service.told("clock.skew")[-1]["stops"])
        service.more_cycles(2)
        assert len(transfers()) == len(late) - 1, "a clock that is wrong moves nothing"

        service.set(timedelta())
        service.until(lambda: len(transfers()) == len(late))
        ends = [stepped_at, *(at for at in service.cycles() if at > stepped_at), time.monotonic()]
        assert max(after - before for before, after in pairwise(ends)) <= 2 * POLL_S + BUSY_S, step

    service.until(lambda: len(service.told("contact.landed")) == len(late))
    assert [transfer.contact_id for transfer in transfers()] == late
