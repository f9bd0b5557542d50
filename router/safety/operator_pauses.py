"""The pauses in force, asked before every call: one that is set counts from then on, for what is under way too."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from router import events
from router.decide.decision import RuleDecision, Transfer
from router.ledger.operator_records import OperatorRecords
from router.model import Action, HoldReason, Pause, PauseKind, Pauses
from router.ports import Clock

ITS_TIME = "expiry"
"""Who clears a pause whose time is over."""


class OperatorPauses:
    """Thread-safe. The ledger is written first, and raises ``LedgerUnavailable``: a pause that would not survive a
    restart is none."""

    def __init__(self, records: OperatorRecords, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._lock = Lock()
        self._pauses = Pauses(records.pauses())

    def reread(self) -> None:
        """What another router has set or lifted meanwhile."""
        with self._lock:
            self._pauses = Pauses(self._records.pauses())

    @property
    def now(self) -> Pauses:
        return self._pauses.at(self._clock.now())

    def set(self, pause: Pause) -> None:
        with self._lock:
            self._records.set_pause(pause)
            self._pauses = Pauses((*self._without(pause.kind, pause.subject), pause))
        events.pause_set(pause)

    def clear(self, kind: PauseKind, subject: str, *, who: str) -> Pause | None:
        """The one that was lifted; ``None`` where there was none."""
        return next(iter(self._clear(lambda one: (one.kind, one.subject) == (kind, subject), who)), None)

    def expire(self) -> None:
        """Lifts what is over."""
        now = self._clock.now()
        if any(one.until <= now for one in self._pauses.all):
            self._clear(lambda one: one.until <= now, ITS_TIME)

    def holding(self, action: Action) -> HoldReason | None:
        """Why an intended call may not be made now."""
        now = self.now
        if not now.all:
            return None
        ids = (action.contact_id, action.chain_id, action.wait.wait_id)
        paused = now.concerning(rule=action.rule, queue_id=action.queue_id, contact_ids=ids)
        return HoldReason.OPERATOR_PAUSE if paused or now.destination(action.target) else None

    def of_move(self, action: Action) -> bool:
        """Whether a contact that was moved may not be touched now, where it has landed."""
        now = self.now
        ids = [one for one in (action.contact_id, action.chain_id, action.new_contact_id) if one is not None]
        return now.concerning(rule=action.rule, queue_id=action.landed_queue_id, contact_ids=ids) is not None

    def of_decision(self, decision: RuleDecision) -> Pause | None:
        """One that came after it was decided."""
        now = self.now
        if not now.all:
            return None
        contact = decision.contact
        ids = (contact.id, decision.chain_id, decision.wait.wait_id)
        paused = now.concerning(rule=decision.rule, queue_id=contact.queue_id, contact_ids=ids)
        return paused or now.destination(decision.target if isinstance(decision, Transfer) else None)

    def _clear(self, lifted: Callable[[Pause], bool], who: str) -> tuple[Pause, ...]:
        with self._lock:
            found = tuple(one for one in self._pauses.all if lifted(one))
            for one in found:
                self._records.clear_pause(one)
                self._pauses = Pauses(self._without(one.kind, one.subject))
        for one in found:
            events.pause_cleared(one, who=who)
        return found

    def _without(self, kind: PauseKind, subject: str) -> tuple[Pause, ...]:
        return tuple(one for one in self._pauses.all if (one.kind, one.subject) != (kind, subject))
