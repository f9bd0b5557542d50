"""Checks when breakers stop transfers, and which contact probes whether they still must."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Denied, Failure, Full, Rejected, Unauthenticated
from router.model import ContactId, FlowId, HoldReason, Landing, Target
from router.safety.breakers import DENIED_PROBE, FULL_PROBE, Breakers, BreakerSignal
from tests.builders.contacts import NOW, act, contact
from tests.builders.instance import OVERFLOW
from tests.builders.watched import SetClock

SECOND = timedelta(seconds=1)
ONE, TWO, THREE = FlowId("one"), FlowId("two"), FlowId("three")
A, B, C = ContactId("a"), ContactId("b"), ContactId("c")
FAILURES: dict[BreakerSignal, Failure | Full] = {
    BreakerSignal.FLOW_DENIED: Denied(message="not authorized"),
    BreakerSignal.READING_DENIED: Denied(message="not authorized"),
    BreakerSignal.ROUTING_DENIED: Denied(message="not authorized"),
    BreakerSignal.ROUTING_UNREADABLE: Denied(message="not authorized"),
    BreakerSignal.CREDENTIALS_REFUSED: Unauthenticated(code="ExpiredTokenException", message="expired"),
    BreakerSignal.INSTANCE_FULL: Full(message="full"),
    BreakerSignal.CHAIN_FULL: Full(message="full"),
    BreakerSignal.PERMITTED: Rejected(code="InvalidRequestException", message="", status=400),
}


class Attempts:
    """Breakers, and attempts that end with a signal."""

    def __init__(self, limit=10):
        self.clock = SetClock(NOW)
        self.breakers = Breakers(unlanded_limit=limit, clock=self.clock, flow_name=lambda flow: f"flow {flow}")
        self.admit, self.leave = self.breakers.admit, self.breakers.leave

    def end(self, signal, flow=ONE, contact_id=A):
        action = act(contact(contact_id), target=Target(flow_id=flow, queue_id=OVERFLOW))
        self.breakers.apply(signal, action, FAILURES.get(signal))

    def wait(self, span):
        self.clock.at += span

    @property
    def blocks(self):
        return self.breakers.blocks(clock_skew=False)


@pytest.fixture
def attempts():
    return Attempts()


def test_a_denied_flow_holds_its_own_contacts_and_no_others(attempts):
    attempts.end(BreakerSignal.FLOW_DENIED)
    assert attempts.admit(ONE, A) is HoldReason.DENIED
    assert attempts.admit(TWO, B) is None
    assert attempts.blocks.denied_flows == {ONE}
    assert not attempts.blocks.denied


def test_after_five_minutes_one_contact_probes_a_denied_flow_and_no_second_one(attempts):
    attempts.end(BreakerSignal.FLOW_DENIED)
    attempts.wait(DENIED_PROBE - SECOND)
    assert attempts.admit(ONE, A) is HoldReason.DENIED
    attempts.wait(SECOND)
    assert attempts.blocks.denied_flows == frozenset()
    assert attempts.admit(ONE, A) is None
    assert attempts.admit(ONE, B) is HoldReason.DENIED
    assert attempts.blocks.denied_flows == {ONE}


def test_a_probe_without_an_outcome_leaves_the_next_one_to_the_next_contact(attempts):
    attempts.end(BreakerSignal.FLOW_DENIED)
    attempts.wait(DENIED_PROBE)
    assert attempts.admit(ONE, A) is None
    attempts.leave(A)
    assert attempts.admit(ONE, B) is None


def test_leaving_ends_only_the_contact_s_own_probe(attempts):
    attempts.end(BreakerSignal.FLOW_DENIED)
    attempts.wait(DENIED_PROBE)
    assert attempts.admit(ONE, A) is None
    attempts.leave(B)
    assert attempts.admit(ONE, C) is HoldReason.DENIED


def test_two_denied_flows_stop_all_transfers_until_one_gets_through(attempts):
    attempts.end(BreakerSignal.FLOW_DENIED, ONE)
    attempts.wait(SECOND)
    attempts.end(BreakerSignal.FLOW_DENIED, TWO)
    assert attempts.blocks.denied
    assert attempts.admit(THREE, A) is HoldReason.DENIED
    attempts.wait(DENIED_PROBE)
    assert not attempts.blocks.denied
    assert attempts.admit(ONE, A) is None
    assert attempts.admit(THREE, B) is HoldReason.DENIED
    attempts.end(BreakerSignal.ACCEPTED, ONE)
    attempts.leave(A)
    assert attempts.admit(THREE, B) is None


def test_the_other_denied_flow_is_probed_after_one_of_two_got_through(attempts):
    attempts.end(BreakerSignal.FLOW_DENIED, ONE)
    attempts.end(BreakerSignal.FLOW_DENIED, TWO)
    attempts.wait(DENIED_PROBE)
    assert attempts.admit(ONE, A) is None
    attempts.end(BreakerSignal.ACCEPTED, ONE)
    attempts.leave(A)
    assert attempts.admit(TWO, B) is None


def test_a_probe_that_is_denied_while_the_instance_was_full_leaves_neither_breaker_stuck(attempts):
    attempts.end(BreakerSignal.INSTANCE_FULL, ONE, A)
    attempts.wait(FULL_PROBE)
    assert attempts.admit(ONE, B) is None
    attempts.end(BreakerSignal.FLOW_DENIED, ONE, B)
    attempts.leave(B)
    assert attempts.admit(TWO, C) is None


def test_one_contact_a_minute_probes_a_full_instance(attempts):
    attempts.end(BreakerSignal.INSTANCE_FULL)
    assert attempts.blocks.instance_full
    attempts.wait(FULL_PROBE - SECOND)
    assert attempts.admit(TWO, B) is HoldReason.INSTANCE_FULL
    attempts.wait(SECOND)
    assert not attempts.blocks.instance_full
    assert attempts.admit(TWO, B) is None
    assert attempts.admit(TWO, C) is HoldReason.INSTANCE_FULL


def test_a_contact_whose_own_chain_is_full_gives_way_to_the_next_and_becomes_a_suspect(attempts):
    attempts.end(BreakerSignal.INSTANCE_FULL, ONE, A)
    assert not attempts.breakers.is_suspect(A)
    attempts.wait(FULL_PROBE)
    assert attempts.admit(ONE, A) is HoldReason.INSTANCE_FULL
    assert attempts.admit(ONE, B) is None
    attempts.end(BreakerSignal.ACCEPTED, ONE, B)
    attempts.leave(B)
    assert attempts.admit(ONE, A) is None
    assert attempts.breakers.is_suspect(A)
    attempts.end(BreakerSignal.CHAIN_FULL, ONE, A)
    assert not attempts.breakers.is_suspect(A)
    assert not attempts.blocks.instance_full


def test_the_only_contact_of_a_full_instance_probes_again_although_it_was_the_last(attempts):
    attempts.end(BreakerSignal.INSTANCE_FULL, ONE, A)
    attempts.wait(FULL_PROBE)
    assert attempts.admit(ONE, A) is HoldReason.INSTANCE_FULL
    attempts.wait(SECOND)
    assert attempts.admit(ONE, A) is None


@pytest.mark.parametrize(
    "signal",
    [BreakerSignal.INSTANCE_FULL, BreakerSignal.CHAIN_FULL, BreakerSignal.PERMITTED, BreakerSignal.ACCEPTED],
)
def test_a_call_that_is_not_denied_closes_the_breaker_of_its_flow(attempts, signal):
    attempts.end(BreakerSignal.FLOW_DENIED)
    attempts.wait(DENIED_PROBE)
    assert attempts.admit(ONE, A) is None
    attempts.end(signal)
    attempts.leave(A)
    assert attempts.blocks.denied_flows == frozenset()
    attempts.wait(-SECOND)
    assert attempts.blocks.denied_flows == frozenset(), "it would be denied again a second before the probe"


def test_refused_credentials_stop_every_call_until_the_next_probe(attempts):
    attempts.end(BreakerSignal.CREDENTIALS_REFUSED)
    assert attempts.breakers.calls_stopped()
    assert attempts.blocks.denied
    assert attempts.admit(ONE, A) is HoldReason.DENIED
    attempts.wait(DENIED_PROBE)
    assert not attempts.breakers.calls_stopped()
    attempts.wait(-DENIED_PROBE)
    attempts.breakers.record_response()
    assert attempts.admit(ONE, A) is None


def test_a_denied_reading_stops_moves_and_no_search(attempts):
    attempts.end(BreakerSignal.READING_DENIED)
    assert attempts.blocks.denied
    assert attempts.admit(ONE, A) is HoldReason.DENIED
    assert not attempts.breakers.calls_stopped()
    attempts.breakers.record_response()
    assert attempts.blocks.denied


@pytest.mark.parametrize("signal", [BreakerSignal.ROUTING_DENIED, BreakerSignal.ROUTING_UNREADABLE])
def test_a_denied_routing_update_stops_updates_and_no_moves(attempts, signal):
    attempts.end(signal)
    assert attempts.breakers.routing_stopped()
    assert not attempts.blocks.denied
    assert attempts.admit(ONE, A) is None
    attempts.end(BreakerSignal.ACCEPTED)
    assert attempts.breakers.routing_stopped()
    attempts.wait(DENIED_PROBE)
    assert not attempts.breakers.routing_stopped()


def test_no_signal_changes_nothing(attempts):
    attempts.end(BreakerSignal.FLOW_DENIED)
    attempts.end(BreakerSignal.NONE)
    assert attempts.blocks.denied_flows == {ONE}


def test_after_a_reload_every_call_is_tried_at_once(attempts):
    for signal in (BreakerSignal.FLOW_DENIED, BreakerSignal.INSTANCE_FULL, BreakerSignal.CREDENTIALS_REFUSED):
        attempts.end(signal)
    attempts.breakers.close_all()
    assert attempts.admit(ONE, A) is None
    assert not attempts.breakers.calls_stopped()


@pytest.mark.parametrize("back", [timedelta(minutes=10), timedelta(days=365)])
def test_a_clock_that_is_set_back_makes_no_contact_wait_for_the_time_that_it_had(attempts, back):
    for signal in (BreakerSignal.FLOW_DENIED, BreakerSignal.CREDENTIALS_REFUSED, BreakerSignal.ROUTING_DENIED):
        attempts.end(signal)
    attempts.wait(-back)
    assert not attempts.breakers.calls_stopped()
    assert not attempts.breakers.routing_stopped()
    assert attempts.blocks.denied_flows == frozenset()


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (BreakerSignal.FLOW_DENIED, {"operation": "TransferContact", "flow": "flow one", "stops": "flow"}),
        (BreakerSignal.READING_DENIED, {"operation": "DescribeContact", "stops": "transfers"}),
        (BreakerSignal.ROUTING_DENIED, {"operation": "UpdateContactRoutingData", "stops": "routing"}),
        (BreakerSignal.ROUTING_UNREADABLE, {"operation": "DescribeContact", "stops": "routing"}),
        (BreakerSignal.CREDENTIALS_REFUSED, {"error": "ExpiredTokenException", "stops": "calls"}),
    ],
)
def test_a_denial_is_logged_at_once_and_then_every_five_minutes(attempts, signal, expected):
    with capture_logs() as lines:
        for span in (timedelta(), DENIED_PROBE - SECOND, SECOND):
            attempts.wait(span)
            attempts.end(signal)
    assert [line["event"] for line in lines] == ["api.denied", "api.denied"]
    assert expected.items() <= lines[0].items()
    assert ("flow" in lines[0]) == ("flow" in expected)


def test_the_second_denied_flow_is_logged_with_all_transfers(attempts):
    with capture_logs() as lines:
        attempts.end(BreakerSignal.FLOW_DENIED, ONE)
        attempts.end(BreakerSignal.FLOW_DENIED, TWO)
    assert [line["stops"] for line in lines] == ["flow", "transfers"]


def stray(contact_id, *, flow=ONE, settled_at=NOW, landing=Landing.STRAY):
    target = Target(flow_id=flow, queue_id=OVERFLOW)
    return act(contact(contact_id), target=target, settled_at=settled_at, landing=landing)


def test_as_many_strays_as_the_limit_suspend_their_flow_once():
    breakers = Attempts(limit=2).breakers
    assert breakers.suspend([stray("a"), stray("b", flow=TWO), stray("c", landing=Landing.PENDING)]) == frozenset()
    assert breakers.suspend([stray("a"), stray("b")]) == {ONE}
    assert breakers.suspend([stray("a"), stray("b")]) == frozenset()
    assert breakers.blocks(clock_skew=False).suspended_flows == breakers.suspended == {ONE}
    breakers.suspend([stray("a")])
    assert breakers.suspended == frozenset()


def test_after_a_resume_only_later_moves_count_against_the_flow():
    breakers = Attempts(limit=1).breakers
    breakers.suspend([stray("a")])
    breakers.resume(ONE, NOW)
    assert breakers.suspended == frozenset()
    assert breakers.suspend([stray("a")]) == frozenset()
    assert breakers.suspend([stray("a"), stray("b", settled_at=NOW + SECOND)]) == {ONE}
