"""Plans which of a cycle's moves can be undone, and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.decide.snapshot import CHAIN_TRANSFERS
from router.lookup.locate import locate
from router.model import Action, Contact, ContactId, Directory, FlowId, QueueId, Standing, transfers_behind
from router.ports import Reader, Records

_TOLD = {
    Standing.DISCONNECTED: "it has ended",
    Standing.WITH_AGENT: "an agent has it",
    Standing.PAUSED: "it is paused",
    Standing.SCHEDULED: "it is scheduled for later",
    Standing.NOT_QUEUED: "it is in no queue",
    Standing.NOT_MOVABLE: "its channel cannot be transferred",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Describes how a move can be undone.

    ``contact_id`` is the contact as it is now, and ``queue_id`` its queue, ``None`` if that is not known. ``flow_id``
    is the flow that moved it, if that moves to queues. ``hindrance`` is why the contact cannot be moved back now;
    ``None``: it can. ``transfers_left`` is what is left of Connect's 11 transfers; ``None``: they were not counted.
    """

    action: Action
    contact_id: ContactId
    to_queue_id: QueueId
    flow_id: FlowId | None
    queue_id: QueueId | None = None
    transfers_left: int | None = None
    hindrance: str | None = None

    @property
    def possible(self) -> bool:
        return self.hindrance is None


def undo_of(action: Action, *, reader: Reader, ledger: Records, directory: Directory, now: datetime) -> Undo:
    """Returns how a move that took effect can be undone."""
    moved_to = action.new_contact_id or action.contact_id
    target = action.target
    flow_id = target.flow_id if target is not None and target.queue_id is not None else None
    located = locate(moved_to, reader=reader, ledger=ledger)
    contact = located.contact
    if contact is None:
        failed = located.failure
        gone = "Connect does not know it any more"
        why: str | None = gone if failed is None else f"it could not be read ({failed.code})"
        left = None
    else:
        why, left = _hindrance(action, contact, reader, directory, now)
    return Undo(
        action=action,
        contact_id=contact.id if contact is not None else moved_to,
        to_queue_id=action.queue_id,
        flow_id=flow_id,
        queue_id=contact.queue_id if contact is not None else None,
        transfers_left=left,
        hindrance=why,
    )


def _hindrance(
    action: Action, contact: Contact, reader: Reader, directory: Directory, now: datetime
) -> tuple[str | None, int | None]:
    standing = contact.standing(now)
    if standing is not Standing.WAITING:
        return _TOLD[standing], None
    target = action.target
    if target is None or target.queue_id is None:
        return "it waits for an agent: its flow moves to agents, and another is needed to move to a queue", None
    landed = action.landed_queue_id or target.queue_id
    if contact.queue_id != landed:
        return f"it is not where it landed any more, but in {directory.queue_name(contact.queue_id)}", None
    chain = reader.chain(contact.id)
    if not isinstance(chain, tuple):
        return "how often it was transferred could not be read", None
    left = max(CHAIN_TRANSFERS - transfers_behind(contact.id, chain), 0)
    return (None if left else "its chain has no transfers left"), left
