"""Gives a contact that was moved into a queue the place back that its waiting had earned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Lock

from router import events
from router.connect.answers import Denied, Missing, Reading, Throttled, Unauthenticated, Unknown, Updated
from router.decide.act import ROUTING_APPLIES_WITHIN
from router.execute.recheck import in_place
from router.execute.routing_update import AgeMeaning, Shown, place_to_give, routing_of, shown
from router.ledger.errors import NotOpen
from router.model import Action, Contact, PlaceState, RoutingData, Standing
from router.ports import UPDATE, Clock, Ledger, Mover, Pacer, Reader
from router.safety.breakers import Breakers, BreakerSignal, Denials

TOKEN_WITHIN = 1.0
"""Seconds that one look waits for the quota; then the next look has another try."""
GIVE_UP_AFTER = timedelta(minutes=10)


@dataclass(kw_only=True)
class PlaceKeeper:
    """``look`` is called every second or so. What is to be given is in the ledger with the landing, and intended there
    before the call: a crash loses it no more than it gives it twice."""

    enabled: bool
    reader: Reader
    mover: Mover
    pacer: Pacer
    ledger: Ledger
    clock: Clock
    blocked: Breakers
    denials: Denials
    ages: AgeMeaning
    stopping: Callable[[], bool] = lambda: False
    paused: Callable[[Action], bool] = lambda action: False
    _open: dict[int, Action] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def resume(self) -> None:
        """Takes up what an earlier run had still to give."""
        for action in self.ledger.places_open() if self.enabled else ():
            self.watch(action)

    def watch(self, action: Action) -> None:
        with self._lock:
            self._open[action.id] = action

    @property
    def pending(self) -> bool:
        """Whether a place has still to be given, and nothing is known against it."""
        if self.blocked.routing_stopped(self.clock.now()):
            return False
        with self._lock:
            waiting = list(self._open.values())
        return any(action.place is PlaceState.DUE and not self.paused(action) for action in waiting)

    def look(self) -> None:
        """Raises ``LedgerUnavailable`` where what was given could not be written: then it is still open."""
        with self._lock:
            waiting = list(self._open.values())
        for action in waiting:
            now = self.clock.now()
            if self.stopping() or self.blocked.routing_stopped(now) or self.blocked.calls_stopped(now):
                return
            if self.paused(action):
                continue
            try:
                self._give(action)
            except NotOpen:  # somebody has settled it
                self._forget(action)
        self._learn()

    def _learn(self) -> None:
        """Reads a contact that tells whether ages are set or added, once Connect has had the time to apply one."""
        contact_id = self.ages.to_read(sent_before=self.clock.now() - ROUTING_APPLIES_WITHIN)
        if contact_id is None or self.stopping():
            return
        reading = self.reader.describe(contact_id)
        if isinstance(reading, Reading):
            self.ages.seen(reading.contact)

    def _give(self, action: Action) -> None:
        if action.place is PlaceState.INTENDED and self._age(action) < ROUTING_APPLIES_WITHIN:
            return
        contact_id = action.new_contact_id or action.contact_id
        reading = self.reader.describe(contact_id)
        if isinstance(reading, Missing) or (isinstance(reading, Reading) and not self._there(action, reading.contact)):
            self._close(action, PlaceState.GONE)
        elif isinstance(reading, Reading):
            self.ages.seen(reading.contact)
            self._give_to(action, reading.contact)

    def _there(self, action: Action, contact: Contact) -> bool:
        """Whether it waits where it landed."""
        queue_id, enqueued_at = action.landed_queue_id, action.landed_enqueued_at
        if queue_id is None or enqueued_at is None or contact.standing(self.clock.now()) is not Standing.WAITING:
            return False
        return in_place(contact, queue_id=queue_id, enqueued_at=enqueued_at)

    def _give_to(self, action: Action, contact: Contact) -> None:
        has, before = routing_of(contact.details), action.before or routing_of(None)
        assert action.landed_enqueued_at is not None, "it is where it landed"
        waited = action.landed_enqueued_at - action.wait.began_at
        update = place_to_give(before, waited, has, adds=self.ages.adds, given=self._given_before(action, contact))
        sent = action.routing
        if update is None or (sent is not None and shown(sent, _as_landed(before, has), has) is Shown.NEW):
            self._close(action, PlaceState.GIVEN)
        elif self._moved_for(action) > GIVE_UP_AFTER:
            self._refused(action, "NoAnswer", "it did not come to be in time")
        elif self.pacer.acquire(UPDATE, until=self.clock.monotonic() + TOKEN_WITHIN):
            self._send(action, contact, update, has)

    def _given_before(self, action: Action, contact: Contact) -> timedelta:
        """The time that the last move of the wait before this one gave back as an age; zero where none did."""
        chain = self.ledger.histories((contact,)).get(contact.id, ())
        moves = (move for move in chain if move.wait == action.wait and move.moved and move.id < action.id)
        given = [
            move.landed_enqueued_at - move.wait.began_at
            for move in moves
            if move.routing is not None and move.routing.age is not None and move.landed_enqueued_at is not None
        ]
        return given[-1] if given else timedelta()

    def _send(self, action: Action, contact: Contact, update: RoutingData, has: RoutingData) -> None:
        intended = replace(action, routing=update, place=PlaceState.INTENDED, place_at=self.clock.now())
        try:
            self.ledger.require_turn()
            self._write(intended)
            self.ledger.require_turn()
        except BaseException:
            self.pacer.give_back(UPDATE)
            raise
        answer = self.mover.reroute(contact_id=contact.id, routing=update)
        if isinstance(answer, Throttled | Unauthenticated):  # nothing happened, and nothing was said against it
            self._write(replace(intended, place=PlaceState.DUE))
        if isinstance(answer, Throttled):
            self.pacer.throttled(UPDATE)
        elif isinstance(answer, Unauthenticated):
            self.denials.apply(BreakerSignal.CREDENTIALS_REFUSED, action, answer)
        elif isinstance(answer, Updated):
            self.pacer.succeeded(UPDATE)
            self.ages.sent(contact.id, update, has, now=self.clock.now())
            self._close(intended, PlaceState.GIVEN)
            events.log_place_kept(intended)
        elif isinstance(answer, Unknown):
            self.ages.sent(contact.id, update, has, now=self.clock.now())
        else:
            if isinstance(answer, Denied):
                self.denials.apply(BreakerSignal.ROUTING_DENIED, action, answer)
            self._refused(intended, answer.code, answer.message)

    def _refused(self, action: Action, code: str, message: str) -> None:
        self._close(action, PlaceState.REFUSED)
        events.log_place_lost(action, code=code, message=message)

    def _close(self, action: Action, place: PlaceState) -> None:
        self._write(replace(action, place=place))
        self._forget(action)

    def _write(self, action: Action) -> None:
        self.ledger.give_place(action)
        self.watch(action)

    def _forget(self, action: Action) -> None:
        with self._lock:
            self._open.pop(action.id, None)

    def _age(self, action: Action) -> timedelta:
        return self.clock.now() - action.place_at if action.place_at is not None else GIVE_UP_AFTER

    def _moved_for(self, action: Action) -> timedelta:
        return self.clock.now() - (action.landed_at or action.decided_at)


def _as_landed(before: RoutingData, has: RoutingData) -> RoutingData:
    """What it had as it landed: the flow had set nothing, so the defaults, or what it brought along."""
    return RoutingData(priority=before.priority if has.priority == before.priority else None, age=before.age)
