"""Holds the operator's pauses in force. A new pause counts at once, also for a move that is under way."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from router import events
from router.decide.decision import RuleDecision, Transfer
from router.ledger.operator_records import OperatorRecords
from router.model import Action, Pause, PauseKind, Pauses
from router.ports import Clock

EXPIRY = "expiry"
"""Clears a pause whose time is over, in place of a user's name."""


class OperatorPauses:
    """Sets, clears and finds pauses; thread-safe.

    The ledger is written first, and raises ``LedgerUnavailable``, because a pause must survive a restart.
    """

    def __init__(self, records: OperatorRecords, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._lock = Lock()
        self._pauses = Pauses(records.pauses())

    def reread(self) -> None:
        """Reads the pauses again that another router may have set or cleared."""
        with self._lock:
            self._pauses = Pauses(self._records.pauses())

    @property
    def now(self) -> Pauses:
        """Returns the pauses in force."""
        return self._pauses.at(self._clock.now())

    def set(self, pause: Pause) -> None:
        """Sets a pause in place of the one with the same subject."""
        with self._lock:
            self._records.set_pause(pause)
            self._pauses = Pauses((*self._without(pause.kind, pause.subject), pause))
        events.log_pause_set(pause)

    def clear(self, kind: PauseKind, subject: str, *, who: str) -> Pause | None:
        """Clears a pause and returns it; ``None`` if there is none."""
        return next(iter(self._clear(lambda one: (one.kind, one.subject) == (kind, subject), who)), None)

    def expire(self) -> None:
        """Clears the pauses whose time is over."""
        now = self._clock.now()
        if any(one.until <= now for one in self._pauses.all):
            self._clear(lambda one: one.until <= now, EXPIRY)

    def holding(self, subject: RuleDecision | Action) -> Pause | None:
        """Returns a pause in force that holds a decision or an intended call; ``None``: no pause does."""
        now = self.now
        if not now.all:
            return None
        target = subject.target if isinstance(subject, Transfer | Action) else None
        named, queue_id = (
            ((subject.contact_id,), subject.queue_id)
            if isinstance(subject, Action)
            else (subject.contact.ids, subject.contact.queue_id)
        )
        ids = (*named, subject.chain_id, subject.wait.wait_id)
        return now.concerning(rule=subject.rule, queue_id=queue_id, contact_ids=ids) or now.destination(target)

    def holding_moved(self, move: Action) -> Pause | None:
        """Returns a pause in force that holds a moved contact where it has landed; ``None``: no pause does."""
        ids = [one for one in (move.contact_id, move.chain_id, move.new_contact_id) if one is not None]
        return self.now.concerning(rule=move.rule, queue_id=move.landed_queue_id, contact_ids=ids)

    def _clear(self, matches: Callable[[Pause], bool], who: str) -> tuple[Pause, ...]:
        with self._lock:
            found = tuple(one for one in self._pauses.all if matches(one))
            for one in found:
                self._records.clear_pause(one)
                self._pauses = Pauses(self._without(one.kind, one.subject))
        for one in found:
            events.log_pause_cleared(one, who=who)
        return found

    def _without(self, kind: PauseKind, subject: str) -> tuple[Pause, ...]:
        return tuple(one for one in self._pauses.all if (one.kind, one.subject) != (kind, subject))
