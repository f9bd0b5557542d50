"""Checks that values of the domain come back from JSON as they were."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from router.decide.snapshot import Blocks, Limits, LiveMetrics, ReadValues
from router.history.codec import decode, encode
from router.history.world import hours_of
from router.model import (
    AgentState,
    Channel,
    Contact,
    Details,
    Directory,
    Flow,
    FlowType,
    OpeningHours,
    Queue,
    QueueMetrics,
    RoutingProfile,
)
from router.rules.calendar import Calendar
from router.rules.condition import Unread

AT = datetime(2026, 12, 1, 12, 0, 0, 123456, tzinfo=UTC)

ID: Any = str

VALUES = [
    Contact(
        id=ID("c"),
        channel=Channel.TASK,
        queue_id=ID("q"),
        enqueued_at=AT,
        tags={"team": "a"},
        details=Details(priority=3, paused_for=timedelta(microseconds=1)),
    ),
    Limits(per_cycle=3, cooldown=timedelta(seconds=90)),
    Blocks(denied_flows=frozenset({ID("f")}), instance_full=True),
    Directory(
        queues=(Queue(id=ID("q"), name="Q", enabled=False),),
        flows=(Flow(id=ID("f"), name="F", type=FlowType.INBOUND),),
    ),
    ReadValues(
        transfers={ID("c"): 3, ID("d"): Unread("why")},
        origins={ID("c"): AT, ID("d"): Unread("why")},
        pasts={ID("c"): (Contact(id=ID("b"), channel=Channel.EMAIL),)},
        metrics=LiveMetrics(
            rows={(ID("q"), Channel.TASK): QueueMetrics(slots_available=0, oldest_contact_age=timedelta(seconds=7))},
            queues_read=frozenset({ID("q")}),
            agents={ID("a"): AgentState(routable=True, slots_available={"TASK": 1}, profile_id=ID("p"))},
            profiles={ID("p"): frozenset({(ID("q"), Channel.TASK)}), ID("r"): None},
        ),
    ),
    RoutingProfile(queue_ids=frozenset({ID("q")}), alone={Channel.TASK: True, Channel.EMAIL: None}),
    OpeningHours(zone="Europe/Berlin", weekly={0: ((540, 1020),)}, dated={date(2026, 12, 25): ()}),
]


def test_every_value_comes_back_as_it_was():
    for value in VALUES:
        assert decode(type(value), json.loads(json.dumps(encode(value)))) == value


def test_a_mapping_whose_keys_are_no_texts_comes_back_and_so_does_an_empty_one():
    counts = {("q", Channel.TASK): 2, ("q", None): 1}
    kind: Any = Mapping[tuple[str, Channel | None], int]
    assert decode(kind, json.loads(json.dumps(encode(counts)))) == counts
    assert decode(kind, encode({})) == {}


def test_members_of_another_version_are_left_out():
    assert decode(Limits, {**encode(Limits(per_cycle=3)), "per_year": 7}) == Limits(per_cycle=3)


def test_a_calendar_comes_back_without_dates_that_are_as_their_weekday():
    monday = date(2026, 11, 30)
    hours = OpeningHours(
        zone="UTC", weekly={0: ((540, 1020),)}, dated={monday: ((540, 1020),), monday + timedelta(days=7): ()}
    )
    back = decode(OpeningHours, encode(hours_of(Calendar.of(hours))))
    assert back.dated == {monday + timedelta(days=7): ()}
    for hour in range(24 * 15):
        at = datetime(2026, 11, 29, tzinfo=UTC) + timedelta(hours=hour)
        assert Calendar.of(back).is_open(at) == Calendar.of(hours).is_open(at)
