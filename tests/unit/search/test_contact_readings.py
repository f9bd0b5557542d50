"""Checks what a reading by id changes in the waiting list."""

from threading import Event

import pytest

from router.connect.answers import Missing, Reading, Throttled
from router.model import Channel, ContactId
from router.search.contact_readings import ATTEMPTS, ContactReadings
from router.search.waiting_list import WaitingList
from tests.builders.contacts import NOW, contact
from tests.builders.fakes import FakeClock
from tests.builders.instance import BILLING, OVERFLOW

SLOW_DOWN = Throttled(code="ThrottlingException")


class Answers:
    """Describes each contact with its answer, and counts the calls."""

    def __init__(self):
        self.of, self.calls = {}, []

    def describe(self, contact_id):
        self.calls.append(contact_id)
        return self.of[contact_id]


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def news():
    return []


@pytest.fixture
def readings(answers, news):
    return ContactReadings(
        reader=answers,
        clock=FakeClock(NOW),
        waiting_list=WaitingList(channels=[Channel.TASK]),
        watched=lambda queue_id: queue_id == BILLING,
        remember=lambda contact, at: None,
        stopping=Event(),
        on_news=lambda: news.append(1),
    )


def reading(one):
    return Reading(contact=one, answered_at=0.0)


def test_a_waiting_contact_is_recorded_and_makes_the_cycle_decide(readings, answers, news):
    answers.of["c1"] = reading(contact("c1", waited=5))
    readings.request("c1")

    assert readings.read_next()
    assert "c1" in readings.waiting_list
    assert news == [1]


@pytest.mark.parametrize(
    "now_there",
    [contact("c1", queue=OVERFLOW), contact("c1", connected_at=NOW), contact("c1", disconnected_at=NOW)],
    ids=["in a queue of no rule", "with an agent", "ended"],
)
def test_a_contact_that_no_longer_waits_for_a_rule_is_taken_out(readings, answers, news, now_there):
    readings.waiting_list.record_seen([contact("c1")], NOW, by_id=True)
    answers.of["c1"] = reading(now_there)
    readings.request("c1")
    readings.read_next()

    assert "c1" not in readings.waiting_list
    assert news == []


def test_a_contact_that_the_instance_does_not_have_is_taken_out(readings, answers):
    readings.waiting_list.record_seen([contact("c1")], NOW, by_id=True)
    answers.of["c1"] = Missing(contact_id=ContactId("c1"))
    readings.request("c1")
    readings.read_next()

    assert "c1" not in readings.waiting_list


def test_a_contact_that_cannot_be_read_is_tried_some_times_and_then_recorded_as_its_event_shows_it(readings, answers):
    answers.of["c1"] = SLOW_DOWN
    readings.request("c1", instead=contact("c1", waited=5))
    while readings.read_next():
        pass

    assert answers.calls == ["c1"] * ATTEMPTS
    assert "c1" in readings.waiting_list


def test_a_contact_that_is_requested_twice_is_read_once(readings, answers):
    answers.of["c1"] = reading(contact("c1"))
    readings.request("c1")
    readings.request("c1")
    while readings.read_next():
        pass

    assert answers.calls == ["c1"]
