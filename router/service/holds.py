"""Tells why contacts are held: one line when a contact's reason changes, not one each cycle."""

from __future__ import annotations

from collections.abc import Iterator

from router.decide.decide import Decided
from router.decide.decision import ByRule, Hold
from router.model import ContactId, Directory, HoldReason
from router.service import tell
from router.service.performing import Came, Result

Held = tuple[ContactId, str | None]
"""A contact, and the rule that would have acted on it."""


class HoldsTold:
    """Remembers what was last told of each contact and rule."""

    def __init__(self) -> None:
        self._told: dict[Held, HoldReason] = {}

    def tell(
        self, decided: Decided, results: list[Result], directory: Directory, *, cycle: int, whole: bool
    ) -> None:
        """``whole``: every waiting contact was looked at, so that what is not seen any more can be forgotten."""
        current: dict[Held, HoldReason] = {}
        for decision, reason, detail in _holds(decided, results):
            held = (decision.contact.id, decision.rule)
            if reason is not current.get(held, self._told.get(held)):
                tell.held(decision, reason, directory, cycle=cycle, detail=detail)
            current[held] = reason
        looked_at = decided.accounts.keys()
        kept = {} if whole else {held: reason for held, reason in self._told.items() if held[0] not in looked_at}
        self._told = {**kept, **current}


def _holds(decided: Decided, results: list[Result]) -> Iterator[tuple[ByRule | Hold, HoldReason, str]]:
    """What was held on deciding, and what was found on reading again."""
    for decision in decided.decisions:
        if isinstance(decision, Hold):
            yield decision, decision.reason, decision.detail
    for result in results:
        if result.came is Came.HELD and result.reason is not None:
            yield result.decision, result.reason, ""
