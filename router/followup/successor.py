"""Finds the contact that a move has led to, whichever way Connect shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.connect.answers import Missing, Reading
from router.model import Action, Contact, ContactId, Directory, Landing, Standing
from router.ports import Reader

TOGETHER = timedelta(seconds=5)
"""A transfer ends one segment and begins the next; both instants are Connect's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingOutcome:
    """Holds what was read of a move.

    ``contact`` is the contact that continues, ``None`` while it is not known. ``old`` is the segment that was moved, if
    it was read, and ``left`` whether it has left its place. ``readable`` is ``False`` if Connect did not answer: then
    nothing follows from what is missing.
    """

    contact: Contact | None = None
    old: Contact | None = None
    left: bool = False
    readable: bool = True


def outcome_of(action: Action, reader: Reader, *, old_too: bool, overdue: bool) -> LandingOutcome:
    """Reads the contact that continues, and with ``old_too`` the one that was moved. ``overdue``: there has been
    time enough for everything to show."""
    known = None if action.new_contact_id == action.contact_id else action.new_contact_id
    seen = _of_old(action, reader, overdue=overdue) if old_too or known is None else LandingOutcome(left=True)
    if known is not None:
        return _by_id(known, action, seen, reader)
    if seen.contact is not None or not seen.left:
        return seen
    return _by_chain(action, seen, reader, overdue=overdue)


def taken(action: Action, old: Contact) -> bool:
    """Returns whether the move took the contact from an agent who had accepted it after it was read.

    The segment that the move ended then shows an agent. A contact whose call has no known effect was ended by the
    agent.
    """
    ended_by_the_move = old.disconnected_at is not None and _shows_its_wait(action, old)
    return _took_effect(action) and ended_by_the_move and old.with_agent


def _took_effect(action: Action) -> bool:
    """Returns whether Connect accepted the move, or the segment that it made has been found."""
    return action.new_contact_id is not None


def _shows_its_wait(action: Action, old: Contact) -> bool:
    return old.queue_id is None or old.is_in_place(action.queue_id, action.enqueued_at)


def _of_old(action: Action, reader: Reader, *, overdue: bool) -> LandingOutcome:
    """Reads the segment that was moved. If transfers make no new one, it is also the contact that continues."""
    reading = reader.describe(action.contact_id)
    if isinstance(reading, Missing):
        return LandingOutcome(left=True)
    if not isinstance(reading, Reading):
        return LandingOutcome(readable=False)
    old = reading.contact
    if old.disconnected_at is not None:
        return LandingOutcome(old=old, left=True, contact=None if _shows_its_wait(action, old) else old)
    if not old.is_in_place(action.queue_id, action.enqueued_at):
        return LandingOutcome(old=old, left=True, contact=old)
    kept_by_agent = old.with_agent and (overdue or not _took_effect(action))
    return LandingOutcome(old=old, contact=old if kept_by_agent else None)


def _by_id(known: ContactId, action: Action, seen: LandingOutcome, reader: Reader) -> LandingOutcome:
    reading = reader.describe(known)
    if isinstance(reading, Reading):
        return replace(seen, contact=reading.contact, readable=True)
    if isinstance(reading, Missing):
        return _by_chain(action, seen, reader, overdue=False)
    return replace(seen, contact=None, readable=False)


def _by_chain(action: Action, seen: LandingOutcome, reader: Reader, *, overdue: bool) -> LandingOutcome:
    """Reads the segment after the moved one. If there is none, and the move is not known to have taken effect, the
    contact has ended in another way."""
    chain = reader.chain(action.contact_id)
    if not isinstance(chain, tuple):
        return replace(seen, contact=None, readable=False)
    after = _successor(action, seen.old, chain)
    if after is None:
        ended = seen.old if overdue and not _took_effect(action) else None
        return replace(seen, contact=ended, readable=True)
    reading = reader.describe(after)
    if isinstance(reading, Reading):
        return replace(seen, contact=reading.contact, readable=True)
    return replace(seen, contact=None, readable=isinstance(reading, Missing))


def _successor(action: Action, old: Contact | None, chain: Sequence[Contact]) -> ContactId | None:
    """Finds the next segment by PreviousContactId.

    Tasks linked to the contact carry that id too, and no documentation promises it after a TransferContact. Of the
    contacts that carry it, the one that began when the old segment ended is taken, else one that carries none.
    """
    others = [one for one in chain if one.id != action.contact_id]
    linked = [one for one in others if one.previous_id == action.contact_id]
    ended_at = old.disconnected_at if old is not None else None
    if ended_at is None:
        return linked[0].id if linked else None
    began = [(abs(one.initiated_at - ended_at), one) for one in others if one.initiated_at is not None]
    near = sorted((item for item in began if item[0] <= TOGETHER), key=lambda item: item[0])
    of_those = [one for _, one in near if one.previous_id == action.contact_id]
    unlinked = [one for _, one in near if one.previous_id is None]
    return next((one.id for one in (*of_those, *linked, *unlinked)), None)


def unanswered(
    moves: Iterable[Action], reader: Reader, directory: Directory, now: datetime
) -> Iterator[tuple[Action, Contact | None]]:
    """Yields the followed moves, each with its contact if it was sent to an agent and is read there.

    Leaves out contacts that were sent to an agent and that a reading shows as answered, ended or in another queue. What
    cannot be read still counts.
    """
    for move in moves:
        if move.target is None or move.target.agent_id is None:
            yield move, None
            continue
        contact = outcome_of(move, reader, old_too=False, overdue=False).contact
        landing = landing_of(move, contact, directory, now) if contact is not None else None
        if landing is None or landing.followed:
            yield move, contact


def landing_of(action: Action, contact: Contact, directory: Directory, now: datetime) -> Landing | None:
    """Returns where the move has led; ``None`` while the flow is at work. A stray may still reach its queue."""
    standing = contact.standing(now)
    if standing is Standing.DISCONNECTED:
        return Landing.ENDED
    if standing is Standing.WITH_AGENT:
        return Landing.ANSWERED
    if standing is not Standing.WAITING:
        return None
    assert action.target is not None
    if action.target.queue_id is not None:
        return Landing.QUEUED if contact.queue_id == action.target.queue_id else Landing.DIVERTED
    queue = directory.queue(contact.queue_id) if contact.queue_id else None
    at_agent = queue is None or queue.agent_id is not None
    return Landing.AT_AGENT if at_agent else Landing.DIVERTED
