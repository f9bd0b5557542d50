"""Chains: segments that follow one another, twelve at the most."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from router.sandbox.contacts import CHAIN_LIMIT, SandboxContact
from router.sandbox.instance import SandboxQueue
from router.sandbox.state import State


def has_room(state: State, contact: SandboxContact) -> bool:
    """For one contact more."""
    return length_of_chain(state, contact) < CHAIN_LIMIT


def length_of_chain(state: State, contact: SandboxContact) -> int:
    """Contacts in the chain; transfers that made none count as one each."""
    return max(each.position for each in state.contacts.chain(contact.root))


def transferred_reason(contact: SandboxContact) -> str:
    """TRANSFERRED is documented for e-mail only (admin guide, "ctr-data-model")."""
    return "TRANSFERRED" if contact.channel == "EMAIL" else "OTHER"


def successor(state: State, contact: SandboxContact, *, initiation_method: str) -> SandboxContact:
    """A new segment that follows ``contact`` in its chain; in no queue yet."""
    behaviours = state.behaviours
    place: dict[str, Any] = (
        {"priority": contact.priority, "adjustment": contact.adjustment}
        if behaviours.new_segment_priority == "kept"
        else {}
    )
    after = SandboxContact(
        id=state.new_id(),
        channel=contact.channel,
        root=contact.root,
        position=length_of_chain(state, contact) + 1,
        initiated_at=state.now,
        updated_at=state.now,
        initiation_method=initiation_method,
        initial_id=contact.root if behaviours.new_segment_initial_id == "kept" else None,
        previous_id=contact.id if behaviours.new_segment_previous_id == "kept" else None,
        related_id=contact.related_id,
        name=contact.name,
        description=contact.description,
        connected_to_system_at=state.now,
        attributes=contact.attributes if behaviours.new_segment_attributes == "kept" else {},
        tags=contact.tags if behaviours.new_segment_tags == "kept" else {},
        segment_attributes=contact.segment_attributes,
        from_address=contact.from_address,
        to_address=contact.to_address,
        task_template=contact.task_template,
        expires_at=contact.expires_at,
        **place,
    )
    return state.contacts.put(after, state.now)


def past_transfer(state: State, contact: SandboxContact, queue: SandboxQueue, at: datetime) -> SandboxContact:
    """A contact of the past that was transferred at that time: the segment after it."""
    behaviours = state.behaviours
    state.contacts.put(
        replace(
            contact,
            queue_id=queue.id,
            enqueued_at=contact.initiated_at,
            disconnected_at=at,
            disconnect_reason=transferred_reason(contact),
            updated_at=at,
        ),
        at,
    )
    return state.contacts.put(
        replace(
            contact,
            id=state.new_id(),
            position=contact.position + 1,
            initial_id=contact.root if behaviours.new_segment_initial_id == "kept" else None,
            previous_id=contact.id if behaviours.new_segment_previous_id == "kept" else None,
            initiated_at=at,
            connected_to_system_at=at,
            initiation_method=behaviours.transfer_initiation_method,
            updated_at=at,
        ),
        at,
    )
