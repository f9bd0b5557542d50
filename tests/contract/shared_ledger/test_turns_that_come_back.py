"""Turns of routers whose clocks and lease thread are moved by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from router.daemon.leadership import Leadership
from router.ledger import LedgerUnavailable
from router.ledger.shared.lease import LASTS, Lease
from router.model import ActionState, Landing
from router.resources import Shared as Stores


class Machine:
    """Holds a router with its lease thread, which is moved by hand: ``turns.look()`` is one look of it."""

    def __init__(self, shared, name):
        self._shared = shared
        self._monotonic = 0.0
        self.lease = Lease(shared.table(), shared.instance, name=name, monotonic=self.monotonic, now=lambda: shared.now)
        self.ledger = shared.router(name)
        self.ledger.trusted = lambda: self.lease.held
        self.turns = Leadership(shared=Stores(ledger=self.ledger, lease=self.lease), candidate=True, clock=self)

    def monotonic(self):
        return self._shared.now.timestamp()

    def now(self):
        return self._shared.now


def later(shared, seconds, *looking):
    """Lets time pass, in which these look again and again."""
    end = shared.now + timedelta(seconds=seconds)
    while shared.now < end:
        shared.now = min(shared.now + timedelta(seconds=4), end)
        for one in looking:
            one.turns.look()


@pytest.fixture
def a(shared):
    return Machine(shared, "a")


@pytest.fixture
def b(shared):
    return Machine(shared, "b")


def test_one_that_was_stopped_knows_with_its_next_look_that_another_took_over(shared, act, a, b):
    a.turns.look()
    b.turns.look()
    later(shared, LASTS + 4, b)  # a is stopped
    assert b.ledger.holding
    b.ledger.record(act())

    a.turns.look()

    assert (a.ledger.holding, a.ledger.writer) == (False, "b")
    assert [one.contact_id for one in a.ledger.history()] == ["c-1"]


def test_one_that_was_stopped_takes_over_anew_when_its_turn_comes_again(shared, act, a, b):
    a.turns.look()
    b.turns.look()
    later(shared, LASTS + 4, b)  # a is stopped
    b.ledger.record(act())
    a.turns.look()
    later(shared, LASTS + 4, a)  # b is dead

    assert (a.ledger.holding, a.ledger.term, a.turns._term) == (True, 3, 3)


def test_one_that_was_stopped_for_days_does_nothing_again_that_another_did(shared, act, a, b):
    """Puts the entries that it has not read into a base and deletes them: their numbers are free again."""
    a.turns.look()
    b.turns.look()
    later(shared, LASTS + 4, b)  # a is stopped
    for number in range(5):
        done = b.ledger.intend(act(f"c-{number}"))
        b.ledger.settle(replace(done, state=ActionState.ACTED, landing=Landing.QUEUED))
    for number in range(2):
        b.ledger.shorten()
        shared.now += timedelta(days=2)
        b.ledger.record(act(f"x-{number}"))
    b.ledger.shorten()
    a.turns.look()  # it continues, and there is nothing for it to write
    b.lease.try_to_hold()
    b.lease.release()  # b ends

    later(shared, LASTS + 4, a)

    assert a.lease.held
    with pytest.raises(Exception, match="has had its"):
        a.ledger.intend(act("c-3"))


def test_one_that_was_stopped_in_mid_look_takes_over_anew(shared, act, a, b):
    """Stops it between the look at the ledger and the one at the lease, which nobody has any longer."""
    a.turns.look()
    b.turns.look()
    looked = a.ledger.look

    def stopped():
        looked()
        later(shared, LASTS + 4, b)
        b.ledger.record(act())
        b.lease.release()

    a.ledger.look = stopped
    a.turns.look()

    assert (a.ledger.holding, a.ledger.term) == (True, 3)


def test_who_is_without_the_lease_reads_on_before_it_writes(shared, act):
    """Lets it sleep for days: numbers that were taken then are free again."""
    sleeps, works = shared.router("a"), shared.router("b")
    sleeps.take_over()
    works.take_over()
    for number in range(3):
        works.record(act(f"c-{number}"))
        works.shorten()
        shared.now += timedelta(days=2)
    written = shared.entries()
    sleeps.trusted = lambda: False

    with pytest.raises(LedgerUnavailable, match="b has taken over"):
        sleeps.record(act("of a sleeper"))

    assert shared.entries() == written
