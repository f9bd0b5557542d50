"""Checks that observing logs each decision once, writes to its own ledger only, and calls nothing that changes."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Unknown
from router.decide.decision import RoutingUpdate, Transfer, Warn
from router.execute.observation import ObservePerformer
from router.execute.result import Outcome
from router.ledger import SqliteLedger
from router.model import HoldReason
from tests.builders.contacts import NOW

EVENTS = {Transfer: "contact.would_transfer", RoutingUpdate: "contact.would_reprioritize", Warn: "contact.warned"}


@pytest.fixture
def observed():
    ledger = SqliteLedger.in_memory("instance-1")
    yield ledger
    ledger.close()


@pytest.fixture
def performer(bench, observed):
    return ObservePerformer(
        reader=bench.connect, observed=observed, clock=bench.clock, details=bench.details, safety=bench.safety
    )


@pytest.mark.parametrize(("kind", "event"), EVENTS.items(), ids=EVENTS.values())
def test_each_kind_of_decision_is_logged_once_and_nothing_is_called(bench, performer, observed, kind, event):
    decided = bench.decided(bench.waiting())
    decision = decided.only(kind)
    with capture_logs() as lines:
        results = [performer.perform(decision, decided.context) for _ in range(2)]

    assert [result.outcome for result in results] == [Outcome.DONE, Outcome.DONE]
    assert [line["event"] for line in lines] == [event]
    [action] = observed.history()
    assert action.observed
    assert bench.ledger.history() == ()
    assert (bench.connect.transfers, bench.connect.updates) == ([], [])
    assert bench.pacer.acquired == []


@pytest.mark.parametrize(
    ("change", "hold"),
    [
        ({"connected_at": NOW}, HoldReason.PICKED_UP),
        ({"disconnected_at": NOW}, HoldReason.DISCONNECTED),
        (None, HoldReason.UNREADABLE),
    ],
)
def test_a_contact_that_enforcing_would_not_move_is_not_reported(bench, performer, observed, change, hold):
    one = bench.waiting()
    decided = bench.decided(one)
    if change is None:
        bench.connect.failures[one.id] = Unknown(code="TimedOut", message="")
    else:
        bench.connect.show(replace(one, **change))
    with capture_logs() as lines:
        result = performer.perform(decided.only(Transfer), decided.context)

    assert (result.outcome, result.reason) == (Outcome.HELD, hold)
    assert (lines, observed.history()) == ([], ())


def test_what_a_changed_rule_would_have_done_is_not_reported(bench, performer, observed):
    decided = bench.decided(bench.waiting())
    bench.safety.terms.change()
    with capture_logs() as lines:
        result = performer.perform(decided.only(Transfer), decided.context)

    assert (result.outcome, lines, observed.history()) == (Outcome.INTERRUPTED, [], ())
