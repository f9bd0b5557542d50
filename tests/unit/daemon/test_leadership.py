"""Signals and changed rules that come while one turn ends and the next is built."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from router.daemon.leadership import Leadership
from router.daemon.signals import acting_on
from router.runtime import SystemClock

pytestmark = pytest.mark.uses("threads")


class Ledger:
    term, holding, name = 1, True, "ledger"

    def look(self):
        pass

    def close(self):
        pass


class Lease:
    held, holder, taken = True, "me", 0

    def try_to_hold(self):
        return True

    def release(self, **_):
        pass


class Daemon:
    """Replaces the daemon of one turn, which ends at once."""

    def __init__(self):
        self.stopped, self.handed_over, self.reloads = False, True, False
        self.reload_wanted = False

    def stop(self):
        self.stopped, self.handed_over = True, False

    def hand_over(self):
        pass

    def reload_soon(self):
        self.reloads = True


def turns():
    shared: Any = SimpleNamespace(ledger=Ledger(), lease=Lease())
    clock: Any = SystemClock()
    return Leadership(shared=shared, candidate=True, clock=clock)


def served(between):
    """Returns the daemons of two turns, of which the second is ordered to end.

    ``between`` is called after the first turn has begun.
    """
    daemons = []

    def serve(turn, begun):
        daemon = Daemon()
        daemons.append(daemon)
        begun(daemon)
        if len(daemons) == 1:
            between(daemon)
        else:
            daemon.stop()
        return daemon

    turns().run(serve)
    return daemons


def test_a_reload_that_is_asked_for_between_two_turns_is_done_in_the_next():
    def between(daemon):
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(0.2)

    assert [one.reloads for one in served(between)] == [False, True]


def test_a_reload_that_a_turn_did_not_come_to_is_done_in_the_next():
    def between(daemon):
        daemon.reload_wanted = True

    assert [one.reloads for one in served(between)] == [False, True]


def test_nothing_is_reloaded_that_nobody_asked_for():
    assert [one.reloads for one in served(lambda daemon: None)] == [False, False]


def test_a_signal_is_acted_on_before_the_block_is_left(monkeypatch):
    """Guards the end of a turn: a later order would reach a turn that is over, and the next turn would begin."""
    done = []
    begun = threading.Event()

    def slowly():
        begun.set()
        time.sleep(0.1)
        done.append(True)

    with acting_on({signal.SIGTERM: slowly}):
        os.kill(os.getpid(), signal.SIGTERM)
        begun.wait(5)

    assert done == [True]
