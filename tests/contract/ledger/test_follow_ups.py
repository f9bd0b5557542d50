"""Checks that a follow-up is written with its parent's landing, kept until it is settled, and written once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.followup.follow_up_call import follow_up_of
from router.ledger import AlreadyIntended, NotOpen
from router.model import ActionKind, ActionState, ContactId, Landing, QueueId, RoutingData

TWO_HOURS = RoutingData(age=timedelta(hours=2))


@pytest.fixture
def land(move, now):
    """Returns a function that lands a new move in a queue and returns its follow-up."""

    def landed(ledger, contact="c-1", new_contact=None, **fields):
        new = new_contact or f"{contact}-after"
        moved = ledger.record(move(contact, new, before=RoutingData(priority=5, age=timedelta()), **fields))
        after = replace(
            moved,
            landing=Landing.QUEUED,
            landed_at=now,
            landed_queue_id=QueueId("overflow"),
            landed_enqueued_at=now,
        )
        (due,) = ledger.land(after, follow_ups=[follow_up_of(after, ActionKind.RESTORE_PLACE, now=now)])
        return due

    return landed


def sent(follow_up, now):
    return replace(follow_up, routing=TWO_HOURS, send_by=now + timedelta(seconds=30), attempts=1)


def test_a_landing_writes_its_follow_up(ledger, land):
    due = land(ledger)

    assert due.id > due.parent > 0
    assert (due.kind, due.open, due.sent_at) == (ActionKind.RESTORE_PLACE, True, None)
    assert ledger.open_follow_ups() == (due,)
    assert ledger.open_intents() == (), "it is no move and no step"
    (moved, follow_up) = ledger.history(contact_id=ContactId("c-1-after"))
    assert (moved.landing, follow_up) == (Landing.QUEUED, due)


def test_a_landing_without_a_follow_up_writes_none(ledger, move):
    moved = ledger.record(move("c-1", "c-1-after"))

    assert ledger.land(replace(moved, landing=Landing.ANSWERED)) == ()
    assert ledger.open_follow_ups() == ()


def test_a_landing_that_is_written_again_has_one_follow_up(ledger, land, now):
    due = land(ledger)
    (moved, _) = ledger.history()
    ledger.settle(replace(due, state=ActionState.ACTED, settled_at=now))

    (again,) = ledger.land(moved, follow_ups=[follow_up_of(moved, ActionKind.RESTORE_PLACE, now=now)])

    assert (again.id, again.state) == (due.id, ActionState.ACTED)
    assert len(ledger.history()) == 2


def test_a_call_that_is_about_to_be_made_is_there_after_a_restart_with_what_it_asks_for(open_ledger, land, now):
    with open_ledger("instance-1") as ledger:
        under_way = sent(land(ledger), now)
        ledger.renew(under_way)
    with open_ledger("instance-1") as ledger:
        assert ledger.open_follow_ups() == (under_way,)
        assert under_way.sent_at == now
    with open_ledger("instance-2") as ledger:
        assert ledger.open_follow_ups() == (), "records are per instance"


@pytest.mark.parametrize("ended", [state for state in ActionState if state is not ActionState.INTENDED])
def test_of_two_that_settle_a_follow_up_one_learns_that_it_came_second(ledger, land, now, ended):
    due = land(ledger)
    settled = replace(due, state=ended, settled_at=now)
    ledger.settle(settled)

    with pytest.raises(NotOpen):
        ledger.settle(settled)
    with pytest.raises(NotOpen):
        ledger.renew(sent(due, now))
    assert ledger.open_follow_ups() == ()
    assert ledger.history()[-1] == settled


def test_a_follow_up_never_stands_in_the_way_of_a_move(ledger, land, act, now):
    due = land(ledger)
    ledger.renew(sent(due, now))

    intent = ledger.intend(act("c-1-after", chain_id=ContactId("c-1"), at=timedelta(hours=2)))

    assert ledger.open_intents() == (intent,)


def test_one_routing_update_of_a_contact_is_under_way(ledger, land, act, now):
    due = land(ledger)
    bump = act("c-1-after", chain_id=ContactId("c-1"), kind=ActionKind.ROUTING, target=None, rule="bump")
    intent = ledger.intend(bump)

    with pytest.raises(AlreadyIntended, match="another update under way"):
        ledger.renew(sent(due, now))
    assert ledger.open_follow_ups() == (due,)

    ledger.settle(replace(intent, state=ActionState.NEVER_SENT))
    ledger.renew(sent(due, now))
    with pytest.raises(AlreadyIntended):
        ledger.intend(bump)


def test_two_contacts_of_a_chain_may_each_have_an_update_under_way(ledger, land, act, now):
    ledger.renew(sent(land(ledger), now))

    intent = ledger.intend(act("c-1", kind=ActionKind.ROUTING, target=None, rule="bump"))

    assert ledger.open_intents() == (intent,)


def test_a_refused_follow_up_is_nothing_that_an_operator_retries(ledger, land, now):
    from router.ledger.operator_records import OperatorRecords

    ledger.settle(replace(land(ledger), state=ActionState.REFUSED, settled_at=now, error="AccessDeniedException"))

    assert OperatorRecords(ledger).retry(rule=None, contact_id=None) == 0


def test_an_open_follow_up_does_not_keep_its_chain_for_ever(ledger, land, act, now):
    land(ledger)
    ledger.record(act("c-9", minutes=60 * 24 * 365))

    assert ledger.prune(now + timedelta(days=300)) == 2
