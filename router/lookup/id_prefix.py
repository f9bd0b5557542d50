"""Completes the first characters of a contact id, as tables print them, to the id."""

from __future__ import annotations

from collections.abc import Iterable

from router.ledger.sqlite import SqliteLedger
from router.ledger.statements import IDS_BEGINNING
from router.model import ContactId

WHOLE = 36
"""Characters of a contact id: those of a UUID."""
NAMED = 5
"""Candidates that an error names."""


class AmbiguousId(ValueError):
    """Reports that several contact ids begin with the given characters; the text names some of them."""


def is_whole(contact_id: ContactId) -> bool:
    """Returns whether an id has as many characters as the ids of Connect, so that nothing completes it."""
    return len(contact_id) >= WHOLE


def whole_id(begun: ContactId, ledger: SqliteLedger, known: Iterable[str] = ()) -> ContactId:
    """Returns the one id that begins with ``begun``, among those of the ledger and the ``known`` ones.

    Returns ``begun`` itself if it is whole, or if no id begins with it. Raises ``AmbiguousId``.
    """
    if is_whole(begun):
        return begun
    values: dict[str, str | int | None] = {"begun": begun, "end": f"{begun}\U0010ffff", "limit": NAMED + 1}
    recorded = {ContactId(row["contact_id"]) for row in ledger.rows(IDS_BEGINNING, values)}
    found = recorded | {ContactId(one) for one in known if one.startswith(begun)}
    if not found or begun in found:
        return begun
    if len(found) > 1:
        named = ", ".join(sorted(found)[:NAMED])
        more = ", …" if len(found) > NAMED else ""
        raise AmbiguousId(f"several contact ids begin with '{begun}': {named}{more}")
    return found.pop()
