"""Contacts about which Connect was asked in vain: the others come first, so that one bad contact never stops them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from router.model import ContactId

KEPT = 20_000
"""More than wait at once in an instance of Connect's by default; bounds the memory."""


@dataclass(slots=True)
class FailedReads:
    """In the order of the last time, the longest ago first."""

    _asked: dict[ContactId, None] = field(default_factory=dict)

    def note(self, contact_id: ContactId, *, failed: bool) -> None:
        self._asked.pop(contact_id, None)
        if failed:
            self._asked[contact_id] = None
            if len(self._asked) > KEPT:
                del self._asked[next(iter(self._asked))]

    def last(self, contacts: Iterable[ContactId]) -> list[ContactId]:
        """The same contacts, in their order, those that were asked about in vain behind the others."""
        wanted = list(dict.fromkeys(contacts))
        bad = set(wanted) & self._asked.keys()
        return [*(one for one in wanted if one not in bad), *(one for one in self._asked if one in bad)]
