"""When chains began: read from their first contacts, once each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from router.connect.answers import Failure, Missing, Rejected
from router.decide.look import CHAIN_TRANSFERS, Look, NeedOrigin
from router.model import Contact, ContactId
from router.rules.condition import Unread
from router.service.in_vain import InVain
from router.service.segments import Segments, why

KEPT = 20_000
"""More chains than wait at once in an instance of Connect's by default; bounds the memory."""
READ_PER_LOOK = 120
"""DescribeContact allows 10 calls a second (Amazon Connect service quotas): this many take some 15 s of a usual share
of it. The others are held as ``unreadable`` and come first next time."""


@dataclass(kw_only=True)
class Origins:
    """``read`` answers for every need, with the instant or with why it could not be read."""

    segments: Segments
    _began: dict[ContactId, datetime] = field(default_factory=dict)
    _in_vain: InVain = field(default_factory=InVain)

    def read(self, look: Look, needs: Iterable[NeedOrigin]) -> Mapping[ContactId, datetime | Unread]:
        """Where Connect does not answer for one chain it is not asked for the others in this look: each might take as
        long again. A first contact that Connect does not know any more leaves the earliest that it does know."""
        wanted = {need.contact_id: need for need in needs}
        if not wanted:
            return {}
        contacts = {contact.id: contact for contact in look.contacts}
        self._forget_others(contacts.values())
        found: dict[ContactId, datetime | Unread] = {}
        calls, silent = 0, False
        for need in (wanted[contact_id] for contact_id in self._in_vain.last(wanted)):
            known, answer = self._began.get(need.first_id), None
            if known is None and not silent and calls < READ_PER_LOOK:
                calls += 1
                answer = self._first(need, contacts.get(need.contact_id))
                self._in_vain.note(need.contact_id, failed=answer is not None and not isinstance(answer, Contact))
                if isinstance(answer, Contact):
                    known = self._note(need, answer, look.now)
                silent = answer is not None and not isinstance(answer, Contact | Rejected)
            told = None if isinstance(answer, Contact) else answer
            found[need.contact_id] = known or Unread(f"when its chain began could not be read{why(told)}")
        return found

    def _note(self, need: NeedOrigin, first: Contact, now: datetime) -> datetime | None:
        """Kept for good, save while it may still be scheduled for another time."""
        if first.began_at is not None and first.began_at <= now:
            self._began[need.first_id] = first.began_at
        return first.began_at

    def _first(self, need: NeedOrigin, contact: Contact | None) -> Contact | Failure | None:
        """The first contact of the chain, from the one that the ids name on: that it is the first is not promised."""
        found, at, seen = contact, need.first_id, {need.contact_id}
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
