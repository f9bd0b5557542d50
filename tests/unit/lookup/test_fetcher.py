"""Checks that every kind of need is read into the snapshot, or the reason why it could not be."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from threading import Event

import pytest

from router.connect.answers import Throttled
from router.decide.snapshot import ReadValues
from router.lookup.background import Background
from router.lookup.fetcher import Fetcher
from router.model import (
    AgentId,
    AgentState,
    Channel,
    Details,
    HoursId,
    Need,
    NeedKind,
    OpeningHours,
    ProfileId,
    QueueMetrics,
    RoutingProfile,
)
from router.rules.condition import Unread
from tests.builders.contacts import NOW, contact, minutes
from tests.builders.describing import Describing
from tests.builders.instance import BILLING, GENERAL
from tests.builders.snapshots import snapshot

FRESH = timedelta(minutes=5)
TASK = frozenset([Channel.TASK])
THROTTLED = Throttled(code="TooManyRequestsException")
FIRST = contact("c1", waited=90, disconnected_at=NOW - minutes(30), details=Details())
WAITING = contact("c2", waited=5, previous_id="c1", initial_id="c1", details=Details(attributes={"tier": "vip"}))
AGENT, OTHER, PROFILE, OFFICE = AgentId("ann"), AgentId("bob"), ProfileId("tasks"), HoursId("office")
STATE = AgentState(routable=True, slots_available={})
ALL_CHANNELS = RoutingProfile(queue_ids=frozenset([BILLING]), alone={Channel.TASK: False, Channel.EMAIL: False})
ALWAYS = OpeningHours(zone="UTC", weekly=dict.fromkeys(range(7), ((0, 0),)), dated={})


@dataclass
class Instance:
    """Returns live values, or the failure set for every call; records the calls."""

    failure: Throttled | None = None
    calls: list[str] = field(default_factory=list)
    missing: frozenset[str] = frozenset()

    def queue_metrics(self, queue_ids, channels):
        self.calls.append("metrics")
        return self.failure or {(BILLING, Channel.TASK): QueueMetrics(contacts_in_queue=3)}

    def agent_states(self, agent_ids):
        self.calls.append("agents")
        return self.failure or {AGENT: STATE}

    def served_queues(self, profile_id):
        self.calls.append("profile")
        return self.failure or frozenset([(BILLING, Channel.TASK)])

    def routing_profiles(self):
        self.calls.append("channels")
        return self.failure or (ALL_CHANNELS,)

    def opening_hours(self, hours_id, *, since: date, until: date):
        self.calls.append("hours")
        return self.failure or ALWAYS

    def directory(self, *, with_agents, with_hours):
        raise AssertionError("not read here")


def fetcher(instance, reader=None, **others):
    reader = reader or Describing.of([FIRST, WAITING])
    return Fetcher(reader, instance, channels=TASK, fresh_for=FRESH, lookback=timedelta(days=90), **others)


def before_reading(**others):
    return replace(snapshot(WAITING, **others), read=ReadValues())


def need(kind, key, first_id=None):
    return Need(kind, key, first_id)


NEEDS = (
    need(NeedKind.TRANSFERS, "c2"),
    need(NeedKind.DETAILS, "c2"),
    need(NeedKind.ORIGIN, "c2", "c1"),
    need(NeedKind.PAUSES, "c2"),
    need(NeedKind.PAST, "c2"),
    need(NeedKind.METRICS, BILLING),
    need(NeedKind.METRICS, GENERAL),
    need(NeedKind.AGENT, AGENT),
    need(NeedKind.AGENT, OTHER),
    need(NeedKind.PROFILE, PROFILE),
    need(NeedKind.CHANNELS, BILLING),
    need(NeedKind.HOURS, OFFICE),
)


def test_every_kind_of_need_has_a_test_here():
    assert {one.kind for one in NEEDS} == set(NeedKind)


def test_every_kind_is_read_into_the_snapshot():
    read = fetcher(Instance()).read(before_reading(), NEEDS).read
    assert read.transfers == {"c2": 1}
    assert read.details == {"c2": WAITING.details}
    assert read.origins == {"c2": NOW - minutes(90)}
    assert read.pauses == {"c2": WAITING.details}
    assert [[one.id for one in past] for past in read.pasts.values()] == [["c1"]]
    assert read.metrics.rows == {(BILLING, Channel.TASK): QueueMetrics(contacts_in_queue=3)}
    assert (read.metrics.queues_read, read.metrics.queues_failed) == ({BILLING, GENERAL}, frozenset())
    assert (read.metrics.agents, read.metrics.agents_read) == ({AGENT: STATE}, {AGENT, OTHER})
    assert read.metrics.profiles == {PROFILE: frozenset([(BILLING, Channel.TASK)])}
    assert read.routing_profiles == (ALL_CHANNELS,)
    assert not isinstance(read.hours[OFFICE], Unread)


def test_what_cannot_be_read_is_there_with_the_reason():
    reader = Describing.of([], c1=THROTTLED, c2=THROTTLED)
    read = fetcher(Instance(THROTTLED), reader).read(before_reading(), NEEDS).read
    unread = [*read.transfers.values(), *read.details.values(), *read.origins.values(), *read.pauses.values()]
    unread += [*read.pasts.values(), *read.hours.values()]
    assert len(unread) == 6
    assert all(isinstance(one, Unread) for one in unread)
    assert read.metrics.queues_failed == {BILLING, GENERAL}
    assert (read.metrics.agents, read.metrics.agents_read) == ({}, {AGENT, OTHER})
    assert read.metrics.profiles == {PROFILE: None}
    assert read.routing_profiles == ()


@pytest.mark.parametrize("failure", [None, THROTTLED])
def test_the_routing_profiles_are_read_once_for_all_queues_until_they_are_old(failure):
    instance = Instance(failure)
    fetch = fetcher(instance)
    for queue in (BILLING, GENERAL, BILLING):
        fetch.read(before_reading(), [need(NeedKind.CHANNELS, queue)])
    assert instance.calls == ["channels"]
    later = replace(before_reading(), now=NOW + FRESH)
    fetch.read(later, [need(NeedKind.CHANNELS, BILLING)])
    assert instance.calls == ["channels"] * 2


@pytest.mark.uses("threads")
def test_routing_profiles_that_hang_are_unknown_and_delay_one_look_only(monkeypatch):
    monkeypatch.setattr("router.lookup.background.READ_WITHIN", 0.05)
    instance, end = Instance(), Event()
    monkeypatch.setattr(instance, "routing_profiles", lambda: (end.wait(20), (ALL_CHANNELS,))[1])
    with ThreadPoolExecutor(2) as pool:
        fetch = fetcher(instance, background=Background(pool))
        looks = [fetch.read(before_reading(), [need(NeedKind.CHANNELS, BILLING)]) for _ in range(3)]
        end.set()
    after = fetch.read(before_reading(), [need(NeedKind.CHANNELS, BILLING)])
    assert [look.read.routing_profiles for look in looks] == [()] * 3
    assert after.read.routing_profiles == (ALL_CHANNELS,)


def test_earlier_values_of_the_snapshot_stay():
    fetch = fetcher(Instance())
    first = fetch.read(before_reading(), NEEDS)
    second = fetch.read(first, [need(NeedKind.METRICS, OTHER)])
    assert second.read.details == first.read.details
    assert second.read.metrics.queues_read == {BILLING, GENERAL, OTHER}


def test_without_needs_nothing_is_called():
    instance, reader = Instance(), Describing.of([])
    fetcher(instance, reader).read(before_reading(), [])
    assert (instance.calls, reader.asked) == ([], [])


@pytest.mark.parametrize(("after", "calls"), [(FRESH - timedelta(seconds=1), 1), (FRESH, 2)])
def test_a_routing_profile_is_read_again_when_it_is_no_longer_fresh(after, calls):
    instance = Instance()
    fetch = fetcher(instance)
    for now in (NOW, NOW + after):
        fetch.read(before_reading(now=now), [need(NeedKind.PROFILE, PROFILE)])
    assert instance.calls == ["profile"] * calls


def test_in_service_a_task_without_a_reading_counts_as_never_paused():
    reader = Describing.of([WAITING])
    fetch = fetcher(Instance(), reader, assume_unpaused=True)
    read = fetch.read(before_reading(), [need(NeedKind.PAUSES, "c2")]).read
    assert (read.pauses, reader.asked) == ({"c2": Details()}, [])
    assert fetch.details.read_pauses(WAITING, NOW) == WAITING.details
    assert fetch.read(before_reading(), [need(NeedKind.PAUSES, "c2")]).read.pauses == {"c2": WAITING.details}
