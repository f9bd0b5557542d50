"""Contacts that waiting ones came from: read by id, and kept once they have ended, for then they change no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from router.connect.answers import Denied, DescribeAnswer, Failure, Missing, Reading
from router.decide.look import CHAIN_TRANSFERS
from router.model import Action, Contact, ContactId, Details

KEPT = 20_000
"""More than the contacts that wait at once in an instance of Connect's by default came from; bounds the memory."""


class Describer(Protocol):
    def describe(self, contact_id: ContactId) -> DescribeAnswer: ...


@dataclass(kw_only=True)
class Segments:
    reader: Describer
    _ended: dict[ContactId, Contact] = field(default_factory=dict)

    def read(self, contact_id: ContactId) -> Contact | Missing | Failure:
        known = self._ended.get(contact_id)
        if known is not None:
            return known
        answer = self.reader.describe(contact_id)
        if not isinstance(answer, Reading):
            return answer
        if answer.contact.disconnected_at is not None:
            self._keep(_without_the_customer(answer.contact))
        return answer.contact

    def before(self, contact: Contact, history: Iterable[Action]) -> tuple[Contact, ...] | Failure:
        """Those that it came from, newest first, by the router's own moves and by Connect's ids; as far back as Connect
        knows them."""
        moved_from = {
            action.new_contact_id: action.contact_id
            for action in history
            if action.moved and action.new_contact_id not in (None, action.contact_id)
        }
        found: list[Contact] = []
        at, seen = contact, {contact.id}
        while len(found) < CHAIN_TRANSFERS:
            previous = moved_from.get(at.id) or at.previous_id or at.initial_id
            if previous is None or previous in seen:
                break
            answer = self.read(previous)
            if isinstance(answer, Missing):
                break
            if not isinstance(answer, Contact):
                return answer
            found.append(answer)
            seen.add(previous)
            at = answer
        return tuple(found)

    def _keep(self, contact: Contact) -> None:
        if len(self._ended) >= KEPT:
            self._ended.clear()
        self._ended[contact.id] = contact


def why(failure: object) -> str:
    """For people; empty where Connect was not asked."""
    if failure is None:
        return ""
    code = "AccessDeniedException" if isinstance(failure, Denied) else type(failure).__name__
    return f" ({getattr(failure, 'code', code)})"


def _without_the_customer(contact: Contact) -> Contact:
    """What may be needed of it again: times and places."""
    told = contact.details or Details()
    details = Details(
        paused_at=told.paused_at,
        resumed_at=told.resumed_at,
        paused_for=told.paused_for,
        pauses=told.pauses,
        accepted_at=told.accepted_at,
    )
    return replace(contact, name=None, segment_attributes={}, tags={}, details=details)
