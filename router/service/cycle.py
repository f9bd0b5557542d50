"""One cycle: settle what is open, look, decide, act, and say in one line what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from router.connect.answers import Failure
from router.decide.decide import Decided
from router.decide.decision import ByRule, Decision, Hold
from router.decide.look import Limits, Look
from router.ledger.errors import LedgerUnavailable
from router.model import Contact, ContactId, Directory, HoldReason
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode
from router.service import tell
from router.service.blocked import Blocked
from router.service.enforce import Enforcer
from router.service.follow import Follower
from router.service.looking import Looking
from router.service.observe import Observer
from router.service.performing import Came, CycleContext, Performer, Result
from router.service.ports import Clock
from router.service.recover import Recovery

MAX_ROUNDS = 8
"""A refused destination is followed by the next of the step in the same cycle, at most so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport:
    """What one cycle saw and did; the fields of ``cycle.finished``."""

    cycle: int
    waiting: int = 0
    ungoverned: int = 0
    due: int = 0
    transferred: int = 0
    would_transfer: int = 0
    warned: int = 0
    failed: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    complete: bool = False
    oldest_breach: timedelta | None = None
    next_due_at: datetime | None = None
    failure: Failure | None = None


@dataclass(kw_only=True)
class Cycle:
    """``run`` is called by one thread at a time. ``pool`` runs the workers; ``stopping`` ends a cycle between two
    contacts."""

    looking: Looking
    recovery: Recovery
    enforcer: Enforcer
    observer: Observer
    follower: Follower
    blocked: Blocked
    pool: Executor
    clock: Clock
    limits: Limits
    mode: Mode
    rules: Callable[[], BoundRuleSet]
    directory: Callable[[], Directory]
    clock_skew: Callable[[], bool]
    calls: Callable[[], Mapping[str, int]]
    stopping: Callable[[], bool]
    workers: int = 8
    number: int = 0
    _holds: dict[ContactId, tuple[str | None, HoldReason]] = field(default_factory=dict)

    def run(self, *, until: float | None) -> CycleReport:
        """One cycle, ``until`` the monotonic instant of the next poll (``None``: everything due is acted on). Raises
        ``LedgerUnavailable`` where the ledger cannot be read: nothing is moved without it."""
        began, calls = self.clock.monotonic(), Counter(self.calls())
        self.number += 1
        rules, directory = self.rules(), self.directory()
        self.recovery.settle_open(rules, self.mode, self.enforcer.in_progress, until=until)
        for flow in self.blocked.suspend(self.follower.followed):
            tell.log.error("flow.suspended", flow=directory.flow_name(flow), limit=self.blocked.unlanded_limit)
        sighting = self.looking.search(rules, self.follower.at_agents, stop=self.stopping)
        if sighting.failure is not None:
            tell.log.warning("search.degraded", cycle=self.number, **_failure(sighting.failure))
        context = CycleContext(cycle=self.number, revision=rules.revision, directory=directory, until=until)
        results, decided = self._rounds(sighting.contacts, rules, context)
        report = self._report(sighting.contacts, decided, results)
        report = replace(report, complete=sighting.complete, seconds=self.clock.monotonic() - began)
        self._finished(replace(report, failure=sighting.failure), Counter(self.calls()) - calls)
        return replace(report, failure=sighting.failure)

    def _rounds(
        self, contacts: tuple[Contact, ...], rules: BoundRuleSet, context: CycleContext
    ) -> tuple[list[Result], Decided]:
        """Decides and acts; where Connect refused a destination, decides again for the next of the step."""
        results: list[Result] = []
        decided = Decided(decisions=(), accounts={})
        for number in range(MAX_ROUNDS):
            round_decided = self._decide(contacts, rules, context)
            decided = decided if number else round_decided
            acted = self._act(round_decided.decisions, context)
            results.extend(acted)
            self._tell_holds(round_decided, acted, context)
            refused = {result.decision.contact.id for result in acted if result.came is Came.REFUSED}
            contacts = tuple(contact for contact in contacts if contact.id in refused)
            if not contacts or self.stopping():
                break
        return results, decided

    def _decide(self, contacts: tuple[Contact, ...], rules: BoundRuleSet, context: CycleContext) -> Decided:
        now = self.clock.now()
        look = Look(
            now=now,
            mode=self.mode,
            contacts=contacts,
            directory=context.directory,
            cycle=context.cycle,
            histories=self.looking.histories(contacts),
            limits=self.limits,
            blocks=self.blocked.for_look(now, clock_skew=self.clock_skew()),
            in_progress=self.enforcer.in_progress,
        )
        look = self.looking.with_moves(look, self.follower.followed)
        _, decided = self.looking.decide(look, rules)
        return decided

    def _act(self, decisions: tuple[Decision, ...], context: CycleContext) -> list[Result]:
        work = _Work([decision for decision in decisions if isinstance(decision, ByRule)])
        workers = [self.pool.submit(self._work, work, context) for _ in range(min(self.workers, len(work.left)))]
        for worker in workers:
            worker.result()
        return work.results

    def _work(self, work: _Work, context: CycleContext) -> None:
        """Takes the most urgent decision that is left, until there is none, the next poll comes or the service stops."""
        while (decision := work.take()) is not None:
            over = context.until is not None and self.clock.monotonic() >= context.until
            if over or self.stopping():
                work.done(Result(decision=decision, came=Came.NOT_SENT))
                continue
            try:
                work.done(self._performer(decision).perform(decision, context))
            except LedgerUnavailable as problem:
                tell.log.error("ledger.failed", message=str(problem), **tell.of_decision(decision))
                work.done(Result(decision=decision, came=Came.NOT_SENT))

    def _performer(self, decision: ByRule) -> Performer:
        return self.enforcer if decision.mode is Mode.ENFORCE else self.observer

    def _tell_holds(self, decided: Decided, results: list[Result], context: CycleContext) -> None:
        """One line when a contact's hold changes, not each cycle."""
        current: dict[ContactId, tuple[str | None, HoldReason]] = {}
        for hold in (one for one in decided.decisions if isinstance(one, Hold)):
            current[hold.contact.id] = (hold.rule, hold.reason)
            if self._holds.get(hold.contact.id) != current[hold.contact.id]:
                tell.held(hold, hold.reason, context.directory, detail=hold.detail, cycle=context.cycle)
        for result in results:
            if result.came is Came.HELD and result.reason is not None:
                current[result.decision.contact.id] = (result.decision.rule, result.reason)
                tell.held(result.decision, result.reason, context.directory, cycle=context.cycle)
        for contact_id in decided.accounts:
            self._holds.pop(contact_id, None)
        self._holds.update(current)

    def _report(self, contacts: tuple[Contact, ...], decided: Decided, results: list[Result]) -> CycleReport:
        held = Counter(one.reason.value for one in decided.decisions if isinstance(one, Hold))
        held.update(result.reason.value for result in results if result.came is Came.HELD and result.reason)
        came = Counter((type(result.decision).__name__, result.decision.mode, result.came) for result in results)
        moved = {result.decision.contact.id for result in results if result.came is Came.DONE}
        late = [one.late for one in decided.decisions if one.late is not None and one.contact.id not in moved]
        return CycleReport(
            cycle=self.number,
            waiting=len(contacts),
            ungoverned=sum(1 for account in decided.accounts.values() if account.ungoverned),
            due=len({one.contact.id for one in decided.decisions if one.due_at is not None}),
            transferred=came["Transfer", Mode.ENFORCE, Came.DONE],
            would_transfer=came["Transfer", Mode.OBSERVE, Came.DONE],
            warned=sum(count for (kind, _, done), count in came.items() if kind == "Warn" and done is Came.DONE),
            failed=sum(count for (_, _, end), count in came.items() if end in (Came.REFUSED, Came.UNSETTLED)),
            held=dict(held),
            oldest_breach=max((one for one in late if one > timedelta()), default=None),
            next_due_at=decided.next_due_at,
        )

    def _finished(self, report: CycleReport, calls: Counter[str]) -> None:
        tell.log.info(
            "cycle.finished",
            cycle=report.cycle,
            mode=self.mode.value,
            waiting=report.waiting,
            ungoverned=report.ungoverned,
            due=report.due,
            transferred=report.transferred,
            would_transfer=report.would_transfer,
            warned=report.warned,
            failed=report.failed,
            held=dict(report.held),
            seconds=round(report.seconds, 3),
            calls=dict(calls),
            oldest_breach_s=tell.seconds(report.oldest_breach),
            complete=report.complete,
        )


class _Work:
    """Decisions left to perform, most urgent first, shared by the workers."""

    def __init__(self, decisions: list[ByRule]) -> None:
        self.left = decisions[::-1]
        self.results: list[Result] = []
        self._lock = Lock()

    def take(self) -> ByRule | None:
        with self._lock:
            return self.left.pop() if self.left else None

    def done(self, result: Result) -> None:
        with self._lock:
            self.results.append(result)


def _failure(failure: Failure) -> dict[str, str]:
    return {"error": getattr(failure, "code", type(failure).__name__), "message": getattr(failure, "message", "")}

