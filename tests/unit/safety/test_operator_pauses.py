"""Checks which decisions and moves an operator's pause holds, and that the ledger has every pause."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from router.ledger.operator_records import OperatorRecords
from router.ledger.sqlite import SqliteLedger
from router.model import ContactId, Pause, PauseKind
from router.safety.operator_pauses import OperatorPauses
from tests.builders.contacts import NOW, after, contact, minutes, move
from tests.builders.instance import BILLING, OVERFLOW
from tests.builders.watched import SetClock

ONE = contact("c1", waited=20)
MOVE = move(ONE, after(ONE, "c2"))
assert MOVE.target is not None
FLOW = MOVE.target.flow_id
TEN_MINUTES = minutes(10)


def pause(kind, subject="", *, lasts=TEN_MINUTES):
    return Pause(kind=kind, subject=subject, name=subject, until=NOW + lasts, comment="test", who="ann", set_at=NOW)


@pytest.fixture
def records():
    ledger = SqliteLedger.in_memory(instance_id="instance")
    yield OperatorRecords(ledger)
    ledger.close()


@pytest.fixture
def clock():
    return SetClock(NOW)


@pytest.fixture
def pauses(records, clock):
    return OperatorPauses(records, clock)


@pytest.mark.parametrize(
    ("kind", "subject", "holds"),
    [
        (PauseKind.ALL, "", True),
        (PauseKind.RULE, "overflow", True),
        (PauseKind.RULE, "another", False),
        (PauseKind.QUEUE, BILLING, True),
        (PauseKind.QUEUE, OVERFLOW, True),
        (PauseKind.QUEUE, "elsewhere", False),
        (PauseKind.FLOW, FLOW, True),
        (PauseKind.CONTACT, "c1", True),
        (PauseKind.CONTACT, "c2", False),
    ],
)
def test_a_pause_holds_a_call_by_rule_queue_destination_flow_and_contact(pauses, kind, subject, holds):
    pauses.set(pause(kind, subject))
    assert (pauses.holding(MOVE) is not None) is holds


@pytest.mark.parametrize(
    ("kind", "subject", "holds"),
    [
        (PauseKind.ALL, "", True),
        (PauseKind.RULE, "overflow", True),
        (PauseKind.QUEUE, OVERFLOW, True),
        (PauseKind.QUEUE, BILLING, False),
        (PauseKind.CONTACT, "c1", True),
        (PauseKind.CONTACT, "c2", True),
        (PauseKind.FLOW, FLOW, False),
    ],
)
def test_a_pause_holds_a_moved_contact_where_it_has_landed(pauses, kind, subject, holds):
    pauses.set(pause(kind, subject))
    assert (pauses.holding_moved(MOVE) is not None) is holds


def test_a_pause_ends_by_itself_and_is_then_cleared_with_a_log_line(pauses, clock, records):
    pauses.set(pause(PauseKind.ALL, lasts=minutes(1)))
    clock.at += minutes(1)
    assert pauses.now.all == ()
    assert pauses.holding(MOVE) is None
    with capture_logs() as lines:
        pauses.expire()
        pauses.expire()
    assert [(line["event"], line["who"]) for line in lines] == [("pause.cleared", "expiry")]
    assert records.pauses() == ()


def test_a_pause_replaces_the_one_of_the_same_subject(pauses, records):
    pauses.set(pause(PauseKind.RULE, "overflow"))
    longer = pause(PauseKind.RULE, "overflow", lasts=minutes(30))
    pauses.set(longer)
    assert pauses.now.all == (longer,)
    assert records.pauses() == (longer,)


def test_clearing_returns_the_pause_and_none_if_there_is_none(pauses, records):
    one = pause(PauseKind.CONTACT, ContactId("c1"))
    pauses.set(one)
    assert pauses.clear(PauseKind.CONTACT, "c2", who="bob") is None
    assert pauses.clear(PauseKind.CONTACT, "c1", who="bob") == one
    assert pauses.clear(PauseKind.CONTACT, "c1", who="bob") is None
    assert records.pauses() == ()


def test_a_pause_survives_a_restart_and_one_of_another_router_is_read_again(pauses, records, clock):
    pauses.set(pause(PauseKind.ALL))
    other = OperatorPauses(records, clock)
    assert other.now.all == pauses.now.all
    other.clear(PauseKind.ALL, "", who="bob")
    assert pauses.now.all != ()
    pauses.reread()
    assert pauses.now.all == ()


def test_a_clock_that_stands_still_keeps_the_pause(pauses, clock):
    pauses.set(pause(PauseKind.ALL, lasts=timedelta(seconds=1)))
    pauses.expire()
    assert pauses.now.all != ()
