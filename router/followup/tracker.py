"""After a move it looks: by id, until the contact is queued, answered or ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from router import events
from router.connect.connection import Connection
from router.execute.executor import Executor
from router.followup.follow_up_call import FollowUp
from router.followup.place_keeper import PlaceKeeper
from router.followup.successor import LandingOutcome, outcome_of, taken
from router.ledger.errors import LedgerUnavailable, NotOpen
from router.model import Action, Contact, ContactId, Directory, Landing, Standing
from router.ports import Clock, Ledger, Reader
from router.runtime import Runtime
from router.safety.safety import Safety
from router.settings import Settings

FIRST_LOOK = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=15)
STRAY_PAUSE = timedelta(minutes=5)
"""A stray is looked at until it ends, which may take the 90 days that a task can live."""


@dataclass(slots=True)
class _Watch:
    """Holds a move that is followed.

    ``pause`` doubles from look to look. ``read_age`` is the age of the reading before the call, in seconds, ``None`` if
    an earlier process made it. ``left`` is set once the moved segment was seen to have left its place.
    """

    action: Action
    next_at: datetime
    pause: timedelta = FIRST_LOOK
    read_age: float | None = None
    left: bool = False

    def wait(self, now: datetime) -> None:
        longest = STRAY_PAUSE if self.action.landing is Landing.STRAY else LONGEST_PAUSE
        self.pause = min(self.pause * 2, longest)
        self.next_at = now + self.pause


@dataclass(kw_only=True)
class Tracker:
    """``look`` is called every second or so; each moved contact is read when its own next look is due. Thread-safe.

    The ledger is written first, and what is remembered here follows it: where the ledger cannot be written, the next
    look finds everything as it was. ``landed`` is called with each contact that is in its new place.
    """

    reader: Reader
    ledger: Ledger
    safety: Safety
    clock: Clock
    follow_ups: tuple[FollowUp, ...]
    landing_timeout: timedelta
    landed: Callable[[Contact, Landing], object]
    _watched: dict[int, _Watch] = field(default_factory=dict)
    _counted: tuple[Action, ...] = ()
    _at_agents: dict[ContactId, Contact] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _looking: Lock = field(default_factory=Lock)

    @classmethod
    def open(
        cls,
        settings: Settings,
        runtime: Runtime,
        connection: Connection,
        ledger: Ledger,
        executor: Executor,
        safety: Safety,
        *,
        enforces: bool,
        landed: Callable[[Contact, Landing], object],
    ) -> Tracker:
        """Opens it. A router that ``enforces`` gives places back, if ``execute.keep_place`` is set."""
        wanted: dict[type[FollowUp], bool] = {PlaceKeeper: settings.execute.keep_place}
        return cls(
            reader=connection.background,
            ledger=ledger,
            safety=safety,
            clock=runtime.clock,
            follow_ups=tuple(
                each.open(runtime, connection, ledger, executor.settler, wanted=wish, enforces=enforces)
                for each, wish in wanted.items()
            ),
            landing_timeout=settings.execute.landing_timeout,
            landed=landed,
        )

    def reconfigure(self, settings: Settings) -> None:
        self.landing_timeout = settings.execute.landing_timeout

    def resume(self) -> None:
        """Follows the moves that have not landed according to the ledger: at the start, and after a take-over."""
        followed = self.ledger.followed()
        self.safety.slots.reset((*followed, *self.ledger.open_intents()))
        for action in followed:
            self.watch(action, read_age=None)
        left = self.ledger.open_follow_ups()
        for each in self.follow_ups:
            each.resume(left)

    def count_unanswered(self) -> None:
        """Counts what another router, or an earlier run, has moved and follows, as it is read now. Writes nothing."""
        found = unanswered(self.ledger.followed(), self.reader, self.safety.directory(), self.clock.now())
        self._counted = tuple(action for action, _ in found)

    def look_at_all(self) -> None:
        """Reads every followed contact now, because what was answered or has ended must not count for a decision."""
        with self._lock:
            for watch in self._watched.values():
                watch.next_at = self.clock.now()
        self.look()

    def watch(self, action: Action, *, read_age: float | None) -> None:
        with self._lock:
            self._watched[action.id] = _Watch(action, self.clock.now() + FIRST_LOOK, read_age=read_age)

    @property
    def at_agents(self) -> tuple[Contact, ...]:
        """Returns contacts that wait in agents' own queues, as last read: no search covers those."""
        with self._lock:
            return tuple(self._at_agents.values())

    @property
    def followed(self) -> tuple[Action, ...]:
        with self._lock:
            return (*self._counted, *(watch.action for watch in self._watched.values()))

    @property
    def pending(self) -> bool:
        """Returns whether a move has neither landed nor been given up as a stray, or a follow-up is due."""
        with self._lock:
            moves = [watch.action for watch in self._watched.values()]
        return any(move.landing is Landing.PENDING for move in moves) or any(each.pending for each in self.follow_ups)

    def look(self) -> int:
        """Reads every followed contact whose look is due; returns how many were read.

        A contact that cannot be read never stops the others. Raises ``LedgerUnavailable`` if a finding could not be
        written.
        """
        with self._looking:
            if self.safety.calls_stopped():
                return 0
            now = self.clock.now()
            with self._lock:
                due = [watch for watch in self._watched.values() if watch.next_at <= now]
            for watch in due:
                self._look_after(watch)
            for each in self.follow_ups:
                each.look()
            return len(due)

    def _look_after(self, watch: _Watch) -> None:
        action = watch.action
        try:
            self._look_at(watch)
        except NotOpen:  # the ledger no longer has it: nothing is left to follow
            self._free(action)
            self._forget(watch)
        except LedgerUnavailable:
            raise
        except Exception:
            events.log_broken(**events.action_fields(action))
        finally:
            watch.wait(self.clock.now())

    def _look_at(self, watch: _Watch) -> None:
        overdue = self._moved_for(watch.action) >= self.landing_timeout
        seen = outcome_of(watch.action, self.reader, old_too=not watch.left, overdue=overdue)
        self._note_successor(watch, seen)
        self._check_agent(watch, seen)
        if not seen.readable:
            return
        contact, directory = seen.contact, self.safety.directory()
        landing = _landing_of(watch.action, contact, directory, self.clock.now()) if contact else None
        if landing is not None and contact is not None:
            self._landed(watch, contact, landing)
        elif overdue and watch.action.landing is Landing.PENDING:
            self._stray(watch)

    def _note_successor(self, watch: _Watch, seen: LandingOutcome) -> None:
        """Remembers the successor, so that later looks read it by its own id."""
        if seen.contact is None or seen.contact.id in (watch.action.contact_id, watch.action.new_contact_id):
            return
        found = replace(watch.action, new_contact_id=seen.contact.id)
        self.ledger.land(found)
        watch.action = found

    def _check_agent(self, watch: _Watch, seen: LandingOutcome) -> None:
        if watch.left or seen.old is None or not seen.left:
            return
        watch.left = True
        if taken(watch.action, seen.old):
            events.log_taken_from_agent(watch.action, read_age=watch.read_age)

    def _landed(self, watch: _Watch, contact: Contact, landing: Landing) -> None:
        now, before = self.clock.now(), watch.action
        if landing is before.landing:
            self._sight(contact, landing)
            return
        after = replace(
            before,
            landing=landing,
            landed_at=now,
            landed_queue_id=contact.queue_id,
            landed_enqueued_at=contact.enqueued_at,
            new_contact_id=contact.id,
        )
        due = [follow_up for each in self.follow_ups for follow_up in each.after(after, now=now)]
        written = self.ledger.land(after, follow_ups=due)
        watch.action = after
        for each in self.follow_ups:
            each.watch(written)
        self._free(after)
        self._sight(contact, landing)
        self.landed(contact, landing)
        if not landing.followed:
            self._forget(watch)
        if before.landing is not Landing.AT_AGENT:
            late = before.landing is Landing.STRAY
            events.log_landed(after, landing, self.safety.directory(), after=self._moved_for(before), late=late)

    def _sight(self, contact: Contact, landing: Landing) -> None:
        with self._lock:
            if landing is Landing.AT_AGENT:
                self._at_agents[contact.id] = contact
            else:
                self._at_agents.pop(contact.id, None)

    def _stray(self, watch: _Watch) -> None:
        """Reports a contact once that was neither queued nor answered in time; it is read until it ends."""
        stray = replace(watch.action, landing=Landing.STRAY)
        self.ledger.land(stray)
        watch.action = stray
        if stray.target is not None:
            self.safety.slots.stray(stray.target.flow_id, stray.contact_id)
        events.log_stray(stray, self.safety.directory(), after=self._moved_for(stray))

    def _free(self, action: Action) -> None:
        if action.target is not None:
            self.safety.slots.free(action.target.flow_id, action.contact_id)

    def _moved_for(self, action: Action) -> timedelta:
        return self.clock.now() - (action.settled_at or action.decided_at)

    def _forget(self, watch: _Watch) -> None:
        with self._lock:
            self._watched.pop(watch.action.id, None)


