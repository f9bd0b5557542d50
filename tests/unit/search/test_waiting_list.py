"""Checks which contacts count as waiting, and which are due for a decision."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.decide.decide import decide
from router.model import Channel
from router.search.waiting_list import ENDED_REMEMBERED_FOR, INDEX_LAG, NEVER, NOW, WaitingList
from tests.builders import contacts as made
from tests.builders.contacts import contact, minutes
from tests.builders.instance import BILLING, OVERFLOW
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot

AT = made.NOW


@pytest.fixture
def waiting_list():
    return WaitingList(channels=[Channel.TASK, Channel.EMAIL])


def ids(contacts):
    return {one.id for one in contacts}


def decided(waiting_list, *contacts, look_at=NEVER, each_poll=False):
    accounts = decide(snapshot(*contacts), rules(overflow(at="10m"))).accounts
    waiting_list.record_decisions([(account, look_at, each_poll) for account in accounts.values()])


def test_what_is_seen_for_the_first_time_presses_and_once_it_was_taken_it_does_not(waiting_list):
    assert waiting_list.record_seen([contact("a"), contact("b")], AT) == 2
    assert ids(waiting_list.take_due(AT)) == {"a", "b"}
    assert waiting_list.take_due(AT) == ()


def test_the_same_row_again_is_no_news_and_another_is(waiting_list):
    one = contact("a", waited=5)
    waiting_list.record_seen([one], AT)
    waiting_list.take_due(AT)
    assert waiting_list.record_seen([one], AT) == 0
    assert waiting_list.take_due(AT) == ()
    waiting_list.record_seen([replace(one, tags={"team": "b"})], AT)
    assert ids(waiting_list.take_due(AT)) == {"a"}
    assert waiting_list.record_seen([replace(one, queue_id=OVERFLOW)], AT) == 1
    assert ids(waiting_list.take_due(AT)) == {"a"}


def test_another_channel_is_not_taken(waiting_list):
    assert WaitingList(channels=[Channel.EMAIL]).record_seen([contact("a")], AT) == 0


def test_a_row_that_shows_the_contact_gone_ends_it(waiting_list):
    one = contact("a")
    waiting_list.record_seen([one], AT)
    waiting_list.record_seen([replace(one, disconnected_at=AT)], AT)
    assert "a" not in waiting_list


def test_a_row_of_a_wait_that_a_reading_has_shown_to_be_over_is_not_believed(waiting_list):
    over = contact("a")
    waiting_list.record_seen([over], AT)
    waiting_list.record_ended(over, AT)
    assert "a" not in waiting_list
    assert waiting_list.record_seen([over], AT) == 0
    assert "a" not in waiting_list


def test_what_two_whole_searches_did_not_return_is_removed_and_counts_no_longer_from_the_first(waiting_list):
    waiting_list.record_seen([contact("a"), contact("b")], AT - minutes(5))
    for again in (minutes(0), minutes(1)):
        assert "a" in waiting_list
        waiting_list.record_seen([contact("b")], AT + again)
        waiting_list.record_search(None, AT + again)
        assert waiting_list.count_others([]) == {(BILLING, Channel.TASK): 1}
    assert ("a" in waiting_list, "b" in waiting_list) == (False, True)


def test_what_one_search_left_out_and_the_next_returns_waits_as_before(waiting_list):
    waiting_list.record_seen([contact("a")], AT - minutes(5))
    for again in range(4):
        if again % 2:
            waiting_list.record_seen([contact("a")], AT + minutes(again))
        waiting_list.record_search(None, AT + minutes(again))
    assert waiting_list.count_others([]) == {(BILLING, Channel.TASK): 1}


def test_a_search_of_some_queues_says_nothing_of_the_others(waiting_list):
    waiting_list.record_seen([contact("a", queue=OVERFLOW)], AT - minutes(5))
    waiting_list.record_search({BILLING}, AT)
    assert "a" in waiting_list


def test_what_was_read_by_its_id_is_kept_while_the_index_may_not_show_it_yet(waiting_list):
    waiting_list.record_seen([contact("a")], AT, by_id=True)
    waiting_list.record_search(None, AT + INDEX_LAG / 2)
    assert waiting_list.count_others([]) != {}
    waiting_list.record_search(None, AT + INDEX_LAG)
    assert waiting_list.count_others([]) == {}


def test_once_the_index_has_shown_it_its_absence_counts_at_once(waiting_list):
    one = contact("a")
    waiting_list.record_seen([one], AT, by_id=True)
    waiting_list.record_seen([one], AT)
    waiting_list.record_search(None, AT + timedelta(seconds=1))
    assert waiting_list.count_others([]) == {}


def test_what_was_decided_presses_again_at_its_instant(waiting_list):
    one = contact("a", waited=5)
    waiting_list.record_seen([one], AT)
    [taken] = waiting_list.take_due(AT)
    decided(waiting_list, taken, look_at=AT + minutes(5))
    assert waiting_list.next_at == AT + minutes(5)
    assert waiting_list.take_due(AT + minutes(4)) == ()
    assert ids(waiting_list.take_due(AT + minutes(5))) == {"a"}


def test_a_poll_presses_those_that_are_looked_at_in_each(waiting_list):
    contacts = [contact("a"), contact("b")]
    waiting_list.record_seen(contacts, AT)
    first, second = waiting_list.take_due(AT)
    decided(waiting_list, first, each_poll=True)
    decided(waiting_list, second)
    waiting_list.begin_poll()
    assert ids(waiting_list.take_due(AT)) == {first.id}


def test_of_what_deciding_could_say_nothing_the_next_poll_tries_again(waiting_list):
    waiting_list.record_seen([contact("a")], AT)
    waiting_list.take_due(AT)
    assert waiting_list.next_at == NEVER
    waiting_list.begin_poll()
    assert waiting_list.next_at == NOW


def test_a_contact_seen_anew_while_it_was_decided_on_is_still_to_be_decided_on(waiting_list):
    waiting_list.record_seen([contact("a", waited=5)], AT)
    [taken] = waiting_list.take_due(AT)
    waiting_list.record_seen([contact("a", waited=1)], AT)
    decided(waiting_list, taken)
    assert ids(waiting_list.take_due(AT)) == {"a"}


def test_a_contact_that_was_made_due_while_it_was_decided_on_is_still_to_be_decided_on(waiting_list):
    waiting_list.record_seen([contact("a"), contact("b")], AT)
    both = waiting_list.take_due(AT)
    waiting_list.decide_again(["a"])
    for taken in both:
        decided(waiting_list, taken, look_at=AT + minutes(5), each_poll=True)
    assert ids(waiting_list.take_due(AT)) == {"a"}


def test_a_wait_that_is_over_is_forgotten_and_a_new_one_of_the_same_contact_is_not(waiting_list):
    old, new = contact("a", waited=5), contact("a", waited=1)
    waiting_list.record_seen([new], AT)
    waiting_list.remove(old)
    assert "a" in waiting_list
    waiting_list.remove(new)
    assert "a" not in waiting_list


def test_those_that_wait_for_a_place_press_as_one_lands(waiting_list):
    waiting_list.record_seen([contact("a"), contact("b")], AT)
    for one in waiting_list.take_due(AT):
        decided(waiting_list, one)
    assert not waiting_list.free_slots()
    waiting_list.await_slot(["a"])
    assert waiting_list.free_slots()
    assert ids(waiting_list.take_due(AT)) == {"a"}


def test_the_others_are_counted_by_queue_and_channel(waiting_list):
    mail = contact("m", channel=Channel.EMAIL)
    waiting_list.record_seen([contact("a"), contact("b"), mail, contact("c", queue=OVERFLOW)], AT)
    others = waiting_list.count_others([contact("a"), mail])
    assert dict(others) == {(BILLING, Channel.TASK): 1, (OVERFLOW, Channel.TASK): 1}


def test_when_they_were_enqueued_and_the_queues_with_something_due_are_told(waiting_list):
    late, early = contact("late", waited=20), contact("early", waited=1, queue=OVERFLOW)
    waiting_list.record_seen([late, early], AT)
    for one in waiting_list.take_due(AT):
        decided(waiting_list, one)
    assert waiting_list.enqueued_at()[BILLING, Channel.TASK] == [AT - minutes(20)]
    assert waiting_list.queues_due() == {BILLING}


def test_a_wait_that_ended_is_ignored_for_an_hour_and_a_new_wait_of_the_contact_is_not(waiting_list):
    over = contact("a", waited=5)
    waiting_list.record_ended(over, AT)
    assert waiting_list.record_seen([contact("a", waited=1)], AT) == 1
    assert waiting_list.record_seen([over], AT + ENDED_REMEMBERED_FOR - timedelta(seconds=1)) == 0
    assert waiting_list.record_seen([over], AT + ENDED_REMEMBERED_FOR) == 1


def test_a_wait_that_ended_takes_no_newer_wait_of_the_contact_off_the_list(waiting_list):
    waiting_list.record_seen([contact("a", waited=1)], AT)
    waiting_list.record_ended(contact("a", waited=5), AT)
    assert "a" in waiting_list


def test_a_contact_that_was_taken_may_come_back_to_its_place_and_is_seen_again_after_the_lag_of_the_index(waiting_list):
    waiting_list.record_ended(contact("a"), AT, for_good=False)
    assert waiting_list.record_seen([contact("a")], AT + INDEX_LAG - timedelta(seconds=1)) == 0
    assert waiting_list.record_seen([contact("a")], AT + INDEX_LAG) == 1


def test_a_row_is_ignored_no_longer_than_its_time_although_no_other_wait_ends(waiting_list):
    waiting_list.record_ended(contact("a"), AT)
    assert waiting_list.record_seen([contact("a")], AT + ENDED_REMEMBERED_FOR) == 1
