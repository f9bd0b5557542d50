"""Checks how long opening hours are kept, and when they are read again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from router.connect.answers import Failure, Throttled
from router.lookup.opening_hours import HOURS_PER_LOOK, TRUSTED, OpeningHoursReader
from router.model import (
    AgentId,
    AgentState,
    Channel,
    Directory,
    HoursId,
    OpeningHours,
    ProfileId,
    QueueId,
    QueueMetrics,
)
from router.rules.calendar import Calendar
from router.rules.condition import Unread

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OFFICE = HoursId("office")
FRESH = timedelta(minutes=5)
SECOND = timedelta(seconds=1)
ALWAYS = OpeningHours(zone="UTC", weekly=dict.fromkeys(range(7), ((0, 0),)), dated={})


@dataclass
class Instance:
    """Returns the answer that a test sets, and records the calls."""

    answer: OpeningHours | Failure = ALWAYS
    asked: list[tuple[HoursId, date, date]] = field(default_factory=list)
    missing: frozenset[str] = frozenset()

    def opening_hours(self, hours_id: HoursId, *, since: date, until: date) -> OpeningHours | Failure:
        self.asked.append((hours_id, since, until))
        return self.answer

    def directory(self, *, with_agents: bool, with_hours: bool) -> Directory | Failure:
        raise AssertionError("not asked for")

    def queue_metrics(
        self, queue_ids: Collection[QueueId], channels: Collection[Channel]
    ) -> dict[tuple[QueueId, Channel], QueueMetrics] | Failure:
        raise AssertionError("not asked for")

    def routing_profiles(self) -> Failure:
        raise AssertionError("not read here")

    def served_queues(self, profile_id: ProfileId) -> frozenset[tuple[QueueId, Channel]] | Failure:
        raise AssertionError("not asked for")

    def agent_states(self, agent_ids: Collection[AgentId]) -> dict[AgentId, AgentState] | Failure:
        raise AssertionError("not asked for")


def opening(instance: Instance, *, lookback: timedelta = timedelta(days=90)) -> OpeningHoursReader:
    return OpeningHoursReader(instance, fresh_for=FRESH, lookback=lookback)


def known(times: OpeningHoursReader, now: datetime) -> bool:
    return isinstance(times.read([OFFICE], now)[OFFICE], Calendar)


def test_what_was_read_stands_until_it_is_no_longer_fresh():
    instance = Instance()
    times = opening(instance)
    for later in (timedelta(), FRESH - SECOND, FRESH):
        assert known(times, NOW + later)
    assert len(instance.asked) == 2


def test_dates_are_asked_for_as_far_back_as_contacts_may_have_waited():
    instance = Instance()
    opening(instance, lookback=timedelta(days=30)).read([OFFICE], NOW)
    opening(instance, lookback=timedelta(days=900)).read([OFFICE], NOW)
    (_, since, until), (_, longest, _) = instance.asked
    assert (since, until) == (NOW.date() - timedelta(days=30 + 180), date(2026, 6, 2))
    assert longest == NOW.date() - timedelta(days=270)
    assert until - longest <= timedelta(days=366)


def test_what_was_read_counts_for_an_hour_where_it_cannot_be_read_again():
    instance = Instance()
    times = opening(instance)
    assert known(times, NOW)
    instance.answer = Throttled(code="TooManyRequestsException")
    assert known(times, NOW + TRUSTED - SECOND)
    unread = times.read([OFFICE], NOW + TRUSTED)[OFFICE]
    assert unread == Unread("its hours of operation could not be read: TooManyRequestsException")
    instance.answer = ALWAYS
    assert known(times, NOW + TRUSTED + SECOND)


def test_a_time_zone_that_is_not_known_is_told():
    instance = Instance(OpeningHours(zone="Europe/Atlantis", weekly={}, dated={}))
    unread = opening(instance).read([OFFICE], NOW)[OFFICE]
    assert isinstance(unread, Unread)
    assert "'Europe/Atlantis' is not known" in unread.why


def test_only_so_many_are_read_for_one_look_and_the_others_come_next():
    instance = Instance()
    times = opening(instance)
    many = [HoursId(f"hours-{number}") for number in range(HOURS_PER_LOOK + 5)]
    first = times.read(many, NOW)
    assert sum(isinstance(one, Unread) for one in first.values()) == 5
    second = times.read(many, NOW + SECOND)
    assert not any(isinstance(one, Unread) for one in second.values())
    assert len(instance.asked) == len({hours_id for hours_id, _, _ in instance.asked}) == len(many)


def test_hours_that_cannot_be_read_keep_no_others_waiting():
    instance = Instance(Throttled(code="TooManyRequestsException"))
    times = opening(instance)
    many = [HoursId(f"hours-{number:02}") for number in range(HOURS_PER_LOOK + 5)]
    times.read(many, NOW)
    times.read(many, NOW + SECOND)
    assert {hours_id for hours_id, _, _ in instance.asked} == set(many)


def test_nothing_is_read_that_nobody_asked_for():
    instance = Instance()
    assert opening(instance).read([], NOW) == {}
    assert instance.asked == []
