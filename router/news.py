"""Moves that come to nothing cycle after cycle, for the same reason: told once."""

from __future__ import annotations

from threading import Lock

from router.model import ContactId

KEPT = 20_000
"""More than wait at once in an instance of Connect's by default; bounds the memory."""


class NotSentNews:
    """Thread-safe."""

    def __init__(self) -> None:
        self._told: dict[ContactId, str] = {}
        self._lock = Lock()

    def is_news(self, contact_id: ContactId, code: str) -> bool:
        """Whether this is another reason than the last; then it is remembered."""
        with self._lock:
            if self._told.get(contact_id) == code:
                return False
            if len(self._told) >= KEPT:
                self._told.clear()
            self._told[contact_id] = code
            return True

    def forget(self, contact_id: ContactId) -> None:
        """It has come further: Connect has taken a call of it, or has refused one."""
        with self._lock:
            self._told.pop(contact_id, None)
