"""Tests which wait a sighting belongs to, whatever Connect returns for a transfer and however late its search is."""

from dataclasses import replace
from datetime import timedelta

from router.decide.decide import decide
from router.decide.wait import Wait, read_wait
from router.model import ActionState, Landing, WaitKey
from tests.builders.contacts import NOW, act, after, contact, minutes, move
from tests.builders.instance import BILLING, GENERAL, OVERFLOW, to
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import outcome, snapshot

FIRST = contact("c1", waited=20)
CASE = WaitKey(FIRST.id, NOW - minutes(20))


def the_case(sighting, history) -> Wait:
    wait = read_wait(sighting, history)
    assert wait is not None, "the sighting is not stale"
    return wait


def moved(result, **others):
    """Builds the move of a contact from Billing to Overflow ten minutes ago."""
    return move(FIRST, result, **{"new_contact_id": result.id, **others})


def test_a_contact_that_was_never_moved_begins_its_own_wait():
    wait = the_case(FIRST, ())
    assert (wait.key, wait.landing, wait.actions) == (CASE, None, ())


def test_the_search_still_shows_the_wait_that_was_moved_and_it_is_left_alone():
    history = (moved(after(FIRST, waited=10)),)
    assert read_wait(FIRST, history) is None
    decided = decide(snapshot(FIRST, history=history), rules(overflow()))
    assert decided.decisions == ()
    assert decided.accounts[FIRST.id].wait is None


def test_the_search_rounds_the_instant_and_the_wait_is_still_known():
    rounded = replace(FIRST, enqueued_at=CASE.began_at + timedelta(milliseconds=600))
    assert read_wait(rounded, (moved(after(FIRST, waited=10)),)) is None


def test_the_answer_names_the_new_segment():
    here = after(FIRST, waited=10)
    for landing in (Landing.PENDING, Landing.QUEUED):
        assert the_case(here, (moved(here, landing=landing),)).key == CASE


def test_the_answer_names_the_old_segment_and_the_new_one_names_it_as_its_previous():
    here = after(FIRST, waited=10)
    pending = moved(here, landing=Landing.PENDING, new_contact_id=FIRST.id)
    assert the_case(here, (pending,)).key == CASE
    assert read_wait(FIRST, (pending,)) is None


def test_the_segment_keeps_its_id_with_a_new_queue_and_a_new_instant():
    same = contact("c1", queue=OVERFLOW, waited=10)
    for landing in (Landing.PENDING, Landing.QUEUED):
        wait = the_case(same, (moved(same, landing=landing),))
        assert (wait.key, wait.landing) == (CASE, landing)
    assert read_wait(FIRST, (moved(same),)) is None


def test_the_segment_keeps_its_id_and_its_instant_and_only_the_queue_changes():
    same = replace(FIRST, queue_id=OVERFLOW)
    for landing in (Landing.PENDING, Landing.QUEUED):
        assert the_case(same, (moved(same, landing=landing),)).key == CASE
    assert read_wait(FIRST, (moved(same),)) is None


def test_a_segment_that_keeps_id_and_instant_may_come_back_where_revisiting_is_allowed():
    there = replace(FIRST, queue_id=OVERFLOW)
    history = (moved(there), move(there, FIRST, wait=CASE))
    assert the_case(FIRST, history).key == CASE
    assert read_wait(there, history) is None


def test_the_new_segment_does_not_name_the_old_one():
    here = contact("c2", queue=OVERFLOW, waited=10)
    for landing in (Landing.PENDING, Landing.QUEUED):
        assert the_case(here, (moved(here, landing=landing),)).key == CASE


def test_an_answer_that_was_lost_begins_no_new_wait_whichever_id_the_contact_has():
    for here in (after(FIRST, waited=10), contact("c1", queue=OVERFLOW, waited=10)):
        lost = moved(here, landing=Landing.PENDING, new_contact_id=None)
        wait = the_case(here, (lost,))
        assert (wait.key, wait.landing) == (CASE, Landing.PENDING)
        assert read_wait(FIRST, (lost,)) is None


def test_a_follow_up_task_of_a_moved_contact_is_not_taken_for_the_result_of_its_move():
    result, follow_up = after(FIRST, waited=10), after(FIRST, "task", queue=GENERAL, waited=5)
    wait = the_case(follow_up, (moved(result, landing=Landing.PENDING),))
    assert wait.key == WaitKey(follow_up.id, NOW - minutes(5))


