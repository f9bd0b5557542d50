"""One cycle: settle what is open, look, decide, act, and say in one line what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

from router.connect.answers import Unauthenticated
from router.decide.decide import Decided
from router.decide.decision import ByRule, Hold, Reroute, Transfer
from router.ledger.errors import LedgerUnavailable
from router.model import Contact, HoldReason
from router.rules.rule import Mode
from router.service import tell
from router.service.blocked import Blocked
from router.service.degraded import Degraded
from router.service.ended import EndedWaits
from router.service.enforce import Enforcer
from router.service.follow import Follower
from router.service.holds import HoldsTold
from router.service.landing import LandingPlaces
from router.service.looking import Looking, Sighting
from router.service.meters import Meters
from router.service.names import Names
from router.service.observe import Observer
from router.service.pauses import PauseBoard
from router.service.performing import Came, CycleContext, Result
from router.service.ports import Clock
from router.service.reached import LimitsReached
from router.service.recover import Recovery
from router.service.report import CycleReport, report_of
from router.service.work import perform_all

MAX_ROUNDS = 8
"""A refused destination is followed by the next of the step in the same cycle, at most so often."""


@dataclass(kw_only=True)
class Cycle:
    """``run`` is called by one thread at a time. ``pool`` runs the workers; ``stopping`` ends a cycle between two
    contacts; ``calls`` answers how many calls of each operation were made so far. ``number`` goes on from the last
    cycle of the run before, as far as the ledger tells: limits per cycle are counted by it."""

    looking: Looking
    names: Names
    recovery: Recovery
    enforcer: Enforcer
    observer: Observer
    follower: Follower
    blocked: Blocked
    places: LandingPlaces
    pool: Executor
    workers: int
    clock: Clock
    mode: Mode
    pauses: PauseBoard
    clock_skew: Callable[[], bool]
    calls: Callable[[], Mapping[str, int]]
    stopping: Callable[[], bool]
    number: int = 0
    meters: Meters = field(default_factory=Meters)
    _degraded: Degraded = field(default_factory=Degraded)
    _holds: HoldsTold = field(default_factory=HoldsTold)
    _ended: EndedWaits = field(default_factory=EndedWaits)
    _reached: LimitsReached = field(default_factory=LimitsReached)

    def run(self, *, until: float | None, again: bool = False) -> CycleReport:
        """One cycle, ``until`` the monotonic instant of the next poll (``None``: everything due is acted on). With
        ``again`` it goes on with the one before, whose limits it shares. Raises ``LedgerUnavailable`` where the ledger
        cannot be read: nothing is moved without it."""
        began, calls = self.clock.monotonic(), Counter(self.calls())
        self.number += 0 if again else 1
        context = CycleContext(
            cycle=self.number, rules=self.names.rules, directory=self.names.directory, until=until
        )
        sighting = self._settle_and_search(context)
        decided, results, later = self._decide_and_act(sighting, self._with_time_to_act(context, began))
        report = replace(
            report_of(self.number, decided, results, later),
            complete=sighting.complete,
            failure=sighting.failure,
            seconds=self.clock.monotonic() - began,
        )
        made = Counter(self.calls()) - calls
        fields = {"mode": self.mode.value, "revision": context.revision, "calls": dict(made)}
        tell.log.info("cycle.finished", **fields, **report.fields())
        period = report.seconds if until is None else max(report.seconds, until - began)
        self._reached.tell(report, period_s=period)
        self.meters.count(report, results)
        return report

    def _with_time_to_act(self, context: CycleContext, began: float) -> CycleContext:
        """At least as long for acting as looking took: a search that is longer than the poll (Connect allows one call
        in two seconds, for the whole account) must not leave everything undone cycle after cycle."""
        if context.until is None:
            return context
        now = self.clock.monotonic()
        return replace(context, until=max(context.until, now + (now - began)))

    def _settle_and_search(self, context: CycleContext) -> Sighting:
        """Nothing where the credentials were refused lately: then no call is made at all."""
        if self.blocked.calls_stopped(self.clock.now()):
            return Sighting(contacts=(), complete=False)
        self.recovery.settle_open(context.rules, self.mode, context.directory, until=context.until)
        self._suspend_flows(context)
        sighting = self.looking.search(context.rules, self.follower.at_agents, stop=self.stopping)
        if isinstance(sighting.failure, Unauthenticated):
            self.blocked.unauthenticated(self.clock.now())
        elif sighting.failure is None:
            self.blocked.read()
        self._degraded.search(sighting.failure, cycle=self.number)
        self._degraded.rows(sighting.unreadable, whole=sighting.complete)
        return sighting

    def _suspend_flows(self, context: CycleContext) -> None:
        for flow in self.blocked.suspend(self.follower.followed):
            name = context.directory.flow_name(flow)
            tell.log.error("flow.suspended", flow=name, limit=self.blocked.unlanded_limit)

    def _decide_and_act(self, sighting: Sighting, context: CycleContext) -> tuple[Decided, list[Result], list[Hold]]:
        """Decides and acts; where Connect refused a destination, decides again for the next one of the step. Answers
        the first round's decisions, which saw every contact, the results of all rounds, and the holds of those after
        the first."""
        later: list[Hold] = []
        if self.stopping():
            return Decided(decisions=(), accounts={}), [], later
        contacts = tuple(contact for contact in sighting.contacts if contact not in self._ended)
        first = decided = self._decide(contacts, context)
        results = acted = self._act(decided, context)
        self._suspend_flows(context)
        self._tell_holds(decided, results, context, whole=sighting.complete)
        for _ in range(MAX_ROUNDS):
            refused = {result.decision.contact.id for result in acted if result.came is Came.REFUSED}
            if not refused or self.stopping():
                break
            decided = self._decide(tuple(one for one in contacts if one.id in refused), context)
            acted = self._act(decided, context)
            later.extend(one for one in decided.decisions if isinstance(one, Hold))
            self._tell_holds(decided, acted, context, whole=False)
            results = [*results, *acted]
        return first, results, later

    def _tell_holds(self, decided: Decided, results: list[Result], context: CycleContext, *, whole: bool) -> None:
        self._ended.remember(results, self.clock.now())
        self._holds.tell(decided, results, context, whole=whole)

    def _decide(self, contacts: tuple[Contact, ...], context: CycleContext) -> Decided:
        look = self.looking.look(
            contacts,
            context.directory,
            mode=self.mode,
            cycle=context.cycle,
            followed=self.follower.followed,
            blocks=self.blocked.for_look(self.clock.now(), clock_skew=self.clock_skew()),
            in_progress=self.enforcer.in_progress.contacts,
            paused=self.pauses.now,
        )
        return self.looking.decide(look, context.rules)

    def _act(self, decided: Decided, context: CycleContext) -> list[Result]:
        """Performs the decisions, most urgent first. A contact whose flow has as many under way as may be waits, while
        those of other flows go on, until one of them has landed."""
        left: list[ByRule] = [decision for decision in decided.decisions if isinstance(decision, ByRule)]
        order = {id(decision): place for place, decision in enumerate(left)}
        left, results = self._without_those_to_be_rerouted(left, context)
        while left:
            done = self._perform_all(left, context)
            results.extend(one for one in done if one.came is not Came.NO_PLACE)
            left = [one.decision for one in done if one.came is Came.NO_PLACE]
            left.sort(key=lambda decision: order[id(decision)])
            flows = {decision.target.flow_id for decision in left if isinstance(decision, Transfer)}
            if not flows or not self.places.await_one(flows, until=context.until):
                break
        return [*results, *(_without_place(decision) for decision in left)]

    def _without_those_to_be_rerouted(
        self, decisions: list[ByRule], context: CycleContext
    ) -> tuple[list[ByRule], list[Result]]:
        """A contact whose routing is to be changed and which is to be moved is changed first: two acts on one contact
        never overlap. What is left to do, in the same order, and what came of the others."""
        moved = {decision.contact.id for decision in decisions if isinstance(decision, Transfer)}
        first = [one for one in decisions if isinstance(one, Reroute) and one.contact.id in moved]
        done = self._perform_all(first, context)
        return [decision for decision in decisions if decision not in first], done

    def _perform_all(self, decisions: Sequence[ByRule], context: CycleContext) -> list[Result]:
        return perform_all(decisions, lambda one: self._perform(one, context), pool=self.pool, workers=self.workers)

    def _perform(self, decision: ByRule, context: CycleContext) -> Result:
        """What is not begun when the next poll comes, the rule's hours close or the service stops, is decided anew.
        Whatever goes wrong with one contact, the others go on."""
        over = context.until is not None and self.clock.monotonic() >= context.until
        closed = decision.acts_before is not None and self.clock.now() >= decision.acts_before
        if over or closed or self.stopping():
            return Result(decision=decision, came=Came.NOT_SENT)
        if self.blocked.calls_stopped(self.clock.now()):
            return Result(decision=decision, came=Came.HELD, reason=HoldReason.DENIED)
        paused = self.pauses.of_decision(decision)
        if paused is not None:
            return Result(decision=decision, came=Came.HELD, reason=HoldReason.OPERATOR_PAUSE, detail=str(paused))
        performer = self.enforcer if decision.mode is Mode.ENFORCE else self.observer
        try:
            return performer.perform(decision, context)
        except LedgerUnavailable as problem:
            tell.log.error("ledger.failed", message=str(problem), **tell.of_decision(decision, context))
        except Exception:
            tell.broken(**tell.of_decision(decision, context))
        return Result(decision=decision, came=Came.NOT_SENT)


def _without_place(decision: ByRule) -> Result:
    detail = "as many contacts that its flow moved as may be (guard.unlanded) have not landed yet"
    return Result(decision=decision, came=Came.HELD, reason=HoldReason.FLOW_SUSPENDED, detail=detail)
