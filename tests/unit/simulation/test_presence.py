"""Checks when agents count as present: by their events, or by the contacts that they took."""

from datetime import timedelta

import pytest

from router.history.world import Staffed
from router.model import AgentId, Channel, QueueId
from router.simulation.presence import TakenContact, teams_of_events, teams_of_work
from tests.unit.simulation.models import QUEUE, START

HOUR = 3600.0
OTHER = QueueId("Other")


def took(at, worked, *, queue=QUEUE, channel=Channel.TASK):
    return TakenContact(begins=float(at), ends=float(at + worked), queue_id=queue, channel=channel)


def presence_of(*taken, waited=()):
    (team,) = teams_of_work({AgentId("a"): taken}, {(QUEUE, Channel.TASK): waited})
    return team.presence


def event(minute, *, routable=True, queues=(QUEUE,), slots=1):
    return Staffed(
        at=START + timedelta(minutes=minute),
        agent_id=AgentId("a"),
        slots={Channel.TASK: slots} if slots else {},
        queues=frozenset(queues),
        routable=routable,
    )


def teams(*events):
    return teams_of_events(events, lambda at: (at - START).total_seconds())


def test_an_agent_has_the_queues_and_the_slots_of_the_contacts_at_hand():
    (team,) = teams_of_work(
        {AgentId("a"): [took(0, 100), took(50, 100), took(60, 20, queue=OTHER, channel=Channel.EMAIL)]}, {}
    )
    assert set(team.served) == {QUEUE, OTHER}
    assert team.slots == {Channel.TASK: 2, Channel.EMAIL: 1}


def test_contacts_that_overlap_by_the_rounding_of_their_times_need_no_second_slot():
    (team,) = teams_of_work({AgentId("a"): [took(0.0, 101.0), took(100.0, 50.0), took(149.0, 1.0)]}, {})
    assert team.slots == {Channel.TASK: 1}


def test_a_contact_that_waits_next_to_a_free_agent_shows_an_absence():
    found = presence_of(took(9 * HOUR, 600), took(9.9 * HOUR, 60), waited=[(9.25 * HOUR, 9.9 * HOUR)])
    assert found == ((9 * HOUR, pytest.approx(9.25 * HOUR, abs=400)), (9.9 * HOUR, 10 * HOUR))


def test_agents_without_work_for_a_short_time_are_present():
    assert presence_of(took(9 * HOUR, 600), took(10 * HOUR, 600)) == ((9 * HOUR, 11 * HOUR),)


def test_a_night_without_contacts_is_an_absence():
    first, second = presence_of(took(9.25 * HOUR, 600), took(33.25 * HOUR, 600))
    assert first == (9 * HOUR, 10 * HOUR)
    assert second == (33 * HOUR, 34 * HOUR)


def test_shifts_end_at_the_time_of_the_day_that_fits_all_days():
    nights = [(day * 24 * HOUR + 17.5 * HOUR + late, (day * 24 + 33) * HOUR) for day, late in ((0, 40.0), (1, 300.0))]
    taken = []
    for day, worked in ((0, 640.0), (1, 900.0)):
        taken += [took((day * 24 + 9) * HOUR, 8.2 * HOUR), took(day * 24 * HOUR + 17.5 * HOUR - 600, worked)]
    found = presence_of(*taken, took(57 * HOUR, 60), waited=nights)
    assert found[:2] == ((9 * HOUR, 17.5 * HOUR), (33 * HOUR, 41.5 * HOUR))


def test_an_agent_is_present_from_event_to_event_while_routable():
    (team,) = teams(event(0), event(2), event(4, routable=False), event(6), event(8, routable=False))
    assert team.presence == ((0.0, 240.0), (360.0, 480.0))


def test_an_agent_without_heartbeats_is_not_known_to_be_present():
    (team,) = teams(event(0), event(60, routable=False), event(70))
    assert team.presence == ((0.0, 120.0), (4200.0, 4320.0))


def test_other_queues_of_an_agent_are_a_team_of_their_own():
    first, second = teams(event(0), event(2, queues=(OTHER,), slots=3), event(4, routable=False))
    assert (first.name, set(first.served), first.presence) == ("a", {QUEUE}, ((0.0, 120.0),))
    assert (second.name, set(second.served), second.slots) == ("a (2)", {OTHER}, {Channel.TASK: 3})


def test_an_agent_without_slots_for_tasks_and_emails_is_left_out():
    assert teams(event(0, slots=0), event(2, slots=0)) == ()
