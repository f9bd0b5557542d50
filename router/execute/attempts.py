"""Makes the attempts at one transfer or routing update; every attempt reads the contact again before it sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, stop_any, stop_before_delay
from tenacity.stop import stop_base, stop_when_event_set
from tenacity.wait import wait_random_exponential

from router.connect.answers import (
    Missing,
    Reading,
    Throttled,
    TooLate,
    TransferAnswer,
    Unknown,
    UpdateAnswer,
)
from router.decide.decision import PausesSeen
from router.execute.claims import InProgress
from router.execute.recheck import changed
from router.execute.result import STALE, AttemptResult
from router.execute.routing_update import Shown, routing_of, shown
from router.lookup.details import DetailsCache
from router.model import SEND_BY, Action, ActionKind, Contact, HoldReason
from router.ports import REROUTE, TRANSFER, Clock, Grant, Ledger, Mover, Pacer, Reader
from router.rules.condition import ReliedOnValue
from router.runtime import Runtime
from router.safety.safety import Safety
from router.settings import Settings

FRESH = 2.0
"""Seconds for which a reading entitles to a call. Connect has no conditional transfer. An agent who accepts within that
window loses the contact. The window is therefore short."""


UPDATE_PATIENCE = 2.0
"""Seconds for which an update that Connect throttles is attempted again in a cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Limits how often a call that was throttled or lost is repeated, and for how long."""

    attempts: int = 8
    max_delay: timedelta = timedelta(seconds=20)
    give_up_after: timedelta = timedelta(minutes=2)

    @classmethod
    def of(cls, settings: Settings) -> RetryPolicy:
        retry = settings.execute.retry
        return cls(attempts=retry.attempts, max_delay=retry.max_delay, give_up_after=retry.give_up_after)


@dataclass(slots=True)
class Effort:
    """Holds the work on one intent so far.

    ``uncertain`` is set once a call was sent whose outcome is not known: from then on a contact that is gone has been
    moved, and a refusal is no failure. ``terms`` are those of the decision. ``relied_on``, ``pauses`` and
    ``decided_on`` are what the decision rests on, and only this reading shows them again. ``grant`` is a token for the
    first call. ``gives_way`` returns whether a routing update ends because something more urgent is due.
    """

    action: Action
    until: float | None
    terms: int
    relied_on: tuple[ReliedOnValue, ...] = ()
    pauses: PausesSeen | None = None
    decided_on: Contact | None = None
    grant: Grant | None = None
    gives_way: Callable[[], bool] = lambda: False
    uncertain: bool = False
    read_age: float = 0.0
    send_before: float | None = None
    """Until when, in monotonic seconds, the last reading entitles to a call."""


@dataclass(slots=True, kw_only=True)
class Attempts:
    """Runs Tenacity's loop around one call: full jitter, the same ClientToken throughout, ended at once by
    ``stopping``.

    ``policy`` may be replaced at any time; attempts under way go on with the one that they began with. ``safety``
    decides right before each call whether it may still be made.
    """

    reader: Reader
    mover: Mover
    pacer: Pacer
    ledger: Ledger
    runtime: Runtime
    details: DetailsCache
    in_progress: InProgress
    safety: Safety
    policy: RetryPolicy

    def reconfigure(self, settings: Settings) -> None:
        """Puts another retry policy in force; an attempt under way continues with its own."""
        self.policy = RetryPolicy.of(settings)

    def make(self, effort: Effort) -> AttemptResult:
        """Attempts until an outcome settles the intent, a hold is found, or patience ends; returns how the last one
        ended.

        The next poll ends it too: an unsent call is decided on again then, and a lost outcome is settled by reading.
        Raises ``LedgerUnavailable`` if the intent could not be renewed or may belong to another router already, and
        ``NotOpen`` if it was settled elsewhere. In both events no further call was made.
        """
        retrying = Retrying(
            retry=retry_if_result(lambda tried: tried.again),
            stop=stop_any(
                stop_after_attempt(self.policy.attempts),
                stop_before_delay(self.policy.give_up_after),
                stop_when_event_set(self.runtime.stopping),
                _Until(effort, self.runtime.clock),
            ),
            wait=wait_random_exponential(multiplier=0.5, max=self.policy.max_delay.total_seconds()),
            sleep=self.pacer.pause,
            retry_error_callback=_last,
        )
        result: AttemptResult = retrying(self._once, effort)
        return result

    def _once(self, effort: Effort) -> AttemptResult:
        """Takes a token first, because it may take long to arrive and the reading must be fresh.

        The token is given back if no call is made: contacts that an agent has picked up must not use up what the others
        need.
        """
        operation = _operation(effort.action)
        granted = effort.grant is not None and effort.grant.use()
        if not granted and not self.pacer.acquire(
            operation,
            until=effort.until,
            cancelled=lambda: effort.terms != self.safety.terms.number or effort.gives_way(),
        ):
            return AttemptResult()
        try:
            tried = self._ready(effort)
        except BaseException:
            self.pacer.give_back(operation)
            raise
        if tried is not None:
            self.pacer.give_back(operation)
            return tried
        return self._send(effort)

    def _ready(self, effort: Effort) -> AttemptResult | None:
        """Reads the contact and requires the ledger's permission for the call; returns ``None`` if it may be sent."""
        reading = self.reader.describe(effort.action.contact_id)
        if isinstance(reading, Missing):
            return AttemptResult(hold=HoldReason.NOT_FOUND)
        if not isinstance(reading, Reading):
            return AttemptResult(unread=reading)
        self.details.remember(reading.contact, self.runtime.clock.now())
        hold = self._superseded(effort.action) or self._still(effort, reading)
        if hold is not None:
            return AttemptResult(hold=hold)
        refused = self.safety.hold_before_call(effort.action)
        if refused is not None:
            return AttemptResult(hold=refused.reason)
        self._entitle(effort)
        effort.read_age = self.runtime.clock.monotonic() - reading.answered_at
        effort.send_before = reading.answered_at + FRESH
        if effort.read_age > FRESH:
            return _stale()
        self.ledger.require_turn()
        return AttemptResult() if self.runtime.stopping.is_set() else None

    def _superseded(self, action: Action) -> HoldReason | None:
        """Returns a hold for an update whose contact is being moved: a move never waits for it."""
        superseded = action.kind is ActionKind.ROUTING and self.in_progress.is_moving(action.contact_id)
        return HoldReason.IN_FLIGHT if superseded else None

    def _still(self, effort: Effort, reading: Reading) -> HoldReason | None:
        found = changed(
            reading.contact,
            queue_id=effort.action.queue_id,
            enqueued_at=effort.action.enqueued_at,
            now=self.runtime.clock.now(),
            relied_on=effort.relied_on,
            pauses=effort.pauses,
            decided_on=effort.decided_on,
        )
        if found is None and effort.action.kind is ActionKind.ROUTING:
            return self._unlike(effort.action, reading)
        effort.action = replace(effort.action, before=routing_of(reading.contact.details))
        return found

    def _unlike(self, action: Action, reading: Reading) -> HoldReason | None:
        """Holds a routing update unless the contact shows what it had when the update was decided."""
        assert action.routing is not None and action.before is not None, "a routing intent has both"
        old = shown(action.routing, action.before, routing_of(reading.contact.details)) is Shown.OLD
        return None if old else HoldReason.NO_LONGER_MATCHES

    def _entitle(self, effort: Effort) -> None:
        """Counts the attempt and makes sure that the intent covers it, durably, before the call.

        After an uncertain call it also makes sure that nobody has settled the intent meanwhile.
        """
        action = effort.action
        renewed = replace(action, attempts=action.attempts + 1, send_by=self.runtime.clock.now() + SEND_BY)
        soon_over = action.send_by is None or action.send_by - self.runtime.clock.now() < SEND_BY / 2
        if action.attempts or effort.uncertain or soon_over:
            self.ledger.renew(renewed)
        else:
            renewed = replace(renewed, send_by=action.send_by)
        effort.action = renewed

    def _send(self, effort: Effort) -> AttemptResult:
        """Makes the call, unless rules, limits or pauses have changed since the decision: then it is made again."""
        operation = _operation(effort.action)
        try:
            with self.safety.terms.call(effort.terms, operation, effort.action.contact_id) as current:
                held = self.safety.hold_before_call(effort.action) if current else None
                if held is not None or not current:
                    self.pacer.give_back(operation)
                    return AttemptResult(hold=held.reason if held is not None else None)
                answer = self._call(effort.action, effort.send_before)
        except TooLate:
            self.pacer.give_back(operation)
            return _stale()
        if isinstance(answer, Throttled):
            self.pacer.throttled(operation)
            self._shorten(effort)
        elif not isinstance(answer, Unknown):
            self.pacer.succeeded(operation)
        effort.uncertain = effort.uncertain or isinstance(answer, Unknown)
        return AttemptResult(answer=answer, repeatable=effort.action.kind is ActionKind.TRANSFER)

    def _shorten(self, effort: Effort) -> None:
        """Ends the attempts at a throttled update soon: the next cycle decides again, and moves are due meanwhile."""
        if effort.action.kind is ActionKind.ROUTING and effort.until is not None:
            effort.until = min(effort.until, self.runtime.clock.monotonic() + UPDATE_PATIENCE)

    def _call(self, action: Action, before: float | None) -> TransferAnswer | UpdateAnswer:
        if action.kind is ActionKind.ROUTING:
            assert action.routing is not None, "a routing intent holds the update"
            return self.mover.reroute(contact_id=action.contact_id, routing=action.routing)
        assert action.target is not None and action.token is not None, "a transfer's intent has both"
        return self.mover.transfer(
            contact_id=action.contact_id, target=action.target, token=action.token, before=before
        )


class _Until(stop_base):
    """Ends the attempts when the next one would begin after the effort's ``until``, or the effort gives way."""

    def __init__(self, effort: Effort, clock: Clock) -> None:
        self._effort = effort
        self._clock = clock

    def __call__(self, retry_state: RetryCallState) -> bool:
        until = self._effort.until
        if self._effort.gives_way():
            return True
        return until is not None and self._clock.monotonic() + retry_state.upcoming_sleep >= until


def _stale() -> AttemptResult:
    return AttemptResult(unread=Unknown(code=STALE, message="the reading was too old to act on"))


def _operation(action: Action) -> str:
    return REROUTE if action.kind is ActionKind.ROUTING else TRANSFER


def _last(state: RetryCallState) -> AttemptResult:
    assert state.outcome is not None
    result: AttemptResult = state.outcome.result()
    return result
