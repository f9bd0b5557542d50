"""Checks the rule's clock without hours of operation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from router.model import Channel, Contact, ContactId, FirstAct, QueueId
from router.rules.clock import closed, elapsed, instant, queue_clock_start, resolve_at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def contact(enqueued_at: datetime | None) -> Contact:
    return Contact(id=ContactId("c"), channel=Channel.TASK, queue_id=QueueId("q"), enqueued_at=enqueued_at)


def test_the_clock_starts_as_the_contact_enters_its_queue():
    assert queue_clock_start(contact(NOON), None) == NOON


def test_the_clock_goes_on_from_where_the_first_step_acted():
    first = FirstAct(clock_started_at=NOON - HOUR, queue_id=QueueId("p"), waited=HOUR)
    assert queue_clock_start(contact(NOON), first) == NOON - HOUR


def test_a_contact_outside_of_queues_has_no_clock():
    with pytest.raises(ValueError, match="not in a queue"):
        queue_clock_start(contact(None), None)


def test_the_clock_never_shows_less_than_nothing():
    assert elapsed(NOON, NOON - HOUR) == timedelta()
    assert elapsed(NOON, NOON + HOUR) == HOUR


def test_the_instant_of_a_place_on_the_clock():
    assert instant(NOON, HOUR) == NOON + HOUR


def test_around_the_clock_is_never_closed():
    assert not closed(NOON, None)


@pytest.mark.parametrize(
    "text",
    ["", "breach -", "breach 5m", "breach - -5m", "50 %", "%", "1e3%", "\N{FULLWIDTH DIGIT FIVE}m", "breach-breach"],
)
def test_other_texts_are_no_place_on_the_clock(text):
    with pytest.raises(ValueError, match="expected"):
        resolve_at(text, HOUR)
