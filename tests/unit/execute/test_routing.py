"""Checks a routing step from its reading to its record: what is sent, recorded and logged of each outcome."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Denied, Rejected, Throttled, Unknown
from router.execute.result import Outcome
from router.execute.routing import RoutingPerformer
from router.ledger import LedgerUnavailable
from router.model import ActionState, ContactId, Details, HoldReason, RoutingData
from tests.builders.contacts import NOW
from tests.builders.execution import OLD, URGENT, ExecutionBench

LOST = Unknown(code="TimedOut", message="no response")
SLOW_DOWN = Throttled(code="TooManyRequestsException")
REJECTED = Rejected(code="InvalidRequestException", message="no", status=400)
AGE = """
    [[rule]]
    name = "aged"
    match.queue = "Billing"
    step = [{ at = "10m", routing = { age = "+10m" } }]
"""


@pytest.fixture
def performer(bench: ExecutionBench) -> RoutingPerformer:
    return bench.routing


def test_an_accepted_update_is_recorded_with_what_the_contact_had(bench, performer):
    decision, context = bench.update_of(bench.waiting())
    with capture_logs() as lines:
        result = performer.perform(decision, context)

    assert result.outcome is Outcome.DONE
    assert bench.connect.updates == [("c1", URGENT)]
    assert bench.ledger.history() == (result.action,)
    assert (result.action.state, result.action.routing, result.action.before.priority) == (
        ActionState.ACTED, URGENT, OLD.priority
    )  # fmt: skip
    assert [line["event"] for line in lines] == ["contact.reprioritized"]


@pytest.mark.parametrize("priority", [1, 2])
def test_a_contact_with_as_good_a_place_is_recorded_without_a_call(bench, performer, priority):
    decision, context = bench.update_of(bench.waiting(details=Details(priority=priority)))

    result = performer.perform(decision, context)

    assert (result.outcome, result.action.state) == (Outcome.DONE, ActionState.ACTED)
    assert result.action.routing is None
    assert bench.connect.updates == []


@pytest.mark.parametrize(
    ("change", "hold"),
    [
        ({"connected_at": NOW}, HoldReason.PICKED_UP),
        ({"disconnected_at": NOW}, HoldReason.DISCONNECTED),
        ({"enqueued_at": NOW}, HoldReason.LEFT_QUEUE),
        (None, HoldReason.NOT_FOUND),
        (LOST, HoldReason.UNREADABLE),
    ],
)
def test_a_contact_that_no_longer_waits_is_held_and_nothing_is_recorded(bench, performer, change, hold):
    one = bench.waiting()
    decision, context = bench.update_of(one)
    if change is None:
        bench.connect.contacts.clear()
    elif isinstance(change, Unknown):
        bench.connect.failures[one.id] = change
    else:
        bench.connect.show(replace(one, **change))

    result = performer.perform(decision, context)

    assert (result.outcome, result.reason) == (Outcome.HELD, hold)
    assert (bench.ledger.history(), bench.connect.updates) == ((), [])


@pytest.mark.parametrize(
    ("answer", "outcome", "state", "event"),
    [
        (REJECTED, Outcome.REFUSED, ActionState.REFUSED, "contact.failed"),
        (LOST, Outcome.UNSETTLED, ActionState.INTENDED, "contact.failed"),
        (SLOW_DOWN, Outcome.NOT_SENT, ActionState.NEVER_SENT, "contact.failed"),
        (Denied(message="no"), Outcome.HELD, ActionState.NEVER_SENT, "api.denied"),
    ],
)
def test_an_update_that_was_not_accepted_is_settled_and_logged(bench, performer, answer, outcome, state, event):
    decision, context = bench.update_of(bench.waiting())
    bench.connect.update_answers = [answer] * 4
    with capture_logs() as lines:
        result = performer.perform(decision, context)

    assert (result.outcome, result.action.state) == (outcome, state)
    assert [line["event"] for line in lines] == [event]


def test_a_throttle_is_logged_once_and_again_only_after_a_call_that_came_through(bench, performer):
    def events(*answers):
        bench.connect.update_answers = list(answers)
        decision, context = bench.update_of(bench.waiting())
        with capture_logs() as lines:
            performer.perform(decision, context)
        return [line["event"] for line in lines]

    assert events(*[SLOW_DOWN] * 4) == ["contact.failed"]
    assert events(*[SLOW_DOWN] * 4) == []
    assert events(REJECTED) == ["contact.failed"]
    assert events(*[SLOW_DOWN] * 4) == ["contact.failed"]


def test_an_update_without_a_known_outcome_keeps_the_next_one_away(bench, performer):
    one = bench.waiting()
    decision, context = bench.update_of(one)
    bench.connect.update_answers = [LOST]
    performer.perform(decision, context)

    again = performer.perform(decision, context)

    assert (again.outcome, again.reason) == (Outcome.HELD, HoldReason.IN_FLIGHT)
    assert len(bench.connect.updates) == 1


@pytest.mark.parametrize("claim", ["claim", "claim_update"])
def test_a_contact_that_is_being_acted_on_is_held(bench, performer, claim):
    decision, context = bench.update_of(bench.waiting())
    with getattr(bench.in_progress, claim)(ContactId("c1")):
        result = performer.perform(decision, context)

    assert (result.outcome, result.reason) == (Outcome.HELD, HoldReason.IN_FLIGHT)
    assert bench.connect.updates == []


def test_an_intent_that_cannot_be_written_sends_nothing(bench, performer, monkeypatch):
    decision, context = bench.update_of(bench.waiting())

    def full(action):
        raise LedgerUnavailable("disk full")

    monkeypatch.setattr(bench.ledger, "intend", full)
    with pytest.raises(LedgerUnavailable):
        performer.perform(decision, context)
    assert bench.connect.updates == []


def test_an_intent_that_another_router_settled_is_left_to_it(bench, performer):
    decision, context = bench.update_of(bench.waiting())
    reroute = bench.connect.reroute

    def settled_elsewhere(**asked):
        [intent] = bench.ledger.open_intents()
        bench.settler.close(intent, ActionState.ACTED)
        return reroute(**asked)

    bench.connect.reroute = settled_elsewhere
    with capture_logs() as lines:
        assert performer.perform(decision, context).outcome is Outcome.UNSETTLED
    assert lines == []


def test_an_age_is_sent_as_the_sum_until_connect_has_shown_that_it_adds(bench, performer):
    had = RoutingData(age=timedelta(minutes=5))
    one = bench.waiting(details=Details(queue_time_adjustment=had.age))
    decided = bench.decided(one, text=AGE)
    performer.perform(decided.decisions[0], decided.context)

    assert bench.connect.updates == [("c1", RoutingData(age=timedelta(minutes=15)))]

    shows = replace(one, details=Details(queue_time_adjustment=timedelta(minutes=20)))
    bench.connect.show(shows)
    other = bench.waiting("c2", details=Details(queue_time_adjustment=had.age))
    bench.settler.ages.seen(shows)
    again = bench.decided(other, text=AGE)
    performer.perform(again.decisions[0], again.context)

    assert bench.connect.updates[1:] == [("c2", RoutingData(age=timedelta(minutes=10)))]
