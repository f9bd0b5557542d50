"""Shows the contact to the conditions of one rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from router.decide.clocks import hours_as_read, hours_of_queue
from router.decide.snapshot import Snapshot
from router.decide.waiting_contact import WaitingContact, detail, priority_of, queue_names
from router.model import ActionKind, Contact, FirstAct, HoursId, QueueId
from router.rules.bound import BoundRule
from router.rules.condition import Match, ReliedOnValue, Truth, Unread
from router.rules.match_keys import Source, match_key
from router.rules.value_test import QUEUES_OWN, Value


def is_detail(key: str) -> bool:
    """Returns whether only DescribeContact has the value of a match key."""
    return match_key(key).source is Source.DETAILS


def details_relied_on(matched: Match | None) -> tuple[ReliedOnValue, ...]:
    """Returns the conditions that came out as they did because of values of DescribeContact."""
    seen = matched.seen if matched is not None else ()
    return tuple(one for one in seen if one.test.costs_a_call and is_detail(one.test.key) and _was_read(one))


def _was_read(seen: ReliedOnValue) -> bool:
    return seen.truth is not Truth.UNREAD and not isinstance(seen.value, Unread)


def conditions_still_hold(relied_on: Iterable[ReliedOnValue], contact: Contact) -> bool:
    """Returns whether every condition that a decision relies on has the same result on the contact as just read."""
    details = contact.details
    if details is None:
        return True
    return all(seen.test.fits(detail(details, seen.test.key)) is (seen.truth is Truth.YES) for seen in relied_on)


@dataclass(frozen=True, slots=True)
class ContactSubject:
    """Shows the contact as one rule sees it: the router's own acts do not change the values.

    ``first`` is the contact as it was when the rule first acted, if the rule has moved the wait. ``bumped`` is the same
    if the rule has updated its routing. ``queue_id`` is the queue that the rule sees it in.
    """

    waiting: WaitingContact
    queue_id: QueueId
    first: FirstAct | None = None
    bumped: FirstAct | None = None

    @property
    def contact(self) -> Contact:
        return self.waiting.contact

    @property
    def snapshot(self) -> Snapshot:
        return self.waiting.snapshot

    def value(self, key: str) -> Value | Unread | None:
        match key:
            case "queue":
                return queue_names(self.queue_id, self.snapshot)
            case "waited":
                return self.first.waited if self.first else self.contact.waited(self.snapshot.now)
            case "initiation_method" if self.first:
                return self.first.initiation_method
            case "age":
                return self._age()
            case "transfers":
                recorded = self.first.transfers if self.first else None
                return self.waiting.transfers_behind if recorded is None else recorded
        source = match_key(key).source
        if source is Source.HOURS:
            return self._hours(key.partition(".")[2])
        return self._detail(key) if source is Source.DETAILS else self.waiting.values[key]

    @property
    def sees_present_priority(self) -> bool:
        """Returns whether the rule sees the priority that the contact shows: the router has not changed it."""
        return self.recorded_priority is None and not self.waiting.wait.updates

    @property
    def recorded_priority(self) -> int | None:
        """Returns the priority before the rule's first act; ``None`` if the rule sees the present one."""
        before = self.first or self.bumped
        return None if before is None else before.priority

    def _detail(self, key: str) -> Value | Unread | None:
        if key == "priority" and self.recorded_priority is not None:
            return self.recorded_priority
        details = self.waiting.details
        if isinstance(details, Unread):
            return details
        return self.waiting.wait.priority_by_others(priority_of(details)) if key == "priority" else detail(details, key)

    def _age(self) -> Value | Unread:
        """Returns the present age, because moves do not change it."""
        began_at = self.waiting.chain_began_at
        return began_at if isinstance(began_at, Unread) else max(self.snapshot.now - began_at, timedelta())

    def _hours(self, name: str) -> Value | Unread:
        """Returns ``open`` or ``closed`` for hours by id, or for the own hours of the queue that the rule sees."""
        if not name:
            return Unread("these hours of operation are not known")
        own = name == QUEUES_OWN
        found = hours_of_queue(self.queue_id, self.snapshot) if own else hours_as_read(HoursId(name), self.snapshot)
        if isinstance(found, Unread):
            return found
        return "open" if found.is_open(self.snapshot.now) else "closed"


def subject_for(rule: BoundRule, waiting: WaitingContact) -> ContactSubject:
    """Returns the subject that a rule is matched against.

    A rule that has moved the wait sees it in the queue where it first acted, as long as it is in a queue that the rule
    moves to.
    """
    if not waiting.wait.actions:
        return ContactSubject(waiting, waiting.queue_id)
    before = waiting.wait.first_act(rule.name, observed=False)
    first = before if waiting.wait.moves_of(rule.name) else None
    queue_id = waiting.queue_id
    if first is not None and (queue_id in rule.destination_queues or sent_here(rule.name, waiting)):
        queue_id = first.queue_id
    bumped = before if waiting.wait.progress(rule.name, ActionKind.ROUTING, observed=False) is not None else None
    return ContactSubject(waiting, queue_id, first, bumped)


def sent_here(rule: str, waiting: WaitingContact) -> bool:
    """Returns whether a move of the rule brought the contact to its queue; only a move leads into an agent's
    own queue."""
    moves = waiting.wait.moves_of(rule)
    if any(move.landed_queue_id == waiting.contact.queue_id for move in moves):
        return True
    under_way = waiting.wait.landing is not None and waiting.wait.landing.unlanded
    return under_way and bool(moves) and moves[-1] is waiting.wait.moves[-1]
