"""Checks that a ledger which version 0.1 really wrote can be opened, and that all its promises still hold."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.ledger import AlreadyIntended
from router.ledger.operator_records import OperatorRecords
from router.model import ActionKind, ActionState, ContactId, WaitKey
from tests.builders import old_ledgers

NOW = old_ledgers.WRITTEN_AT


@pytest.fixture
def ledger(open_ledger, path):
    old_ledgers.write_file(path)
    return open_ledger(instance_id=old_ledgers.INSTANCE, now=NOW)


def of_kind(ledger, kind):
    return [action for action in ledger.history() if action.kind is kind]


def test_every_transfer_is_there_with_its_state_and_landing(ledger):
    found = [(one.contact_id, one.state, one.landing) for one in of_kind(ledger, ActionKind.TRANSFER)]

    assert found == list(old_ledgers.TRANSFERS)
    assert {one.routing for one in of_kind(ledger, ActionKind.TRANSFER)} == {None}
    assert not ledger.created


def test_every_place_is_a_follow_up_of_its_transfer(ledger):
    transfers = {one.id: one for one in of_kind(ledger, ActionKind.TRANSFER)}
    places = of_kind(ledger, ActionKind.RESTORE_PLACE)

    found = [(one.contact_id, one.state, one.open and one.sent_at is not None) for one in places]
    assert found == list(old_ledgers.PLACES)
    for one in places:
        parent = transfers[one.parent]
        assert (one.wait, one.rule, one.step, one.at) == (parent.wait, parent.rule, parent.step, parent.at)
        assert (one.acts_on, one.landed_queue_id) == (parent.new_contact_id, parent.landed_queue_id)
        assert (one.landed_enqueued_at, one.before) == (parent.landed_enqueued_at, parent.before)
        assert one.id > max(transfers)


def test_a_call_that_may_have_been_made_is_known_with_its_instant_and_what_it_asked_for(ledger):
    (one,) = [one for one in ledger.open_follow_ups() if one.contact_id == "sent"]

    assert one.sent_at == NOW - timedelta(minutes=6)
    assert one.routing.age == timedelta(hours=2)
    assert one.attempts == 1


def test_open_intents_are_there_to_be_settled(ledger):
    found = {(one.contact_id, one.kind) for one in ledger.open_intents()}

    routing = ActionKind.ROUTING
    assert found == {("open", ActionKind.TRANSFER), ("bump-open", routing), ("both-2", routing)}
    for one in ledger.open_intents():
        ledger.settle(replace(one, state=ActionState.NEVER_SENT, settled_at=NOW))
    assert ledger.open_intents() == ()


def test_no_step_acts_twice_and_no_chain_has_two_moves_under_way(ledger):
    (acted, *_) = of_kind(ledger, ActionKind.TRANSFER)
    (open_move,) = [one for one in ledger.open_intents() if one.kind is ActionKind.TRANSFER]

    with pytest.raises(AlreadyIntended):
        ledger.intend(replace(acted, id=0, contact_id=ContactId("given-2")))
    with pytest.raises(AlreadyIntended):
        ledger.intend(replace(open_move, id=0, rule="another"))
    with pytest.raises(AlreadyIntended):
        ledger.record(replace(of_kind(ledger, ActionKind.WARN)[0], id=0))


def test_an_open_update_of_the_old_version_stands_in_no_move_s_way(ledger):
    bump = next(one for one in ledger.open_intents() if one.contact_id == "bump-open")
    move = of_kind(ledger, ActionKind.TRANSFER)[0]

    intent = ledger.intend(
        replace(
            move, id=0, wait=WaitKey(bump.contact_id, bump.enqueued_at), chain_id=bump.chain_id, landing=None,
            contact_id=bump.contact_id, new_contact_id=None,
        )
    )  # fmt: skip

    assert intent.open


def test_pauses_and_the_last_cycle_are_kept(ledger):
    assert [one.subject for one in OperatorRecords(ledger).pauses()] == ["late"]
    assert ledger.last_cycle() == 44


def test_the_id_of_an_action_that_was_pruned_is_not_given_again(open_ledger, path):
    import sqlite3
    from contextlib import closing

    old_ledgers.write_file(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE sqlite_sequence SET seq = 500 WHERE name = 'actions'")

    ledger = open_ledger(instance_id=old_ledgers.INSTANCE, now=NOW)

    assert min(one.id for one in of_kind(ledger, ActionKind.RESTORE_PLACE)) == 501


def test_an_old_ledger_that_was_opened_once_is_opened_again(open_ledger, path):
    old_ledgers.write_file(path)
    with open_ledger(instance_id=old_ledgers.INSTANCE, now=NOW) as ledger:
        first = ledger.history()
    with open_ledger(instance_id=old_ledgers.INSTANCE, now=NOW) as ledger:
        assert ledger.history() == first
