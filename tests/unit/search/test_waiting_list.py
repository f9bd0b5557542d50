"""Who is known to wait: seen, seen anew, gone, and to be decided on again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.decide.decide import decide
from router.model import Channel
from router.search.waiting_list import INDEX_LAG, NEVER, NOW, WaitingList
from tests.builders import contacts as made
from tests.builders.contacts import contact, minutes
from tests.builders.instance import BILLING, OVERFLOW
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot

AT = made.NOW


@pytest.fixture
def roster():
    return WaitingList(channels=[Channel.TASK, Channel.EMAIL])


def ids(contacts):
    return {one.id for one in contacts}


def decided(roster, *contacts, look_at=NEVER, each_poll=False):
    accounts = decide(snapshot(*contacts), rules(overflow(at="10m"))).accounts
    roster.decided([(account, look_at, each_poll) for account in accounts.values()])


def test_what_is_seen_for_the_first_time_presses_and_once_it_was_taken_it_does_not(roster):
    assert roster.see([contact("a"), contact("b")], AT) == 2
    assert ids(roster.take_pressing(AT)) == {"a", "b"}
    assert roster.take_pressing(AT) == ()


def test_the_same_row_again_is_no_news_and_another_is(roster):
    one = contact("a", waited=5)
    roster.see([one], AT)
    roster.take_pressing(AT)
    assert roster.see([one], AT) == 0
    assert roster.take_pressing(AT) == ()
    roster.see([replace(one, tags={"team": "b"})], AT)
    assert ids(roster.take_pressing(AT)) == {"a"}
    assert roster.see([replace(one, queue_id=OVERFLOW)], AT) == 1
    assert ids(roster.take_pressing(AT)) == {"a"}


def test_another_channel_is_not_taken(roster):
    assert WaitingList(channels=[Channel.EMAIL]).see([contact("a")], AT) == 0


def test_a_row_that_shows_the_contact_gone_ends_it(roster):
    one = contact("a")
    roster.see([one], AT)
    roster.see([replace(one, disconnected_at=AT)], AT)
    assert "a" not in roster


def test_a_row_of_a_wait_that_a_reading_has_shown_to_be_over_is_not_believed():
    over = contact("a")
    roster = WaitingList(channels=[Channel.TASK], ended=lambda one: one == over)
    assert roster.see([over], AT) == 0
    assert "a" not in roster


def test_what_two_whole_searches_in_succession_did_not_return_is_forgotten_and_counts_no_more_from_the_first(roster):
    roster.see([contact("a"), contact("b")], AT - minutes(5))
    for again in (minutes(0), minutes(1)):
        assert "a" in roster
        roster.see([contact("b")], AT + again)
        roster.searched(None, AT + again)
        assert roster.others([]) == {(BILLING, Channel.TASK): 1}
    assert ("a" in roster, "b" in roster) == (False, True)


def test_what_one_search_left_out_and_the_next_returns_waits_as_before(roster):
    roster.see([contact("a")], AT - minutes(5))
    for again in range(4):
        if again % 2:
            roster.see([contact("a")], AT + minutes(again))
        roster.searched(None, AT + minutes(again))
    assert roster.others([]) == {(BILLING, Channel.TASK): 1}


def test_a_search_of_some_queues_says_nothing_of_the_others(roster):
    roster.see([contact("a", queue=OVERFLOW)], AT - minutes(5))
    roster.searched({BILLING}, AT)
    assert "a" in roster


def test_what_was_read_by_its_id_is_kept_while_the_index_may_not_show_it_yet(roster):
    roster.see([contact("a")], AT, by_id=True)
    roster.searched(None, AT + INDEX_LAG / 2)
    assert roster.others([]) != {}
    roster.searched(None, AT + INDEX_LAG)
    assert roster.others([]) == {}


def test_once_the_index_has_shown_it_its_absence_counts_at_once(roster):
    one = contact("a")
    roster.see([one], AT, by_id=True)
    roster.see([one], AT)
    roster.searched(None, AT + timedelta(seconds=1))
    assert roster.others([]) == {}


def test_what_was_decided_presses_again_at_its_instant(roster):
    one = contact("a", waited=5)
    roster.see([one], AT)
    [taken] = roster.take_pressing(AT)
    decided(roster, taken, look_at=AT + minutes(5))
    assert roster.next_at == AT + minutes(5)
    assert roster.take_pressing(AT + minutes(4)) == ()
    assert ids(roster.take_pressing(AT + minutes(5))) == {"a"}


def test_a_poll_presses_those_that_are_looked_at_in_each(roster):
    contacts = [contact("a"), contact("b")]
    roster.see(contacts, AT)
    first, second = roster.take_pressing(AT)
    decided(roster, first, each_poll=True)
    decided(roster, second)
    roster.polled()
    assert ids(roster.take_pressing(AT)) == {first.id}


def test_of_what_deciding_could_say_nothing_the_next_poll_tries_again(roster):
    roster.see([contact("a")], AT)
    roster.take_pressing(AT)
    assert roster.next_at == NEVER
    roster.polled()
    assert roster.next_at == NOW


def test_a_contact_seen_anew_while_it_was_decided_on_is_still_to_be_decided_on(roster):
    roster.see([contact("a", waited=5)], AT)
    [taken] = roster.take_pressing(AT)
    roster.see([contact("a", waited=1)], AT)
    decided(roster, taken)
    assert ids(roster.take_pressing(AT)) == {"a"}


def test_a_wait_that_is_over_is_forgotten_and_a_new_one_of_the_same_contact_is_not(roster):
    old, new = contact("a", waited=5), contact("a", waited=1)
    roster.see([new], AT)
    roster.forget(old)
    assert "a" in roster
    roster.forget(new)
    assert "a" not in roster


def test_those_that_wait_for_a_place_press_as_one_lands(roster):
    roster.see([contact("a"), contact("b")], AT)
    for one in roster.take_pressing(AT):
        decided(roster, one)
    assert not roster.landed()
    roster.without_place(["a"])
    assert roster.landed()
    assert ids(roster.take_pressing(AT)) == {"a"}


def test_the_others_are_counted_by_queue_and_channel(roster):
    mail = contact("m", channel=Channel.EMAIL)
    roster.see([contact("a"), contact("b"), mail, contact("c", queue=OVERFLOW)], AT)
    others = roster.others([contact("a"), mail])
    assert dict(others) == {(BILLING, Channel.TASK): 1, (OVERFLOW, Channel.TASK): 1}


def test_when_they_were_enqueued_and_the_queues_with_something_due_are_told(roster):
    late, early = contact("late", waited=20), contact("early", waited=1, queue=OVERFLOW)
    roster.see([late, early], AT)
    for one in roster.take_pressing(AT):
        decided(roster, one)
    assert roster.enqueued()[BILLING, Channel.TASK] == [AT - minutes(20)]
    assert roster.queues_due() == {BILLING}
