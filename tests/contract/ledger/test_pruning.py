"""Whole chains go when nothing in them can matter any more; what is open, unlanded or recent stays."""

from datetime import timedelta

import pytest

from router.model import ActionKind, ActionState, Contact, ContactId, Landing
from router.model.contact import Channel

YEAR = timedelta(days=365)


@pytest.fixture
def recent(ledger, act, now):
    """Writes the newest action, a year after the others: the time to retain is counted back from it."""
    return ledger.record(act("recent", decided_at=now + YEAR))


def test_an_old_settled_chain_goes_and_is_forgotten_by_every_id(ledger, move, recent, now):
    ledger.record(move("c-1", "c-2", landing=Landing.QUEUED))
    ledger.record(move("c-2", "c-3", chain_id=ContactId("c-1"), landing=Landing.ANSWERED))

    assert ledger.prune(now + timedelta(days=1)) == 2

    assert ledger.history() == (recent,)
    ids = [ContactId(f"c-{number}") for number in (1, 2, 3)]
    assert ledger.histories([Contact(id=each, channel=Channel.TASK) for each in ids]) == dict.fromkeys(ids, ())


def test_a_step_that_was_pruned_may_act_again_under_a_new_id(ledger, act, recent, now):
    old = ledger.record(act(landing=Landing.QUEUED))
    assert ledger.prune(now + timedelta(days=1)) == 1

    assert ledger.intend(act()).id > old.id


def test_an_open_intent_stays_whatever_its_age(ledger, act, recent, now):
    intent = ledger.intend(act())

    assert ledger.prune(now + YEAR) == 0
    assert ledger.open_intents() == (intent,)


@pytest.mark.parametrize("landing", [None, *Landing])
def test_a_move_goes_only_when_its_landing_is_closed(ledger, move, recent, now, landing):
    moved = ledger.record(move("c-1", "c-2", landing=landing))
    closed = landing is not None and not landing.followed

    assert ledger.prune(now + timedelta(days=1)) == (1 if closed else 0)
    assert (moved in ledger.history()) is not closed


@pytest.mark.parametrize(
    "fields",
    [
        {"state": ActionState.REFUSED},
        {"state": ActionState.NEVER_SENT},
        {"kind": ActionKind.WARN, "target": None},
        {"kind": ActionKind.ROUTING, "target": None},
        {"observed": True},
    ],
)
def test_what_moved_nothing_goes_without_a_landing(ledger, act, recent, now, fields):
    ledger.record(act(**fields))

    assert ledger.prune(now + timedelta(days=1)) == 1


def test_a_chain_with_one_recent_action_stays_whole(ledger, move, act, recent, now):
    old = ledger.record(move("c-1", "c-2", landing=Landing.QUEUED))
    new = ledger.record(act("c-2", chain_id=ContactId("c-1"), minutes=60 * 24, state=ActionState.REFUSED))

    assert ledger.prune(now + timedelta(hours=12)) == 0
    assert ledger.history(contact_id=ContactId("c-2")) == (old, new)


@pytest.mark.parametrize("late", ["settled_at", "landed_at"])
def test_what_was_settled_or_landed_recently_is_recent(ledger, move, recent, now, late):
    ledger.record(move("c-1", "c-2", landing=Landing.ENDED, **{late: now + timedelta(days=2)}))

    assert ledger.prune(now + timedelta(days=2)) == 0
    assert ledger.prune(now + timedelta(days=2, microseconds=1)) == 1


def test_chains_that_are_one_stay_or_go_together(ledger, act, move, recent, now):
    apart = ledger.record(act("c-2", state=ActionState.REFUSED))
    followed = ledger.record(move("c-1", "c-2", landing=Landing.STRAY))

    assert ledger.prune(now + timedelta(days=1)) == 0
    assert ledger.history(contact_id=ContactId("c-1")) == (apart, followed)


def test_a_clock_that_jumps_ahead_removes_nothing_that_is_to_be_kept(ledger, act, now):
    """Counts the 120 days of ``keep`` back from the newest action."""
    ledger.record(act("old", landing=Landing.QUEUED))
    kept = ledger.record(act("kept", landing=Landing.QUEUED, decided_at=now + timedelta(days=1)))
    newest = ledger.record(act("newest", decided_at=now + timedelta(days=121)))

    assert ledger.prune(now + 50 * YEAR) == 1
    assert ledger.history() == (kept, newest)


def test_pruning_an_empty_ledger_removes_nothing(ledger, now):
    assert ledger.prune(now + YEAR) == 0


def test_pruning_leaves_other_instances_alone(open_ledger, act, now):
    with open_ledger("instance-1") as ledger:
        old = ledger.record(act(landing=Landing.QUEUED))
    with open_ledger("instance-2") as ledger:
        ledger.record(act(landing=Landing.QUEUED))
        newest = ledger.record(act("recent", decided_at=now + YEAR))
        assert ledger.prune(now + timedelta(days=1)) == 1
        assert ledger.history() == (newest,)
    with open_ledger("instance-1") as ledger:
        assert ledger.history() == (old,)
