"""Checks whose turn it is, by clocks that are never compared with each other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from router.ledger import LedgerBroken, LedgerUnavailable
from router.ledger.shared.lease import LASTS, LEASE, TRUSTED, Lease


class Machine:
    """Holds a router's machine, with clocks of its own."""

    def __init__(self, shared, name, started_at=0.0):
        self.monotonic = started_at
        self._now = shared.now
        self.lease = Lease(
            shared.table(), shared.instance, name=name, monotonic=lambda: self.monotonic, now=lambda: self._now
        )

    def wait(self, seconds):
        self.monotonic += seconds
        self._now += timedelta(seconds=seconds)

    def set_clock(self, by):
        self._now += by

    def suspend(self, seconds):
        """Suspends the machine; the monotonic clock of Linux does not move meanwhile."""
        self._now += timedelta(seconds=seconds)


@pytest.fixture
def a(shared):
    return Machine(shared, "a")


@pytest.fixture
def b(shared):
    return Machine(shared, "b", started_at=50_000.0)


def test_the_first_takes_it_and_the_second_sees_by_whom(a, b):
    assert a.lease.try_to_hold()
    assert not b.lease.try_to_hold()

    assert (a.lease.held, b.lease.held) == (True, False)
    assert (a.lease.holder, b.lease.holder) == ("a", "a")


def test_it_is_taken_once_its_holder_was_not_seen_to_renew_it_for_as_long_as_it_lasts(a, b):
    a.lease.try_to_hold()
    assert not b.lease.try_to_hold()
    b.wait(LASTS - 0.1)
    assert not b.lease.try_to_hold()
    b.wait(0.1)

    assert b.lease.try_to_hold()
    assert not a.lease.try_to_hold()
    assert (a.lease.held, a.lease.holder) == (False, "b")


def test_a_router_that_lost_it_is_not_named_as_its_holder(a, b):
    a.lease.try_to_hold()
    b.lease.watch()
    b.wait(LASTS - 0.1)
    assert b.lease.holder == "a"

    b.wait(0.1)

    assert b.lease.holder is None
    a.lease.try_to_hold()
    b.lease.watch()
    assert b.lease.holder == "a"


def test_a_holder_that_renews_it_keeps_it_for_ever(a, b):
    for _ in range(30):
        assert a.lease.try_to_hold()
        assert not b.lease.try_to_hold()
        a.wait(LASTS - 1)
        b.wait(LASTS - 1)


def test_its_holder_stops_before_another_may_begin(a):
    a.lease.try_to_hold()
    a.wait(TRUSTED - 0.1)
    assert a.lease.held
    a.wait(0.1)

    assert not a.lease.held
    assert TRUSTED + 2 < LASTS, "time for a call that is just being made"
    assert a.lease.try_to_hold()
    assert a.lease.held


def test_a_holder_that_was_suspended_does_not_trust_it_when_it_wakes(a):
    a.lease.try_to_hold()
    a.suspend(3600)

    assert not a.lease.held


@pytest.mark.parametrize("by", [timedelta(minutes=10), timedelta(minutes=-10), timedelta(days=365)])
def test_a_clock_that_is_set_costs_no_more_than_one_renewal(a, b, by):
    a.lease.try_to_hold()
    a.set_clock(by)
    b.set_clock(by)

    assert not b.lease.try_to_hold()
    assert a.lease.try_to_hold()
    assert a.lease.held


def test_what_is_released_is_taken_at_once(a, b):
    a.lease.try_to_hold()
    assert not b.lease.try_to_hold()
    a.lease.release()

    assert not a.lease.held
    assert b.lease.try_to_hold()


def test_who_does_not_hold_it_releases_nothing(a, b):
    a.lease.try_to_hold()
    b.lease.try_to_hold()
    b.lease.release()

    assert a.lease.try_to_hold()
    assert not b.lease.try_to_hold()


def test_who_has_lost_it_without_knowing_does_not_release_another_s(a, b):
    a.lease.try_to_hold()
    b.lease.try_to_hold()
    b.wait(LASTS)
    assert b.lease.try_to_hold()
    a.lease.release()

    assert b.lease.try_to_hold()
    assert not a.lease.try_to_hold()


@pytest.mark.parametrize("lost", [1, 2])
def test_a_renewal_whose_answer_is_lost_is_known_for_its_own(shared, a, b, lost):
    a.lease.try_to_hold()
    shared.proxy.lose_answers["PutItem"] = lost
    try:
        a.lease.try_to_hold()
    except LedgerUnavailable:
        assert lost == 2

    assert a.lease.held
    assert a.lease.try_to_hold()
    assert not b.lease.try_to_hold()


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lease_that_was_taken_without_an_answer_is_known_for_its_own(shared, a, b, lost):
    shared.proxy.lose_answers["PutItem"] = lost
    try:
        a.lease.try_to_hold()
    except LedgerUnavailable:
        assert lost == 2

    assert a.lease.try_to_hold()
    assert not b.lease.try_to_hold()


def test_a_table_that_cannot_be_asked_lets_the_lease_run_out(shared, a):
    a.lease.try_to_hold()
    shared.proxy.lose_requests.update({"PutItem": 99, "GetItem": 99})
    for _ in range(4):
        with pytest.raises(LedgerUnavailable):
            a.lease.try_to_hold()
        a.wait(TRUSTED / 4)

    assert not a.lease.held


def test_of_two_that_find_it_run_out_one_takes_it(shared, a, b):
    dead = Machine(shared, "dead")
    dead.lease.try_to_hold()
    for machine in (a, b):
        assert not machine.lease.try_to_hold()
        machine.wait(LASTS)

    assert [a.lease.try_to_hold(), b.lease.try_to_hold()] == [True, False]


@pytest.mark.parametrize("change", [{"version": "x"}, {"version": b"x"}])
def test_an_item_that_is_no_lease_is_one_line(shared, a, b, change):
    a.lease.try_to_hold()
    item = shared.direct.get(shared.instance, LEASE)
    shared.direct.replace({**item, **change}, expected={"entry": LEASE})

    with pytest.raises(LedgerBroken, match='item "lease" of this instance cannot be read; delete it'):
        b.lease.try_to_hold()


def test_what_was_renewed_without_an_answer_is_released_all_the_same(shared, a):
    a.lease.try_to_hold()
    shared.proxy.lose_answers["PutItem"] = 2
    with pytest.raises(LedgerUnavailable):
        a.lease.try_to_hold()

    a.lease.release()

    assert shared.direct.get(shared.instance, LEASE) is None


def test_what_was_released_for_good_is_not_taken_again_by_a_look_that_was_under_way(shared, a):
    a.lease.try_to_hold()
    a.lease.release(for_good=True)

    assert not a.lease.try_to_hold()
    assert shared.direct.get(shared.instance, LEASE) is None
