"""Counts the transfers that a chain has behind a contact, from the contacts that Connect lists of it."""

from __future__ import annotations

from router.model import Contact, ContactId


def transfers_behind(contact_id: ContactId, chain: tuple[Contact, ...]) -> int:
    """The transfers a segment has behind it: its predecessors, walked by ``PreviousContactId``.

    A tree of linked tasks is wider than a chain, so the walk comes first. Where it ends before the chain's first
    contact (a link is missing from the answer, or a segment names its first contact and none before it: which ids a
    transfer hands on is not documented), every other contact initiated before counts: rather too many than a twelfth
    transfer.
    """
    by_id = {contact.id: contact for contact in chain}
    contact = by_id.get(contact_id)
    if contact is None:
        return len(chain)
    seen, at = {contact_id}, contact
    while at.previous_id in by_id and at.previous_id not in seen:
        at = by_id[at.previous_id]
        seen.add(at.id)
    behind = len(seen) - 1
    is_first = at.previous_id is None and at.initial_id in (None, at.id)
    return behind if is_first else max(behind + 1, _initiated_before(contact, chain))

def _initiated_before(contact: Contact, chain: tuple[Contact, ...]) -> int:
    began = contact.initiated_at
    return sum(
        1
        for one in chain
        if one.id != contact.id and (began is None or one.initiated_at is None or one.initiated_at <= began)
    )
