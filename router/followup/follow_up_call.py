"""Makes the calls after a move, each kind once for each contact that has landed in a queue."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import ClassVar, Self

from router.connect.answers import Missing, Reading, Throttled, Unauthenticated, Unknown, UpdateAnswer, Updated
from router.connect.connection import Connection
from router.decide.act import ROUTING_APPLIES_WITHIN
from router.execute.result import AttemptResult
from router.execute.routing_update import routing_of
from router.execute.settlement import NO_ANSWER
from router.execute.settler import Settler
from router.ledger.errors import AlreadyIntended, LedgerUnavailable, NotOpen
from router.model import SEND_BY, Action, ActionKind, ActionState, Contact, HoldReason, Landing, RoutingData, Standing
from router.ports import Grant, Ledger, Mover, Pacer, Reader
from router.runtime import Runtime
from router.safety.safety import Safety

GIVE_UP_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Is one look after a move: ``make`` reads and writes what there is, about ``action`` if it is about one."""

    make: Callable[[], None]
    action: Action | None = None

    @property
    def number(self) -> int:
        return 0 if self.action is None else self.action.id


def follow_up_of(move: Action, kind: ActionKind, *, now: datetime) -> Action:
    """Returns the follow-up of a move that has landed in a queue: its call is due."""
    assert kind.follows
    return Action(
        kind=kind,
        parent=move.id,
        state=ActionState.INTENDED,
        wait=move.wait,
        chain_id=move.chain_id,
        contact_id=move.contact_id,
        queue_id=move.queue_id,
        enqueued_at=move.enqueued_at,
        rule=move.rule,
        step=move.step,
        at=move.at,
        first=move.first,
        revision=move.revision,
        fingerprint=move.fingerprint,
        cycle=move.cycle,
        decided_at=now,
        new_contact_id=move.new_contact_id,
        landed_at=move.landed_at,
        landed_queue_id=move.landed_queue_id,
        landed_enqueued_at=move.landed_enqueued_at,
        before=move.before,
        channel=move.channel,
    )


