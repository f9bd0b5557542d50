"""Checks what UpdateContactRoutingData is called with, and what a contact shows of it afterwards."""

from dataclasses import replace

import pytest

from router.execute.routing_update import AgeMeaning, Shown, place_to_give, routing_of, shown, update_for
from router.model import Details, RoutingData
from router.rules.rule import Routing
from tests.builders.contacts import NOW, contact, minutes

PLAIN = RoutingData(priority=5, age=minutes(0))
URGENT = RoutingData(priority=2, age=minutes(0))
AGED = RoutingData(priority=5, age=minutes(10))
TEN = Routing(age=minutes(10))


def test_what_connect_does_not_say_is_the_default():
    assert routing_of(None) == PLAIN
    assert routing_of(Details()) == PLAIN
    assert routing_of(Details(priority=2, queue_time_adjustment=minutes(3))) == RoutingData(priority=2, age=minutes(3))


@pytest.mark.parametrize(("wanted", "had", "asked"), [(2, 5, 2), (4, 5, 4), (5, 5, None), (6, 5, None), (2, 1, None)])
def test_a_priority_is_asked_for_only_where_it_is_better(wanted, had, asked):
    update = update_for(Routing(priority=wanted), RoutingData(priority=had), adds=False)
    assert update == (None if asked is None else RoutingData(priority=asked))


def test_an_age_comes_on_top_of_what_the_contact_has_whichever_way_connect_takes_it():
    assert update_for(TEN, PLAIN, adds=False) == update_for(TEN, PLAIN, adds=True) == RoutingData(age=minutes(10))
    assert update_for(TEN, AGED, adds=False) == RoutingData(age=minutes(20))
    assert update_for(TEN, AGED, adds=True) == RoutingData(age=minutes(10))


def test_an_age_might_cost_a_contact_its_priority_so_it_is_not_asked_for():
    assert update_for(TEN, URGENT, adds=False) is None
    assert update_for(TEN, RoutingData(priority=8, age=minutes(0)), adds=False) == RoutingData(age=minutes(10))


def test_a_contact_shows_the_old_the_new_or_what_somebody_else_has_set():
    bump, more = RoutingData(priority=2), RoutingData(age=minutes(20))
    assert shown(bump, PLAIN, PLAIN) is Shown.OLD
    assert shown(bump, PLAIN, URGENT) is Shown.NEW
    assert shown(bump, PLAIN, RoutingData(priority=3, age=minutes(0))) is Shown.OTHER
    assert shown(more, AGED, AGED) is Shown.OLD
    assert shown(more, AGED, RoutingData(priority=5, age=minutes(20))) is Shown.NEW
    assert shown(more, AGED, RoutingData(priority=5, age=minutes(30))) is Shown.NEW, "added to what it had"
    assert shown(more, AGED, RoutingData(priority=5, age=minutes(7))) is Shown.OTHER


def test_a_priority_that_was_not_the_default_is_given_back():
    assert place_to_give(URGENT, minutes(60), PLAIN, adds=False) == RoutingData(priority=2)
    assert place_to_give(URGENT, minutes(60), URGENT, adds=False) is None, "it was carried over"


def test_else_the_time_that_the_wait_has_waited_with_what_was_added():
    assert place_to_give(PLAIN, minutes(60), PLAIN, adds=False) == RoutingData(age=minutes(60))
    assert place_to_give(AGED, minutes(60), PLAIN, adds=False) == RoutingData(age=minutes(70))


def test_less_what_the_contact_has_already():
    assert place_to_give(AGED, minutes(60), AGED, adds=False) == RoutingData(age=minutes(70)), "sets: to the sum"
    assert place_to_give(AGED, minutes(60), AGED, adds=True) == RoutingData(age=minutes(60)), "adds: the rest"
    assert place_to_give(PLAIN, minutes(0), PLAIN, adds=False) is None


def test_what_an_earlier_move_gave_back_is_not_given_again():
    had = RoutingData(priority=5, age=minutes(60))
    with_step = RoutingData(priority=5, age=minutes(70))
    for has, asked in ((PLAIN, 90), (had, 90)):
        given = place_to_give(had, minutes(90), has, adds=False, given=minutes(60))
        assert given == RoutingData(age=minutes(asked))
    assert place_to_give(had, minutes(90), had, adds=True, given=minutes(60)) == RoutingData(age=minutes(30))
    later = place_to_give(with_step, minutes(90), PLAIN, adds=False, given=minutes(60))
    assert later == RoutingData(age=minutes(100)), "with what routing steps have added"


@pytest.mark.parametrize("had", [PLAIN, AGED], ids=["none", "only what a step had added"])
def test_what_was_given_back_and_never_came_to_be_is_given_now(had):
    given = place_to_give(had, minutes(90), PLAIN, adds=False, given=minutes(60))
    assert given == RoutingData(age=minutes(90) + had.age)


@pytest.mark.parametrize("set_by_the_flow", [RoutingData(priority=3, age=minutes(0)), AGED])
def test_nothing_where_the_flow_has_set_either(set_by_the_flow):
    assert place_to_give(URGENT, minutes(60), set_by_the_flow, adds=False) is None
    assert place_to_give(PLAIN, minutes(60), set_by_the_flow, adds=False) is None


def test_whether_connect_sets_or_adds_is_learned_from_a_contact_that_had_an_age():
    waiting, ages = contact("c1", waited=5), AgeMeaning()

    def shows(age):
        ages.seen(replace(waiting, details=Details(queue_time_adjustment=minutes(age))))

    ages.sent(waiting.id, RoutingData(age=minutes(20)), PLAIN, now=NOW)
    shows(20)
    assert not ages.adds, "one that had none tells nothing"
    ages.sent(waiting.id, RoutingData(age=minutes(20)), AGED, now=NOW)
    shows(10)
    assert not ages.adds, "not applied yet"
    shows(30)
    assert ages.adds
    shows(20)
    assert ages.adds, "what was learned stays"


def test_a_contact_that_would_tell_is_named_once_and_not_before_connect_has_had_its_time():
    ages = AgeMeaning()
    one, other = contact("c1", waited=5), contact("c2", waited=5)
    ages.sent(one.id, RoutingData(age=minutes(20)), AGED, now=NOW)
    ages.sent(other.id, RoutingData(age=minutes(20)), AGED, now=NOW + minutes(1))
    assert ages.to_read(sent_before=NOW - minutes(1)) is None
    assert [ages.to_read(sent_before=NOW + minutes(1)) for _ in range(3)] == [one.id, other.id, None]
    ages.sent(one.id, RoutingData(age=minutes(20)), AGED, now=NOW)
    ages.seen(replace(other, details=Details(queue_time_adjustment=minutes(20))))
    assert (ages.known, ages.adds) == (True, False)
    assert ages.to_read(sent_before=NOW + minutes(1)) is None, "nothing is left to learn"
