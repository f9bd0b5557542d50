"""Contacts that waiting ones came from: read by id, and kept once they have ended, for then they change no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from router.connect.answers import Denied, Failure, Missing, Reading, Rejected
from router.decide.snapshot import CHAIN_TRANSFERS, NEVER_PAUSED, Snapshot
from router.lookup.budget import FailedReads
from router.lookup.details import DetailsCache
from router.model import Action, Contact, ContactId, Details, Need
from router.ports import Describer
from router.rules.condition import Unread

KEPT = 20_000
"""More than the contacts that wait at once in an instance of Connect's by default came from; bounds the memory."""


@dataclass(kw_only=True)
class Segments:
    reader: Describer
    _ended: dict[ContactId, Contact] = field(default_factory=dict)

    def read(self, contact_id: ContactId) -> Contact | Missing | Failure:
        known = self._ended.get(contact_id)
        if known is not None:
            return known
        answer = self.reader.describe(contact_id)
        if not isinstance(answer, Reading):
            return answer
        if answer.contact.disconnected_at is not None:
            self._keep(_without_the_customer(answer.contact))
        return answer.contact

    def before(self, contact: Contact, history: Iterable[Action]) -> tuple[Contact, ...] | Failure:
        """Those that it came from, newest first, by the router's own moves and by Connect's ids; as far back as Connect
        knows them."""
        moved_from = {
            action.new_contact_id: action.contact_id
            for action in history
            if action.moved and action.new_contact_id not in (None, action.contact_id)
        }
        found: list[Contact] = []
        at, seen = contact, {contact.id}
        while len(found) < CHAIN_TRANSFERS:
            previous = moved_from.get(at.id) or at.previous_id or at.initial_id
            if previous is None or previous in seen:
                break
            answer = self.read(previous)
            if isinstance(answer, Missing):
                break
            if not isinstance(answer, Contact):
                return answer
            found.append(answer)
            seen.add(previous)
            at = answer
        return tuple(found)

    def _keep(self, contact: Contact) -> None:
        if len(self._ended) >= KEPT:
            self._ended.clear()
        self._ended[contact.id] = contact


def why(failure: object) -> str:
    """For people; empty where Connect was not asked."""
    if failure is None:
        return ""
    code = "AccessDeniedException" if isinstance(failure, Denied) else type(failure).__name__
    return f" ({getattr(failure, 'code', code)})"


def _without_the_customer(contact: Contact) -> Contact:
    """What may be needed of it again: times and places."""
    told = contact.details or Details()
    details = Details(
        paused_at=told.paused_at,
        resumed_at=told.resumed_at,
        paused_for=told.paused_for,
        pauses=told.pauses,
        accepted_at=told.accepted_at,
    )
    return replace(contact, name=None, segment_attributes={}, tags={}, details=details)


# When chains began: read from their first contacts, once each.

KEPT = 20_000
"""More chains than wait at once in an instance of Connect's by default; bounds the memory."""
READ_PER_LOOK = 120
"""DescribeContact allows 10 calls a second (Amazon Connect service quotas): this many take some 15 s of a usual share
of it. The others are held as ``unreadable`` and come first next time."""


@dataclass(kw_only=True)
class ChainOrigins:
    """``read`` answers for every need, with the instant or with why it could not be read."""

    segments: Segments
    _began: dict[ContactId, datetime] = field(default_factory=dict)
    _in_vain: FailedReads = field(default_factory=FailedReads)

    def read(self, look: Snapshot, needs: Iterable[Need]) -> Mapping[ContactId, datetime | Unread]:
        """Where Connect does not answer for one chain it is not asked for the others in this look: each might take as
        long again. A first contact that Connect does not know any more leaves the earliest that it does know."""
        wanted = {ContactId(need.id): need for need in needs}
        if not wanted:
            return {}
        contacts = {contact.id: contact for contact in look.contacts}
        self._forget_others(contacts.values())
        found: dict[ContactId, datetime | Unread] = {}
        calls, silent = 0, False
        for contact_id in self._in_vain.last(wanted):
            first_id = wanted[contact_id].first_id or contact_id
            known, answer = self._began.get(first_id), None
            if known is None and not silent and calls < READ_PER_LOOK:
                calls += 1
                answer = self._first(first_id, contacts.get(contact_id))
                self._in_vain.note(contact_id, failed=answer is not None and not isinstance(answer, Contact))
                if isinstance(answer, Contact):
                    known = self._note(first_id, answer, look.now)
                silent = answer is not None and not isinstance(answer, Contact | Rejected)
            told = None if isinstance(answer, Contact) else answer
            found[contact_id] = known or Unread(f"when its chain began could not be read{why(told)}")
        return found

    def _note(self, first_id: ContactId, first: Contact, now: datetime) -> datetime | None:
        """Kept for good, save while it may still be scheduled for another time."""
        if first.began_at is not None and first.began_at <= now:
            self._began[first_id] = first.began_at
        return first.began_at

    def _first(self, first_id: ContactId, contact: Contact | None) -> Contact | Failure | None:
        """The first contact of the chain, from the one that the ids name on: that it is the first is not promised."""
        found, at, seen = contact, first_id, {contact.id} if contact is not None else set()
        for _ in range(CHAIN_TRANSFERS + 1):
            answer = self.segments.read(at)
            if isinstance(answer, Missing):
                break
            if not isinstance(answer, Contact):
                return answer
            found = answer
            seen.add(at)
            before = next((one for one in (found.initial_id, found.previous_id) if one and one not in seen), None)
            if before is None:
                break
            at = before
        return found

    def _forget_others(self, contacts: Iterable[Contact]) -> None:
        if len(self._began) > KEPT:
            seen = {contact.chain_id for contact in contacts}
            self._began = {one: at for one, at in self._began.items() if one in seen}


