"""The state of the simulated instance, shared by the parts that change it."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from router.sandbox.agenda import Agenda
from router.sandbox.behaviours import Behaviours
from router.sandbox.contact_log import ContactLog
from router.sandbox.contacts import Contact
from router.sandbox.identity import Identity
from router.sandbox.register import Register


@dataclass(slots=True, kw_only=True)
class State:
    identity: Identity
    behaviours: Behaviours
    random: random.Random
    agenda: Agenda
    contacts: ContactLog
    register: Register

    @property
    def now(self) -> datetime:
        return self.agenda.now

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def contact(self, contact_id: str) -> Contact:
        """``KeyError`` where there is none."""
        contact = self.contacts.get(contact_id)
        if contact is None:
            raise KeyError(contact_id)
        return contact

    def change(self, contact: Contact, /, **changes: Any) -> Contact:
        """Records the contact as changed now."""
        return self.contacts.put(replace(contact, updated_at=self.now, **changes), self.now)
