"""Computes what to request of UpdateContactRoutingData, and reads what a contact shows of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from threading import Lock

from router.model import DEFAULT_PRIORITY, Contact, ContactId, Details, RoutingData
from router.rules.rule import Routing

ZERO = timedelta()
NEVER_AGAIN = datetime.max.replace(tzinfo=UTC)


class Shown(Enum):
    """Names what a contact shows of an update that may have been made."""

    OLD = "old"
    NEW = "new"
    OTHER = "other"
    """Neither: somebody else has changed it since."""


def routing_of(details: Details | None) -> RoutingData:
    """Returns priority and age of a contact. A missing priority is the default, a missing age is zero."""
    priority = details.priority if details is not None else None
    age = details.queue_time_adjustment if details is not None else None
    return RoutingData(priority=DEFAULT_PRIORITY if priority is None else priority, age=age or ZERO)


def update_for(wanted: Routing, has: RoutingData, *, adds: bool) -> RoutingData | None:
    """Returns the update of a ``routing`` step; ``None`` if it would not better the contact's place.

    Connect may take an age as setting the adjustment or as adding to it. It may also take either of priority and age as
    resetting the other (API_UpdateContactRoutingData documents neither). Therefore a contact with a better priority
    than the default is given no age, which might cost it the priority.
    """
    priority = DEFAULT_PRIORITY if has.priority is None else has.priority
    if wanted.priority is not None:
        return RoutingData(priority=wanted.priority) if wanted.priority < priority else None
    assert wanted.age is not None, "a routing step has a priority or an age"
    if priority < DEFAULT_PRIORITY or wanted.age <= ZERO:
        return None
    return _age(has, wanted.age, adds=adds)


def place_to_give(
    before: RoutingData, waited_before: timedelta, has: RoutingData, *, adds: bool, given: timedelta = ZERO
) -> RoutingData | None:
    """Returns what a contact that has landed in a queue lacks of the place it had; ``None`` if it lacks nothing, or if
    the flow has set its priority or age.

    ``waited_before`` is how long the wait had waited when it landed. ``given`` is the part of it that an earlier move
    of the wait gave back, which the age that the contact had includes already.
    """
    if has.priority not in (DEFAULT_PRIORITY, before.priority):
        return None
    age, had = has.age or ZERO, before.age or ZERO
    if age not in (ZERO, had):
        return None
    if before.priority not in (None, DEFAULT_PRIORITY):
        return RoutingData(priority=before.priority) if has.priority != before.priority else None
    lacks = waited_before - given_in(had, given) + had - age
    return _age(has, lacks, adds=adds) if lacks >= timedelta(seconds=1) else None


def given_in(had: timedelta, given: timedelta) -> timedelta:
    """Returns the part of an age that was given back earlier: nothing if Connect had not applied that yet, or the
    move lost it. Ages are whole seconds."""
    return given if had > given - timedelta(seconds=1) else ZERO


def shown(update: RoutingData, before: RoutingData, has: RoutingData) -> Shown:
    """Returns which of the two values a contact shows; ``before`` is what it had when the update was decided on."""
    if update.priority is not None:
        if has.priority == update.priority:
            return Shown.NEW
        return Shown.OLD if has.priority == before.priority else Shown.OTHER
    assert update.age is not None, "an update has a priority or an age"
    age, had = has.age or ZERO, before.age or ZERO
    if age == had:
        return Shown.OLD
    return Shown.NEW if age in (update.age, had + update.age) else Shown.OTHER


def _age(has: RoutingData, more: timedelta, *, adds: bool) -> RoutingData:
    """Returns an update in whole seconds, as the API takes them."""
    asked = more if adds else (has.age or ZERO) + more
    return RoutingData(age=timedelta(seconds=int(asked.total_seconds())))


@dataclass(frozen=True, slots=True)
class _Sent:
    age: timedelta
    had: timedelta
    at: datetime


@dataclass
class AgeMeaning:
    """Learns whether Connect adds a new age to the one that a contact has, or replaces it.

    The first contact that had an age shows it. Until then replacing is assumed: a contact then appears too old rather
    than put back.
    """

    adds: bool = False
    known: bool = False
    _sent: dict[ContactId, _Sent] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def sent(self, contact_id: ContactId, update: RoutingData, had: RoutingData, *, now: datetime) -> None:
        with self._lock:
            if update.age is not None and had.age and not self.known:
                self._sent[contact_id] = _Sent(update.age, had.age, now)

    def seen(self, contact: Contact) -> None:
        with self._lock:
            sent = self._sent.get(contact.id)
            if sent is None or contact.details is None:
                return
            shows = contact.details.queue_time_adjustment
            if shows in (sent.age, sent.age + sent.had):
                self.adds, self.known = shows == sent.age + sent.had, True
                self._sent.clear()

    def to_read(self, *, sent_before: datetime) -> ContactId | None:
        """Returns a contact that would show it, of those that were sent an age before then; each is returned once."""
        with self._lock:
            told = next((one for one, sent in self._sent.items() if sent.at <= sent_before), None)
            if told is not None:
                self._sent[told] = replace(self._sent[told], at=NEVER_AGAIN)
            return told
