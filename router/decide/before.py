"""What was before the case as the ledger knows it, by Connect's own records of the contacts it came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from router.model import Contact, ContactId, QueueId

TOGETHER = timedelta(minutes=1)
"""A transfer ends one contact and begins the next, at instants of Connect's own; how far apart is not documented."""


def queues_before(case_id: ContactId, contact: Contact, past: Iterable[Contact]) -> frozenset[QueueId]:
    """The queues in which the case may have waited before the contact that the ledger knows it from: back to where an
    agent had it, or something else than a transfer ended a contact.

    Connect does not tell who made a transfer. One by a flow counts as the router's: rather held than sent round in a
    circle. ``past`` is what ``contact`` came from, newest first.
    """
    return frozenset(one.queue_id for one in _same_wait(case_id, contact, past) if one.queue_id is not None)


def _same_wait(case_id: ContactId, contact: Contact, past: Iterable[Contact]) -> Iterator[Contact]:
    after, known = contact, contact.id != case_id
    for one in past:
        if known:  # the router's own moves, as the ledger has them
            known = one.id != case_id
        elif _went_on(one, after):
            yield one
        else:
            return
        after = one


def _went_on(before: Contact, after: Contact) -> bool:
    ended, began = before.disconnected_at, after.initiated_at
    if ended is None or began is None or before.with_agent or before.channel is not after.channel:
        return False
    return abs(began - ended) <= TOGETHER
