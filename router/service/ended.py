"""Waits that a reading has shown to be over, though the search's index still shows them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from router.model import Contact, ContactId, HoldReason
from router.service.performing import Came, Result

OVER = frozenset({HoldReason.DISCONNECTED, HoldReason.PICKED_UP, HoldReason.LEFT_QUEUE})
"""What a wait never comes back from: a contact queued again is queued at another instant, and so another wait.
What is not found by its id, though the search has it, may be found in the next moment."""
KEPT = timedelta(hours=1)
"""How long the index is given to catch up; an hour is far more than was ever reported, and then it is read again."""


class EndedWaits:
    """Without this a stale row would cost a reading in every cycle until the index catches up."""

    def __init__(self) -> None:
        self._seen: dict[tuple[ContactId, datetime | None], datetime] = {}

    def remember(self, results: Iterable[Result], now: datetime) -> None:
        """Takes note of the contacts that were found, on reading again, to wait no more."""
        self._seen = {wait: at for wait, at in self._seen.items() if now - at < KEPT}
        for result in results:
            if result.came is Came.HELD and result.reason in OVER:
                contact = result.decision.contact
                self._seen[contact.id, contact.enqueued_at] = now

    def __contains__(self, contact: Contact) -> bool:
        return (contact.id, contact.enqueued_at) in self._seen
