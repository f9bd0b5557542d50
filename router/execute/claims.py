"""Holds which contacts this process acts on now, so that no two of its threads act on one contact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock

from router.model import ContactId


class InProgress:
    """Holds the contacts that this process acts on now. Thread-safe; the workers and recovery share it.

    A contact has one move at a time, and one routing update. A move does not wait for an update: it supersedes it.
    """

    def __init__(self) -> None:
        self._moves: set[ContactId] = set()
        self._updates: set[ContactId] = set()
        self._lock = Lock()

    @property
    def contacts(self) -> frozenset[ContactId]:
        """Returns the contacts that are being moved."""
        with self._lock:
            return frozenset(self._moves)

    def is_moving(self, contact_id: ContactId) -> bool:
        """Returns whether a move has superseded an update of the contact, so that the update makes no further call."""
        with self._lock:
            return contact_id in self._moves

    def claim(self, contact_id: ContactId) -> AbstractContextManager[bool]:
        """Claims the contact for a move until the block ends; yields ``False`` if another move has it."""
        return self._claim(contact_id, self._moves, (self._moves,))

    def claim_update(self, contact_id: ContactId) -> AbstractContextManager[bool]:
        """Claims the contact for a routing update until the block ends; yields ``False`` if a move or another update
        has it."""
        return self._claim(contact_id, self._updates, (self._moves, self._updates))

    @contextmanager
    def _claim(
        self, contact_id: ContactId, claimed: set[ContactId], excluded_by: tuple[set[ContactId], ...]
    ) -> Iterator[bool]:
        with self._lock:
            mine = not any(contact_id in others for others in excluded_by)
            if mine:
                claimed.add(contact_id)
        try:
            yield mine
        finally:
            if mine:
                with self._lock:
                    claimed.discard(contact_id)
