"""Checks what a poll searches, and how a search continues that is longer than a poll."""

from datetime import timedelta

import pytest

from router.decide.decide import decide
from router.model import Channel
from router.search.planner import SearchPlanner
from router.search.waiting_list import WaitingList
from tests.builders.contacts import NOW, contact, minutes
from tests.builders.instance import BILLING, DIRECTORY, GENERAL, OVERFLOW
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot
from tests.builders.watched import Arrival, Plenty, SetClock, WatchedWorld

EVERY = timedelta(seconds=15)
RULES = rules(overflow(at="30m", to='{ queue = "General" }'))


class Service:
    """Polls of a world, with plenty of quota unless ``poll_s`` ends a poll before its search is through."""

    def __init__(self, *arrivals, bound=RULES, sweep=timedelta(minutes=5), **world):
        self.clock = SetClock()
        known = [one if isinstance(one, Arrival) else Arrival(one) for one in arrivals]
        self.world = WatchedWorld(self.clock, known, **world)
        self.waiting_list = WaitingList(channels=list(Channel))
        self.bound, self.news = bound, 0
        self.search = SearchPlanner(
            reader=self.world,
            gauge=self.world,
            clock=self.clock,
            pacer=Plenty(),
            waiting_list=self.waiting_list,
            lookback=timedelta(days=90),
            sweep=sweep,
        )

    def poll(self, *, until=None):
        def news():
            self.news += 1

        del self.world.searches[:]
        return self.search.poll(self.bound, DIRECTORY, every=EVERY, until=until, on_news=news)

    def polls_for(self, span):
        searches = 0
        end = self.clock.at + span
        while self.clock.at < end:
            self.clock.at += EVERY
            self.poll()
            searches += len(self.world.searches)
        return searches


def test_the_first_poll_looks_at_everything_and_the_next_at_nothing_while_nothing_can_be_due():
    service = Service(contact("a", waited=5))
    seen = service.poll()
    assert (seen.complete, service.world.searches, service.news) == (True, [{BILLING, GENERAL}], 1)
    service.clock.at += EVERY
    assert service.poll().complete
    assert service.world.searches == []


def test_everything_is_looked_at_again_once_a_sweep_and_not_more_often():
    assert Service(contact("a", waited=1)).polls_for(minutes(21)) == 1 + 4


def test_a_contact_that_came_since_is_found_before_it_falls_due():
    bound = rules(overflow(at="3m", to='{ queue = "General" }'))
    late = contact("late", waited=-2)
    service = Service(late, bound=bound)
    service.poll()
    while "late" not in service.waiting_list:
        service.clock.at += EVERY
        service.poll()
        assert service.clock.at <= NOW + minutes(2 + 3)


def test_an_old_contact_that_the_index_did_not_show_is_searched_for_as_long_as_the_metrics_show_it():
    hidden = Arrival(contact("hidden", waited=29), shown_after=minutes(29) + timedelta(seconds=40))
    service = Service(hidden)
    service.poll()
    for _ in range(4):
        service.clock.at += EVERY
        service.poll()
    assert "hidden" in service.waiting_list


def test_under_a_rule_by_age_every_poll_searches_its_queues_for_what_came_since():
    text = overflow(at="30m", to='{ queue = "General" }', more='sla = { clock = "chain" }')
    service = Service(contact("a", waited=5), bound=rules(text))
    service.poll()
    service.clock.at += EVERY
    service.poll()
    assert service.world.searches == [[BILLING]]


@pytest.mark.parametrize("world", [{"metrics_fail": True}, {"silent": frozenset(Channel)}])
def test_a_metric_that_is_missing_means_that_the_search_alone_tells(world):
    bound = rules(overflow(at="4m", to='{ queue = "General" }'))
    service = Service(contact("a", waited=-1), bound=bound, **world)
    service.poll()
    service.clock.at = NOW + minutes(3)
    service.poll()
    assert "a" in service.waiting_list


def test_queues_with_something_late_are_searched_first():
    text = overflow(at="30m", to='{ queue = "General" }').replace(
        'match = { queue = "Billing" }', 'match = { queue = ["Billing", "Overflow"] }'
    )
    service = Service(contact("a", queue=OVERFLOW, waited=60), contact("b", waited=1), bound=rules(text))
    service.poll()
    assert service.world.searches == [{OVERFLOW}, {BILLING, GENERAL}]


def test_a_search_longer_than_a_poll_goes_on_in_the_next_and_says_what_was_not_seen_and_for_how_long():
    contacts = [contact(f"c{n}", waited=5) for n in range(100)]
    service = Service(*contacts, page=10, page_takes=timedelta(seconds=3))
    seen = service.poll(until=service.clock.monotonic() + 15)
    assert (seen.complete, seen.begun, seen.unseen) == (False, False, 50)
    assert seen.unseen_for == timedelta(seconds=15)
    assert len(service.waiting_list) == 50
    seen = service.poll(until=service.clock.monotonic() + 100)
    assert (seen.complete, seen.unseen, len(service.waiting_list)) == (True, 0, 100)


