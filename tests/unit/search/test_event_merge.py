"""Checks what one contact's events lead to, in any order."""

from datetime import timedelta
from itertools import permutations

import pytest

from router.model import IgnoredReason, Phase
from router.search.event_merge import Effect, EventMerge
from tests.builders.contact_events import event_of
from tests.builders.contacts import NOW, contact

SECOND = timedelta(seconds=1)
C1 = contact("c1")


def test_the_first_event_of_a_contact_in_a_queue_adds_it_and_a_later_one_removes_it():
    merge = EventMerge()
    assert merge.merge(event_of(C1, Phase.QUEUED, NOW)) is Effect.ADD
    assert merge.merge(event_of(C1, Phase.WITH_AGENT, NOW + SECOND)) is Effect.REMOVE
    assert merge.merge(event_of(C1, Phase.GONE, NOW + 2 * SECOND)) is Effect.REMOVE


def test_the_same_envelope_again_is_a_duplicate_and_the_same_event_in_another_is_outdated():
    merge = EventMerge()
    merge.merge(event_of(C1, Phase.QUEUED, NOW, event_id="e"))
    assert merge.merge(event_of(C1, Phase.QUEUED, NOW, event_id="e")) is IgnoredReason.DUPLICATE
    assert merge.merge(event_of(C1, Phase.QUEUED, NOW, event_id="f")) is IgnoredReason.OUTDATED


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order_the_last_event_counts(order):
    merge = EventMerge()
    events = [
        event_of(C1, Phase.QUEUED, NOW),
        event_of(C1, Phase.WITH_AGENT, NOW),
        event_of(C1, Phase.GONE, NOW),
    ]
    effects = [merge.merge(events[place]) for place in order]
    assert [one for one in effects if isinstance(one, Effect)][-1] is Effect.REMOVE
    assert merge.merge(event_of(C1, Phase.QUEUED, NOW)) is IgnoredReason.OUTDATED


@pytest.mark.parametrize("before", [Phase.QUEUED, Phase.WITH_AGENT, Phase.GONE])
def test_a_contact_that_is_queued_since_another_instant_is_read(before):
    merge = EventMerge()
    merge.merge(event_of(C1, before, NOW))
    assert merge.merge(event_of(C1, Phase.QUEUED, NOW + SECOND)) is Effect.READ


def test_a_contact_without_the_time_since_when_it_waits_is_read():
    merge = EventMerge()
    assert merge.merge(event_of(contact("c1", enqueued_at=None), Phase.QUEUED, NOW)) is Effect.READ


def test_a_pause_changes_no_state_and_is_read():
    merge = EventMerge()
    assert merge.merge(event_of(C1, Phase.QUEUED, NOW)) is Effect.ADD
    assert merge.merge(event_of(C1, Phase.CHANGED, NOW + SECOND)) is Effect.READ
    assert merge.merge(event_of(C1, Phase.WITH_AGENT, NOW)) is Effect.REMOVE


def test_a_contact_of_which_a_pause_is_known_first_is_read_when_it_is_queued():
    merge = EventMerge()
    assert merge.merge(event_of(C1, Phase.CHANGED, NOW + SECOND)) is Effect.READ
    assert merge.merge(event_of(C1, Phase.QUEUED, NOW)) is Effect.READ


def test_its_memory_is_bounded():
    merge = EventMerge(contacts=10, envelopes=10)
    for number in range(100):
        merge.merge(event_of(contact(f"c{number}"), Phase.QUEUED, NOW))
    assert len(merge) == 10
    assert merge.merge(event_of(contact("c99"), Phase.QUEUED, NOW)) is IgnoredReason.OUTDATED
