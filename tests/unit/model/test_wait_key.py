"""Checks the one answer to the question whether two records are of the same wait."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.model import Channel, Contact, ContactId, QueueId, WaitKey, same_instant

NOW = datetime(2026, 3, 2, 9, 30, 0, 400_000, tzinfo=UTC)
ONE, OTHER = ContactId("one"), ContactId("other")
LIMIT = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
SHIFTS = [
    (timedelta(), True),
    (timedelta(milliseconds=400), True),
    (LIMIT, True),
    (-LIMIT, True),
    (LIMIT + TICK, False),
    (-LIMIT - TICK, False),
    (timedelta(hours=1), False),
]


@pytest.mark.parametrize(("shift", "same"), SHIFTS)
def test_instants_within_a_second_are_records_of_one(shift, same):
    assert same_instant(NOW, NOW + shift) is same


def test_an_unknown_instant_is_the_same_as_none():
    assert not same_instant(None, NOW)
    assert not same_instant(NOW, None)
    assert not same_instant(None, None)


def test_an_instant_in_whole_seconds_is_the_one_in_milliseconds():
    """Covers contact records, which have whole seconds, and the API, which has milliseconds."""
    assert WaitKey(ONE, NOW).is_same(WaitKey(ONE, NOW.replace(microsecond=0)))


@pytest.mark.parametrize(("shift", "same"), SHIFTS)
def test_a_wait_is_of_one_contact_since_one_instant(shift, same):
    assert WaitKey(ONE, NOW).is_same(WaitKey(ONE, NOW + shift)) is same
    assert not WaitKey(ONE, NOW).is_same(WaitKey(OTHER, NOW + shift))


@given(st.timedeltas(timedelta(days=-1), timedelta(days=1)), st.sampled_from([ONE, OTHER]))
def test_being_the_same_is_mutual_and_holds_for_equal_keys(shift, contact_id):
    one, other = WaitKey(ONE, NOW), WaitKey(contact_id, NOW + shift)

    assert one.is_same(other) is other.is_same(one)
    assert one.is_same(WaitKey(one.wait_id, one.began_at))
    assert (one == other) <= one.is_same(other), "equal keys are of the same wait"


@pytest.mark.parametrize(("shift", "same"), SHIFTS)
def test_a_contact_is_in_place_in_the_same_queue_since_the_same_instant(shift, same):
    contact = Contact(id=ONE, channel=Channel.TASK, queue_id=QueueId("billing"), enqueued_at=NOW)

    assert contact.is_in_place(QueueId("billing"), NOW + shift) is same
    assert not contact.is_in_place(QueueId("overflow"), NOW + shift)


def test_a_contact_without_a_queue_is_nowhere_in_place():
    contact = Contact(id=ONE, channel=Channel.TASK)

    assert not contact.is_in_place(None, None)
