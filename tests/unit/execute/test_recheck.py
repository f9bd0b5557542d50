"""Checks what a contact that was read again shows of the wait that was decided on, row by row."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.connect.answers import Denied, Throttled, Unknown
from router.decide.decision import PausesSeen
from router.execute.recheck import changed, found_again
from router.lookup.details import DetailsCache
from router.model import AgentId, Channel, Details, HoldReason
from router.rules.condition import ReliedOnValue, Truth
from router.rules.condition import Test as ConditionTest
from tests.builders.contacts import NOW, contact
from tests.builders.instance import BILLING, OVERFLOW

SECOND = timedelta(seconds=1)
BEFORE = contact(waited=60)
SINCE = NOW - timedelta(hours=1)
GOLD = ConditionTest(key="attributes.tier", text='attributes.tier = "gold"', fits=lambda value: value == "gold")

SEEN = {
    "as it was": (BEFORE, None),
    "in another queue": (replace(BEFORE, queue_id=OVERFLOW), HoldReason.LEFT_QUEUE),
    "queued again": (replace(BEFORE, enqueued_at=NOW), HoldReason.LEFT_QUEUE),
    "in no queue": (replace(BEFORE, queue_id=None), HoldReason.LEFT_QUEUE),
    "ended": (replace(BEFORE, disconnected_at=NOW), HoldReason.DISCONNECTED),
    "accepted": (replace(BEFORE, details=Details(accepted_at=NOW)), HoldReason.PICKED_UP),
    "connected": (replace(BEFORE, connected_at=NOW), HoldReason.PICKED_UP),
    "with an agent": (replace(BEFORE, agent_id=AgentId("ann")), HoldReason.PICKED_UP),
    "ended by an agent": (replace(BEFORE, agent_id=AgentId("ann"), disconnected_at=NOW), HoldReason.DISCONNECTED),
    "accepted and elsewhere": (replace(BEFORE, queue_id=OVERFLOW, connected_at=NOW), HoldReason.PICKED_UP),
    "paused": (replace(BEFORE, details=Details(paused_at=NOW)), HoldReason.CONTACT_PAUSED),
    "resumed": (replace(BEFORE, details=Details(paused_at=NOW - SECOND, resumed_at=NOW)), None),
    "scheduled for later": (replace(BEFORE, scheduled_at=NOW + SECOND), HoldReason.LEFT_QUEUE),
    "scheduled for now": (replace(BEFORE, scheduled_at=NOW), None),
    "a call": (replace(BEFORE, channel=Channel.VOICE), HoldReason.LEFT_QUEUE),
}


@pytest.mark.parametrize(("seen", "hold"), SEEN.values(), ids=SEEN.keys())
def test_a_contact_that_was_read_again_waits_as_before_or_is_held(seen, hold):
    assert changed(seen, queue_id=BILLING, enqueued_at=SINCE, now=NOW) is hold


@pytest.mark.parametrize(
    ("seen", "resumed_at", "hold"),
    [
        (None, None, None),
        (None, NOW, HoldReason.CONTACT_PAUSED),
        (NOW, None, HoldReason.CONTACT_PAUSED),
        (NOW, NOW - SECOND, HoldReason.CONTACT_PAUSED),
        (NOW, NOW, None),
    ],
)
def test_a_pause_that_the_decision_did_not_know_holds(seen, resumed_at, hold):
    """Holds because a pause stops the clock, so that the step may not be due yet."""
    read = replace(BEFORE, details=Details(paused_at=resumed_at and resumed_at - SECOND, resumed_at=resumed_at))
    pauses = PausesSeen(resumed_at=seen)

    assert changed(read, queue_id=BILLING, enqueued_at=SINCE, now=NOW, pauses=pauses) is hold


@pytest.mark.parametrize(
    ("truth", "tier", "hold"),
    [
        (Truth.YES, "gold", None),
        (Truth.YES, "silver", HoldReason.NO_LONGER_MATCHES),
        (Truth.YES, None, HoldReason.NO_LONGER_MATCHES),
        (Truth.NO, "silver", None),
        (Truth.NO, "gold", HoldReason.NO_LONGER_MATCHES),
    ],
)
def test_a_condition_that_came_out_otherwise_holds(truth, tier, hold):
    read = replace(BEFORE, details=Details(attributes={} if tier is None else {"tier": tier}))
    relied_on = [ReliedOnValue(GOLD, truth, None)]

    assert changed(read, queue_id=BILLING, enqueued_at=SINCE, now=NOW, relied_on=relied_on) is hold


def test_a_contact_that_connect_does_not_know_is_held_as_not_found(bench):
    transfer, _ = bench.move_of(BEFORE)

    assert found_again(bench.connect, transfer, bench.clock.now, DetailsCache()) is HoldReason.NOT_FOUND


@pytest.mark.parametrize(
    "failure", [Throttled(code="TooManyRequests"), Unknown(code="500", message=""), Denied(message="")]
)
def test_a_contact_that_cannot_be_read_is_held_as_unreadable(bench, failure):
    transfer, _ = bench.move_of(BEFORE)
    bench.connect.failures[BEFORE.id] = failure

    assert found_again(bench.connect, transfer, bench.clock.now, DetailsCache()) is HoldReason.UNREADABLE


def test_a_reading_is_remembered_even_if_it_holds(bench):
    transfer, _ = bench.move_of(BEFORE)
    known = DetailsCache()
    bench.connect.show(replace(BEFORE, details=Details(priority=3, accepted_at=NOW)))

    assert found_again(bench.connect, transfer, bench.clock.now, known) is HoldReason.PICKED_UP
    remembered = known.of(BEFORE, bench.clock.now())
    assert remembered is not None
    assert remembered.priority == 3
