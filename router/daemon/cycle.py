"""One cycle: settle what is open, look, decide, act, and say in one line what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice

from router import events
from router.connect.answers import Unauthenticated
from router.cycle_context import CycleContext
from router.daemon.bound_rules import BoundRules
from router.decide.decide import Decided
from router.decide.decision import Hold, Transfer
from router.execute.recovery import Recovery
from router.execute.result import Outcome, Result
from router.execute.round import Round
from router.execute.workers import InProgress
from router.followup.tracker import Tracker
from router.lookup.snapshot import Lookup
from router.model import Contact, ContactId, HoldReason
from router.ports import Clock
from router.rules.rule import Mode
from router.safety.safety import Safety
from router.search.next_due import NextDue
from router.search.planner import SearchPlanner
from router.search.progress import SearchProgress
from router.search.waiting_list import ENDED_REASONS, WaitingList
from router.telemetry.cycle_report import CycleReport, CycleTally, report_of
from router.telemetry.transitions import HoldTransitions, LimitsReached, SearchTransitions

CONFIRMED = 60
"""Held tasks whose pauses are read in one look: DescribeContact allows 10 calls a second, and moves come first."""
MAX_ROUNDS = 8
"""A refused destination is followed by the next of the step in the same cycle, at most so often."""


@dataclass(kw_only=True)
class Cycle:
    """Runs from one poll to the next. ``begin``, any number of ``act`` and ``finish`` are called by one thread; ``run``
    is all of it, with one search of everything. ``stopping`` ends a cycle between two contacts. ``calls`` returns how
    many calls of each operation were made so far. ``number`` continues from the last cycle of the ledger, because
    limits per cycle are counted by it. Only a router that is ``working`` settles open intents."""

    lookup: Lookup
    names: BoundRules
    search: SearchPlanner
    recovery: Recovery
    round: Round
    in_progress: InProgress
    follower: Tracker
    safety: Safety
    clock: Clock
    mode: Mode
    calls: Callable[[], Mapping[str, int]]
    stopping: Callable[[], bool]
    number: int = 0
    working: bool = True
    deciding_took: timedelta = timedelta()
    count: Callable[[CycleReport, list[Result]], object] = lambda report, results: None
    _degraded: SearchTransitions = field(default_factory=SearchTransitions)
    _holds: HoldTransitions = field(default_factory=HoldTransitions)
    _reached: LimitsReached = field(default_factory=LimitsReached)
    _ahead: NextDue | None = None
    _paused: object = None
    _tally: CycleTally | None = None

    @property
    def waiting_list(self) -> WaitingList:
        return self.search.waiting_list

    def run(self, *, until: float | None, again: bool = False) -> CycleReport:
        """One cycle, ``until`` the monotonic instant of the next poll (``None``: everything due is acted on). With
        ``again`` it goes on with the one before, whose limits it shares. Raises ``LedgerUnavailable`` where the ledger
        cannot be read: nothing is moved without it."""
        tally = self.begin(until=until, again=again)
        seen = self._search_everything(tally)
        self._with_time_to_act(tally, since=tally.began)
        self.waiting_list.decide_all_again()
        more = self.act(wait_for_places=True, whole=seen.complete) or self.confirm(limit=CONFIRMED)
        for _ in range(MAX_ROUNDS):
            if not more or self.stopping():
                break
            more = self.act(wait_for_places=True) or self.confirm(limit=CONFIRMED)
        return self.finish(seen)

    def begin(self, *, until: float | None, again: bool = False) -> CycleTally:
        """A cycle begins: what an earlier run, or a lost answer, left open is settled first."""
        self.number += 0 if again else 1
        context = CycleContext(
            cycle=self.number, rules=self.names.rules, directory=self.names.directory, until=until
        )
        self._tally = tally = CycleTally(context=context, began=self.clock.monotonic(), calls=Counter(self.calls()))
        self._use(context)
        self.waiting_list.begin_poll()
        if self.working and not self.safety.calls_stopped():
            self.recovery.settle_open(context.rules, self.mode, context.directory, until=until)
            self.safety.suspend_flows(self.follower.followed)
        return tally

    def prolong(self, *, after: float) -> None:
        """The next poll is ``after`` seconds late, for its thread still waits for a search or a reading: what falls due
        meanwhile is acted on all the same, by the limits of this cycle."""
        tally, now = self._tally, self.clock.monotonic()
        assert tally is not None, "a cycle has begun"
        until = tally.context.until
        if until is None or now < until + after:
            return
        tally.context = replace(
            tally.context,
            rules=self.names.rules,
            directory=self.names.directory,
            until=now + max(until - tally.began, after),
        )
        self._use(tally.context)
        self.waiting_list.begin_poll()

    def act(
        self,
        *,
        interrupted: Callable[[timedelta], bool] = lambda acting: False,
        wait_for_places: bool = False,
        whole: bool = False,
    ) -> bool:
        """One round: decides on what presses, and acts on it, most overdue first, until everything is done, the cycle
        is over, or there is something more to decide on (``interrupted``, which is told how long deciding took).
        Answers whether there is more to decide at once: a destination was refused, so that the next one of its step is
        to be tried, or reading a contact told of pauses. ``whole``: these are
        all that wait. Nothing is decided on while the credentials are refused: then no call is made at all."""
        tally, began = self._tally, self.clock.monotonic()
        assert tally is not None, "a cycle has begun"
        if self.stopping() or self.safety.calls_stopped():
            return False
        contacts = self.waiting_list.take_due(self.clock.now())
        decided = self._decide(contacts, tally.context)
        self._note(decided)
        tally.decided(decided)
        self.deciding_took = took = timedelta(seconds=self.clock.monotonic() - began)
        self._with_time_to_act(tally, since=began)
        context = replace(tally.context, interrupted=lambda: interrupted(took))
        results = self.round.perform(decided.decisions, context, wait_for_slots=wait_for_places)
        tally.done(results)
        self._note_results(results, tally)
        self.safety.suspend_flows(self.follower.followed)
        self._holds.tell(decided, results, tally.context, whole=whole)
        return any(one.outcome in (Outcome.REFUSED, Outcome.LEARNT) for one in results)

    def confirm(self, *, limit: int, until: float | None = None) -> bool:
        """Reads tasks that are held and of which nobody has read whether they were paused: what is told of them, and
        how late they are, is not to rest on an assumption. Answers whether any was, so that it is decided on anew."""
        paused: list[ContactId] = []
        for contact in islice(self._assumed(), limit):
            if self.stopping() or (until is not None and self.clock.monotonic() >= until):
                break
            details = self.lookup.read_pauses(contact)
            if details is None:
                break
            if details.resumed_at is not None or details.paused_at is not None:
                paused.append(contact.id)
        self.waiting_list.decide_again(paused)
        return bool(paused)

    def _assumed(self) -> Iterator[Contact]:
        for account in self.waiting_list.accounts.values():
            contact = account.contact
            held = contact.channel.pausable and any(isinstance(one, Hold) for one in account.decisions)
            if held and self.lookup.details.of(contact, self.clock.now()) is None:
                yield contact

    def glimpse(self, seen: SearchProgress) -> CycleReport:
        """How the cycle stands."""
        tally = self._tally
        assert tally is not None, "a cycle has begun"
        accounts = {**self.waiting_list.accounts, **tally.accounts}
        decisions = tuple(decision for account in accounts.values() for decision in account.decisions)
        return replace(
            report_of(tally.context.cycle, Decided(decisions=decisions, accounts=accounts), tally.results),
            complete=seen.complete,
            searching=seen.going_on and seen.failure is None,
            unseen=seen.unseen,
            unseen_for=seen.unseen_for,
            failure=seen.failure,
            seconds=self.clock.monotonic() - tally.began,
        )

    def finish(self, seen: SearchProgress) -> CycleReport:
        """The cycle is over: told in one line."""
        report, tally = self.glimpse(seen), self._tally
        assert tally is not None, "a cycle has begun"
        until = tally.context.until
        period = report.seconds if until is None else max(report.seconds, until - tally.began)
        made = Counter(self.calls()) - tally.calls
        fields = report.fields(period_s=period)
        events.log_cycle_finished(fields, mode=self.mode, revision=tally.context.revision, calls=made)
        self._reached.tell(report, period_s=period)
        self.count(report, tally.results)
        self._tally = None
        return report

    @property
    def under_way(self) -> bool:
        return self._tally is not None

    def note_search(self, seen: SearchProgress) -> None:
        """What a search came to, for what all calls have in common; told where it failed."""
        if isinstance(seen.failure, Unauthenticated):
            self.safety.breakers.unauthenticated(self.clock.now())
        elif seen.failure is None:
            self.safety.breakers.read()
        self._degraded.search(seen.failure, cycle=self.number)
        self._degraded.rows(seen.unreadable, whole=seen.complete)

    def _search_everything(self, tally: CycleTally) -> SearchProgress:
        if self.safety.calls_stopped():
            return SearchProgress()
        seen = self.search.search_everything(tally.context.rules, tally.context.directory, stop=self.stopping)
        self.waiting_list.record_seen(self.follower.at_agents, self.clock.now(), by_id=True)
        self.note_search(seen)
        return seen

    def _with_time_to_act(self, tally: CycleTally, *, since: float) -> None:
        """At least as long for acting as looking or deciding took, which began then: what is longer than the poll (a
        search, for Connect allows one call in two seconds for the whole account; many contacts and rules on a slow
        machine) must not leave everything undone cycle after cycle."""
        if tally.context.until is not None:
            now = self.clock.monotonic()
            tally.context = replace(tally.context, until=max(tally.context.until, now + (now - since)))

    def _use(self, context: CycleContext) -> None:
        """Other rules, or another pause: everything is decided on anew."""
        ahead = self._ahead
        if ahead is None or ahead.rules is not context.rules or ahead.directory is not context.directory:
            self._ahead = NextDue(context.rules, context.directory)
            self.waiting_list.decide_all_again()
        if self._paused != self.safety.pauses.now:
            self._paused = self.safety.pauses.now
            self.waiting_list.decide_all_again()

    def _note(self, decided: Decided) -> None:
        assert self._ahead is not None, "a cycle has begun"
        now, ahead = self.clock.now(), self._ahead
        self.waiting_list.record_decisions(
            (account, *ahead.next_decision(account, now)) if account.wait is not None else (account, now, False)
            for account in decided.accounts.values()
        )

    def _note_results(self, results: Iterable[Result], tally: CycleTally) -> None:
        """What was moved, or is seen to be gone, waits no more; what was refused, or not begun because there was
        something more urgent, presses."""
        again: list[ContactId] = []
        no_place: list[ContactId] = []
        for result in results:
            contact, decision = result.decision.contact, result.decision
            moved = isinstance(decision, Transfer) and decision.mode is Mode.ENFORCE and result.outcome is Outcome.DONE
            if moved:
                self.waiting_list.remove(contact)
            elif result.outcome is Outcome.HELD and result.reason in ENDED_REASONS:
                self.waiting_list.record_ended(contact, self.clock.now())
            elif result.outcome in (Outcome.INTERRUPTED, Outcome.LEARNT) or self._may_try_next(result, tally):
                again.append(contact.id)
            elif result.reason is HoldReason.FLOW_SUSPENDED:
                no_place.append(contact.id)
        over = tally.context.until is not None and self.clock.monotonic() >= tally.context.until
        if not over:
            self.waiting_list.decide_again(again)
        self.waiting_list.await_slot(no_place)

    def _may_try_next(self, result: Result, tally: CycleTally) -> bool:
        return result.outcome is Outcome.REFUSED and tally.refusals(result.decision.contact) < MAX_ROUNDS

    def _decide(self, contacts: tuple[Contact, ...], context: CycleContext) -> Decided:
        look = self.lookup.snapshot(
            contacts,
            context.directory,
            mode=self.mode,
            cycle=context.cycle,
            followed=self.follower.followed,
            blocks=self.safety.blocks(),
            in_progress=self.in_progress.contacts,
            paused=self.safety.pauses.now,
            others=self.waiting_list.count_others(contacts),
        )
        return self.lookup.decide(look, context.rules)[0]
