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
