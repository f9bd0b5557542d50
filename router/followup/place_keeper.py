"""Gives a contact that was moved into a queue the place back that its waiting had earned."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from router import events
from router.connect.answers import Missing, Reading, Throttled, Unauthenticated, Unknown, UpdateAnswer
from router.decide.act import ROUTING_APPLIES_WITHIN
from router.execute.result import AttemptResult
from router.execute.routing_update import Shown, place_to_give, routing_of, shown
from router.execute.settlement import Settlement
from router.execute.settler import Settler
from router.ledger.errors import AlreadyIntended, LedgerUnavailable, NotOpen
from router.model import (
    SEND_BY,
    Action,
    ActionKind,
    ActionState,
    Contact,
    HoldReason,
    RoutingData,
    Standing,
)
from router.ports import UPDATE, Ledger, Mover, Pacer, Reader
from router.runtime import Runtime
from router.safety.safety import Safety

TOKEN_WITHIN = 1.0
"""Seconds that one look waits for the quota; then the next look tries again."""
GIVE_UP_AFTER = timedelta(minutes=10)


def follow_up_of(move: Action, *, now: datetime) -> Action:
    """Returns the follow-up of a move that has landed in a queue: its place is due."""
    return Action(
        kind=ActionKind.RESTORE_PLACE,
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
class PlaceKeeper:
    """Gives places back; ``look`` is called about every second.

    The ledger has a follow-up for each place, written with the landing and renewed before each call. A crash therefore
    neither loses a place nor gives it twice.
    """

    enabled: bool
    abandons: bool = False
    """Whether the places that an earlier run left open are closed, because this run restores none."""
    reader: Reader
    mover: Mover
    pacer: Pacer
    ledger: Ledger
    safety: Safety
    settler: Settler
    runtime: Runtime
    _open: dict[int, Action] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def resume(self) -> None:
        """Takes up the places that an earlier run left open, or closes them."""
        for action in self.ledger.open_follow_ups():
            if self.enabled:
                self.watch(action)
            elif self.abandons:
                with suppress(LedgerUnavailable, NotOpen):
                    self.settler.close(action, _state_without_call(action))

    def watch(self, action: Action) -> None:
        """Gives this place back from the next look on."""
        with self._lock:
            self._open[action.id] = action

    @property
    def pending(self) -> bool:
        """Returns whether a place is due and nothing is known that holds it."""
        due = [action for action in self._waiting() if action.sent_at is None]
        return any(self.safety.hold_before_follow_up(action) is None for action in due)

    def look(self) -> None:
        """Gives back what can be given now. Raises ``LedgerUnavailable`` if that could not be written: then the place
        is still open."""
        waiting = self._waiting()
        newest = {action.acts_on: action.id for action in waiting}
        for action in waiting:
            if self.runtime.stopping.is_set() or self.safety.calls_stopped() or self.safety.routing_stopped():
                return
            if self.safety.hold_before_follow_up(action) is not None:
                continue
            try:
                if action.id != newest[action.acts_on]:  # it has landed again since, and has left this place
                    self._settle(action, AttemptResult(hold=HoldReason.LEFT_QUEUE))
                else:
                    self._give(action)
            except NotOpen:  # another router has settled it
                self._forget(action)
            except AlreadyIntended:  # a routing step's update of this contact is under way
                continue
        self._learn()

    def _waiting(self) -> list[Action]:
        with self._lock:
            return [self._open[number] for number in sorted(self._open)]

    def _learn(self) -> None:
        """Reads a contact that shows whether Connect sets or adds ages, once it has had the time to apply one."""
        contact_id = self.settler.ages.to_read(sent_before=self.runtime.clock.now() - ROUTING_APPLIES_WITHIN)
        if contact_id is None or self.runtime.stopping.is_set():
            return
        reading = self.reader.describe(contact_id)
        if isinstance(reading, Reading):
            self.settler.ages.seen(reading.contact)

    def _give(self, action: Action) -> None:
        if action.sent_at is not None and self.runtime.clock.now() - action.sent_at < ROUTING_APPLIES_WITHIN:
            return
        reading = self.reader.describe(action.acts_on)
        if isinstance(reading, Missing):
            self._settle(action, AttemptResult(hold=HoldReason.NOT_FOUND))
        elif isinstance(reading, Reading) and not self._is_there(action, reading.contact):
            self._settle(action, AttemptResult(hold=HoldReason.LEFT_QUEUE))
        elif isinstance(reading, Reading):
            self.settler.ages.seen(reading.contact)
            self._give_to(action, reading.contact)

    def _is_there(self, action: Action, contact: Contact) -> bool:
        """Returns whether the contact waits where it landed."""
        queue_id, enqueued_at, now = action.landed_queue_id, action.landed_enqueued_at, self.runtime.clock.now()
        if queue_id is None or enqueued_at is None or contact.standing(now) is not Standing.WAITING:
            return False
        return contact.is_in_place(queue_id, enqueued_at)

    def _give_to(self, action: Action, contact: Contact) -> None:
        has, before = routing_of(contact.details), action.before or routing_of(None)
        assert action.landed_enqueued_at is not None, "it is where it landed"
        waited = action.landed_enqueued_at - action.wait.began_at
        adds, given = self.settler.ages.adds, self._given_before(action, contact)
        update = place_to_give(before, waited, has, adds=adds, given=given)
        sent = action.routing
        if update is None or (sent is not None and shown(sent, _as_landed(before, has), has) is Shown.NEW):
            self.settler.close(action, ActionState.ACTED)
            self._forget(action)
        elif self.runtime.clock.now() - (action.landed_at or action.decided_at) > GIVE_UP_AFTER:
            code, message = "NoAnswer", "it did not come to be in time"
            self.settler.close(action, ActionState.REFUSED, error=code)
            self._forget(action)
            events.log_place_lost(action, code=code, message=message)
        elif self.pacer.acquire(UPDATE, until=self.runtime.clock.monotonic() + TOKEN_WITHIN):
            self._send(action, update, has)

    def _given_before(self, action: Action, contact: Contact) -> timedelta:
        """Returns the time that the wait's move before this one gave back as an age; zero if none did."""
        chain = self.ledger.histories((contact,)).get(contact.id, ())
        given = [
            (one.parent, one.landed_enqueued_at - one.wait.began_at)
            for one in chain
            if one.kind is ActionKind.RESTORE_PLACE
            and one.wait.is_same(action.wait)
            and one.parent is not None
            and action.parent is not None
            and one.parent < action.parent
            and one.routing is not None
            and one.routing.age is not None
            and one.landed_enqueued_at is not None
        ]
        return max(given)[1] if given else timedelta()

    def _send(self, action: Action, update: RoutingData, has: RoutingData) -> None:
        sent = replace(action, routing=update, send_by=self.runtime.clock.now() + SEND_BY, attempts=action.attempts + 1)
        try:
            self.ledger.require_turn()
            self.ledger.renew(sent)
            self.watch(sent)
            self.ledger.require_turn()
        except BaseException:
            self.pacer.give_back(UPDATE)
            raise
        answer = self.mover.reroute(contact_id=sent.acts_on, routing=update)
        self._tell_pacer(answer)
        self._settle(sent, AttemptResult(answer=answer), had=has)

    def _tell_pacer(self, answer: UpdateAnswer) -> None:
        if isinstance(answer, Throttled):
            self.pacer.throttled(UPDATE)
        elif not isinstance(answer, Unknown | Unauthenticated):
            self.pacer.succeeded(UPDATE)

    def _settle(self, action: Action, attempt: AttemptResult, *, had: RoutingData | None = None) -> None:
        """Settles the follow-up. A contact that has left its place may have had the update, if one was sent."""
        uncertain = attempt.hold is not None and action.sent_at is not None
        settled, settlement = self.settler.apply(action, attempt, uncertain=uncertain, had=had)
        if settlement.state is ActionState.INTENDED:
            self.watch(settled)
        else:
            self._forget(action)
        self._log(settled, settlement)

    def _log(self, action: Action, settlement: Settlement) -> None:
        if settlement.event == "contact.place_kept":
            events.log_place_kept(action)
        elif settlement.event == "contact.place_lost":
            assert settlement.error is not None, "a refusal has a code"
            events.log_place_lost(action, code=settlement.error, message=settlement.message)

    def _forget(self, action: Action) -> None:
        with self._lock:
            self._open.pop(action.id, None)


def _state_without_call(action: Action) -> ActionState:
    """Returns the state of a follow-up that is closed unread: a call of it may have had an effect, if one was sent."""
    return ActionState.NEVER_SENT if action.sent_at is None else ActionState.ACTED


def _as_landed(before: RoutingData, has: RoutingData) -> RoutingData:
    """Returns what the contact had when it landed. The flow had set nothing. Therefore these are the defaults, or the
    values that the contact had before."""
    return RoutingData(priority=before.priority if has.priority == before.priority else None, age=before.age)