def test_a_search_that_fails_is_no_evidence_and_is_made_again():
    service = Service(contact("a", waited=5))
    service.poll()
    service.clock.at += minutes(6)
    service.world.failing = True
    seen = service.poll()
    assert (seen.complete, seen.failure.code) == (False, "Broken")
    assert "a" in service.waiting_list
    service.world.failing = False
    service.clock.at += EVERY
    assert service.poll().complete
    assert service.world.searches


def test_other_rules_are_searched_for_at_once():
    service = Service(contact("a", queue=OVERFLOW, waited=5))
    service.poll()
    assert "a" not in service.waiting_list
    text = overflow(at="30m", to='{ queue = "General" }').replace('queue = "Billing"', 'queue = "Overflow"')
    service.bound = rules(text)
    service.poll()
    assert "a" in service.waiting_list


def test_queues_that_hold_something_due_are_searched_so_that_what_left_them_counts_no_more():
    service = Service(Arrival(contact("a", waited=40), left_at=NOW + EVERY))
    service.poll()
    accounts = decide(snapshot(*service.waiting_list.take_due(NOW)), RULES).accounts
    service.waiting_list.record_decisions((account, NOW, True) for account in accounts.values())
    service.clock.at += 2 * EVERY
    service.poll()
    assert service.waiting_list.count_others([]) == {}
    service.clock.at += EVERY
    service.poll()
    assert "a" not in service.waiting_list, "two searches did not return it"


def test_a_queue_that_contacts_have_left_is_searched_soon_though_nothing_in_it_is_due():
    service = Service(contact("a", waited=1), contact("b", waited=2))
    service.poll()
    del service.world.arrivals[0]
    gone = service.clock.at
    while len(service.waiting_list.enqueued_at()[BILLING, Channel.TASK]) > 1:
        service.clock.at += EVERY
        service.poll()
        assert service.clock.at - gone <= timedelta(seconds=45)
    assert service.polls_for(minutes(3)) == 0


def test_a_difference_between_list_and_metrics_that_stays_is_searched_for_a_short_time_only():
    service = Service(contact("a", waited=1), contact("b", waited=2), uncounted={"a"}, sweep=minutes(60))
    assert 1 < service.polls_for(minutes(4)) < 10
    assert service.polls_for(minutes(20)) == 0
    del service.world.arrivals[1]
    assert 0 < service.polls_for(minutes(1)) < 5
    assert service.waiting_list.enqueued_at().keys() == {(BILLING, Channel.TASK)}


def test_what_was_enqueued_more_than_a_span_ago_is_searched_for_once_an_hour_and_kept_in_between():
    old = contact("old", waited=70 * 24 * 60)
    service = Service(old)
    service.poll()
    first = service.world.spans[-1]
    assert first == timedelta(days=90)
    service.clock.at += minutes(6)
    service.poll()
    assert service.world.spans[-1] == timedelta(days=55)
    assert "old" in service.waiting_list
    service.clock.at += minutes(60)
    service.poll()
    assert service.world.spans[-1] == timedelta(days=90)


@pytest.mark.parametrize("back", [timedelta(minutes=10), timedelta(days=365)])
def test_after_the_clock_was_set_back_everything_is_searched_and_not_only_when_it_has_caught_up(back):
    service = Service(contact("a", waited=5))
    service.poll()
    service.clock.at -= back
    service.poll()
    assert service.world.searches == [{BILLING, GENERAL}]


def test_searching_everything_reads_no_metrics_and_is_complete_at_once():
    service = Service(contact("a", waited=5), contact("b", queue=GENERAL, waited=1))
    for _ in range(2):
        del service.world.searches[:]
        progress = service.search.search_everything(service.bound, DIRECTORY)
        assert progress.complete
        assert service.world.searches == [{BILLING, GENERAL}]
    assert service.world.spans[-1] == timedelta(days=90)
    assert service.world.asked == 0
    assert {one.id for one in service.waiting_list.contacts} == {"a", "b"}


def test_searching_everything_without_success_is_not_complete_even_if_it_was_before():
    service = Service(contact("a", waited=5))
    assert service.search.search_everything(service.bound, DIRECTORY).complete
    service.world.failing = True
    progress = service.search.search_everything(service.bound, DIRECTORY)
    assert (progress.complete, progress.failure is not None) == (False, True)
    assert "a" in service.waiting_list


def test_searching_everything_stops_when_the_service_does_and_is_not_complete_then():
    service = Service(*(contact(f"c{n}", waited=5) for n in range(30)), page=10)
    assert service.search.search_everything(service.bound, DIRECTORY).complete
    assert not service.search.search_everything(service.bound, DIRECTORY, stop=lambda: True).complete
    assert service.search.search_everything(service.bound, DIRECTORY).complete
