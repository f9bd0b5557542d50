"""What deciding asks about a contact's pauses and about the contacts it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from router.connect.answers import Denied, Failure, Missing, Reading, Rejected
from router.decide.look import NEVER_PAUSED, Look, NeedPast, NeedPauses
from router.model import Contact, ContactId, Details
from router.rules.condition import Unread
from router.service.details import KnownDetails
from router.service.in_vain import InVain
from router.service.segments import KEPT, Segments, why

LEAST_PER_LOOK = 60
"""DescribeContact allows 10 calls a second (Amazon Connect service quotas), and every move needs one as well. Twice as
many as may be moved in a cycle are read in any case; the others are held as ``unreadable`` and come first next time."""
PASTS_PER_LOOK = 30
"""Up to 11 calls each, and only once: what has ended does not change any more."""


@dataclass(frozen=True, slots=True)
class Pasts:
    """Where Connect does not answer for one contact it is not asked for the others in this look: each might take as
    long again."""

    segments: Segments
    known: KnownDetails
    assume_unpaused: bool = False
    """A task that was not read yet counts as never paused: it is read before anything is done to it, and what was
    decided without knowing of a pause is not done. So nobody waits for a reading that every move makes anyway."""
    _in_vain: InVain = field(default_factory=InVain)

    def pauses(self, look: Look, needs: Iterable[NeedPauses]) -> Mapping[ContactId, Details | Unread]:
        """The most overdue are read first. A contact that is not there any more has no pauses, nor has one that IAM
        lets nobody read: either is found out, and told, before anything is done to it."""
        contacts = {contact.id: contact for contact in look.contacts}
        if len(self.known) > KEPT:
            self.known.forget_all_but(contacts.keys())
        found: dict[ContactId, Details | Unread] = {}
        left, answer = max(LEAST_PER_LOOK, 2 * look.limits.per_cycle), None
        for contact_id in self._in_vain.last(need.contact_id for need in needs):
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

    def _describe(self, contact_id: ContactId, look: Look) -> Details | Failure:
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

    def pasts(self, look: Look, needs: Iterable[NeedPast]) -> Mapping[ContactId, tuple[Contact, ...] | Unread]:
        contacts = {contact.id: contact for contact in look.contacts}
        found: dict[ContactId, tuple[Contact, ...] | Unread] = {}
        left = PASTS_PER_LOOK
        for contact_id in self._in_vain.last(need.contact_id for need in needs):
            past: tuple[Contact, ...] | Failure | None = None
            if left > 0:
                past = self.segments.before(contacts[contact_id], look.histories.get(contact_id, ()))
                self._in_vain.note(contact_id, failed=not isinstance(past, tuple))
                left = left - 1 if isinstance(past, tuple | Rejected) else 0
            unread = Unread(f"the contacts that it came from could not be read{why(past)}")
            found[contact_id] = past if isinstance(past, tuple) else unread
        return found
