"""Tells why contacts are held: one line when a contact's reason changes, not one each cycle."""

from __future__ import annotations

from collections.abc import Iterator

from router.decide.decide import Decided
from router.decide.decision import ByRule, Hold
from router.model import ContactId, HoldReason
from router.service import tell
from router.service.performing import Came, CycleContext, Result

Held = tuple[ContactId, str | None]
"""A contact, and the rule that would have acted on it."""
KEPT = 1000
"""Cycles for which what was told is remembered of a contact that is not seen any more: while no search can be read to
its end, being gone is no evidence, and a service that runs for months must not remember every contact there was."""


class HoldsTold:
    """Remembers what was last told of each contact and rule."""

    def __init__(self) -> None:
        self._told: dict[Held, tuple[HoldReason, int]] = {}

    def __len__(self) -> int:
        return len(self._told)

    def tell(self, decided: Decided, results: list[Result], context: CycleContext, *, whole: bool) -> None:
        """``whole``: every waiting contact was looked at, so that what is not seen any more can be forgotten."""
        current: dict[Held, tuple[HoldReason, int]] = {}
        for decision, reason, detail in _holds(decided, results):
            held = (decision.contact.id, decision.rule)
            before, _ = current.get(held) or self._told.get(held) or (None, 0)
            if reason is not before:
                tell.held(decision, reason, context, detail=detail)
            current[held] = (reason, context.cycle)
        kept = {} if whole else self._of_others(decided, context)
        self._told = {**kept, **current}

    def _of_others(self, decided: Decided, context: CycleContext) -> dict[Held, tuple[HoldReason, int]]:
        return {
            held: (reason, cycle)
            for held, (reason, cycle) in self._told.items()
            if held[0] not in decided.accounts and context.cycle - cycle < KEPT
        }


def _holds(decided: Decided, results: list[Result]) -> Iterator[tuple[ByRule | Hold, HoldReason, str]]:
    """What was held on deciding, and what was found on reading again."""
    for decision in decided.decisions:
        if isinstance(decision, Hold):
            yield decision, decision.reason, decision.detail
    for result in results:
        if result.came is Came.HELD and result.reason is not None:
            yield result.decision, result.reason, result.detail
