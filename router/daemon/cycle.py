"""Runs one cycle: settles open intents, searches, decides, acts and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from router.connect.answers import Unauthenticated
from router.cycle_context import CycleContext
from router.daemon.bound_rules import BoundRules
from router.daemon.pause_checks import read_changed_pauses
from router.daemon.results_record import MAX_ROUNDS, ResultsRecord
from router.decide.decide import Decided, DecidingStopped
from router.execute.executor import Executor
from router.execute.result import Outcome, Result
from router.followup.stranded_contacts import StrandedContacts
from router.followup.tracker import Tracker
from router.lookup.snapshot import Lookup, held_as_denied, held_for_the_ledger
from router.model import Contact
from router.rules.rule import Mode
from router.runtime import Runtime
from router.safety.safety import Safety
from router.search.due_times import NextDue, is_unread
from router.search.event_feed import EventFeed
from router.search.planner import SearchPlanner
from router.search.progress import SearchProgress
from router.search.waiting_list import WaitingList
from router.telemetry.cycle_report import CycleReport, CycleTally
from router.telemetry.reporter import CycleReporter


@dataclass(kw_only=True)
class Cycle:
    """Runs from one poll to the next. ``begin``, any number of ``act`` and ``finish`` are called by one thread; ``run``
    is all of it, with one search of everything.

    ``number`` continues from the last cycle of the ledger, because limits per cycle are counted by it. Only a router
    that is ``working`` settles open intents. ``feed`` is ``None`` if no contact events are received.
    """

    lookup: Lookup
    names: BoundRules
    search: SearchPlanner
    executor: Executor
    follower: Tracker
    stranded: StrandedContacts
    safety: Safety
    reporter: CycleReporter
    runtime: Runtime
    mode: Mode
    working: bool = True
    number: int = 0
    feed: EventFeed | None = None
    deciding_took: timedelta = timedelta()
    _ahead: NextDue | None = None
    _paused: object = None
    _tally: CycleTally | None = None

    @property
    def waiting_list(self) -> WaitingList:
        return self.search.waiting_list

    @property
    def under_way(self) -> bool:
        return self._tally is not None

    def run(self, *, until: float | None, again: bool = False) -> CycleReport:
        """Runs one cycle. ``until`` is the monotonic instant of the next poll; ``None``: everything due is acted on.
        With ``again`` it continues the cycle before and shares its limits. Raises ``LedgerUnavailable`` if the ledger
        cannot be read, because nothing is moved without it.
        """
        tally = self.begin(until=until, again=again)
        seen = self._search_everything(tally)
        tally.allow_time_to_act(since=tally.began, now=self.runtime.clock.monotonic())
        self.waiting_list.decide_all_again()
        more = self.act(wait_for_slots=True, whole=seen.complete) or self.read_pauses()
        for _ in range(MAX_ROUNDS):
            if not more or self._stopping:
                break
            more = self.act(wait_for_slots=True) or self.read_pauses()
        return self.finish(seen)

    def begin(self, *, until: float | None, again: bool = False) -> CycleTally:
        """Begins a cycle: first it settles what an earlier run, or a lost answer, left open."""
        self.number += 0 if again else 1
        terms = self.safety.terms.number  # before the rules, which a reload replaces first
        context = CycleContext(
            cycle=self.number, rules=self.names.rules, directory=self.names.directory, terms=terms, until=until
        )
        calls = self.reporter.calls_so_far()
        self._tally = tally = CycleTally(context=context, began=self.runtime.clock.monotonic(), calls=calls)
        self._note_changes(context)
        self.waiting_list.begin_poll()
        self.safety.ledger.begin_cycle()
        if self.working and not self.safety.calls_stopped():
            self.executor.recovery.settle_open(context, self.mode)
            self.safety.suspend_flows(self.follower.followed)
        return tally

    def prolong(self, *, after: float) -> None:
        """Lengthens a cycle whose next poll is ``after`` seconds late, because its thread still searches or reads.

        Meanwhile contacts that fall due are acted on all the same, within the limits of this cycle.
        """
        tally, now = self._begun(), self.runtime.clock.monotonic()
        until = tally.context.until
        if until is None or now < until + after:
            return
        self._renew(until=now + max(until - tally.began, after))
        self.waiting_list.begin_poll()

    def take_up_changes(self) -> None:
        """Takes up the rules, limits and pauses in force, and has everything decided on again if they have changed."""
        tally = self._begun()
        if tally.context.terms != self.safety.terms.number:
            self._renew(until=tally.context.until)
            self.waiting_list.decide_all_again()

    def decide_unread_again(self) -> None:
        """Has the contacts decided on again for whose decision a value was missing."""
        accounts = self.waiting_list.accounts
        self.waiting_list.decide_again(one for one, account in accounts.items() if is_unread(account))

    def act(
        self,
        *,
        interrupted: Callable[[timedelta], bool] = lambda deciding_took: False,
        wait_for_slots: bool = False,
        whole: bool = False,
    ) -> bool:
        """Makes one round: decides on the contacts that are due, and acts on them, most overdue first.

        A round ends early when the cycle is over, or when ``interrupted``, which gets the time that deciding took,
        returns that there is something more urgent. With ``whole`` all contacts that wait are due. While the
        credentials are refused no call is made: what is due is held. Returns whether there is more to decide
        on at once: the next destination after a refused one, a contact whose pauses are known only now, or all that was
        decided under earlier rules.
        """
        tally, began = self._begun(), self.runtime.clock.monotonic()
        if self._stopping:
            return False
        self.take_up_changes()
        self._reopen_flows()
        late, busy = self.executor.round.stragglers.take(), self.executor.round.stragglers.contacts
        contacts = tuple(one for one in self.waiting_list.take_due(self.runtime.clock.now()) if one.id not in busy)
        if self.feed is not None and self._ahead is not None and not self.safety.calls_stopped():
            contacts = self.feed.readings.complete(contacts, self._ahead)
        decided = self._decide(contacts, tally.context)
        self._record_decisions(decided)
        tally.decided(decided)
        self.deciding_took = took = timedelta(seconds=self.runtime.clock.monotonic() - began)
        tally.allow_time_to_act(since=began, now=self.runtime.clock.monotonic())
        context = replace(tally.context, interrupted=lambda: interrupted(took))
        results = [*late, *self.executor.round.perform(decided.decisions, context, wait_for_slots=wait_for_slots)]
        tally.done(results)
        self._record_results(results, tally)
        if self.reporter.journal is not None:
            self.reporter.journal.record_results(results)
        self.waiting_list.decide_again(one.decision.contact.id for one in late if not one.unread)
        self._reopen_flows()
        self.safety.suspend_flows(self.follower.followed)
        self.reporter.log_holds(decided, results, tally, whole=whole)
        now, knows_pauses = self.runtime.clock.now(), self.lookup.knows_pauses
        self.reporter.log_breaches(decided, results, tally, now=now, knows_pauses=knows_pauses)
        tally.busy += self.runtime.clock.monotonic() - began
        return any(one.outcome in (Outcome.REFUSED, Outcome.LEARNT, Outcome.INTERRUPTED) for one in results)

    def read_pauses(self, *, until: float | None = None, every: timedelta = timedelta()) -> bool:
        """Reads contacts that may have been paused or resumed; see ``read_changed_pauses``.

        Returns whether a reading shows other pauses than were known. That contact is decided on again.
        """
        clock = self.runtime.clock

        def over() -> bool:
            return self._stopping or self.safety.calls_stopped() or (until is not None and clock.monotonic() >= until)

        accounts = self.waiting_list.accounts.values()
        changed = read_changed_pauses(accounts, self.lookup, clock, every=every, over=over)
        self.waiting_list.decide_again(changed)
        return bool(changed)

    def report_stranded(self) -> None:
        """Logs contacts that wait for an agent who takes none."""
        accounts = self.waiting_list.accounts
        late = {one for one, account in accounts.items() if account.past_target}
        self.stranded.report(self.follower.followed, self.names.directory, is_late=late.__contains__)

    def report(self, seen: SearchProgress) -> CycleReport:
        """Returns the figures of the cycle so far. ``seen`` is how far its search has come.

        A cycle whose calls were stopped is not complete.
        """
        if self.safety.breakers.credentials_refused:
            seen = SearchProgress(failure=seen.failure)
        now = self.runtime.clock.monotonic()
        return self.reporter.report(self._begun(), self.waiting_list.accounts, seen, now=now)

    def finish(self, seen: SearchProgress) -> CycleReport:
        """Ends the cycle, logs it in one line, and returns its report."""
        report, tally = self.report(seen), self._begun()
        self.reporter.log_finished(report, tally)
        self.reporter.forget_gone(self.waiting_list.contacts, self.waiting_list.accounts)
        if self.reporter.journal is not None:
            self.reporter.journal.record_cycle(self.waiting_list.contacts, self.number)
        self._tally = None
        return report

    def record_search(self, seen: SearchProgress) -> None:
        """Records how a search ended: logs a failure, and stops all calls if the credentials were refused."""
        if isinstance(seen.failure, Unauthenticated) or self.safety.credentials.refused:
            self.safety.breakers.stop_calls()
        elif seen.failure is None:
            self.safety.breakers.record_response()
        self.reporter.log_search(seen, cycle=self.number)

    @property
    def _stopping(self) -> bool:
        return self.runtime.stopping.is_set()

    def _begun(self) -> CycleTally:
        assert self._tally is not None, "a cycle has begun"
        return self._tally

    def _search_everything(self, tally: CycleTally) -> SearchProgress:
        if self.safety.calls_stay_stopped():
            return SearchProgress()
        stop = self.runtime.stopping.is_set
        seen = self.search.search_everything(tally.context.rules, tally.context.directory, stop=stop)
        self.waiting_list.record_seen(self.follower.at_agents, self.runtime.clock.now(), by_id=True)
        self.record_search(seen)
        return seen

    def _renew(self, *, until: float | None) -> None:
        tally, terms, names = self._begun(), self.safety.terms.number, self.names
        tally.context = replace(tally.context, rules=names.rules, directory=names.directory, terms=terms, until=until)
        self._note_changes(tally.context)

    def _note_changes(self, context: CycleContext) -> None:
        """Has everything decided on again if rules, names or operator pauses have changed."""
        ahead, paused = self._ahead, self.safety.pauses.now
        if ahead is None or ahead.rules is not context.rules or ahead.directory is not context.directory:
            self._ahead = NextDue(context.rules, context.directory)
            self.waiting_list.decide_all_again()
        if self._paused != paused:
            self._paused = paused
            self.waiting_list.decide_all_again()

    def _decide(self, contacts: tuple[Contact, ...], context: CycleContext) -> Decided:
        """Decides on the contacts; on none of them if the service stops meanwhile."""
        snapshot = self.lookup.snapshot(
            contacts,
            context.directory,
            mode=self.mode,
            cycle=context.cycle,
            followed=self.follower.followed,
            blocks=self.safety.blocks(),
            in_progress=self.executor.in_progress.contacts,
            paused=self.safety.pauses.now,
            others=self.waiting_list.count_others(contacts),
        )
        reading, stopping = not self.safety.calls_stopped(), self.runtime.stopping.is_set
        try:
            decided, look = self.lookup.decide(snapshot, context.rules, reading=reading, stopping=stopping)
        except DecidingStopped:
            return Decided(decisions=(), accounts={})
        if self.reporter.journal is not None:
            self.reporter.journal.record_round(look, decided, context.rules, self.names.ruleset)
        if not reading:
            return held_as_denied(decided)
        problem = self.safety.ledger.problem if self.mode is Mode.ENFORCE else None
        return decided if problem is None else held_for_the_ledger(decided, problem)

    def _record_decisions(self, decided: Decided) -> None:
        assert self._ahead is not None, "a cycle has begun"
        now, ahead = self.runtime.clock.now(), self._ahead
        self.waiting_list.record_decisions(
            (account, *ahead.next_decision(account, now)) if account.wait is not None else (account, now, False)
            for account in decided.accounts.values()
        )

    def _reopen_flows(self) -> None:
        """Makes the contacts due that wait for a slot if a slot of a flow that refused them is free.

        It is called before the due contacts are taken, so that a less urgent contact never gets the slot alone. It is
        called again after a round, because a slot may become free before it is recorded who waits for it.
        """
        if self.safety.slots.reopen():
            self.waiting_list.free_slots()

    def _record_results(self, results: Iterable[Result], tally: CycleTally) -> None:
        over = tally.context.until is not None and self.runtime.clock.monotonic() >= tally.context.until
        readings = self.feed.readings if self.feed is not None else None
        recorded = ResultsRecord(self.waiting_list, self.lookup.details, readings, self.runtime.clock.now())
        again = recorded.record(results, refusals=tally.refusals)
        if not over:
            self.waiting_list.decide_again(again)
