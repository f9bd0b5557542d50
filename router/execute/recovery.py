"""Settles intents without an answer, of an earlier run or of this one, by reading first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

from router import events
from router.connect.answers import Full, Missing, Reading, Rejected, Transferred
from router.cycle_context import CycleContext
from router.decide.act import ROUTING_APPLIES_WITHIN
from router.execute.attempts import Attempts, Effort
from router.execute.claims import InProgress
from router.execute.recheck import GONE, changed
from router.execute.routing_update import Shown, routing_of, shown
from router.execute.settler import Settler
from router.execute.workers import BriefWait, perform_all
from router.ledger.errors import LedgerUnavailable, NotOpen
from router.model import Action, ActionKind, ActionState, Contact, Directory, HoldReason, HoursId
from router.ports import Clock, Ledger, Reader
from router.rules.bound import BoundRule
from router.rules.rule import Mode
from router.rules.value_test import QUEUES_OWN
from router.runtime import Runtime
from router.safety.safety import Safety

GONE_SINCE = "gone"
"""The outcome of an update whose contact has left its place: nobody can find out whether the update took effect."""
_OUTCOMES = {Shown.OLD: None, Shown.NEW: "acted", Shown.OTHER: "replaced"}


@dataclass(frozen=True, kw_only=True)
class RoutingRecovery:
    """Settles routing updates without an answer by reading: no token makes a repeat safe.

    ``repeatable`` is how long the same call may be made again.
    """

    reader: Reader
    attempts: Attempts
    safety: Safety
    settler: Settler
    clock: Clock
    repeatable: timedelta

    def settle(self, action: Action, *, terms: int | None, until: float | None) -> bool:
        """Settles an intent by reading its contact; returns whether it is settled now.

        A contact that has gone no longer needs the update. One that shows a third value was changed by somebody else
        since. Both are recorded as acted on, so that no call follows. A contact that still shows the old value, after
        the time that Connect may take to apply an update, has not had it. The update is repeated under these ``terms``;
        ``None``: no rule in force makes it any longer.
        """
        reading = self.reader.describe(action.contact_id)
        if isinstance(reading, Missing):
            return self._settled(action, ActionState.ACTED, GONE_SINCE)
        if not isinstance(reading, Reading):
            return False
        self.settler.ages.seen(reading.contact)
        outcome = self._outcome(action, reading.contact)
        if outcome is not None:
            return self._settled(action, ActionState.ACTED, outcome)
        if self._last_sent_ago(action) < ROUTING_APPLIES_WITHIN:
            return False
        if self.clock.now() - action.decided_at > self.repeatable:
            return self._settled(action, ActionState.NEVER_SENT, "never_sent")
        if terms is None or self.safety.routing_stopped():
            return False
        return self._repeat(action, terms, until)

    def _outcome(self, action: Action, contact: Contact) -> str | None:
        """Returns what the contact shows of the update; ``None`` if it still shows the old value."""
        found = changed(contact, queue_id=action.queue_id, enqueued_at=action.enqueued_at, now=self.clock.now())
        if found in GONE or action.routing is None or action.before is None:
            return GONE_SINCE
        return _OUTCOMES[shown(action.routing, action.before, routing_of(contact.details))]

    def _last_sent_ago(self, action: Action) -> timedelta:
        return self.clock.now() - (action.sent_at or action.decided_at)

    def _repeat(self, action: Action, terms: int, until: float | None) -> bool:
        """Makes the call again: no earlier one has had an effect, for the contact shows the old value."""
        effort = Effort(action, until, terms, uncertain=True)
        attempt = self.attempts.make(effort)
        settled, settlement = self.settler.apply(effort.action, attempt, uncertain=True)
        if settlement.state is ActionState.INTENDED:
            return False
        outcomes = {"contact.reprioritized": "repeated", "contact.recovered": GONE_SINCE}
        events.log_recovered(settled, outcome=outcomes.get(settlement.event or "", "refused"))
        return True

    def _settled(self, action: Action, state: ActionState, outcome: str) -> bool:
        events.log_recovered(self.settler.close(action, state), outcome=outcome)
        return True


REPEATABLE = timedelta(minutes=10)
"""How long the same call with the same token may be repeated. An older intent of a contact that has not moved is
recorded as never sent. The life of a token is documented for another operation only (7 days,
StartOutboundVoiceContact). The router therefore does not rely on it."""

SHARE = 0.5
"""The part of the time until the next poll that recovery may take: calls that hang must not delay what else is due."""


WAITS_FOR = 2.0
"""Seconds that a cycle waits for open intents to be settled."""


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Settles open intents. ``attempts`` repeats a call under all its checks; ``pool`` runs the workers."""

    reader: Reader
    ledger: Ledger
    attempts: Attempts
    safety: Safety
    settler: Settler
    in_progress: InProgress
    runtime: Runtime
    is_open: Callable[[HoursId], bool]
    _refused: set[int] = field(default_factory=set)

    @cached_property
    def _routing(self) -> RoutingRecovery:
        return RoutingRecovery(
            reader=self.reader,
            attempts=self.attempts,
            safety=self.safety,
            settler=self.settler,
            clock=self.runtime.clock,
            repeatable=REPEATABLE,
        )

    def settle_open(self, context: CycleContext, mode: Mode) -> int:
        """Settles the open intents that this process is not acting on, moves first; returns how many were settled.

        In a cycle with an end it waits ``WAITS_FOR`` at most, because other contacts are due. Intents that are not
        begun by then wait for the next cycle, as do attempts when half of the time until the next poll is over. The
        chain of an open intent is not moved meanwhile. Raises ``LedgerUnavailable`` if they cannot be read.
        """
        by_name = {rule.name: rule for rule in context.rules.rules if rule.rule.mode.weaker(mode) is Mode.ENFORCE}
        intents = sorted(self.ledger.open_intents(), key=_in_order)
        self._refused.intersection_update(action.id for action in intents)
        clock, until = self.runtime.clock, context.until
        now = clock.monotonic()
        end = None if until is None else now + SHARE * (until - now)
        waiting: BriefWait[Action] | None = None
        if until is not None:
            waiting = BriefWait(lambda: clock.monotonic() >= now + WAITS_FOR)

        def settle(action: Action) -> bool:
            if waiting is not None and waiting.presses():
                return False
            rule = by_name.get(action.rule)
            may_send = rule is not None and self._acts_now(rule, action, context.directory)
            return self._one(action, terms=context.terms if may_send else None, until=end)

        workers = self.runtime.workers
        return sum(perform_all(intents, settle, pool=self.runtime.pool, workers=workers, late=waiting))

    def _acts_now(self, rule: BoundRule, action: Action, directory: Directory) -> bool:
        """Returns whether a step of the rule may act: the rule exists at this time, and its hours are known to be
        open."""
        if not rule.rule.in_force(self.runtime.clock.now()):
            return False
        if rule.rule.sla.hours is None:
            return True
        hours_id = rule.hours_id
        if rule.rule.sla.hours == QUEUES_OWN:
            queue = directory.queue(action.first.queue_id)
            hours_id = queue.hours_id if queue is not None else None
        return hours_id is not None and self.is_open(HoursId(hours_id))

    def _one(self, action: Action, *, terms: int | None, until: float | None) -> bool:
        """Settles one intent, and never stops the others if that fails."""
        over = until is not None and self.runtime.clock.monotonic() >= until
        if over or self.runtime.stopping.is_set():
            return False
        moves = action.kind is ActionKind.TRANSFER
        claim = self.in_progress.claim if moves else self.in_progress.claim_update
        with claim(action.contact_id) as mine:
            try:
                return mine and self._settle(action, terms=terms, until=until)
            except NotOpen:  # whoever had the contact before has settled it
                return True
            except LedgerUnavailable as problem:
                self.safety.ledger.report(problem, **events.action_fields(action))
            except Exception:
                events.log_broken(**events.action_fields(action))
            return False

    def _settle(self, action: Action, *, terms: int | None, until: float | None) -> bool:
        if action.kind is ActionKind.ROUTING:
            return self._routing.settle(action, terms=terms, until=until)
        contact, found = self._look(action)
        if contact is not None and action.before is None:
            action = replace(action, before=routing_of(contact.details))
        if found in GONE:
            return self._closed(action, ActionState.ACTED, "acted")
        if found is HoldReason.UNREADABLE or (found is HoldReason.CONTACT_PAUSED and contact is None):
            return False
        if self.runtime.clock.now() - action.decided_at > REPEATABLE:
            return self._closed(action, ActionState.NEVER_SENT, "never_sent")
        if found is not None or terms is None or action.id in self._refused:
            return False
        return self._repeat(action, terms, until=until)

    def _look(self, action: Action) -> tuple[Contact | None, HoldReason | None]:
        """Returns the contact as read, and how it has changed: ``None`` if it is untouched, ``UNREADABLE`` if it could
        not be read.

        A paused contact may have been moved before. It is either still there or elsewhere. Without a queue, and
        therefore without the contact here, that is not known before it is resumed.
        """
        reading = self.reader.describe(action.contact_id)
        if isinstance(reading, Missing):
            return None, HoldReason.NOT_FOUND
        if not isinstance(reading, Reading):
            return None, HoldReason.UNREADABLE
        contact = reading.contact
        found = changed(contact, queue_id=action.queue_id, enqueued_at=action.enqueued_at, now=self.runtime.clock.now())
        if found is not HoldReason.CONTACT_PAUSED:
            return contact, found
        if contact.queue_id is None:
            return None, found
        still = contact.is_in_place(action.queue_id, action.enqueued_at)
        return contact, found if still else HoldReason.LEFT_QUEUE

    def _repeat(self, action: Action, terms: int, *, until: float | None) -> bool:
        assert action.target is not None, "only transfers are intended"
        effort = Effort(action=action, until=until, terms=terms, uncertain=True)
        with self.safety.admission(action.target.flow_id, action.contact_id, takes_slot=False) as hold:
            if hold is not None:
                return False
            attempt = self.attempts.make(effort)
            settled, settlement = self.settler.apply(effort.action, attempt, uncertain=True)
        if settlement.state is ActionState.ACTED:
            events.log_recovered(settled, outcome="repeated" if isinstance(attempt.answer, Transferred) else "acted")
            return True
        if not isinstance(attempt.answer, Rejected | Full):
            return False
        self._refused.add(action.id)
        gone = self._look(action)[1] in GONE
        return gone and self._closed(effort.action, ActionState.ACTED, "acted")

    def _closed(self, action: Action, state: ActionState, outcome: str) -> bool:
        events.log_recovered(self.settler.close(action, state), outcome=outcome)
        return True


def _in_order(action: Action) -> tuple[bool, int, int]:
    """Orders moves before routing updates, and those attempted least first."""
    return action.kind is not ActionKind.TRANSFER, action.attempts, action.id
