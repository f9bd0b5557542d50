"""Makes the segments of chains: contacts that follow one another, twelve at the most."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from router.sandbox.contacts import (
    CHAIN_LIMIT,
    DEFAULT_PRIORITY,
    ChainPosition,
    ContactLife,
    SandboxContact,
)
from router.sandbox.instance import SandboxQueue
from router.sandbox.state import State


def has_room(state: State, contact: SandboxContact) -> bool:
    """Returns whether the chain may have one contact more."""
    return length_of_chain(state, contact) < CHAIN_LIMIT


def length_of_chain(state: State, contact: SandboxContact) -> int:
    """Counts the contacts of the chain. A transfer that made no contact counts as one."""
    return max(each.chain.position for each in state.contacts.chain(contact.chain.root))


def transferred_reason(contact: SandboxContact) -> str:
    """Returns the DisconnectReason after a transfer. TRANSFERRED is documented for e-mail only (admin guide,
    "ctr-data-model")."""
    return "TRANSFERRED" if contact.channel == "EMAIL" else "OTHER"


def add_successor(state: State, contact: SandboxContact, *, initiation_method: str) -> SandboxContact:
    """Records a new segment that follows ``contact`` in its chain, in no queue yet."""
    behaviours, content = state.behaviours, contact.content
    keeps_place = behaviours.new_segment_priority == "kept"
    segment = SandboxContact(
        id=state.new_id(),
        channel=contact.channel,
        chain=_following(state, contact, position=length_of_chain(state, contact) + 1),
        content=replace(
            content,
            attributes=content.attributes if behaviours.new_segment_attributes == "kept" else {},
            tags=content.tags if behaviours.new_segment_tags == "kept" else {},
        ),
        life=ContactLife(
            initiated_at=state.now,
            initiation_method=initiation_method,
            connected_to_system_at=state.now,
            updated_at=state.now,
            expires_at=_expiry(state, contact),
        ),
        priority=contact.priority if keeps_place else DEFAULT_PRIORITY,
        adjustment=contact.adjustment if keeps_place else timedelta(0),
    )
    return state.contacts.put(segment, state.now)


def _expiry(state: State, contact: SandboxContact) -> datetime | None:
    """Returns when the successor of the contact expires."""
    expires_at = contact.life.expires_at
    if expires_at is None or state.behaviours.new_segment_expiry == "kept":
        return expires_at
    return state.now + (expires_at - contact.life.initiated_at)


def add_past_transfer(state: State, contact: SandboxContact, queue: SandboxQueue, at: datetime) -> SandboxContact:
    """Records that ``contact`` was transferred at that time in the past. Returns the segment after it."""
    ended = contact.changed(
        queue_id=queue.id,
        enqueued_at=contact.life.initiated_at,
        disconnected_at=at,
        disconnect_reason=transferred_reason(contact),
        updated_at=at,
    )
    state.contacts.put(ended, at)
    segment = contact.changed(
        id=state.new_id(),
        chain=_following(state, contact, position=contact.chain.position + 1),
        initiated_at=at,
        connected_to_system_at=at,
        initiation_method=state.behaviours.transfer_initiation_method,
        updated_at=at,
    )
    return state.contacts.put(segment, at)


def _following(state: State, contact: SandboxContact, *, position: int) -> ChainPosition:
    behaviours, chain = state.behaviours, contact.chain
    return ChainPosition(
        root=chain.root,
        position=position,
        initial_id=chain.root if behaviours.new_segment_initial_id == "kept" else None,
        previous_id=contact.id if behaviours.new_segment_previous_id == "kept" else None,
        related_id=chain.related_id,
    )
