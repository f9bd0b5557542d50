"""What stops transfers, and the one contact let through to see whether it still does, move by move."""

from datetime import UTC, datetime, timedelta

import pytest

from router.model import ContactId, FlowId, HoldReason
from router.safety.breakers import DENIED_PROBE, FULL_PROBE, Breakers

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ONE, TWO, THREE = FlowId("one"), FlowId("two"), FlowId("three")
A, B, C = ContactId("a"), ContactId("b"), ContactId("c")


@pytest.fixture
def blocked():
    return Breakers(unlanded_limit=10)


def look(blocked, now):
    return blocked.for_look(now, clock_skew=False)


def test_a_denied_flow_holds_its_own_contacts_and_no_others(blocked):
    assert blocked.denied(ONE, NOW) is False
    assert blocked.admit(ONE, A, NOW) is HoldReason.DENIED
    assert blocked.admit(TWO, B, NOW) is None
    assert look(blocked, NOW).denied_flows == {ONE}
    assert not look(blocked, NOW).denied


def test_after_five_minutes_one_contact_is_let_through_to_try_a_denied_flow_and_no_second_one(blocked):
    blocked.denied(ONE, NOW)
    later = NOW + DENIED_PROBE
    assert blocked.admit(ONE, A, later - SECOND) is HoldReason.DENIED
    assert look(blocked, later).denied_flows == frozenset()
    assert blocked.admit(ONE, A, later) is None
    assert blocked.admit(ONE, B, later) is HoldReason.DENIED
    assert look(blocked, later).denied_flows == {ONE}


def test_a_try_that_came_to_nothing_leaves_the_next_one_to_the_next_contact(blocked):
    blocked.denied(ONE, NOW)
    later = NOW + DENIED_PROBE
    assert blocked.admit(ONE, A, later) is None
    blocked.leave(A)
    assert blocked.admit(ONE, B, later) is None


def test_leaving_ends_ones_own_try_only(blocked):
    blocked.denied(ONE, NOW)
    later = NOW + DENIED_PROBE
    assert blocked.admit(ONE, A, later) is None
    blocked.leave(B)
    assert blocked.admit(ONE, C, later) is HoldReason.DENIED


def test_two_denied_flows_stop_transfers_altogether_until_one_gets_through(blocked):
    blocked.denied(ONE, NOW)
    assert blocked.denied(TWO, NOW + SECOND) is True
    assert look(blocked, NOW + SECOND).denied
    assert blocked.admit(THREE, A, NOW + SECOND) is HoldReason.DENIED
    later = NOW + SECOND + DENIED_PROBE
    assert not look(blocked, later).denied
    assert blocked.admit(ONE, A, later) is None
    assert blocked.admit(THREE, B, later) is HoldReason.DENIED
    blocked.accepted(ONE)
    blocked.leave(A)
    assert blocked.admit(THREE, B, later) is None


def test_the_other_denied_flow_is_tried_again_after_one_of_two_got_through(blocked):
    blocked.denied(ONE, NOW)
    blocked.denied(TWO, NOW)
    later = NOW + DENIED_PROBE
    assert blocked.admit(ONE, A, later) is None
    blocked.accepted(ONE)
    blocked.leave(A)
    assert blocked.admit(TWO, B, later) is None


def test_a_try_that_is_denied_while_the_instance_was_full_leaves_neither_block_stuck(blocked):
    blocked.full(ONE, A, NOW)
    later = NOW + FULL_PROBE
    assert blocked.admit(ONE, B, later) is None
    blocked.denied(ONE, later)
    blocked.leave(B)
    assert blocked.admit(TWO, C, later) is None


def test_of_a_full_instance_one_contact_a_minute_tries(blocked):
    blocked.full(ONE, A, NOW)
    assert not blocked.is_suspect(A)
    assert look(blocked, NOW).instance_full
    assert blocked.admit(TWO, B, NOW + FULL_PROBE - SECOND) is HoldReason.INSTANCE_FULL
    assert not look(blocked, NOW + FULL_PROBE).instance_full
    assert blocked.admit(TWO, B, NOW + FULL_PROBE) is None
    assert blocked.admit(TWO, C, NOW + FULL_PROBE) is HoldReason.INSTANCE_FULL


def test_a_contact_that_is_answered_full_for_its_own_sake_gives_way_to_the_next_and_is_found_out(blocked):
    blocked.full(ONE, A, NOW)
    assert not blocked.is_suspect(A)
    later = NOW + FULL_PROBE
    assert blocked.admit(ONE, A, later) is HoldReason.INSTANCE_FULL
    assert blocked.admit(ONE, B, later) is None
    blocked.accepted(ONE)
    blocked.leave(B)
    assert blocked.admit(ONE, A, later) is None
    assert blocked.is_suspect(A)
    blocked.chain_full(ONE, A)
    assert not blocked.is_suspect(A)
    assert not look(blocked, later).instance_full


def test_the_only_contact_of_a_full_instance_is_tried_again_though_it_was_the_last(blocked):
    blocked.full(ONE, A, NOW)
    later = NOW + FULL_PROBE
    assert blocked.admit(ONE, A, later) is HoldReason.INSTANCE_FULL
    assert blocked.admit(ONE, A, later + SECOND) is None


def test_an_instance_that_answers_full_has_let_the_flow_through_iam(blocked):
    blocked.denied(ONE, NOW)
    later = NOW + DENIED_PROBE
    assert blocked.admit(ONE, A, later) is None
    blocked.full(ONE, A, later)
    blocked.leave(A)
    assert look(blocked, later).denied_flows == frozenset()


def test_refused_credentials_stop_every_call_until_the_next_try(blocked):
    blocked.unauthenticated(NOW)
    assert blocked.calls_stopped(NOW)
    assert look(blocked, NOW).denied
    assert blocked.admit(ONE, A, NOW) is HoldReason.DENIED
    assert not blocked.calls_stopped(NOW + DENIED_PROBE)
    blocked.read()
    assert blocked.admit(ONE, A, NOW) is None


def test_a_denied_reading_stops_moves_and_no_search(blocked):
    blocked.unreadable(NOW)
    assert look(blocked, NOW).denied
    assert blocked.admit(ONE, A, NOW) is HoldReason.DENIED
    assert not blocked.calls_stopped(NOW)
    blocked.read()
    assert look(blocked, NOW).denied


def test_after_a_reload_everything_is_tried_at_once(blocked):
    blocked.denied(ONE, NOW)
    blocked.full(TWO, A, NOW)
    blocked.unauthenticated(NOW)
    blocked.forget()
    assert blocked.admit(ONE, A, NOW) is None
    assert not blocked.calls_stopped(NOW)


@pytest.mark.parametrize("back", [timedelta(minutes=10), timedelta(days=365)])
def test_a_clock_that_is_set_back_does_not_make_anything_wait_for_the_time_that_it_had(blocked, back):
    blocked.denied(ONE, NOW)
    blocked.unauthenticated(NOW)
    blocked.routing_denied(NOW)

    assert not blocked.calls_stopped(NOW - back)
    assert not blocked.routing_stopped(NOW - back)
    assert look(blocked, NOW - back).denied_flows == frozenset()