def unanswered(
    moves: Iterable[Action], reader: Reader, directory: Directory, now: datetime
) -> Iterator[tuple[Action, Contact | None]]:
    """Yields the followed moves, each with its contact if it was sent to an agent and is read there.

    Leaves out contacts that were sent to an agent and that a reading shows as answered, ended or in another queue. What
    cannot be read still counts.
    """
    for move in moves:
        if move.target is None or move.target.agent_id is None:
            yield move, None
            continue
        contact = outcome_of(move, reader, old_too=False, overdue=False).contact
        landing = _landing_of(move, contact, directory, now) if contact is not None else None
        if landing is None or landing.followed:
            yield move, contact


def _landing_of(action: Action, contact: Contact, directory: Directory, now: datetime) -> Landing | None:
    """Returns where the move has led; ``None`` while the flow is at work. A stray may still reach its queue."""
    standing = contact.standing(now)
    if standing is Standing.DISCONNECTED:
        return Landing.ENDED
    if standing is Standing.WITH_AGENT:
        return Landing.ANSWERED
    if standing is not Standing.WAITING:
        return None
    assert action.target is not None
    if action.target.queue_id is not None:
        return Landing.QUEUED if contact.queue_id == action.target.queue_id else Landing.DIVERTED
    queue = directory.queue(contact.queue_id) if contact.queue_id else None
    at_agent = queue is None or queue.agent_id is not None
    return Landing.AT_AGENT if at_agent else Landing.DIVERTED
