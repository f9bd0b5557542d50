"""Checks what is searched while contact events arrive, and when they are no longer relied on."""

from datetime import timedelta

import pytest

from router.model import Channel
from router.search.event_gate import EventGate
from router.search.event_pulse import EventPulse
from router.search.planner import SearchPlanner
from router.search.waiting_list import WaitingList
from tests.builders.contacts import contact, minutes
from tests.builders.instance import BILLING, DIRECTORY
from tests.builders.rules import overflow, rules
from tests.builders.watched import Arrival, Plenty, SetClock, WatchedWorld

EVERY = timedelta(seconds=15)
RULES = rules(overflow(at="30m", to='{ queue = "General" }'))


class Service:
    """Polls of a world of which every arrival is also an event, except for those in ``lost``."""

    def __init__(self, *arrivals, lost=(), **world):
        self.clock = SetClock()
        self.world = WatchedWorld(self.clock, [Arrival(one) for one in arrivals], **world)
        self.waiting_list = WaitingList(channels=[Channel.TASK])
        self.lost = set(lost)
        self.pulse = EventPulse(clock=self.clock)
        self.gate = EventGate(pulse=self.pulse, sweep=timedelta(hours=1))
        self.search = SearchPlanner(
            reader=self.world,
            gauge=self.world,
            clock=self.clock,
            pacer=Plenty(),
            waiting_list=self.waiting_list,
            lookback=timedelta(days=90),
            sweep=timedelta(minutes=5),
            gate=self.gate,
        )

    def poll(self, *, silent=False):
        """Returns the pages that a poll 15 s after the last one requests."""
        self.clock.at += EVERY
        self.pulse.answered()
        if not silent:
            self.pulse.arrived(self.clock.at)
            come = [one.contact for one in self.world.arrivals if one.waits(self.clock.at)]
            fresh = [one for one in come if one.id not in self.lost and one.id not in self.waiting_list]
            self.waiting_list.record_seen(fresh, self.clock.at, by_id=True)
            for one in fresh:
                assert one.queue_id is not None
                self.gate.record_change((one.queue_id, one.channel), self.clock.at)
        del self.world.searches[:]
        self.search.poll(RULES, DIRECTORY, every=EVERY, until=None)
        return len(self.world.searches)


def test_a_list_that_agrees_with_the_metrics_is_searched_once_an_hour():
    service = Service(contact("a", waited=5))
    polls = [service.poll() for _ in range(4 * 90)]
    assert [number for number, pages in enumerate(polls) if pages] == [0, 4 * 60]


def test_without_events_the_same_list_is_searched_every_sweep():
    service = Service(contact("a", waited=5))
    assert sum(service.poll(silent=True) for _ in range(4 * 60)) >= 12


def test_a_contact_whose_event_is_lost_is_searched_for_in_the_second_poll_that_lacks_it():
    service = Service(contact("a", waited=5), contact("lost", waited=-10), lost=["lost"])
    searched = []
    while "lost" not in service.waiting_list:
        searched.append(service.poll())
        assert len(searched) < 60
    came = 10 * 4
    assert came <= len(searched) <= came + 3
    assert sum(searched[1:]) == 1


def test_a_queue_whose_counts_never_agree_for_long_is_searched_for_what_came_since_they_did():
    arrivals = [contact(f"c{n}", waited=-n / 4) for n in range(120)]
    service = Service(*arrivals, lost=["c9"])
    spans = []
    for _ in range(4 * 25):
        if service.poll():
            spans.append(service.world.spans[-1])
    assert "c9" in service.waiting_list
    assert spans == [timedelta(days=90), minutes(7)]


@pytest.mark.parametrize("lasts", [9, 11])
def test_events_that_are_missing_for_ten_minutes_while_contacts_come_are_silent(lasts):
    service = Service(*[contact(f"c{n}", waited=-n) for n in range(1, 30)])
    for _ in range(4):
        service.poll()
    for _ in range(4 * lasts):
        service.poll(silent=True)
    assert service.pulse.silent is (lasts > 10)
    assert service.pulse.live is (lasts < 10)
    service.poll()
    assert service.pulse.live


def test_a_queue_without_an_answer_for_a_minute_is_not_relied_on():
    service = Service(contact("a", waited=5))
    service.poll()
    assert service.pulse.live
    service.clock.at += timedelta(seconds=61)
    assert not service.pulse.live


def test_after_a_step_back_of_the_clock_everything_is_searched():
    service = Service(contact("a", waited=5))
    for _ in range(3):
        service.poll()
    service.clock.at -= timedelta(hours=2)
    service.world.arrivals = [Arrival(contact("a", waited=5, now=service.clock.at))]
    assert service.poll() >= 1


def test_the_gate_counts_queues_in_doubt():
    service = Service(contact("a", waited=5), contact("b", waited=4), lost=["b"])
    service.search._everything_at = service.clock.at  # a full scan that has not shown it
    service.waiting_list.record_seen([contact("a", waited=5)], service.clock.at)
    service.poll()
    assert service.gate.doubted == 1
    assert service.gate.known_since((BILLING, Channel.TASK), None).year == 1
