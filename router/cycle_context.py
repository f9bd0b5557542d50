"""Holds what performing a decision must know of its cycle: rules, names, the next poll."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from router.model import Directory
from router.ports import Grant
from router.rules.bound import BoundRuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleContext:
    """Holds the rules and names in force. ``terms`` is their number: what was decided under earlier terms is decided
    again.

    ``until`` (monotonic seconds) is the next poll: what is not sent by then is decided on again; ``None``: no end.
    ``grant`` is a token of TransferContact's quota that this piece of work may use. ``interrupted`` returns whether
    work that has not begun is to be decided on again.
    """

    cycle: int
    rules: BoundRuleSet
    directory: Directory
    terms: int = 0
    until: float | None = None
    grant: Grant | None = None
    interrupted: Callable[[], bool] = lambda: False

    @property
    def revision(self) -> str:
        return self.rules.revision
