"""Holds the state of the simulated instance, shared by the parts that change it."""

from __future__ import annotations

import heapq
import itertools
import random
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.sandbox.behaviours import Behaviours
from router.sandbox.contact_log import ContactLog
from router.sandbox.contacts import SandboxContact
from router.sandbox.directory import Identity, Register
from router.sandbox.instance import User


class Agenda:
    """Runs what is due, never before its time, nor out of order.

    ``now`` only moves forward, in whole milliseconds, because Connect's timestamps have no finer unit.
    """

    def __init__(self, start: datetime) -> None:
        self.now = milliseconds(start)
        self._due: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._advancing = False

    def at(self, instant: datetime, act: Callable[[], object]) -> None:
        """Schedules ``act`` for ``instant``. If that has passed already, it runs at the next advance."""
        heapq.heappush(self._due, (instant, next(self._order), act))

    def advance(self, until: datetime) -> None:
        """Runs everything due until then, each at its own instant, which ``now`` shows meanwhile.

        Does nothing if something that it runs calls it."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._due and self._due[0][0] <= until:
                instant, _, act = heapq.heappop(self._due)
                self.now = max(self.now, milliseconds(instant))
                act()
        finally:
            self._advancing = False
        self.now = max(self.now, milliseconds(until))


def milliseconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


@dataclass(slots=True, kw_only=True)
class State:
    """Holds all of it. ``last_search`` is the last search of contacts with its result, which its pages share."""

    identity: Identity
    behaviours: Behaviours
    random: random.Random
    agenda: Agenda
    contacts: ContactLog
    register: Register
    last_search: tuple[Hashable, tuple[SandboxContact, ...]] = (None, ())

    @property
    def now(self) -> datetime:
        return self.agenda.now

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def contact(self, contact_id: str) -> SandboxContact:
        """Returns the contact as it is now. Raises ``KeyError`` if there is none."""
        contact = self.contacts.get(contact_id)
        if contact is None:
            raise KeyError(contact_id)
        return contact

    def holder(self, contact: SandboxContact) -> User | None:
        """Returns the agent who has the contact now."""
        return self.register.users[contact.agent_id] if contact.with_agent and contact.agent_id else None

    def change(self, contact: SandboxContact, /, **changes: Any) -> SandboxContact:
        """Records a change of the contact as of now."""
        return self.contacts.put(contact.changed(updated_at=self.now, **changes), self.now)
