"""Checks a move, and a warning, from decision to record: one intent, one landing slot, one line."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Denied, Full, Rejected, Throttled, Transferred, Unauthenticated, Unknown
from router.decide.decision import RoutingUpdate, Warn
from router.execute.result import Outcome
from router.execute.transfer import TransferPerformer
from router.ledger import LedgerUnavailable
from router.model import ActionKind, ActionState, ContactId, HoldReason, Landing
from tests.builders.contacts import NOW, after
from tests.builders.execution import ExecutionBench
from tests.builders.instance import TO_QUEUE

MOVED = Transferred(contact_id=ContactId("c2"), request_id="request")
LOST = Unknown(code="TimedOut", message="no response")
SLOW_DOWN = Throttled(code="TooManyRequestsException")
REJECTED = Rejected(code="InvalidRequestException", message="no", status=400)


@pytest.fixture
def performer(bench: ExecutionBench) -> TransferPerformer:
    return bench.transfer


def test_an_accepted_move_is_recorded_followed_and_keeps_its_landing_slot(bench, performer):
    decision, context = bench.move_of(bench.waiting())
    bench.connect.transfer_answers = [MOVED]
    with capture_logs() as lines:
        result = performer.perform(decision, context)

    assert (result.outcome, result.action.state, result.action.landing) == (
        Outcome.DONE, ActionState.ACTED, Landing.PENDING
    )  # fmt: skip
    assert bench.ledger.history() == (result.action,) == tuple(bench.moves)
    assert result.action.new_contact_id == "c2"
    assert bench.safety.slots.taken(TO_QUEUE) == 1
    assert [line["event"] for line in lines] == ["contact.transferred"]


@pytest.mark.parametrize(
    ("answer", "outcome", "state", "slots"),
    [
        (REJECTED, Outcome.REFUSED, ActionState.REFUSED, 0),
        (Full(message="full"), Outcome.HELD, ActionState.NEVER_SENT, 0),
        (SLOW_DOWN, Outcome.NOT_SENT, ActionState.NEVER_SENT, 0),
        (Denied(message="no"), Outcome.HELD, ActionState.NEVER_SENT, 0),
        (Unauthenticated(code="Expired", message=""), Outcome.HELD, ActionState.NEVER_SENT, 0),
        (LOST, Outcome.UNSETTLED, ActionState.INTENDED, 1),
    ],
)
def test_a_move_gives_its_landing_slot_back_unless_it_may_have_had_an_effect(
    bench, performer, answer, outcome, state, slots
):
    decision, context = bench.move_of(bench.waiting())
    bench.connect.transfer_answers = [answer] * 4

    result = performer.perform(decision, context)

    assert (result.outcome, result.action.state) == (outcome, state)
    assert bench.safety.slots.taken(TO_QUEUE) == slots
    assert bench.moves == []


@pytest.mark.parametrize(
    ("change", "hold"),
    [
        ({"connected_at": NOW}, HoldReason.PICKED_UP),
        ({"disconnected_at": NOW}, HoldReason.DISCONNECTED),
        ({"enqueued_at": NOW}, HoldReason.LEFT_QUEUE),
    ],
)
def test_a_contact_that_an_agent_has_just_picked_up_is_not_moved(bench, performer, change, hold):
    one = bench.waiting()
    decision, context = bench.move_of(one)
    bench.connect.show(replace(one, **change))

    result = performer.perform(decision, context)

    assert (result.outcome, result.reason) == (Outcome.HELD, hold)
    assert bench.connect.transfers == []
    assert bench.safety.slots.taken(TO_QUEUE) == 0
    assert bench.ledger.open_intents() == ()


def test_a_contact_that_was_gone_after_a_call_without_a_response_has_been_moved(bench, performer):
    one = bench.waiting()
    decision, context = bench.move_of(one)
    bench.connect.transfer_answers = [LOST]
    bench.pacer.pause = lambda seconds: bench.connect.show(replace(one, disconnected_at=NOW))
    with capture_logs() as lines:
        result = performer.perform(decision, context)

    assert (result.outcome, result.action.state) == (Outcome.DONE, ActionState.ACTED)
    assert result.action.new_contact_id is None
    assert len(bench.moves) == 1
    assert [(line["event"], line["outcome"]) for line in lines] == [("contact.recovered", "acted")]


def test_a_second_move_of_a_contact_is_held_while_the_first_is_under_way(bench, performer):
    decision, context = bench.move_of(bench.waiting())
    with bench.in_progress.claim(ContactId("c1")):
        result = performer.perform(decision, context)

    assert (result.outcome, result.reason) == (Outcome.HELD, HoldReason.IN_FLIGHT)
    assert bench.ledger.history() == ()


def test_a_move_does_not_wait_for_an_update_that_is_under_way(bench, performer):
    decision, context = bench.move_of(bench.waiting())
    bench.connect.transfer_answers = [MOVED]
    with bench.in_progress.claim_update(ContactId("c1")):
        assert performer.perform(decision, context).outcome is Outcome.DONE


@pytest.mark.parametrize("answer", [LOST, MOVED], ids=["its outcome is not known", "it has not landed"])
def test_a_move_that_was_decided_on_again_too_early_is_held_and_leaves_the_first_its_slot(bench, performer, answer):
    decision, context = bench.move_of(bench.waiting())
    bench.connect.transfer_answers = [answer] * 4
    performer.perform(decision, context)

    again = performer.perform(decision, context)

    assert (again.outcome, again.reason) == (Outcome.HELD, HoldReason.IN_FLIGHT)
    assert len(bench.ledger.history()) == 1
    assert bench.safety.slots.taken(TO_QUEUE) == 1, "the slot belongs to the first move"


def test_a_move_of_another_contact_of_the_chain_holds_a_move_which_takes_no_slot(bench, performer):
    first, context = bench.move_of(bench.waiting("c1"))
    second, _ = bench.move_of(bench.waiting("c2", initial_id=ContactId("c1")))
    bench.connect.transfer_answers = [LOST] * 4
    performer.perform(first, context)

    again = performer.perform(second, context)

    assert (again.outcome, again.reason) == (Outcome.HELD, HoldReason.IN_FLIGHT)
    assert bench.safety.slots.taken(TO_QUEUE) == 1


def test_without_a_landing_slot_the_move_waits_and_nothing_is_written():
    bench = ExecutionBench(unlanded=1)
    first, context = bench.move_of(bench.waiting("c1"))
    second, _ = bench.move_of(bench.waiting("c2"))
    bench.connect.transfer_answers = [MOVED]
    bench.transfer.perform(first, context)

    assert bench.transfer.perform(second, context).outcome is Outcome.NO_PLACE
    assert len(bench.ledger.history()) == 1
    bench.close()


def test_an_intent_that_cannot_be_written_sends_nothing_and_frees_its_slot(bench, performer, monkeypatch):
    decision, context = bench.move_of(bench.waiting())

    def full(action):
        raise LedgerUnavailable("disk full")

    monkeypatch.setattr(bench.ledger, "intend", full)
    with pytest.raises(LedgerUnavailable):
        performer.perform(decision, context)
    assert bench.connect.transfers == []
    assert bench.safety.slots.taken(TO_QUEUE) == 0


def test_an_intent_that_another_router_settled_is_left_to_it(bench, performer):
    decision, context = bench.move_of(bench.waiting())

    def settled_elsewhere(**asked):
        [intent] = bench.ledger.open_intents()
        bench.ledger.settle(replace(intent, state=ActionState.NEVER_SENT, settled_at=NOW))
        return REJECTED

    bench.connect.transfer = settled_elsewhere
    with capture_logs() as lines:
        assert performer.perform(decision, context).outcome is Outcome.UNSETTLED
    assert lines == []


@pytest.mark.parametrize(("segments", "state"), [(12, ActionState.REFUSED), (3, ActionState.NEVER_SENT)])
def test_full_is_the_chain_s_if_its_transfers_are_used_up_and_else_the_instance_s(bench, performer, segments, state):
    one = bench.waiting()
    chain = [one]
    for number in range(2, segments + 1):
        chain.append(after(chain[-1], f"s{number}", initial_id=one.id))
    last = bench.waiting("last", previous_id=chain[-1].id, initial_id=one.id)
    bench.connect.chains[last.id] = (*chain, last)
    decision, context = bench.move_of(last)
    bench.connect.transfer_answers = [Full(message="full")]

    assert performer.perform(decision, context).action.state is state
    assert bench.safety.blocks().instance_full is (state is ActionState.NEVER_SENT)


def test_a_throttle_is_logged_once_for_a_contact(bench, performer):
    def events():
        bench.connect.transfer_answers = [SLOW_DOWN] * 4
        decision, context = bench.move_of(bench.waiting())
        with capture_logs() as lines:
            performer.perform(decision, context)
        return [line["event"] for line in lines]

    assert events() == ["contact.failed"]
    assert events() == []


def test_a_routing_update_is_performed_by_the_performer_of_updates(bench, performer):
    decided = bench.decided(bench.waiting())
    result = performer.perform(decided.only(RoutingUpdate), decided.context)

    assert result.action.kind is ActionKind.ROUTING
    assert len(bench.connect.updates) == 1


def test_a_warning_is_recorded_and_logged_once(bench, performer):
    decided = bench.decided(bench.waiting())
    warn = decided.only(Warn)
    with capture_logs() as lines:
        first, second = performer.perform(warn, decided.context), performer.perform(warn, decided.context)

    assert (first.outcome, second.outcome) == (Outcome.DONE, Outcome.DONE)
    assert (first.action.kind, second.action) == (ActionKind.WARN, None)
    assert [line["event"] for line in lines] == ["contact.warned"]


def test_nobody_is_warned_by_a_rule_that_was_changed_meanwhile(bench, performer):
    decided = bench.decided(bench.waiting())
    bench.safety.terms.change()
    with capture_logs() as lines:
        result = performer.perform(decided.only(Warn), decided.context)

    assert (result.outcome, lines, bench.ledger.history()) == (Outcome.INTERRUPTED, [], ())


def test_nobody_is_warned_of_a_contact_that_is_answered(bench, performer):
    one = bench.waiting()
    decided = bench.decided(one)
    bench.connect.show(replace(one, connected_at=NOW))
    with capture_logs() as lines:
        result = performer.perform(decided.only(Warn), decided.context)

    assert (result.outcome, result.reason) == (Outcome.HELD, HoldReason.PICKED_UP)
    assert (lines, bench.ledger.history()) == ([], ())
