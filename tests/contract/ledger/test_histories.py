"""A contact has the history of its whole chain, whatever ids Connect gives the contact after a move."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.model import ActionKind, ActionState, ContactId, Landing, WaitKey


def test_a_contact_that_nothing_was_done_to_has_an_empty_history(ledger, act, task):
    ledger.record(act("another"))

    assert ledger.histories([task("c-1"), task("c-2", initial_id="c-0")]) == {"c-1": (), "c-2": ()}
    assert ledger.histories([]) == {}


def test_histories_are_oldest_first_and_of_every_kind_and_state(ledger, act, task):
    refused = ledger.record(act(state=ActionState.REFUSED))
    warned = ledger.record(act(kind=ActionKind.WARN, target=None, minutes=1))
    seen = ledger.record(act(observed=True, minutes=2))
    intent = ledger.intend(act(minutes=3))

    assert ledger.histories([task("c-1")]) == {"c-1": (refused, warned, seen, intent)}


def test_a_contact_of_the_same_chain_by_connects_ids_shares_the_history(ledger, act, task):
    done = ledger.record(act("c-5", chain_id=ContactId("c-1")))

    found = ledger.histories([task("c-9", initial_id="c-1"), task("c-1"), task("c-8", initial_id="c-7")])

    assert found == {"c-9": (done,), "c-1": (done,), "c-8": ()}


def test_the_result_of_a_move_belongs_to_the_chain_whatever_connects_ids_say(ledger, move, task):
    moved = ledger.record(move("c-1", "c-2"))

    assert ledger.histories([task("c-2")]) == {"c-2": (moved,)}
    assert ledger.histories([task("c-2", initial_id="c-2")]) == {"c-2": (moved,)}
    assert ledger.histories([task("c-2", initial_id="unheard-of")]) == {"c-2": (moved,)}


def test_a_move_whose_new_contact_is_not_known_is_found_by_the_contact_it_came_from(ledger, act, task):
    intent = ledger.intend(act("c-1"))

    assert ledger.histories([task("c-2", previous_id="c-1")]) == {"c-2": (intent,)}


def test_moves_of_moves_are_one_chain(ledger, move, task):
    first = ledger.record(move("c-1", "c-2", landing=Landing.QUEUED))
    second = ledger.record(move("c-2", "c-3", chain_id=ContactId("c-1"), landing=Landing.QUEUED))
    third = ledger.record(move("c-3", "c-4", chain_id=ContactId("c-1")))

    for contact_id in ("c-1", "c-2", "c-3", "c-4"):
        assert ledger.histories([task(contact_id)]) == {contact_id: (first, second, third)}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_chains_that_turn_out_to_be_one_are_joined_in_whatever_order_that_is_learnt(ledger, act, order, task):
    """Joins three moves, each taken for the first of a chain: no response arrived, and Connect's ids show nothing."""
    intents = [ledger.intend(act(f"c-{number}")) for number in (1, 2, 3)]
    settled = {}
    for number in order:
        new_id = ContactId(f"c-{number + 2}")
        settled[number] = replace(
            intents[number], state=ActionState.ACTED, new_contact_id=new_id, landing=Landing.QUEUED
        )
        ledger.settle(settled[number])

    whole = tuple(settled[number] for number in range(3))
    for contact_id in ("c-1", "c-2", "c-3", "c-4"):
        assert ledger.histories([task(contact_id)]) == {contact_id: whole}


def test_a_contact_whose_ids_lead_to_two_chains_has_both_histories_once(ledger, act, task):
    one = ledger.record(act("c-1"))
    two = ledger.record(act("c-2"))

    found = ledger.histories([task("c-3", previous_id="c-1", initial_id="c-2"), task("c-1")])

    assert found == {"c-3": (one, two), "c-1": (one,)}


def test_a_contact_asked_for_twice_has_its_history_once(ledger, act, task):
    done = ledger.record(act())

    assert ledger.histories(iter([task("c-1"), task("c-1", initial_id="c-1")])) == {"c-1": (done,)}


def test_ids_are_taken_as_they_are(ledger, act, task):
    odd = ["%", "' OR 1=1 --", '"', "ü\u2028", "[1]", "C-1"]
    done = {contact_id: ledger.record(act(contact_id)) for contact_id in odd}

    assert ledger.histories([task(each) for each in [*odd, "c-1"]]) == {
        **{contact_id: (action,) for contact_id, action in done.items()},
        "c-1": (),
    }


def test_history_takes_any_id_of_the_chain(ledger, move, act):
    wait = WaitKey(ContactId("c-4"), act().enqueued_at)
    moved = ledger.record(move("c-5", "c-6", chain_id=ContactId("c-1"), wait=wait))
    ledger.record(act("another"))

    for contact_id in ("c-1", "c-4", "c-5", "c-6"):
        assert ledger.history(contact_id=ContactId(contact_id)) == (moved,)
    assert ledger.history(contact_id=ContactId("c-7")) == ()


def test_history_is_filtered_by_rule_time_and_outcome_newest_last(ledger, act, move, now):
    first = ledger.record(act("a", rule="one", state=ActionState.REFUSED))
    second = ledger.record(move("b", "b2", rule="two", minutes=10))
    third = ledger.record(move("c", "c2", rule="one", minutes=20, landing=Landing.STRAY))
    fourth = ledger.intend(act("d", rule="two", minutes=30))

    assert ledger.history() == (first, second, third, fourth)
    assert ledger.history(rule="one") == (first, third)
    assert ledger.history(since=now + timedelta(minutes=10)) == (second, third, fourth)
    assert ledger.history(until=now + timedelta(minutes=10)) == (first,)
    assert ledger.history(outcome=ActionState.ACTED) == (second, third)
    assert ledger.history(outcome=ActionState.INTENDED) == (fourth,)
    assert ledger.history(outcome=Landing.STRAY) == (third,)
    assert ledger.history(limit=2) == (third, fourth)
    assert ledger.history(limit=0) == ()
    assert ledger.history(rule="two", outcome=ActionState.ACTED, contact_id=ContactId("b2"), limit=5) == (second,)
    assert ledger.history(rule="none") == ()
