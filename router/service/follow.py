"""After a move it looks: by id, until the contact is queued, answered or ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from router.connect.answers import Missing, Reading
from router.decide.case import same_instant
from router.model import Action, Contact, ContactId, Directory, Landing, Standing
from router.service import tell
from router.service.landing import LandingPlaces
from router.service.ports import Clock, Ledger, Reader

FIRST_LOOK = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=15)


@dataclass(slots=True)
class _Watch:
    """``pause`` doubles from look to look; ``read_age`` is that of the reading before the call, in seconds, ``None``
    where an earlier process made it."""

    action: Action
    next_at: datetime
    pause: timedelta = FIRST_LOOK
    read_age: float | None = None
    old_checked: bool = False


@dataclass(kw_only=True)
class Follower:
    """``look`` is called every second or so; each moved contact is read when its own next look is due."""

    reader: Reader
    ledger: Ledger
    places: LandingPlaces
    clock: Clock
    landing_timeout: timedelta
    directory: Callable[[], Directory]
    _watched: dict[int, _Watch] = field(default_factory=dict)
    _at_agents: dict[ContactId, Contact] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def resume(self) -> None:
        """Takes up what the ledger says is not landed: at start, and after a take-over."""
        followed = self.ledger.followed()
        self.places.reset((*followed, *self.ledger.open_intents()))
        for action in followed:
            self.watch(action, read_age=None)

    def watch(self, action: Action, *, read_age: float | None) -> None:
        with self._lock:
            self._watched[action.id] = _Watch(action, self.clock.now() + FIRST_LOOK, read_age=read_age)

    @property
    def at_agents(self) -> tuple[Contact, ...]:
        """Contacts waiting in agents' own queues, as last read: no search covers those."""
        with self._lock:
            return tuple(self._at_agents.values())

    @property
    def followed(self) -> tuple[Action, ...]:
        with self._lock:
            return tuple(watch.action for watch in self._watched.values())

    @property
    def pending(self) -> bool:
        """Whether a move has neither landed nor been given up as stray yet."""
        return any(action.landing is Landing.PENDING for action in self.followed)

    def look(self) -> int:
        """Reads every followed contact whose look is due; answers how many were read."""
        now = self.clock.now()
        with self._lock:
            due = [watch for watch in self._watched.values() if watch.next_at <= now]
        for watch in due:
            self._look_at(watch)
            watch.pause = min(watch.pause * 2, LONGEST_PAUSE)
            watch.next_at = self.clock.now() + watch.pause
        return len(due)

    def _look_at(self, watch: _Watch) -> None:
        self._check_agent(watch)
        contact = self._result_of(watch)
        if contact is None:
            self._overdue(watch)
            return
        landing = _landing_of(watch.action, contact, self.directory(), self.clock.now())
        if landing is None:
            self._overdue(watch)
        else:
            self._landed(watch, contact, landing)

    def _check_agent(self, watch: _Watch) -> None:
        """The old segment, read once after the move: an agent on it accepted between the reading and the call."""
        action = watch.action
        if watch.old_checked:
            return
        reading = self.reader.describe(action.contact_id)
        if not isinstance(reading, Reading):
            return
        watch.old_checked = True
        old = reading.contact
        accepted = old.connected_at or (old.details.accepted_at if old.details else None)
        before = accepted is not None and action.settled_at is not None and accepted <= action.settled_at
        same_segment = action.new_contact_id == action.contact_id
        if before or (old.with_agent and old.disconnected_at is not None and not same_segment):
            tell.taken_from_agent(action, read_age=watch.read_age)

    def _result_of(self, watch: _Watch) -> Contact | None:
        """The segment that the move made, whichever id the answer carried; ``None`` while it cannot be told."""
        action = watch.action
        reading = self.reader.describe(action.new_contact_id or action.contact_id)
        if not isinstance(reading, Reading):
            return self._successor(watch) if isinstance(reading, Missing) else None
        contact = reading.contact
        if contact.id != action.contact_id:
            return contact
        if contact.disconnected_at is None:
            moved = contact.queue_id != action.queue_id or not same_instant(contact.enqueued_at, action.enqueued_at)
            return contact if moved or contact.with_agent else None
        return self._successor(watch)

    def _successor(self, watch: _Watch) -> Contact | None:
        """The segment after the moved one, by the chain; remembered, so that later looks go by its id."""
        action = watch.action
        chain = self.reader.chain(action.contact_id)
        if not isinstance(chain, tuple):
            return None
        after = next((contact for contact in chain if contact.previous_id == action.contact_id), None)
        if after is None:
            return None
        watch.action = replace(action, new_contact_id=after.id)
        self.ledger.land(watch.action)
        reading = self.reader.describe(after.id)
        return reading.contact if isinstance(reading, Reading) else None

    def _landed(self, watch: _Watch, contact: Contact, landing: Landing) -> None:
        now, before = self.clock.now(), watch.action
        if landing is before.landing:
            self._sight(contact, landing)
            return
        watch.action = replace(
            before,
            landing=landing,
            landed_at=now,
            landed_queue_id=contact.queue_id,
            landed_enqueued_at=contact.enqueued_at,
            new_contact_id=contact.id,
        )
        self.ledger.land(watch.action)
        if before.landing in (Landing.PENDING, Landing.STRAY):
            assert before.target is not None
            self.places.free(before.target.flow_id, was_stray=before.landing is Landing.STRAY)
        if before.landing is not Landing.AT_AGENT:
            tell.landed(watch.action, landing, self.directory(), after=now - (before.settled_at or now))
        self._sight(contact, landing)
        if not landing.followed:
            self._forget(watch)

    def _sight(self, contact: Contact, landing: Landing) -> None:
        with self._lock:
            if landing is Landing.AT_AGENT:
                self._at_agents[contact.id] = contact
            else:
                self._at_agents.pop(contact.id, None)

    def _overdue(self, watch: _Watch) -> None:
        """Neither queued nor answered yet: reported once when the time is up, and looked at until it ends."""
        action = watch.action
        if action.landing is Landing.STRAY:
            return
        moved_for = self.clock.now() - (action.settled_at or action.decided_at)
        if moved_for < self.landing_timeout:
            return
        watch.action = replace(action, landing=Landing.STRAY)
        self.ledger.land(watch.action)
        if action.target is not None:
            self.places.stray(action.target.flow_id)
        tell.stray(watch.action, self.directory(), after=moved_for)

    def _forget(self, watch: _Watch) -> None:
        with self._lock:
            self._watched.pop(watch.action.id, None)


def _landing_of(action: Action, contact: Contact, directory: Directory, now: datetime) -> Landing | None:
    """Where the move has led; ``None`` while the flow is at it. A stray stays one until it is answered or ends."""
    standing = contact.standing(now)
    if standing is Standing.DISCONNECTED:
        return Landing.ENDED
    if standing is Standing.WITH_AGENT:
        return Landing.ANSWERED
    if standing is not Standing.WAITING or action.landing is Landing.STRAY:
        return None
    assert action.target is not None
    if action.target.queue_id is not None:
        return Landing.QUEUED if contact.queue_id == action.target.queue_id else Landing.DIVERTED
    queue = directory.queue(contact.queue_id) if contact.queue_id else None
    at_agent = queue is None or queue.agent_id is not None
    return Landing.AT_AGENT if at_agent else Landing.DIVERTED
