"""The queues that a wait has been in: by the ledger, and by Connect's records where the ledger began later."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from router.decide.decide import decide
from router.decide.snapshot import Snapshot
from router.model import AgentId, Channel, Contact, ContactId, HoldReason, Need, NeedKind
from router.rules.condition import Unread
from tests.builders.contacts import NOW, after, contact, minutes, move
from tests.builders.instance import BILLING, GENERAL, OVERFLOW
from tests.builders.rules import rules
from tests.builders.snapshots import outcome, snapshot, the_hold

BACK = rules('[[rule]]\nname = "back"\nmatch.queue = "General"\nstep = [{ at = "10m", to = [{ queue = "Billing" }] }]')
MOVED_BACK, STAYS = ["back 1: to Billing"], ["back 1: no_eligible_destination"]


def ago(count: float) -> datetime:
    return NOW - minutes(count)


FIRST = contact("c1", waited=90, disconnected_at=ago(60))
SECOND = after(FIRST, "c2", queue=OVERFLOW, waited=60, disconnected_at=ago(30))
HERE = contact("c3", queue=GENERAL, waited=30, previous_id="c2", initial_id="c1")


def seen(*past: Contact, began: datetime | None = NOW, here: Contact = HERE, **others: Any) -> Snapshot:
    """Takes a snapshot with a ledger that began just now; ``past`` are the contacts before it, newest first."""
    return snapshot(here, ledger_began_at=began, pasts={here.id: past}, transfers={here.id: len(past)}, **others)


def test_what_the_ledger_does_not_know_of_is_read_from_connect():
    assert outcome(seen(SECOND, FIRST), BACK) == STAYS
    assert outcome(seen(SECOND), BACK) == MOVED_BACK


def test_it_may_lead_back_where_the_rule_says_so():
    revisit = rules(
        '[[rule]]\nname = "back"\nmatch.queue = "General"\n'
        'step = [{ at = "10m", to = [{ queue = "Billing", revisit = true }] }]'
    )
    unread = snapshot(HERE, ledger_began_at=NOW, pasts={}, transfers={HERE.id: 2})
    assert outcome(unread, revisit) == MOVED_BACK


@pytest.mark.parametrize(
    "ended",
    [
        replace(SECOND, agent_id=AgentId("ann")),
        replace(SECOND, connected_at=ago(40)),
        replace(SECOND, disconnected_at=None),
        replace(SECOND, disconnected_at=ago(45)),
        replace(SECOND, disconnected_at=ago(5)),
        replace(SECOND, channel=Channel.VOICE),
    ],
    ids=[
        "an agent had it",
        "an agent was connected",
        "it goes on",
        "it ended long before",
        "it went on for long",
        "it was a call",
    ],
)
def test_what_was_before_an_agent_had_it_or_before_it_began_anew_is_another_wait(ended):
    assert outcome(seen(ended, FIRST), BACK) == MOVED_BACK


def test_since_the_ledger_began_it_knows_every_move_itself():
    """Takes a move without a record for one by an agent or a flow, which begins a new wait."""
    assert outcome(seen(SECOND, FIRST, began=ago(31)), BACK) == MOVED_BACK
    assert outcome(seen(SECOND, FIRST, began=ago(29)), BACK) == STAYS
    assert decide(snapshot(HERE, ledger_began_at=ago(31), pasts={}, transfers={HERE.id: 2}), BACK).needs == ()


def test_a_wait_that_the_ledger_knows_in_part_goes_back_before_it():
    moved = move(SECOND, HERE, "another", at=30)
    known: dict[str, Any] = {"history": (moved,), "began": ago(45)}
    assert outcome(seen(SECOND, FIRST, **known), BACK) == STAYS
    assert outcome(seen(SECOND, FIRST, history=(moved,), began=ago(61)), BACK) == MOVED_BACK
    with_agent = replace(FIRST, agent_id=AgentId("ann"))
    assert outcome(seen(SECOND, with_agent, **known), BACK) == MOVED_BACK


def test_the_routers_own_moves_lead_on_whatever_connect_tells_of_them():
    late = replace(SECOND, disconnected_at=ago(20))
    assert outcome(seen(late, FIRST, history=(move(SECOND, HERE, "another", at=30),), began=ago(45)), BACK) == STAYS


def test_what_the_ledger_knows_counts_beside_what_connect_tells():
    to_overflow = rules(
        '[[rule]]\nname = "back"\nmatch.queue = "General"\nstep = [{ at = "10m", to = [{ queue = "Overflow" }] }]'
    )
    known: dict[str, Any] = {"history": (move(SECOND, HERE, "another", at=30),), "began": ago(45)}
    assert outcome(seen(SECOND, FIRST, **known), to_overflow) == STAYS


def test_a_contact_from_before_the_ledger_that_was_queued_since_is_asked_about():
    queued = replace(HERE, enqueued_at=ago(12))
    assert outcome(seen(SECOND, FIRST, here=queued, began=ago(20)), BACK) == STAYS


def test_it_is_read_once_nothing_else_stands_in_the_way_of_a_move():
    unread: dict[str, Any] = {"ledger_began_at": NOW, "pasts": {}, "transfers": {HERE.id: 2}}
    decided = decide(snapshot(HERE, **unread), BACK)
    assert decided.needs == (Need(NeedKind.PAST, ContactId("c3")),)
    assert the_hold(decided).reason is HoldReason.UNREADABLE
    early = replace(HERE, enqueued_at=ago(5))
    assert decide(snapshot(early, **unread), BACK).needs == ()
    exhausted = {**unread, "transfers": {HERE.id: 11}}
    assert decide(snapshot(HERE, **exhausted), BACK).needs == ()


def test_a_past_that_cannot_be_read_holds():
    failed = Unread("the contacts that it came from could not be read")
    hold = the_hold(decide(snapshot(HERE, ledger_began_at=NOW, pasts={HERE.id: failed}, transfers={HERE.id: 2}), BACK))
    assert (hold.reason, hold.detail) == (HoldReason.UNREADABLE, failed.why)


def test_a_contact_that_came_from_no_other_is_not_asked_about():
    fresh = contact("c1", queue=GENERAL, waited=30)
    assert outcome(snapshot(fresh, ledger_began_at=NOW, pasts={}), BACK) == MOVED_BACK


def test_where_a_transfer_goes_to_an_agents_queue_does_not_matter():
    to_agent = rules(
        '[[rule]]\nname = "back"\nmatch.queue = "General"\nstep = [{ at = "10m", to = [{ agent = "ann" }] }]'
    )
    decided = decide(snapshot(HERE, ledger_began_at=NOW, pasts={}, transfers={HERE.id: 2}), to_agent)
    assert not any(need.kind is NeedKind.PAST for need in decided.needs)


def test_the_queue_it_was_moved_out_of_by_the_ledger_counts_as_before():
    moved = contact("c1", queue=BILLING, waited=40, disconnected_at=ago(30))
    here = after(moved, "c2", queue=GENERAL, waited=30)
    assert outcome(seen(moved, here=here, history=(move(moved, here, "another", at=5),), began=ago(600)), BACK) == STAYS
