"""An intent is there before the call and settled once; no step of a wait is ever intended twice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from router.ledger import AlreadyIntended, NotOpen
from router.model import ActionKind, ActionState, ContactId, Landing, WaitKey


def test_an_intent_is_open_until_it_is_settled(ledger, act, now, task):
    intent = ledger.intend(act(token="t", send_by=now + timedelta(seconds=30)))

    assert intent.id > 0
    assert intent.state is ActionState.INTENDED
    assert ledger.open_intents() == (intent,)

    settled = replace(intent, state=ActionState.ACTED, settled_at=now, new_contact_id=ContactId("c-2"), attempts=2)
    ledger.settle(settled)

    assert ledger.open_intents() == ()
    assert ledger.histories([task("c-1")]) == {"c-1": (settled,)}


def test_an_intent_is_written_as_open_whatever_its_state_says(ledger, act, now):
    intent = ledger.intend(act(state=ActionState.REFUSED, settled_at=now))

    assert (intent.state, intent.settled_at) == (ActionState.INTENDED, None)
    assert ledger.open_intents() == (intent,)


def test_a_chain_has_one_open_intent_whatever_the_rule_or_the_step(ledger, act):
    first = ledger.intend(act())

    for another in (
        act(),
        act(rule="another", at=timedelta(minutes=5)),
        act("c-9", chain_id=ContactId("c-1")),
        act(kind=ActionKind.ROUTING, target=None),
    ):
        with pytest.raises(AlreadyIntended):
            ledger.intend(another)
    assert ledger.open_intents() == (first,)


def test_two_chains_that_turn_out_to_be_one_have_one_open_intent(ledger, act, move):
    """Loses the response to the first move: its new contact was taken for a chain of its own."""
    first = ledger.intend(act("a"))
    second = ledger.intend(act("b"))
    ledger.settle(replace(second, state=ActionState.NEVER_SENT))
    ledger.settle(replace(first, state=ActionState.ACTED, new_contact_id=ContactId("b"), landing=Landing.QUEUED))
    third = ledger.intend(act("b", at=timedelta(hours=2)))

    with pytest.raises(AlreadyIntended):
        ledger.intend(act("a", at=timedelta(hours=3)))
    assert ledger.open_intents() == (third,)


def test_a_step_that_has_acted_is_not_intended_again_for_its_wait(ledger, act):
    ledger.settle(replace(ledger.intend(act()), state=ActionState.ACTED, landing=Landing.QUEUED))

    with pytest.raises(AlreadyIntended):
        ledger.intend(act(contact_id=ContactId("c-2"), step=5))
    assert ledger.open_intents() == ()


@pytest.mark.parametrize("outcome", [ActionState.REFUSED, ActionState.NEVER_SENT])
def test_a_step_that_did_not_act_may_be_intended_again(ledger, act, outcome):
    ledger.settle(replace(ledger.intend(act()), state=outcome))

    again = ledger.intend(act(series=1))

    assert ledger.open_intents() == (again,)


def test_another_wait_rule_kind_or_time_is_another_step(ledger, act):
    done = act()
    ledger.record(done)
    others = (
        replace(done, wait=WaitKey(done.wait.wait_id, done.wait.began_at + timedelta(microseconds=1))),
        replace(done, wait=WaitKey(ContactId("c-2"), done.wait.began_at)),
        replace(done, rule="another"),
        replace(done, kind=ActionKind.ROUTING, target=None),
        replace(done, at=done.at + timedelta(microseconds=1)),
    )

    for other in others:
        intent = ledger.intend(other)
        assert intent.id > 0
        ledger.settle(replace(intent, state=ActionState.ACTED))


def test_of_many_threads_that_intend_one_step_one_succeeds(ledger, act):
    def attempt(number: int) -> bool:
        try:
            ledger.intend(act(series=number))
        except AlreadyIntended:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(40)))

    assert won.count(True) == 1
    assert len(ledger.open_intents()) == 1


def test_many_threads_intend_and_settle_different_chains_without_losing_one(ledger, act):
    def whole(number: int) -> None:
        intent = ledger.intend(act(f"c-{number}"))
        ledger.settle(replace(intent, state=ActionState.ACTED, landing=Landing.QUEUED))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(whole, range(60)))

    assert {action.contact_id for action in ledger.history()} == {f"c-{number}" for number in range(60)}
    assert ledger.open_intents() == ()


def test_renewing_moves_the_send_by_instant_and_the_attempts_and_nothing_else(ledger, act, now):
    intent = ledger.intend(act(token="t", send_by=now))
    later = now + timedelta(seconds=30)

    ledger.renew(replace(intent, send_by=later, attempts=3, token="another", rule="another"))

    assert ledger.open_intents() == (replace(intent, send_by=later, attempts=3),)


def test_settling_does_not_change_what_was_intended(ledger, act, now):
    intent = ledger.intend(act(token="t", send_by=now))

    ledger.settle(replace(intent, state=ActionState.ACTED, token="other", rule="other", send_by=None, step=9))

    assert ledger.history() == (replace(intent, state=ActionState.ACTED),)


def test_what_is_settled_is_neither_settled_nor_renewed_again(ledger, act):
    intent = ledger.intend(act())
    settled = replace(intent, state=ActionState.ACTED, request_id="first", landing=Landing.PENDING)
    ledger.settle(settled)

    with pytest.raises(NotOpen):
        ledger.settle(replace(settled, state=ActionState.NEVER_SENT, request_id="second"))
    with pytest.raises(NotOpen):
        ledger.renew(replace(intent, attempts=9))
    assert ledger.history() == (settled,)


def test_an_intent_that_the_ledger_never_had_is_not_open(ledger, act):
    unknown = act(id=404)

    with pytest.raises(NotOpen):
        ledger.renew(unknown)
    with pytest.raises(NotOpen):
        ledger.settle(unknown)
    with pytest.raises(NotOpen):
        ledger.land(unknown)
    assert ledger.history() == ()


def test_what_is_only_observed_is_not_intended_and_what_is_open_is_not_settled_or_recorded(ledger, act):
    with pytest.raises(ValueError, match="observed"):
        ledger.intend(act(observed=True))
    intent = ledger.intend(act())
    with pytest.raises(ValueError, match="outcome"):
        ledger.settle(intent)
    with pytest.raises(ValueError, match="intend"):
        ledger.record(replace(intent, chain_id=ContactId("other")))
    assert ledger.open_intents() == (intent,)


def test_an_intent_is_there_when_the_ledger_is_opened_again(open_ledger, act):
    with open_ledger("instance-1") as ledger:
        intent = ledger.intend(act())

    with open_ledger("instance-1") as ledger:
        assert ledger.open_intents() == (intent,)
        ledger.settle(replace(intent, state=ActionState.NEVER_SENT))

    with open_ledger("instance-1") as ledger:
        assert ledger.open_intents() == ()
        assert ledger.history() == (replace(intent, state=ActionState.NEVER_SENT),)


def test_instances_share_a_store_and_see_nothing_of_each_other(open_ledger, act, now, task):
    with open_ledger("instance-1") as ledger:
        mine = ledger.intend(act())
    with open_ledger("instance-2") as ledger:
        assert ledger.open_intents() == ledger.history() == ledger.moves_since(now - timedelta(days=1)) == ()
        assert ledger.histories([task("c-1")]) == {"c-1": ()}
        with pytest.raises(NotOpen):
            ledger.settle(replace(mine, state=ActionState.ACTED))
        ledger.intend(act())
    with open_ledger("instance-1") as ledger:
        assert ledger.open_intents() == (mine,)
