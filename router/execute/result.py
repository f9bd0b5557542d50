"""Names how an attempt ends, and the results of performing a decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from router.connect.answers import (
    Failure,
    Full,
    Throttled,
    TransferAnswer,
    Transferred,
    Unknown,
    UpdateAnswer,
    Updated,
)
from router.cycle_context import CycleContext
from router.decide.decision import RuleDecision
from router.model import Action, HoldReason

STALE = "StaleReading"
"""The code of a reading that is too old to act on."""


class Outcome(Enum):
    """Names the result of performing a decision."""

    DONE = "done"
    HELD = "held"
    REFUSED = "refused"
    """Connect refused this destination; the next one may be tried."""
    UNSETTLED = "unsettled"
    """A call was sent and its outcome is not known. A later cycle settles it by reading."""
    NOT_SENT = "not_sent"
    """The quota or the end of the cycle came first. The contact is decided on again."""
    INTERRUPTED = "interrupted"
    """Something more urgent was due before this began. The contact is decided on again at once."""
    LEARNT = "learnt"
    """Reading the contact showed pauses that were not known. It is decided on again with them."""
    NO_PLACE = "no_place"
    """All landing slots of the flow are taken. The move is tried again as soon as a contact has landed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Holds what came of one decision; ``reason`` is set for ``HELD`` only."""

    decision: RuleDecision
    outcome: Outcome
    reason: HoldReason | None = None
    detail: str = ""
    action: Action | None = None

    @property
    def unread(self) -> bool:
        """Returns whether the contact may have been left because it could not be read; the next poll tries again."""
        return self.outcome is Outcome.NOT_SENT or self.reason is HoldReason.UNREADABLE


class Performer(Protocol):
    """Carries decisions out, or only reports them."""

    def perform(self, decision: RuleDecision, context: CycleContext) -> Result: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """Holds how an attempt ended: with Connect's ``answer``, or before the call.

    Before the call it ends with a ``hold`` found on reading, with a reading that failed (``unread``), or without a
    token of the quota (all three are ``None``).
    """

    answer: TransferAnswer | UpdateAnswer | None = None
    hold: HoldReason | None = None
    unread: Failure | None = None
    repeatable: bool = True
    """Whether a call whose outcome is not known may be repeated at once: a transfer may, because it carries a token."""

    @property
    def again(self) -> bool:
        """Decides whether to attempt again. A reading that failed is not repeated here, because the reader has
        repeated it."""
        lost = isinstance(self.answer, Unknown) and self.repeatable
        stale = self.unread is not None and self.unread.code == STALE
        return lost or stale or isinstance(self.answer, Throttled)

    @property
    def failure(self) -> Failure | Full | None:
        """Returns why no call was accepted, if Connect or the network is the reason."""
        return self.unread if isinstance(self.answer, Transferred | Updated | None) else self.answer
