"""Reads each moved contact by its id, on the workers, until it is queued, answered or ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock

from router import events
from router.connect.connection import Connection
from router.execute.executor import Executor
from router.execute.stragglers import THREADS
from router.execute.workers import BriefWait, perform_all
from router.followup.follow_up_call import FollowUp, Look
from router.followup.place_keeper import PlaceKeeper
from router.followup.successor import LandingOutcome, landing_of, outcome_of, taken, unanswered
from router.ledger.errors import LedgerUnavailable, NotOpen
from router.model import Action, Contact, ContactId, Landing
from router.ports import Ledger, Pacer, Reader
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

    def urgency(self) -> tuple[bool, datetime]:
        return self.action.landing is not Landing.PENDING, self.next_at

    def wait(self, now: datetime) -> None:
        longest = STRAY_PAUSE if self.action.landing is Landing.STRAY else LONGEST_PAUSE
        self.pause = min(self.pause * 2, longest)
        self.next_at = now + self.pause


@dataclass(kw_only=True)
class Tracker:
    """Follows moved contacts until they have landed, and makes the calls after moves. Thread-safe.

    ``look`` is called about every second. It reads each contact whose own next look is due. A look that hangs delays no
    other one, and its contact is not looked at again before it has ended. The ledger is written before the memory. If
    the ledger cannot be written, the next look therefore finds everything as it was. ``landed`` is called with each
    contact that is in its new place.
    """

    reader: Reader
    ledger: Ledger
    safety: Safety
    runtime: Runtime
    pacer: Pacer
    follow_ups: tuple[FollowUp, ...]
    landing_timeout: timedelta
    landed: Callable[[Contact, Landing], object]
    _watched: dict[int, _Watch] = field(default_factory=dict)
    _counted: tuple[Action, ...] = ()
    _at_agents: dict[ContactId, Contact] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _looking: Lock = field(default_factory=Lock)
    _late: BriefWait[Look] = field(init=False)

    def __post_init__(self) -> None:
        most_left = self.runtime.workers * (THREADS - 1)
        self._late = BriefWait(lambda: True, self.pacer.awaits_token, most_left)

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
            runtime=runtime,
            pacer=connection.quotas,
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
        found = unanswered(self.ledger.followed(), self.reader, self.safety.directory(), self.runtime.clock.now())
        self._counted = tuple(action for action, _ in found)

    def look_at_all(self) -> None:
        """Reads every followed contact now, because what was answered or has ended must not count for a decision."""
        with self._lock:
            for watch in self._watched.values():
                watch.next_at = self.runtime.clock.now()
        self.look()

    def watch(self, action: Action, *, read_age: float | None) -> None:
        with self._lock:
            self._watched[action.id] = _Watch(action, self.runtime.clock.now() + FIRST_LOOK, read_age=read_age)

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
        """Looks at every followed contact whose look is due, and makes the calls after moves.

        Contacts that have not landed come first. Returns how many were due. A failure of one contact never stops the
        others.
        """
        with self._looking:
            if self.safety.calls_stopped():
                return 0
            now = self.runtime.clock.now()
            with self._lock:
                due = sorted((one for one in self._watched.values() if one.next_at <= now), key=_Watch.urgency)
            self._make_all(Look(partial(self._look_after, watch), watch.action) for watch in due)
            self._make_all(look for each in self.follow_ups for look in each.looks())
            return len(due)

    def _make_all(self, looks: Iterable[Look]) -> None:
        under_way = {look.number for look in list(self._late.left.values())}
        begun = [look for look in looks if look.number not in under_way]
        perform_all(begun, self._make, pool=self.runtime.pool, workers=self.runtime.workers, late=self._late)

    def _make(self, look: Look) -> None:
        fields = {} if look.action is None else events.action_fields(look.action)
        try:
            look.make()
        except LedgerUnavailable as problem:
            self.safety.ledger.report(problem, **fields)
        except Exception:
            events.log_broken(**fields)

    def _look_after(self, watch: _Watch) -> None:
        try:
            self._look_at(watch)
        except NotOpen:  # the ledger no longer has it: nothing is left to follow
            self._free(watch.action)
            self._forget(watch)
        finally:
            watch.wait(self.runtime.clock.now())

    def _look_at(self, watch: _Watch) -> None:
        overdue = self._moved_for(watch.action) >= self.landing_timeout
        seen = outcome_of(watch.action, self.reader, old_too=not watch.left, overdue=overdue)
        self._note_successor(watch, seen)
        self._check_agent(watch, seen)
        if not seen.readable:
            return
        contact, directory = seen.contact, self.safety.directory()
        landing = landing_of(watch.action, contact, directory, self.runtime.clock.now()) if contact else None
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
        now, before = self.runtime.clock.now(), watch.action
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
        in_time = before.landing is Landing.PENDING and landing not in (Landing.DIVERTED, Landing.ENDED)
        self._free(after, landed=in_time)
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

    def _free(self, action: Action, *, landed: bool = False) -> None:
        if action.target is not None:
            self.safety.slots.free(action.target.flow_id, action.contact_id, landed=landed)

    def _moved_for(self, action: Action) -> timedelta:
        return self.runtime.clock.now() - (action.settled_at or action.decided_at)

    def _forget(self, watch: _Watch) -> None:
        with self._lock:
            self._watched.pop(watch.action.id, None)
