"""Checks what messages of the queue do to the waiting list, and which of them are deleted."""

from datetime import timedelta
from threading import Event
from typing import Any, cast

import pytest

from router.connect.answers import Throttled
from router.model import Channel, IgnoredReason
from router.search.contact_readings import ContactReadings
from router.search.event_feed import EventFeed
from router.search.event_gate import EventGate
from router.search.event_pulse import EventPulse
from router.search.waiting_list import WaitingList
from tests.builders.contact_events import READER, envelope, message
from tests.builders.contacts import NOW
from tests.builders.fakes import FakeClock

SLOW_DOWN = Throttled(code="ThrottlingException")


class Queue:
    """Gives one batch of messages after the other, and remembers the deleted ones."""

    def __init__(self):
        self.batches, self.deleted, self.refuses_to_delete = [], [], None

    def receive(self, *, wait_s):
        return self.batches.pop(0)

    def delete(self, messages):
        if self.refuses_to_delete is None:
            self.deleted.extend(messages)
        return self.refuses_to_delete


class Bench:
    """Holds a feed whose thread is not started. ``turns`` lists whether the router works, one value a call."""

    def __init__(self, watched=True):
        clock, stopping, nobody = FakeClock(NOW), Event(), cast(Any, None)
        self.queue = cast(Any, Queue())
        self.news: list[int] = []
        self.turns = [True]
        self.waiting_list = WaitingList(channels=[Channel.TASK])
        self.readings = ContactReadings(
            reader=nobody,
            clock=clock,
            waiting_list=self.waiting_list,
            watched=lambda queue_id: watched,
            remember=lambda contact, at: None,
            stopping=stopping,
            on_news=lambda: None,
        )
        self.feed = EventFeed(
            queue=self.queue,
            reader=READER,
            readings=self.readings,
            waiting_list=self.waiting_list,
            clock=clock,
            working=lambda: self.turns.pop(0) if len(self.turns) > 1 else self.turns[0],
            stopping=stopping,
            on_news=lambda: self.news.append(1),
            gate=EventGate(pulse=EventPulse(clock=clock), sweep=timedelta(hours=1)),
        )

    def receive(self, *bodies):
        self.queue.batches.append(tuple(message(body) for body in bodies))
        return self.feed.step()


@pytest.fixture
def bench():
    return Bench()


def test_a_queued_contact_waits_the_cycle_is_woken_and_the_message_is_deleted(bench):
    assert bench.receive(envelope()) is None
    assert "c1" in bench.waiting_list
    assert (bench.news, len(bench.queue.deleted)) == ([1], 1)


def test_a_contact_that_an_agent_has_got_is_taken_out(bench):
    bench.receive(envelope())
    bench.receive(envelope("CONNECTED_TO_AGENT", agentInfo={"connectedToAgentTimestamp": "2026-03-02T11:59:30Z"}))
    assert "c1" not in bench.waiting_list


def test_messages_that_mean_nothing_are_counted_and_deleted(bench):
    bench.receive("no JSON", envelope(channel="VOICE"))
    assert bench.feed.gate.pulse.ignored.total() == 2
    assert (bench.news, len(bench.queue.deleted)) == ([], 2)


def test_a_contact_in_a_queue_of_no_rule_is_not_recorded():
    bench = Bench(watched=False)
    bench.receive(envelope())
    assert bench.feed.gate.pulse.ignored == {IgnoredReason.UNWATCHED_QUEUE: 1}
    assert "c1" not in bench.waiting_list


@pytest.mark.parametrize("turns", [[False], [True, False]], ids=["before they are applied", "while they are applied"])
def test_a_router_that_loses_its_turn_deletes_nothing(bench, turns):
    bench.turns = turns
    bench.receive(envelope())
    assert bench.queue.deleted == []


def test_messages_that_cannot_be_deleted_are_a_failure_until_one_can(bench):
    bench.queue.refuses_to_delete = SLOW_DOWN
    assert bench.receive(envelope()) is SLOW_DOWN
    assert bench.feed.failing
    bench.queue.refuses_to_delete = None
    assert bench.receive(envelope()) is None
    assert not bench.feed.failing
