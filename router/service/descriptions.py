"""Reads what deciding asks for of what only DescribeContact tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from router.connect.answers import Denied, DescribeAnswer, Missing, Reading, Rejected
from router.decide.look import Look
from router.model import ContactId, Details
from router.rules.condition import Unread
from router.service.details import KnownDetails
from router.service.in_vain import InVain
from router.service.segments import Describer

DETAILS_PER_LOOK = 60
"""DescribeContact allows 10 calls a second (Amazon Connect service quotas), and every move needs one as well. Twice as
many as may be moved in a cycle are read in any case; the others are held as ``unreadable`` and come first next time."""
KEPT = 20_000
"""More than wait at once in an instance of Connect's by default; bounds the memory."""


@dataclass(frozen=True, slots=True)
class Descriptions:
    reader: Describer
    known: KnownDetails
    _in_vain: InVain = field(default_factory=InVain)

    def read(self, look: Look, asked: Iterable[ContactId]) -> Mapping[ContactId, Details | Unread]:
        """By contact, for each that was asked for, which are the most overdue first. Where Connect does not answer at
        all for one the others are not asked for in this look: each might take as long again."""
        wanted = {one.id: one for one in look.contacts}
        contacts = [wanted[contact_id] for contact_id in self._in_vain.last(asked)]
        if len(self.known) > KEPT:
            self.known.forget_all_but(wanted.keys())
        failed: dict[ContactId, Unread] = {}
        left_out = "more contacts wait to be described than one look allows"
        for contact in self.known.in_need(contacts, look.now)[: max(DETAILS_PER_LOOK, 2 * look.limits.per_cycle)]:
            answer = self.reader.describe(contact.id)
            self._in_vain.note(contact.id, failed=not isinstance(answer, Reading))
            if isinstance(answer, Reading):
                self.known.remember(answer.contact, look.now)
                continue
            failed[contact.id] = Unread(_why(answer))
            if not isinstance(answer, Missing | Rejected | Denied):
                left_out = "DescribeContact did not answer for another contact"
                break
        return {one.id: self.known.of(one, look.now) or failed.get(one.id, Unread(left_out)) for one in contacts}


def _why(answer: DescribeAnswer) -> str:
    """Not what Connect said word for word: that may repeat what it was about."""
    code = getattr(answer, "code", type(answer).__name__)
    return f"DescribeContact could not tell ({code})"
