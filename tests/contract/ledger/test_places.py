"""What a moved contact is given back is kept until it is settled, over restarts, and written once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.ledger import NotOpen
from router.model import ContactId, Landing, PlaceState, QueueId, RoutingData

TWO_HOURS = RoutingData(age=timedelta(hours=2))


@pytest.fixture
def landed(move, now):
    """A move that has landed, and whose contact is still to be given its place."""

    def built(contact="c-1", **fields):
        return move(
            contact,
            f"{contact}-after",
            landing=Landing.QUEUED,
            landed_queue_id=QueueId("overflow"),
            landed_enqueued_at=now,
            **{"place": PlaceState.DUE, "before": RoutingData(priority=5, age=timedelta()), **fields},
        )

    return built


@pytest.mark.parametrize("place", PlaceState)
def test_a_place_is_open_as_long_as_its_state_says(ledger, landed, place):
    moved = ledger.record(landed(place=place))

    assert ledger.places_open() == ((moved,) if place.open else ())


def test_a_move_that_has_nothing_to_give_is_never_open(ledger, landed):
    ledger.record(landed(place=None))

    assert ledger.places_open() == ()


def test_what_a_landing_leaves_to_be_given_is_written_with_it(ledger, move, landed):
    moved = ledger.record(move("c-1", "c-1-after", before=RoutingData(priority=5, age=timedelta())))
    after = replace(landed(), id=moved.id)

    ledger.land(after)

    assert ledger.places_open() == (after,)


def test_an_intended_place_is_there_after_a_restart_with_what_was_to_be_given(open_ledger, landed, now):
    with open_ledger("instance-1") as ledger:
        moved = ledger.record(landed())
        intended = replace(moved, routing=TWO_HOURS, place=PlaceState.INTENDED, place_at=now)
        ledger.give_place(intended)
    with open_ledger("instance-1") as ledger:
        assert ledger.places_open() == (intended,)
    with open_ledger("instance-2") as ledger:
        assert ledger.places_open() == (), "records are per instance"


@pytest.mark.parametrize("ended", [place for place in PlaceState if not place.open])
def test_of_two_that_settle_a_place_one_learns_that_it_came_second(ledger, landed, now, ended):
    moved = ledger.record(landed())
    settled = replace(moved, routing=TWO_HOURS, place=ended, place_at=now)
    ledger.give_place(settled)

    with pytest.raises(NotOpen):
        ledger.give_place(replace(moved, place=PlaceState.INTENDED))

    assert ledger.places_open() == ()
    assert ledger.history(contact_id=ContactId("c-1")) == (settled,)


def test_giving_a_place_changes_nothing_else_of_the_move(ledger, landed, now):
    moved = ledger.record(landed())

    ledger.give_place(replace(moved, place=PlaceState.GIVEN, place_at=now, landing=Landing.STRAY, attempts=9))

    assert ledger.history() == (replace(moved, place=PlaceState.GIVEN, place_at=now),)
