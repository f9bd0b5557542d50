"""Decides what a journal may hold of customers: nothing, or the values that the rules mention; ids, or their hashes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from router.model import Action, Contact, ContactId, Details, Pause, Pauses, WaitKey
from router.rules.bound import BoundRule
from router.rules.condition import tests_of
from router.rules.rule import Rule

ABOUT_CUSTOMERS = ("name", "segment_attributes", "tags", "attributes", "to_address", "from_address")
"""The match keys, or groups of them, whose values can be a customer's."""
SUBTYPE = "connect:Subtype"
"""The segment attribute that is the kind of a contact, and never a customer's."""
KEY = "hash.key"


def keys_about_customers(rule: Rule) -> frozenset[str]:
    """Returns the match keys that a rule mentions and whose values can be a customer's."""
    named = {test.key for test in tests_of(rule.condition)}
    agents = {f"attributes.{entry.agent_from}" for step in rule.steps for entry in step.entries if entry.agent_from}
    return frozenset(key for key in named | agents if key.partition(".")[0] in ABOUT_CUSTOMERS)


def key_of(folder: Path) -> bytes:
    """Returns the key of a journal's hashes, and makes it if there is none. Raises OSError."""
    path = folder / KEY
    try:
        return path.read_bytes()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(handle, "wb") as file:
            file.write(os.urandom(32))
        return path.read_bytes()


@dataclass
class Disclosure:
    """Removes from values what the journal may not hold.

    ``hashes`` is the folder with the key by which contact ids are hashed; ``None`` leaves them plain. ``mentioned`` are
    the keys about customers whose values may be written.
    """

    attributes: bool = False
    hashes: Path | None = None
    mentioned: frozenset[str] = frozenset()
    _key: bytes | None = None

    def prepare(self) -> None:
        """Reads the key of the hashes. Raises OSError."""
        if self.hashes is not None and self._key is None:
            self._key = key_of(self.hashes)

    def take_up(self, rules: Iterable[BoundRule]) -> frozenset[str]:
        """Takes up the rules in force; returns the keys about customers whose values are recorded from now on."""
        mentioned = frozenset(key for rule in rules for key in keys_about_customers(rule.rule))
        self.mentioned = mentioned if self.attributes else frozenset()
        return self.mentioned

    def id(self, contact_id: ContactId) -> ContactId:
        return contact_id if self._key is None else _hashed(contact_id, self._key)

    def maybe_id(self, contact_id: ContactId | None) -> ContactId | None:
        return None if contact_id is None else self.id(contact_id)

    def contact(self, contact: Contact) -> Contact:
        kept = self._kept("segment_attributes", contact.segment_attributes)
        if SUBTYPE in contact.segment_attributes:
            kept[SUBTYPE] = contact.segment_attributes[SUBTYPE]
        return replace(
            contact,
            id=self.id(contact.id),
            initial_id=self.maybe_id(contact.initial_id),
            previous_id=self.maybe_id(contact.previous_id),
            related_id=self.maybe_id(contact.related_id),
            name=contact.name if "name" in self.mentioned else None,
            segment_attributes=kept,
            tags=self._kept("tags", contact.tags),
            details=None if contact.details is None else self.details(contact.details),
        )

    def details(self, details: Details) -> Details:
        return replace(
            details,
            attributes=self._kept("attributes", details.attributes),
            to_address=details.to_address if "to_address" in self.mentioned else None,
            from_address=details.from_address if "from_address" in self.mentioned else None,
        )

    def action(self, action: Action) -> Action:
        """Returns the action without what only the ledger needs: token, request id and Connect's own words."""
        return replace(
            action,
            wait=WaitKey(self.id(action.wait.wait_id), action.wait.began_at),
            chain_id=self.id(action.chain_id),
            contact_id=self.id(action.contact_id),
            new_contact_id=self.maybe_id(action.new_contact_id),
            token=None,
            request_id=None,
            error=None,
            send_by=None,
            attempts=0,
        )

    def pauses(self, pauses: Pauses) -> Pauses:
        """Returns the pauses without the people who set them, and their words."""
        return Pauses(tuple(self._pause(one) for one in pauses.all))

    def _pause(self, pause: Pause) -> Pause:
        subject = self.id(ContactId(pause.subject)) if pause.kind.value == "contact" else pause.subject
        name = subject if pause.kind.value == "contact" else pause.name
        return replace(pause, subject=subject, name=name, comment="", who="")

    def _kept(self, group: str, values: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in values.items() if f"{group}.{name}" in self.mentioned}


@lru_cache(maxsize=100_000)
def _hashed(contact_id: ContactId, key: bytes) -> ContactId:
    return ContactId(hashlib.blake2b(contact_id.encode(), key=key, digest_size=12).hexdigest())
