"""Which contacts this process is acting on now: one at a time for each, whoever it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from router.model import ContactId


class InProgress:
    """Shared by the workers and by recovery. Thread-safe."""

    def __init__(self) -> None:
        self._contacts: set[ContactId] = set()
        self._lock = Lock()

    @property
    def contacts(self) -> frozenset[ContactId]:
        with self._lock:
            return frozenset(self._contacts)

    @contextmanager
    def claim(self, contact_id: ContactId) -> Iterator[bool]:
        """Whether the contact is the caller's until the block ends; ``False`` where somebody else has it."""
        with self._lock:
            mine = contact_id not in self._contacts
            self._contacts.add(contact_id)
        try:
            yield mine
        finally:
            if mine:
                with self._lock:
                    self._contacts.discard(contact_id)
