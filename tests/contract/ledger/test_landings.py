"""A move is followed until its landing is known, and counted for the limits per hour."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.ledger import NotOpen
from router.model import ActionKind, ActionState, Contact, ContactId, Landing, QueueId
from router.model.contact import Channel


@pytest.mark.parametrize("landing", Landing)
def test_a_move_is_followed_as_long_as_its_landing_says(ledger, move, landing):
    moved = ledger.record(move("c-1", "c-2", landing=landing))

    assert ledger.followed() == ((moved,) if landing.followed else ())


def test_a_move_without_any_landing_is_followed_like_a_pending_one(ledger, move):
    moved = ledger.record(move("c-1", None, landing=None))

    assert ledger.followed() == (moved,)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": ActionKind.ROUTING},
        {"kind": ActionKind.WARN},
        {"state": ActionState.REFUSED},
        {"state": ActionState.NEVER_SENT},
        {"observed": True},
    ],
)
def test_what_moved_nothing_is_not_followed(ledger, move, fields):
    ledger.record(move("c-1", None, **fields))

    assert ledger.followed() == ()


def test_an_open_intent_is_not_followed_before_it_has_acted(ledger, act):
    intent = ledger.intend(act(landing=Landing.PENDING))
    assert ledger.followed() == ()

    acted = replace(intent, state=ActionState.ACTED, landing=Landing.PENDING)
    ledger.settle(acted)
    assert ledger.followed() == (acted,)


def test_a_landing_ends_the_following_and_is_read_back(ledger, move, now):
    moved = ledger.record(move("c-1", "c-2"))
    landed = replace(
        moved,
        landing=Landing.DIVERTED,
        landed_at=now + timedelta(seconds=9),
        landed_queue_id=QueueId("elsewhere"),
        landed_enqueued_at=now + timedelta(seconds=8),
    )

    ledger.land(landed)

    assert ledger.followed() == ()
    assert ledger.history() == (landed,)


def test_a_stray_may_land_after_all(ledger, move, now):
    moved = ledger.record(move("c-1", "c-2"))
    ledger.land(replace(moved, landing=Landing.STRAY))
    (stray,) = ledger.followed()
    assert stray.landing is Landing.STRAY

    ledger.land(replace(stray, landing=Landing.ENDED, landed_at=now))
    assert ledger.followed() == ()


def test_a_landing_changes_nothing_of_the_move_itself(ledger, move):
    moved = ledger.record(move("c-1", "c-2"))

    ledger.land(replace(moved, landing=Landing.QUEUED, state=ActionState.REFUSED, rule="another", attempts=9))

    assert ledger.history() == (replace(moved, landing=Landing.QUEUED),)


def test_a_landing_may_tell_the_new_contact_and_never_forgets_it(ledger, move):
    moved = ledger.record(move("c-1", None))
    ledger.land(replace(moved, landing=Landing.STRAY, new_contact_id=ContactId("c-2")))
    ledger.land(replace(moved, landing=Landing.QUEUED, new_contact_id=None))

    (landed,) = ledger.history()
    assert (landed.landing, landed.new_contact_id) == (Landing.QUEUED, "c-2")
    found = ledger.histories([Contact(id=ContactId("c-2"), channel=Channel.TASK)])
    assert found["c-2"] == (landed,)


def test_only_a_transfer_that_acted_can_land(ledger, act):
    intent = ledger.intend(act("c-1"))
    warning = ledger.record(act("c-2", kind=ActionKind.WARN, target=None))
    refused = ledger.record(act("c-3", state=ActionState.REFUSED))

    for action in (intent, warning, refused):
        with pytest.raises(NotOpen):
            ledger.land(replace(action, state=ActionState.ACTED, landing=Landing.QUEUED))
    assert ledger.history() == (intent, warning, refused)


def test_moves_since_counts_what_acted_or_is_open_from_that_instant_on(ledger, act, now):
    ledger.record(act("old", minutes=-1))
    at_the_instant = ledger.record(act("exact"))
    ledger.record(act("refused", minutes=1, state=ActionState.REFUSED))
    ledger.record(act("never-sent", minutes=1, state=ActionState.NEVER_SENT))
    ledger.record(act("warned", minutes=1, kind=ActionKind.WARN, target=None))
    ledger.record(act("bumped", minutes=1, kind=ActionKind.ROUTING, target=None))
    still_open = ledger.intend(act("open", minutes=2))

    assert ledger.moves_since(now) == (at_the_instant, still_open)
    assert ledger.moves_since(now + timedelta(minutes=3)) == ()
