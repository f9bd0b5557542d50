"""What one cycle has come to so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from router.decide.decide import Account, Decided
from router.model import Contact, ContactId
from router.service.performing import Came, CycleContext, Result

_PASSING = frozenset({Came.HELD, Came.NOT_SENT, Came.NO_PLACE, Came.LEARNT, Came.INTERRUPTED})
"""What a later round of the same cycle may make something else of."""


@dataclass(kw_only=True)
class Tally:
    """``accounts`` are the latest of each contact that was decided on, ``calls`` those made before it began."""

    context: CycleContext
    began: float
    calls: Counter[str]
    accounts: dict[ContactId, Account] = field(default_factory=dict)
    _lasting: list[Result] = field(default_factory=list)
    _passing: dict[ContactId, list[Result]] = field(default_factory=dict)

    @property
    def results(self) -> list[Result]:
        return [*self._lasting, *(result for results in self._passing.values() for result in results)]

    def decided(self, decided: Decided) -> None:
        """What was held or left of these contacts in an earlier round counts no more."""
        self.accounts.update(decided.accounts)
        for contact_id in decided.accounts:
            self._passing.pop(contact_id, None)

    def done(self, results: list[Result]) -> None:
        for result in results:
            if result.came in _PASSING:
                self._passing.setdefault(result.decision.contact.id, []).append(result)
            else:
                self._lasting.append(result)

    def refusals(self, contact: Contact) -> int:
        return sum(one.came is Came.REFUSED and one.decision.contact.id == contact.id for one in self._lasting)
