"""Applies settlements: reports to the breakers, writes the ledger, frees the landing slot and hands moves on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from router import events
from router.connect.answers import Transferred, Unknown, Updated
from router.execute.result import AttemptResult, Outcome
from router.execute.routing_update import AgeMeaning
from router.execute.settlement import Settlement, settle
from router.ledger.errors import LedgerUnavailable
from router.model import Action, ActionKind, ActionState, Landing, RoutingData
from router.ports import Clock, Ledger
from router.safety.safety import Safety

Moved = Callable[[Action, float | None], object]
"""Is called with each move that took effect and the age of the reading before its call, in seconds; ``None``: an
earlier process made the call."""


@dataclass(frozen=True, kw_only=True)
class Settler:
    """Applies the settlements of attempts; thread-safe. The performers and recovery share it."""

    ledger: Ledger
    safety: Safety
    ages: AgeMeaning
    clock: Clock
    moved: Moved

    def apply(
        self,
        action: Action,
        attempt: AttemptResult,
        *,
        uncertain: bool,
        chain_full: bool = False,
        read_age: float | None = None,
        had: RoutingData | None = None,
    ) -> tuple[Action, Settlement]:
        """Settles an intent by how its attempt ended. Returns the action as it is now, and the settlement.

        ``had`` is what the contact had right before an update, ``None`` if the action has that as ``before``.

        Raises ``LedgerUnavailable`` and ``NotOpen`` if the settlement could not be written, except after Connect
        accepted a transfer: then the ids that only the answer has are logged, and the intent stays open.
        """
        settlement = settle(action.kind, attempt, uncertain=uncertain, chain_full=chain_full)
        answer = attempt.answer
        self.safety.breakers.apply(settlement.breaker, action, attempt.failure)
        if isinstance(answer, Transferred):
            action = replace(action, new_contact_id=answer.contact_id, request_id=answer.request_id)
        elif isinstance(answer, Updated):
            action = replace(action, request_id=answer.request_id)
        if action.kind.is_routing and isinstance(answer, Updated | Unknown):
            self._remember_age(action, had or action.before)
        if settlement.state is ActionState.INTENDED:
            return self._kept_open(action, settlement), settlement
        try:
            closed = self.close(action, settlement.state, error=settlement.error, read_age=read_age)
        except LedgerUnavailable as problem:
            if not isinstance(answer, Transferred):
                raise
            accepted = {"new_contact_id": answer.contact_id, "request_id": answer.request_id}
            events.log_ledger_failed(problem, **events.action_fields(action), **accepted)
            return action, Settlement(state=ActionState.INTENDED, outcome=Outcome.UNSETTLED)
        return closed, settlement

    def close(
        self, action: Action, state: ActionState, *, error: str | None = None, read_age: float | None = None
    ) -> Action:
        """Closes an intent and returns the action as written. A move is followed from here on; a transfer without
        effect gives its landing slot back. Raises ``LedgerUnavailable`` and ``NotOpen``."""
        transfer = action.kind is ActionKind.TRANSFER
        acted = state is ActionState.ACTED
        landing = Landing.PENDING if transfer and acted else None
        closed = replace(action, state=state, settled_at=self.clock.now(), error=error, landing=landing)
        self.ledger.settle(closed)
        if transfer and acted:
            self.moved(closed, read_age)
        elif transfer:
            self.free(closed)
        return closed

    def free(self, action: Action) -> None:
        """Gives back the landing slot of a transfer."""
        assert action.target is not None, "a transfer's intent has a target"
        self.safety.slots.free(action.target.flow_id, action.contact_id)

    def _kept_open(self, action: Action, settlement: Settlement) -> Action:
        """Makes a follow-up whose call was not sent due again."""
        if settlement.outcome is not Outcome.NOT_SENT or action.send_by is None:
            return action
        due = replace(action, send_by=None)
        self.ledger.renew(due)
        return due

    def _remember_age(self, action: Action, had: RoutingData | None) -> None:
        assert action.routing is not None and had is not None, "an update's intent has both"
        self.ages.sent(action.acts_on, action.routing, had, now=self.clock.now())