# What deciding asks about a contact's pauses and about the contacts it came from.

LEAST_PER_LOOK = 60
"""DescribeContact allows 10 calls a second (Amazon Connect service quotas), and every move needs one as well. Twice as
many as may be moved in a cycle are read in any case; the others are held as ``unreadable`` and come first next time."""
PASTS_PER_LOOK = 30
"""Up to 11 calls each, and only once: what has ended does not change any more."""


@dataclass(frozen=True, slots=True)
class EarlierContacts:
    """Where Connect does not answer for one contact it is not asked for the others in this look: each might take as
    long again."""

    segments: Segments
    known: DetailsCache
    assume_unpaused: bool = False
    """A task that was not read yet counts as never paused: it is read before anything is done to it, and what was
    decided without knowing of a pause is not done. So nobody waits for a reading that every move makes anyway."""
    _in_vain: FailedReads = field(default_factory=FailedReads)

    def pauses(self, look: Snapshot, needs: Iterable[Need]) -> Mapping[ContactId, Details | Unread]:
        """The most overdue are read first. A contact that is not there any more has no pauses, nor has one that IAM
        lets nobody read: either is found out, and told, before anything is done to it."""
        contacts = {contact.id: contact for contact in look.contacts}
        if len(self.known) > KEPT:
            self.known.forget_all_but(contacts.keys())
        found: dict[ContactId, Details | Unread] = {}
        left, answer = max(LEAST_PER_LOOK, 2 * look.limits.per_cycle), None
        for contact_id in self._in_vain.last(ContactId(need.id) for need in needs):
            details: Details | Failure | None = self.known.of(contacts[contact_id], look.now)
            if details is None and self.assume_unpaused:
                details = NEVER_PAUSED
            if details is None and left > 0:
                answer = details = self._describe(contact_id, look)
                self._in_vain.note(contact_id, failed=not isinstance(answer, Details))
                left = left - 1 if isinstance(answer, Details | Rejected) else 0
            denied = isinstance(answer, Denied)
            unread = Details() if denied else Unread(f"whether it was paused could not be read{why(details)}")
            found[contact_id] = details if isinstance(details, Details) else unread
        return found

    def _describe(self, contact_id: ContactId, look: Snapshot) -> Details | Failure:
        answer = self.segments.reader.describe(contact_id)
        if isinstance(answer, Missing):
            return Details()
        if not isinstance(answer, Reading):
            return answer
        self.known.remember(answer.contact, look.now)
        return answer.contact.details or Details()

    def read(self, contact: Contact, now: datetime) -> Details | None:
        """Reads one contact; ``None`` where Connect does not answer, and would not for others. Of one that it refuses,
        or has no more, nothing is known, and nothing remembered."""
        answer = self.segments.reader.describe(contact.id)
        if isinstance(answer, Missing | Rejected):
            return Details()
        if not isinstance(answer, Reading):
            return None
        self.known.remember(answer.contact, now)
        return answer.contact.details or Details()

    def pasts(self, look: Snapshot, needs: Iterable[Need]) -> Mapping[ContactId, tuple[Contact, ...] | Unread]:
        contacts = {contact.id: contact for contact in look.contacts}
        found: dict[ContactId, tuple[Contact, ...] | Unread] = {}
        left = PASTS_PER_LOOK
        for contact_id in self._in_vain.last(ContactId(need.id) for need in needs):
            past: tuple[Contact, ...] | Failure | None = None
            if left > 0:
                past = self.segments.before(contacts[contact_id], look.moves.histories.get(contact_id, ()))
                self._in_vain.note(contact_id, failed=not isinstance(past, tuple))
                left = left - 1 if isinstance(past, tuple | Rejected) else 0
            unread = Unread(f"the contacts that it came from could not be read{why(past)}")
            found[contact_id] = past if isinstance(past, tuple) else unread
        return found
