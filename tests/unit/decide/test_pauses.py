"""Tests that a contact's pauses do not count: they are read when a step may be due, and nothing acts without them."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from router.decide.decide import decide
from router.decide.decision import PausesSeen
from router.decide.snapshot import Snapshot
from router.model import Channel, Contact, ContactId, Details, HoldReason, Need, NeedKind
from router.rules.condition import Unread
from tests.builders.contacts import NOW, after, contact, minutes, move
from tests.builders.rules import overflow, unreadable
from tests.builders.rules import rules as bound
from tests.builders.snapshots import outcome, snapshot, the_hold, the_transfer

LATE = bound(overflow(at="30m"))
CHAIN = bound(overflow(at="30m", more='sla.clock = "chain"'))
FAILED = Unread("whether it was paused could not be read")
NOBODY: dict[str, Any] = {"pauses": {}, "pasts": {}}


def ago(count: float) -> datetime:
    return NOW - minutes(count)


def once(begins: float, ends: float) -> Details:
    """Builds the details of one pause, in minutes ago."""
    return Details(paused_at=ago(begins), resumed_at=ago(ends), paused_for=minutes(begins - ends), pauses=1)


def seen(one: Contact, told: Details | Unread, **others: Any) -> Snapshot:
    return snapshot(one, pauses={one.id: told}, **others)


def test_what_is_not_due_by_the_time_that_passed_is_not_asked_about():
    assert decide(snapshot(contact(waited=29), **NOBODY), LATE).needs == ()


def test_what_may_be_due_is_asked_about_before_anything_else_is_read():
    decided = decide(snapshot(contact(waited=30), transfers={}, **NOBODY), LATE)
    assert decided.needs == (Need(NeedKind.PAUSES, ContactId("c1")),)
    assert the_hold(decided).reason is HoldReason.UNREADABLE


def test_a_pause_puts_the_step_off():
    task = contact(waited=45)
    decided = decide(seen(task, once(40, 20)), LATE)
    assert (decided.decisions, decided.next_due_at) == ((), ago(-5))
    assert outcome(seen(task, once(40, 25)), LATE) == ["overflow 1: to Overflow"]


def test_late_and_due_at_and_urgency_leave_the_pause_out():
    ladder = bound(overflow(at="30m", more='sla.target = "1h"'))
    transfer = the_transfer(decide(seen(contact(waited=120), once(110, 80)), ladder))
    assert (transfer.due_at, transfer.late, transfer.urgency) == (ago(60), minutes(30), 1.5)
    assert transfer.pauses == PausesSeen(ago(80))


def test_a_warning_is_put_off_as_well():
    warning = bound('[[rule]]\nname = "w"\nmatch.queue = "Billing"\nstep = [{ at = "30m", warn = "late" }]')
    assert outcome(seen(contact(waited=45), once(40, 20)), warning) == []


def test_a_pause_of_an_email_puts_the_step_off_as_well():
    email = contact(waited=45, channel=Channel.EMAIL)
    assert decide(snapshot(email, **NOBODY), LATE).needs == (Need(NeedKind.PAUSES, email.id),)
    assert outcome(seen(email, once(40, 20)), LATE) == []
    assert the_transfer(decide(seen(email, once(40, 25)), LATE)).pauses == PausesSeen(ago(25))


def test_pauses_that_cannot_be_read_hold_what_may_be_due():
    hold = the_hold(decide(seen(contact(waited=30), FAILED), LATE))
    assert (hold.reason, hold.detail, hold.due_at, hold.late) == (HoldReason.UNREADABLE, FAILED.why, None, None)
    assert outcome(seen(contact(waited=29), FAILED), LATE) == []


def test_details_that_were_read_for_a_condition_tell_the_pauses_too():
    task = contact(waited=45)
    assert decide(snapshot(task, details={task.id: once(40, 20)}, **NOBODY), LATE).needs == ()
    assert decide(snapshot(replace(task, details=once(40, 20)), **NOBODY), LATE).needs == ()


def test_behind_an_undecided_rule_pauses_and_the_condition_are_read_together():
    rules = unreadable(bound(overflow("first", at="30m")), "first")
    waiting = snapshot(contact(waited=45), **NOBODY)
    needs = decide(waiting, rules).needs
    assert Need(NeedKind.PAUSES, ContactId("c1")) in needs or Need(NeedKind.DETAILS, ContactId("c1")) in needs
    assert decide(seen(contact(waited=45), once(40, 20)), rules).decisions == ()


def test_a_pause_before_the_contact_was_queued_does_not_matter_to_the_queue_clock():
    task = contact(waited=30, initiated_at=ago(300))
    assert outcome(seen(task, once(200, 100)), LATE) == ["overflow 1: to Overflow"]


def test_to_the_chain_clock_it_does():
    task = contact(waited=5, initiated_at=ago(45))
    assert outcome(seen(task, once(40, 20)), CHAIN) == []
    assert outcome(seen(task, once(40, 25)), CHAIN) == ["overflow 1: to Overflow"]


def handed_on(**others: Any) -> Contact:
    return contact("c2", waited=5, previous_id="c1", initial_id="c1", **others)


def test_the_contacts_it_came_from_are_read_only_where_its_own_pauses_leave_it_due():
    known: dict[str, Any] = {"origins": {"c2": ago(45)}, "pasts": {}, "transfers": {}}
    assert decide(seen(handed_on(), Details(), **known), CHAIN).needs == (Need(NeedKind.PAST, ContactId("c2")),)
    assert (
        decide(seen(handed_on(), once(4, 1), **known), bound(overflow(at="44m", more='sla.clock = "chain"'))).needs
        == ()
    )


def test_where_nobody_knows_when_it_began_those_it_came_from_are_read():
    task = contact("c2", waited=40, initiated_at=None, previous_id="c1", initial_id="c1")
    assert decide(seen(task, Details(), pasts={}), LATE).needs == (Need(NeedKind.PAST, ContactId("c2")),)
    lost = contact("c2", waited=40, initiated_at=None, initial_id="c1")
    assert decide(seen(lost, Details(), pasts={}), LATE).needs == (Need(NeedKind.PAST, ContactId("c2")),)


def test_the_clock_is_known_where_no_pause_could_make_something_due():
    decided = decide(snapshot(contact(waited=29), **NOBODY), LATE)
    governance = decided.accounts[ContactId("c1")].governance
    assert governance is not None
    assert governance.governing is not None
    assert governance.governing.unread_clock is None


def test_their_pauses_count_for_the_chain():
    first = contact("c1", waited=45, disconnected_at=ago(5), details=once(40, 20))
    known: dict[str, Any] = {"origins": {"c2": ago(45)}, "pasts": {"c2": (first,)}}
    assert outcome(seen(handed_on(), Details(), **known), CHAIN) == []
    known = {"origins": {"c2": ago(50)}, "pasts": {"c2": (first,)}, "transfers": {"c2": 1}}
    assert outcome(seen(handed_on(), Details(), **known), CHAIN) == ["overflow 1: to Overflow"]


@pytest.mark.parametrize(("pause", "expected"), [(once(80, 70), []), (once(80, 79), ["overflow 2: to General"])])
def test_a_pause_before_the_routers_own_move_counts_for_the_next_step(pause, expected):
    ladder = bound(
        '[[rule]]\nname = "overflow"\nmatch.queue = "Billing"\n'
        'step = [{ at = "30m", to = [{ queue = "Overflow" }] }, { at = "85m", to = [{ queue = "General" }] }]'
    )
    moved = contact("c1", waited=90, disconnected_at=ago(50))
    waiting = after(moved, waited=50)
    history = (move(moved, waiting, at=30, settled_at=ago(50)),)
    known: dict[str, Any] = {"history": history, "transfers": {"c2": 1}}
    came_from = replace(moved, details=pause)
    assert outcome(seen(waiting, Details(), pasts={"c2": (came_from,)}, **known), ladder) == expected
    assert outcome(seen(waiting, Details(), pasts={"c2": FAILED}, **known), ladder) == ["overflow 2: unreadable"]


def test_the_transfers_are_counted_after_the_pauses():
    task = handed_on()
    decided = decide(seen(replace(task, enqueued_at=ago(40), initiated_at=ago(40)), Details(), transfers={}), LATE)
    assert decided.needs == (Need(NeedKind.TRANSFERS, task.id),)
