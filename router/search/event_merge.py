"""Merges contact events, which may be lost, doubled, late, out of order or forged, into what is to be done about each.

An event is a hint. The merged state of a contact never decides a move, because each move rests on a reading.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from enum import Enum
from typing import Generic, TypeVar

from router.model import ContactEvent, ContactId, IgnoredReason, Phase

CONTACTS = 100_000
"""Contacts whose last event is remembered: twice as many as one instance was ever planned to hold waiting."""
ENVELOPES = 20_000
"""Envelopes that are remembered. A later repetition is outdated by its time in most cases, or costs one reading.
"""

BEFORE_ALL = datetime.min.replace(tzinfo=UTC), Phase.CHANGED
"""The state of a contact of which only a pause is known: it is read when an event shows it in a queue."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Effect(Enum):
    """Names what an event is a reason for: to add a contact to the waiting list, to remove it, or to read it."""

    ADD = "add"
    REMOVE = "remove"
    READ = "read"


class LatestEntries(OrderedDict[Key, Value], Generic[Key, Value]):
    """A mapping that forgets its oldest entries above a number of entries."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)


class EventMerge:
    """Remembers the last event of each contact, by its time and then by ``queued < with an agent < gone``.

    Its memory is bounded. One thread uses it.
    """

    def __init__(self, *, contacts: int = CONTACTS, envelopes: int = ENVELOPES) -> None:
        self._last: LatestEntries[ContactId, tuple[datetime, Phase]] = LatestEntries(contacts)
        self._envelopes: LatestEntries[str, None] = LatestEntries(envelopes)

    def __len__(self) -> int:
        return len(self._last)

    def merge(self, event: ContactEvent) -> Effect | IgnoredReason:
        """Returns what is to be done because of the event, or why it changes nothing.

        The first event that shows a contact in a queue adds it. A later one that shows it in a queue since another
        instant contradicts the first. The contact is read then, because a wrong instant would hide a late contact.
        """
        if event.event_id in self._envelopes:
            return IgnoredReason.DUPLICATE
        self._envelopes[event.event_id] = None
        contact_id, state = event.contact.id, (event.at, event.phase)
        last = self._last.get(contact_id)
        if event.phase is Phase.CHANGED:
            self._last[contact_id] = last or BEFORE_ALL
            return Effect.READ
        if last is not None and state <= last:
            return IgnoredReason.OUTDATED
        self._last[contact_id] = state
        if event.phase is not Phase.QUEUED:
            return Effect.REMOVE
        return Effect.ADD if last is None and event.contact.enqueued_at is not None else Effect.READ
