"""Finds where a contact is now: any id of a chain leads to the chain's last contact."""

from __future__ import annotations

from dataclasses import dataclass

from router.connect.answers import Failure, Missing, Reading
from router.model import Contact, ContactId
from router.ports import Reader, Records

MOST_SEGMENTS = 20
"""More than a chain of Connect's has (12); ends a walk round ids that lead in a circle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Holds a contact as DescribeContact has just returned it.

    ``None`` means that Connect does not know the id. ``failure`` is why the chain could not be followed to its end, and
    ``contact`` is the last one before that, if any. ``ids`` are those of the chain that were found on the way, the
    given one first.
    """

    contact: Contact | None = None
    failure: Failure | None = None
    ids: tuple[ContactId, ...] = ()

    def recorded_id(self, ledger: Records) -> ContactId | None:
        """Returns the first of the ids by which the ledger knows the chain; ``None`` if it does not know it."""
        return next((one for one in self.ids if ledger.history(contact_id=one, limit=1)), None)


def locate(contact_id: ContactId, *, reader: Reader, ledger: Records) -> Located:
    """Follows the chain forward from ``contact_id``: by Connect's ids, and by the router's own moves, which those may
    not show."""
    found: Contact | None = None
    ids, moved_to = [contact_id], _moved_to(contact_id, ledger)
    at: ContactId | None = contact_id
    for _ in range(MOST_SEGMENTS):
        if at is None:
            break
        reading = reader.describe(at)
        if isinstance(reading, Missing):
            at = moved_to.get(at) if found is None else None
            continue
        if not isinstance(reading, Reading):
            return Located(contact=found, failure=reading, ids=tuple(ids))
        found = reading.contact
        for one in found.ids:
            if one not in ids:
                ids.append(one)
                moved_to |= _moved_to(one, ledger)
        if found.disconnected_at is None:
            break
        following = moved_to.get(found.id) or _successor(found, reader)
        if not isinstance(following, str | None):
            return Located(contact=found, failure=following, ids=tuple(ids))
        at = following
    return Located(contact=found, ids=tuple(ids))


def _moved_to(contact_id: ContactId, ledger: Records) -> dict[ContactId, ContactId]:
    return {
        action.contact_id: action.new_contact_id
        for action in ledger.history(contact_id=contact_id)
        if action.moved and action.new_contact_id not in (None, action.contact_id)
    }


def _successor(contact: Contact, reader: Reader) -> ContactId | Failure | None:
    chain = reader.chain(contact.id)
    if not isinstance(chain, tuple):
        return chain
    return next((one.id for one in chain if one.previous_id == contact.id), None)
