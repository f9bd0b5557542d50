"""The contact as the conditions of one rule see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.decide.wait import Wait
from router.model import Contact, Directory, FirstAct, QueueId
from router.rules.bound import BoundRule
from router.rules.condition import Unread, Value


@dataclass(frozen=True, slots=True)
class ContactSubject:
    """``first`` is the contact as it was when the rule first acted, where the rule has moved the case: the router's own
    moves do not change what the rule sees. ``queue_id`` is the queue that the rule sees it in."""

    contact: Contact
    queue_id: QueueId
    directory: Directory
    now: datetime
    first: FirstAct | None = None

    def value(self, key: str) -> Value | Unread | None:
        group, _, name = key.partition(".")
        if group == "segment_attributes":
            return self.contact.segment_attributes.get(name)
        if group == "tags":
            return self.contact.tags.get(name)
        return self._plain(key)

    def _plain(self, key: str) -> Value | Unread | None:
        match key:
            case "channel":
                return self.contact.channel.value
            case "queue":
                return self._queue()
            case "name":
                return self.contact.name
            case "waited":
                return self.first.waited if self.first else self.contact.waited(self.now)
            case "initiation_method":
                return self.first.initiation_method if self.first else self.contact.initiation_method
            case "subtype":
                return self.contact.segment_attributes.get("connect:Subtype")
        return Unread(f"{key} is not read by this version")

    def _queue(self) -> Value:
        name = self.directory.queue_name(self.queue_id)
        return (name, self.queue_id) if name and name != self.queue_id else (self.queue_id,)


def subject_for(rule: BoundRule, wait: Wait) -> ContactSubject:
    """The subject that a rule is matched against. A rule that has moved the case sees it, in the queues that it moves
    to, where it first acted on it."""
    first = wait.case.first_act(rule.name, observed=False) if wait.case.moves_of(rule.name) else None
    queue_id = wait.queue_id
    if first is not None and (queue_id in rule.destination_queues or sent_here(rule.name, wait)):
        queue_id = first.queue_id
    return ContactSubject(wait.contact, queue_id, wait.look.directory, wait.look.now, first)


def sent_here(rule: str, wait: Wait) -> bool:
    """Whether a move of the rule brought the contact to the queue it is in: an agent's own has no other way in."""
    moves = wait.case.moves_of(rule)
    if any(move.landed_queue_id == wait.contact.queue_id for move in moves):
        return True
    under_way = wait.case.landing is not None and wait.case.landing.unlanded
    return under_way and bool(moves) and moves[-1] is wait.case.moves[-1]