@dataclass(kw_only=True)
class FollowUp(ABC):
    """Makes one kind of call after moves; the ``looks`` are made about every second. Thread-safe.

    The ledger has an action for each call, written with the landing and renewed before each attempt. A crash therefore
    neither loses a call nor makes it twice. ``abandons``: the actions that an earlier run left open are closed, because
    this run makes no such calls.
    """

    kind: ClassVar[ActionKind]
    operation: ClassVar[str]
    enabled: bool
    abandons: bool = False
    reader: Reader
    mover: Mover
    pacer: Pacer
    ledger: Ledger
    safety: Safety
    settler: Settler
    runtime: Runtime
    _open: dict[int, Action] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def open(
        cls, runtime: Runtime, connection: Connection, ledger: Ledger, settler: Settler, *, wanted: bool, enforces: bool
    ) -> Self:
        """Opens it. Only a router that ``enforces`` makes the calls or closes those of an earlier run."""
        return cls(
            enabled=wanted and enforces,
            abandons=enforces and not wanted,
            reader=connection.background,
            mover=connection.mover,
            pacer=connection.quotas,
            ledger=ledger,
            safety=settler.safety,
            settler=settler,
            runtime=runtime,
        )

    @abstractmethod
    def plan(self, action: Action, contact: Contact) -> Action | None:
        """Returns the action with what the call shall set, ``None`` if nothing has to be sent any longer."""

    @abstractmethod
    def call(self, action: Action) -> UpdateAnswer:
        """Makes the call of a planned action, once."""

    @abstractmethod
    def log_done(self, action: Action) -> None:
        """Logs that Connect accepted the call."""

    @abstractmethod
    def log_lost(self, action: Action, *, code: str, message: str) -> None:
        """Logs that the call will not be made again: Connect refused it, or the time is over."""

    def after(self, move: Action, *, now: datetime) -> tuple[Action, ...]:
        """Returns the follow-up that a landed move is to have, or none."""
        due = self.enabled and move.landing is Landing.QUEUED
        return (follow_up_of(move, self.kind, now=now),) if due else ()

    def resume(self, left: Iterable[Action]) -> None:
        """Takes up those of its kind that an earlier run left open, or closes them."""
        if self.enabled:
            self.watch(left)
        for action in left:
            if action.kind is self.kind and self.abandons:
                with suppress(LedgerUnavailable, NotOpen):
                    self.settler.close(action, _state_without_call(action))

    def watch(self, written: Iterable[Action]) -> None:
        """Makes the calls of the open actions of its kind from the next look on."""
        with self._lock:
            self._open.update({action.id: action for action in written if action.kind is self.kind and action.open})

    @property
    def pending(self) -> bool:
        """Returns whether a call is due and nothing is known that holds it."""
        due = [action for action in self._waiting() if action.sent_at is None]
        return any(self.safety.hold_before_follow_up(action) is None for action in due)

    def looks(self) -> list[Look]:
        """Returns a look at each open action, which makes its call if it can be made now."""
        waiting = self._waiting()
        newest = {action.acts_on: action.id for action in waiting}
        return [Look(partial(self._look, one, newest=one.id == newest[one.acts_on]), one) for one in waiting]

    def _look(self, action: Action, *, newest: bool) -> None:
        """Makes the call with a token of the quota that is there at once, because the looks at moves must not wait for
        one. A follow-up has no ClientToken, because its operation takes none. A repeat is safe because a reading
        precedes it.

        Raises ``LedgerUnavailable`` if that could not be written: then the action is still open. Unless it is the
        ``newest`` of its contact, the contact has landed again since, and has left this place.
        """
        if self.runtime.stopping.is_set() or self.safety.hold_before_follow_up(action) is not None:
            return
        now = self.runtime.clock.now()
        if newest and action.sent_at is not None and now - action.sent_at < ROUTING_APPLIES_WITHIN:
            return
        try:
            if not newest:  # it makes no call, so that it needs no token
                self._settle(action, AttemptResult(hold=HoldReason.LEFT_QUEUE))
            elif self.pacer.acquire(self.operation, until=self.runtime.clock.monotonic()):
                self._read(action, Grant())
        except NotOpen:  # another router has settled it
            self._forget(action)
        except AlreadyIntended:  # a routing step's update of this contact is under way
            pass

    def _waiting(self) -> list[Action]:
        with self._lock:
            return [self._open[number] for number in sorted(self._open)]

    def _read(self, action: Action, grant: Grant) -> None:
        """Reads the contact and makes the call; gives the token back if no call is made."""
        try:
            reading = self.reader.describe(action.acts_on)
            if isinstance(reading, Missing):
                self._settle(action, AttemptResult(hold=HoldReason.NOT_FOUND))
            elif isinstance(reading, Reading) and not self._is_there(action, reading.contact):
                self._settle(action, AttemptResult(hold=HoldReason.LEFT_QUEUE))
            elif isinstance(reading, Reading):
                self._attempt(action, reading.contact, grant)
        finally:
            if grant.use():
                self.pacer.give_back(self.operation)

    def _is_there(self, action: Action, contact: Contact) -> bool:
        """Returns whether the contact waits where it landed."""
        queue_id, enqueued_at, now = action.landed_queue_id, action.landed_enqueued_at, self.runtime.clock.now()
        if queue_id is None or enqueued_at is None or contact.standing(now) is not Standing.WAITING:
            return False
        return contact.is_in_place(queue_id, enqueued_at)

    def _attempt(self, action: Action, contact: Contact, grant: Grant) -> None:
        planned = self.plan(action, contact)
        if planned is None:
            self.settler.close(action, ActionState.ACTED)
            self._forget(action)
        elif self.runtime.clock.now() - (action.landed_at or action.decided_at) > GIVE_UP_AFTER:
            self.settler.close(action, ActionState.REFUSED, error=NO_ANSWER)
            self._forget(action)
            self.log_lost(action, code=NO_ANSWER, message="it did not come to be in time")
        else:
            self._send(planned, grant, had=routing_of(contact.details))

    def _send(self, action: Action, grant: Grant, *, had: RoutingData) -> None:
        """Makes the call, unless it has been held since the look began, by an operator's pause for example."""
        terms = self.safety.terms
        with terms.call(terms.number, self.operation, action.contact_id) as current:
            if not current or self.safety.hold_before_follow_up(action) is not None:
                return
            sent = replace(action, send_by=self.runtime.clock.now() + SEND_BY, attempts=action.attempts + 1)
            self.ledger.require_turn()
            self.ledger.renew(sent)
            self.watch((sent,))
            self.ledger.require_turn()
            grant.use()
            answer = self.call(sent)
        if isinstance(answer, Throttled):
            self.pacer.throttled(self.operation)
        elif not isinstance(answer, Unknown | Unauthenticated):
            self.pacer.succeeded(self.operation)
        self._settle(sent, AttemptResult(answer=answer), had=had)

    def _settle(self, action: Action, attempt: AttemptResult, *, had: RoutingData | None = None) -> None:
        """Settles the action. A contact that has left its place may have had the call, if one was sent."""
        uncertain = attempt.hold is not None and action.sent_at is not None
        settled, settlement = self.settler.apply(action, attempt, uncertain=uncertain, had=had)
        if settlement.state is ActionState.INTENDED:
            self.watch((settled,))
            return
        self._forget(action)
        if isinstance(attempt.answer, Updated):
            self.log_done(settled)
        elif settlement.state is ActionState.REFUSED:
            assert settlement.error is not None, "a refusal has a code"
            self.log_lost(settled, code=settlement.error, message=settlement.message)

    def _forget(self, action: Action) -> None:
        with self._lock:
            self._open.pop(action.id, None)


def _state_without_call(action: Action) -> ActionState:
    """Returns the state of a follow-up that is closed unread: a call of it may have had an effect, if one was sent."""
    return ActionState.NEVER_SENT if action.sent_at is None else ActionState.ACTED
