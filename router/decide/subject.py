"""The contact as the conditions of one rule see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.decide.case import Case
from router.model import Contact, Directory, FirstAct, QueueId
from router.rules.bound import BoundRule
from router.rules.condition import Unread, Value


@dataclass(frozen=True, slots=True)
class ContactSubject:
    """``frozen`` is the contact as it was when the rule first acted, where the rule has moved the case and the contact
    stands in a queue that the rule moves to: the router's own moves do not change what the rule sees."""

    contact: Contact
    directory: Directory
    now: datetime
    frozen: FirstAct | None = None

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
                return self._queue(self.frozen.queue_id if self.frozen else self.contact.queue_id)
            case "name":
                return self.contact.name
            case "waited":
                return self.frozen.waited if self.frozen else self.contact.waited(self.now)
            case "initiation_method":
                return self.frozen.initiation_method if self.frozen else self.contact.initiation_method
            case "subtype":
                return self.contact.segment_attributes.get("connect:Subtype")
        return Unread(f"{key} is not read by this version")

    def _queue(self, queue_id: QueueId | None) -> Value | None:
        if queue_id is None:
            return None
        name = self.directory.queue_name(queue_id)
        return (name, queue_id) if name and name != queue_id else (queue_id,)


def subject_for(rule: BoundRule, contact: Contact, case: Case, directory: Directory, now: datetime) -> ContactSubject:
    """The subject a rule is matched against; frozen where the rule itself brought the contact to where it is."""
    brought = case.moved_by(rule.name) and is_destination(rule, contact, case)
    frozen = case.first_act(rule.name, observed=False) if brought else None
    return ContactSubject(contact, directory, now, frozen)


def is_destination(rule: BoundRule, contact: Contact, case: Case) -> bool:
    """Whether the contact stands in a queue, or an agent's own queue, that the rule moves to."""
    if contact.queue_id in rule.destination_queues:
        return True
    return any(move.rule == rule.name and move.landed_queue_id == contact.queue_id for move in case.moves)
