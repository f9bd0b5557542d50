"""Acts on each contact at the instant at which it falls due, instead of once a poll."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Lock

from router import events
from router.daemon.cycle import Cycle
from router.ledger.errors import LedgerUnavailable
from router.model import Contact, Landing
from router.ports import REROUTE, TRANSFER, Pacer
from router.runtime import Runtime
from router.search.planner import SearchPlanner
from router.search.progress import SearchProgress
from router.search.waiting_list import WaitingList
from router.telemetry.cycle_report import CycleReport

LONGEST_WAIT = 1.0
"""Seconds: the system clock, by which contacts fall due, may be set, and a longer sleep would rely on it."""
LEAST_ROUND = timedelta(milliseconds=200)
SHARE_OF_DECIDING = 5
"""A round is broken off for something more urgent once it has acted five times as long as deciding took: news that come
one after the other must not keep it from acting at all."""


OnReport = Callable[[CycleReport], object]


def ignore(report: CycleReport) -> None:
    """Does nothing with a report."""


@dataclass(frozen=True, slots=True)
class _Poll:
    """Records that a poll has begun; ``until`` is the monotonic instant of the next one."""

    until: float


@dataclass(kw_only=True)
class ActLoop:
    """Decides and acts. ``poll`` is called by the scheduler's thread, ``run`` is a thread of its own.

    ``poll`` passes on the poll that is ``_due``, and what its search has ``_seen``. ``_searched`` is set until that
    search is shown as progress. ``_news`` ends the wait for the next round. After a round the thread rests until
    ``_decide_again_at`` (monotonic seconds); ``_pause`` ends that. ``_value_read`` is set if a value has arrived for
    which the last decision did not wait.
    """

    cycle: Cycle
    pacer: Pacer
    runtime: Runtime
    _seen: SearchProgress = field(default_factory=SearchProgress)
    _searched: bool = False
    _due: _Poll | None = None
    _news: Event = field(default_factory=Event)
    _pause: Event = field(default_factory=Event)
    _value_read: Event = field(default_factory=Event)
    _decide_again_at: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    @property
    def search(self) -> SearchPlanner:
        return self.cycle.search

    @property
    def waiting_list(self) -> WaitingList:
        return self.cycle.search.waiting_list

    def poll(self, *, until: float, every: timedelta) -> None:
        """Searches and reads in the background, while the cycle that begins with this poll acts.

        Never raises for what Connect does.
        """
        with self._lock:
            self._due = _Poll(until)
        self.wake()
        cycle = self.cycle
        stopped = cycle.safety.calls_stopped()
        if cycle.safety.calls_stay_stopped():
            with self._lock:
                self._seen = SearchProgress()
            return
        if stopped:
            self.waiting_list.decide_all_again()
        self.waiting_list.record_seen(cycle.follower.at_agents, self.runtime.clock.now(), by_id=True)
        names = cycle.names
        seen = self.search.poll(
            names.rules, names.directory, every=every, until=until, on_news=self.wake, stop=self.runtime.stopping.is_set
        )
        cycle.record_search(seen)
        cycle.report_stranded()
        if cycle.read_pauses(until=until, every=every):
            self.wake()
        with self._lock:
            self._seen, self._searched = seen, True
        self.wake()

    def wake(self) -> None:
        """Ends every wait, because there is something to decide on."""
        self._news.set()
        if self.runtime.stopping.is_set():
            self._pause.set()
        for operation in (TRANSFER, REROUTE):
            self.pacer.nudge(operation)

    def landed(self, contact: Contact, landing: Landing) -> None:
        """Records that a moved contact was read in its new place; contacts that waited for the landing slot are decided
        on."""
        if landing in (Landing.QUEUED, Landing.DIVERTED):
            self.waiting_list.record_seen([contact], self.runtime.clock.now(), by_id=True)
        short = self.waiting_list.free_slots() or self.cycle.safety.slots.can_reopen()
        if short or landing is Landing.DIVERTED:
            self.wake()

    def read_late(self) -> None:
        """Records that a value is there for which the last decision did not wait."""
        self._value_read.set()
        self.wake()

    def run(self, *, on_finish: OnReport = ignore, on_progress: OnReport = ignore) -> None:
        """Acts until the service stops, then ends the cycle under way.

        ``on_finish`` gets the report of each cycle that has ended, ``on_progress`` one as soon as a cycle has searched
        everything and decided on all of it.
        """
        while not self.runtime.stopping.is_set():
            self._news.wait(self._patience())
            self._let_act()
            self._news.clear()
            self._guarded(lambda: self._step(on_finish, on_progress))
        self._guarded(lambda: self._end(on_finish))

    def _let_act(self) -> None:
        """Leaves the processor to the workers for a while, because deciding on many contacts takes long."""
        left = self._decide_again_at - self.runtime.clock.monotonic()
        if left > 0:
            self._pause.wait(left)

    def _patience(self) -> float:
        if not self.cycle.under_way:
            return LONGEST_WAIT
        left = (self.waiting_list.next_at - self.runtime.clock.now()).total_seconds()
        return min(max(left, 0.0), LONGEST_WAIT)

    def _step(self, on_finish: OnReport = ignore, on_progress: OnReport = ignore) -> None:
        poll = self._take_poll()
        if poll is not None:
            self._end(on_finish)
            self.cycle.begin(until=poll.until)
        elif self.cycle.under_way:
            self.cycle.prolong(after=LONGEST_WAIT)
            self.cycle.take_up_changes()
        if self._value_read.is_set():
            self._value_read.clear()
            self.cycle.decide_unread_again()
        if not self.cycle.under_way or not (poll or self._anything_presses()):
            self._show_progress(on_progress)
            return
        began = self.runtime.clock.monotonic()
        self.cycle.act(interrupted=self._interrupted())
        took = min(self.cycle.deciding_took.total_seconds(), LONGEST_WAIT / SHARE_OF_DECIDING)
        self._decide_again_at = began + took * (1 + SHARE_OF_DECIDING)
        self._show_progress(on_progress)

    def _take_poll(self) -> _Poll | None:
        with self._lock:
            poll, self._due = self._due, None
            return poll

    def _anything_presses(self) -> bool:
        return self.waiting_list.next_at <= self.runtime.clock.now() or self.cycle.executor.round.stragglers.ended

    def _interrupted(self) -> Callable[[timedelta], bool]:
        """Returns the question that the workers put between two contacts: is there something more urgent?"""
        began, next_at = self.runtime.clock.monotonic(), None

        def interrupted(took: timedelta) -> bool:
            nonlocal next_at
            acted = timedelta(seconds=self.runtime.clock.monotonic() - began) - took
            if acted < max(LEAST_ROUND, took * SHARE_OF_DECIDING):
                return False
            if next_at is None:
                next_at = self.waiting_list.next_at
            return self._news.is_set() or next_at <= self.runtime.clock.now()

        return interrupted

    def _show_progress(self, on_progress: OnReport) -> None:
        with self._lock:
            searched = self._searched
        if searched and self.cycle.under_way and not self._news.is_set():
            with self._lock:
                self._searched = False
            on_progress(self.cycle.report(self._seen))

    def _end(self, on_finish: OnReport) -> None:
        if self.cycle.under_way:
            on_finish(self.cycle.finish(self._seen))

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except LedgerUnavailable as problem:
            self.cycle.safety.ledger.report(problem)
        except Exception:
            events.log_cycle_failed(self.cycle.number)
