"""The pauses in force, asked before every call: one that is set counts from then on, for what is under way too."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from router import events
from router.decide.decision import RuleDecision, Transfer
from router.ledger.operator_records import OperatorRecords
from router.model import Action, Pause, PauseKind, Pauses
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
        events.log_pause_set(pause)

    def clear(self, kind: PauseKind, subject: str, *, who: str) -> Pause | None:
        """The one that was lifted; ``None`` where there was none."""
        return next(iter(self._clear(lambda one: (one.kind, one.subject) == (kind, subject), who)), None)

    def expire(self) -> None:
        """Lifts what is over."""
        now = self._clock.now()
        if any(one.until <= now for one in self._pauses.all):
            self._clear(lambda one: one.until <= now, ITS_TIME)

    def holding(self, subject: RuleDecision | Action) -> Pause | None:
        """Returns a pause in force that holds a decision or an intended call; ``None``: no pause does."""
        now = self.now
        if not now.all:
            return None
        target = subject.target if isinstance(subject, Transfer | Action) else None
        contact_id, queue_id = (
            (subject.contact_id, subject.queue_id)
            if isinstance(subject, Action)
            else (subject.contact.id, subject.contact.queue_id)
        )
        ids = (contact_id, subject.chain_id, subject.wait.wait_id)
        return now.concerning(rule=subject.rule, queue_id=queue_id, contact_ids=ids) or now.destination(target)

    def holding_moved(self, move: Action) -> Pause | None:
        """Returns a pause in force that holds a moved contact where it has landed; ``None``: no pause does."""
        ids = [one for one in (move.contact_id, move.chain_id, move.new_contact_id) if one is not None]
        return self.now.concerning(rule=move.rule, queue_id=move.landed_queue_id, contact_ids=ids)

    def _clear(self, lifted: Callable[[Pause], bool], who: str) -> tuple[Pause, ...]:
        with self._lock:
            found = tuple(one for one in self._pauses.all if lifted(one))
            for one in found:
                self._records.clear_pause(one)
                self._pauses = Pauses(self._without(one.kind, one.subject))
        for one in found:
            events.log_pause_cleared(one, who=who)
        return found

    def _without(self, kind: PauseKind, subject: str) -> tuple[Pause, ...]:
        return tuple(one for one in self._pauses.all if (one.kind, one.subject) != (kind, subject))
