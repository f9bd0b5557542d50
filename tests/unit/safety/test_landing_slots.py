"""Places to land: who takes one gives it back once, whatever happens, and nobody waits for what cannot come."""

import threading
import time

import pytest

from router.model import ContactId, FlowId
from router.safety.landing_slots import LandingSlots

FLOW, OTHER = FlowId("flow"), FlowId("other")
A, B, C = ContactId("a"), ContactId("b"), ContactId("c")


@pytest.fixture
def places():
    return LandingSlots(2, time.monotonic)


def test_no_more_contacts_of_a_flow_are_under_way_than_it_has_places(places):
    assert places.take(FLOW, A)
    assert places.take(FLOW, B)
    assert not places.take(FLOW, C)
    assert places.take(OTHER, C)


def test_a_place_given_back_twice_is_one_place(places):
    places.take(FLOW, A)
    places.take(FLOW, B)
    places.free(FLOW, A)
    places.free(FLOW, A)
    assert places.take(FLOW, C)
    assert not places.take(FLOW, A)


def test_a_place_that_was_never_taken_cannot_be_given_back(places):
    places.take(FLOW, A)
    places.take(FLOW, B)
    places.free(FLOW, C)
    assert not places.take(FLOW, C)


def test_a_flow_that_refused_a_contact_gives_no_slot_before_it_is_reopened(places):
    for one in (A, B, C):
        places.take(FLOW, one)
    assert (places.can_reopen(), places.reopen()) == (False, False)
    places.free(FLOW, A)
    assert not places.take(FLOW, C)
    assert places.take(OTHER, A)
    assert (places.can_reopen(), places.reopen()) == (True, True)
    assert (places.can_reopen(), places.reopen()) == (False, False)
    assert places.take(FLOW, C)


@pytest.mark.uses("threads")
def test_who_waits_goes_on_as_soon_as_one_has_landed(places):
    places.take(FLOW, A)
    places.take(FLOW, B)
    threading.Timer(0.05, places.free, (FLOW, A)).start()
    assert places.await_one({FLOW}, until=time.monotonic() + 10)
    assert places.take(FLOW, C)


def test_a_flow_with_a_place_does_not_wait_for_one_that_has_none(places):
    places.take(FLOW, A)
    places.take(FLOW, B)
    assert places.await_one({FLOW, OTHER}, until=None)


def test_nobody_waits_beyond_the_next_poll(places):
    places.take(FLOW, A)
    places.take(FLOW, B)
    assert not places.await_one({FLOW}, until=time.monotonic() + 0.05)


def test_nobody_waits_for_strays(places):
    for contact in (A, B):
        places.take(FLOW, contact)
        places.stray(FLOW, contact)
    assert not places.await_one({FLOW}, until=None)
    places.free(FLOW, A)
    assert places.await_one({FLOW}, until=None)


@pytest.mark.uses("threads")
def test_the_end_of_the_service_ends_the_wait(places):
    places.take(FLOW, A)
    places.take(FLOW, B)
    threading.Timer(0.05, places.close).start()
    assert not places.await_one({FLOW}, until=None)
    assert not places.take(OTHER, C)


START, MOST = 3, 12


class LearningSlots:
    """Holds slots that learn, on a clock that a test sets; contacts are numbered."""

    def __init__(self, rate=1.0, start=START, most=MOST):
        self.now = 0.0
        self.slots = LandingSlots(start, lambda: self.now, most=most, rate=lambda: rate)
        self._number = 0

    def take(self):
        """Takes a slot for a new contact; returns it, ``None`` without a slot."""
        self._number += 1
        new = ContactId(f"c{self._number}")
        return new if self.slots.take(FLOW, new) else None

    def land(self, *, after, times=1):
        """Moves contacts one after the other, each of which lands after so many seconds."""
        for _ in range(times):
            moved = self.take()
            assert moved is not None
            self.now += after
            self.slots.free(FLOW, moved, landed=True)

    @property
    def limit(self):
        return self.slots.now()[FLOW].limit


def test_a_flow_that_has_never_landed_a_contact_stops_after_the_slots_of_the_start():
    learning = LearningSlots()
    moved = [learning.take() for _ in range(50)]
    assert sum(one is not None for one in moved) == START


def test_each_landing_adds_one_slot():
    learning = LearningSlots()
    for number in range(1, 5):
        learning.land(after=5)
        assert learning.limit == START + number


@pytest.mark.parametrize(
    ("rate", "after", "limit"),
    [(1.0, 5.0, 10), (0.5, 5.0, 5), (1.6, 3.5, 12), (1.0, 60.0, MOST), (1.0, 0.1, START), (0.0, 5.0, START)],
)
def test_slots_grow_to_twice_what_the_landing_time_needs_at_the_rate_and_never_above_the_most(rate, after, limit):
    learning = LearningSlots(rate=rate)
    learning.land(after=after, times=40)
    assert learning.limit == limit


def test_slots_that_are_no_longer_needed_are_given_up():
    learning = LearningSlots()
    learning.land(after=5, times=20)
    learning.land(after=1, times=40)
    assert learning.limit == START


def test_a_start_above_the_most_stays_in_force():
    learning = LearningSlots(start=20, most=12)
    learning.land(after=60, times=10)
    assert learning.limit == 20


def test_a_stray_takes_the_flow_back_to_the_start_and_each_landing_adds_one_again():
    learning = LearningSlots()
    learning.land(after=5, times=20)
    lost = learning.take()
    learning.slots.stray(FLOW, lost)
    assert learning.limit == START
    assert [learning.take() is not None for _ in range(START)] == [True] * (START - 1) + [False]


def test_a_stray_that_lands_late_teaches_nothing():
    learning = LearningSlots()
    lost = learning.take()
    learning.slots.stray(FLOW, lost)
    learning.now += 500
    learning.slots.free(FLOW, lost, landed=True)
    assert (learning.limit, learning.slots.now()[FLOW].seconds) == (START, None)


def test_a_slot_that_is_freed_without_a_landing_teaches_nothing():
    learning = LearningSlots()
    for _ in range(10):
        learning.slots.free(FLOW, learning.take())
    assert learning.limit == START


def test_a_take_over_begins_with_the_slots_of_the_start():
    learning = LearningSlots()
    learning.land(after=5, times=20)
    learning.slots.reset(())
    learning.land(after=5)
    assert learning.limit == START + 1
