"""What performing a decision needs to know of its cycle, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from router.cycle_context import CycleContext
from router.decide.decision import RuleDecision
from router.model import Action, HoldReason


class Outcome(Enum):
    """What came of a decision."""

    DONE = "done"
    HELD = "held"
    REFUSED = "refused"
    """Connect refused this destination; the next one may be tried."""
    UNSETTLED = "unsettled"
    """Sent, and the outcome is not known: settled by reading, in a later cycle."""
    NOT_SENT = "not_sent"
    """The quota or the end of the cycle came first: decided anew."""
    INTERRUPTED = "interrupted"
    """There was something more to decide on before it was begun: decided anew at once."""
    LEARNT = "learnt"
    """Reading it again told of pauses that nobody had read before: decided anew, with them."""
    NO_PLACE = "no_place"
    """As many contacts of its flow are under way as may be: tried again as soon as one has landed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    decision: RuleDecision
    outcome: Outcome
    reason: HoldReason | None = None
    detail: str = ""
    action: Action | None = None


class Performer(Protocol):
    """Carries decisions out, or only tells of them."""

    def perform(self, decision: RuleDecision, context: CycleContext) -> Result: ...