def test_an_older_wait_of_a_segment_that_was_moved_since_is_stale():
    older = contact("c1", queue=GENERAL, waited=60)
    assert read_wait(older, (moved(after(FIRST, waited=10)),)) is None


def test_what_an_agent_or_a_flow_put_back_is_a_new_wait():
    here = after(FIRST, waited=10)
    history = (moved(here),)
    by_agent = after(here, "c3", queue=BILLING, waited=2)
    assert the_case(by_agent, history).key == WaitKey(by_agent.id, NOW - minutes(2))
    by_flow = replace(here, queue_id=GENERAL, enqueued_at=NOW - minutes(2))
    assert the_case(by_flow, history).key == WaitKey(here.id, NOW - minutes(2))
    resumed = replace(here, enqueued_at=NOW - minutes(2))
    assert the_case(resumed, history).key == WaitKey(here.id, NOW - minutes(2))


def test_a_new_wait_may_go_again_where_the_earlier_one_has_been():
    here = after(FIRST, waited=40)
    back = after(here, "c3", queue=BILLING, waited=12)
    history = (move(FIRST, here, settled_at=NOW - minutes(40)),)
    assert outcome(snapshot(back, history=history), rules(overflow())) == ["overflow 1: to Overflow"]


def test_a_contact_that_was_diverted_is_a_new_wait_where_it_landed():
    diverted = after(FIRST, queue=GENERAL, waited=10)
    wait = the_case(diverted, (moved(diverted, landing=Landing.DIVERTED, target=to(OVERFLOW)),))
    assert (wait.key, wait.landing) == (WaitKey(diverted.id, NOW - minutes(10)), None)


def test_a_wait_goes_on_through_several_moves():
    second = after(FIRST, waited=10)
    third = after(second, "c3", queue=GENERAL, waited=5)
    history = (moved(second), move(second, third, wait=CASE))
    wait = the_case(third, history)
    assert (wait.key, wait.visited) == (CASE, frozenset({BILLING, OVERFLOW}))
    assert read_wait(second, history) is None
    assert read_wait(FIRST, history) is None


def test_a_wait_keeps_the_instant_it_was_recorded_with():
    rounded = replace(FIRST, enqueued_at=CASE.began_at + timedelta(milliseconds=300))
    wait = the_case(rounded, (act(FIRST, kind="warn"),))
    assert (wait.key, len(wait.actions)) == (CASE, 1)


def test_what_was_refused_or_never_sent_moves_no_wait():
    for state in (ActionState.REFUSED, ActionState.NEVER_SENT, ActionState.INTENDED):
        assert the_case(FIRST, (act(FIRST, state=state, target=to(OVERFLOW)),)).key == CASE


def test_what_was_only_observed_leaves_the_contact_where_it_is():
    assert the_case(FIRST, (act(FIRST, observed=True, target=to(OVERFLOW)),)).key == CASE


def test_the_chain_is_the_one_the_router_knows_where_the_new_segment_does_not_name_it():
    here = contact("c2", queue=OVERFLOW, waited=10)
    assert the_case(here, (moved(here),)).chain_id == FIRST.id


def test_a_contact_that_is_not_waiting_is_left_alone():
    for gone in (
        {"connected_at": NOW},
        {"disconnected_at": NOW},
        {"scheduled_at": NOW + minutes(5)},
        {"queue_id": None},
    ):
        assert outcome(snapshot(replace(FIRST, **gone)), rules(overflow())) == []


def test_acts_under_two_records_of_one_instant_belong_to_one_wait():
    """Proves that no step acts again because a contact record has whole seconds and the API has milliseconds."""
    exact, whole = WaitKey(FIRST.id, CASE.began_at), WaitKey(FIRST.id, CASE.began_at + timedelta(milliseconds=400))
    history = (act(FIRST, "one", kind="warn", wait=exact), act(FIRST, "two", kind="warn", wait=whole))

    for seen in (exact, whole):
        wait = the_case(replace(FIRST, enqueued_at=seen.began_at), history)
        assert (wait.key, wait.actions) == (exact, history)
