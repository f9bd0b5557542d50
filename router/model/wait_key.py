"""Names one wait, and decides whether two records are of the same one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from router.model.ids import ContactId

SAME_INSTANT = timedelta(seconds=1)
"""How far apart two records of one instant may be: contact records have whole seconds, the API milliseconds."""


def same_instant(one: datetime | None, other: datetime | None) -> bool:
    """Returns whether two instants of Connect's are records of one; an unknown one is the same as none."""
    return one is not None and other is not None and abs(one - other) <= SAME_INSTANT


@dataclass(frozen=True, slots=True)
class WaitKey:
    """Names one wait of one contact. A segment that is queued again (by a flow, on resuming) begins another wait.
    The instant therefore belongs to the key, although people see ``wait_id`` alone.

    A wait is recorded under the first key that was read for it. Keys of the ledger are therefore equal or not, also as
    keys of a mapping; ``is_same`` compares a key that was recorded with one that was read from Connect.
    """

    wait_id: ContactId
    began_at: datetime

    def is_same(self, other: WaitKey) -> bool:
        """Returns whether both name the same wait: of the same contact, since the same instant, within a second."""
        return self.wait_id == other.wait_id and same_instant(self.began_at, other.began_at)
