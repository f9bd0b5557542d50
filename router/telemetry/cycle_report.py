"""Adds up what one cycle saw and did: the figures of ``cycle.finished``."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from router.cycle_context import CycleContext
from router.decide.decide import Account, Decided
from router.decide.decision import Hold, RoutingUpdate, RuleDecision, Transfer, Warn
from router.durations import format_duration, iso
from router.execute.result import Outcome, Result
from router.model import Contact, ContactId, HoldReason
from router.rules.rule import Mode
from router.search.progress import SearchProgress
from router.telemetry.glance import Glance, glance_of

_PASSING = frozenset({Outcome.HELD, Outcome.NOT_SENT, Outcome.NO_PLACE, Outcome.LEARNT, Outcome.INTERRUPTED})
"""What a later round of the same cycle may make something else of."""


@dataclass(kw_only=True)
class CycleTally:
    """Collects what the rounds of one cycle have come to. ``accounts`` are the latest of each contact, ``calls`` those
    made before it began."""

    context: CycleContext
    began: float
    calls: Counter[str]
    accounts: dict[ContactId, Account] = field(default_factory=dict)
    breached: Counter[str] = field(default_factory=Counter)
    busy: float = 0.0
    """Seconds in which the router decided and acted."""
    _lasting: list[Result] = field(default_factory=list)
    _passing: dict[ContactId, list[Result]] = field(default_factory=dict)

    @property
    def results(self) -> list[Result]:
        return [*self._lasting, *(result for results in self._passing.values() for result in results)]

    def decided(self, decided: Decided) -> None:
        """Replaces holds and unsent decisions that an earlier round had for these contacts."""
        self.accounts.update(decided.accounts)
        for contact_id in decided.accounts:
            self._passing.pop(contact_id, None)

    def done(self, results: list[Result]) -> None:
        for result in results:
            if result.outcome in _PASSING:
                self._passing.setdefault(result.decision.contact.id, []).append(result)
            else:
                self._lasting.append(result)

    def allow_time_to_act(self, *, since: float, now: float) -> None:
        """Gives acting at least as much time as searching or deciding took, from ``since`` to ``now``.

        A search (Connect allows one call in two seconds for the whole account), or deciding on many contacts on a slow
        machine, may take longer than a poll, and must not leave everything undone cycle after cycle.
        """
        if self.context.until is not None:
            self.context = replace(self.context, until=max(self.context.until, now + (now - since)))

    def refusals(self, contact: Contact) -> int:
        return sum(one.outcome is Outcome.REFUSED and one.decision.contact.id == contact.id for one in self._lasting)


LIMITS = (HoldReason.PERCENT_OF_QUEUE, HoldReason.PER_CYCLE, HoldReason.PER_HOUR, HoldReason.FLOW_SUSPENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Describes one figure of a cycle, for every place that shows it.

    ``name`` is its member in ``cycle.finished``, in ``status`` and in CloudWatch, which also gets ``unit``. ``counts``
    decides whether a result counts; ``None``: the figure does not come from results. ``gauge`` is its name in
    Prometheus and ``text`` its explanation there; ``None``: Prometheus does not have it.
    """

    name: str
    unit: Literal["Count", "Seconds"] = "Count"
    counts: Callable[[Result], bool] | None = None
    gauge: str | None = None
    text: str = ""


def _figure(name: str, **description: Any) -> dict[str, Any]:
    return {"figure": Figure(name=name, **description)}


def _done(kind: type[RuleDecision], *modes: Mode) -> Callable[[Result], bool]:
    def counts(result: Result) -> bool:
        decision = result.decision
        return result.outcome is Outcome.DONE and isinstance(decision, kind) and decision.mode in modes

    return counts


def _ended_as(*outcomes: Outcome) -> Callable[[Result], bool]:
    return lambda result: result.outcome in outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleFigures:
    """Holds the figures of a cycle, each with its ``Figure``.

    ``due`` counts contacts. ``not_sent`` counts what the quota or the next poll prevented; it is decided on again.
    ``oldest_breach`` is of the contacts still not served, ``None`` if nothing is late. ``breached`` counts the promises
    broken in this cycle.
    """

    waiting: int = field(
        default=0, metadata=_figure("waiting", gauge="waiting", text="Contacts that waited in the last cycle.")
    )
    ungoverned: int = field(
        default=0, metadata=_figure("ungoverned", gauge="ungoverned", text="Of these, those that no rule looks after.")
    )
    due: int = field(
        default=0, metadata=_figure("due", gauge="due", text="Contacts with a step that was due in the last cycle.")
    )
    transferred: int = field(default=0, metadata=_figure("transferred", counts=_done(Transfer, Mode.ENFORCE)))
    would_transfer: int = field(default=0, metadata=_figure("would_transfer", counts=_done(Transfer, Mode.OBSERVE)))
    reprioritized: int = field(default=0, metadata=_figure("reprioritized", counts=_done(RoutingUpdate, Mode.ENFORCE)))
    warned: int = field(default=0, metadata=_figure("warned", counts=_done(Warn, *Mode)))
    breached: int = field(default=0, metadata=_figure("breached"))
    failed: int = field(default=0, metadata=_figure("failed", counts=_ended_as(Outcome.REFUSED, Outcome.UNSETTLED)))
    not_sent: int = field(
        default=0,
        metadata=_figure(
            "not_sent",
            counts=_ended_as(Outcome.NOT_SENT),
            gauge="not_sent",
            text="Due, and left by the quotas to a later cycle.",
        ),
    )
    oldest_breach: timedelta | None = field(
        default=None,
        metadata=_figure(
            "oldest_breach_s",
            unit="Seconds",
            gauge="oldest_breach_seconds",
            text="Seconds since the oldest breach that is not served; 0: none.",
        ),
    )
    seconds: float = field(
        default=0.0,
        metadata=_figure("seconds", unit="Seconds", gauge="cycle_seconds", text="Seconds that the last cycle took."),
    )
    busy: float = field(
        default=0.0,
        metadata=_figure(
            "busy_s", unit="Seconds", gauge="busy_seconds", text="Seconds of it spent on deciding and acting."
        ),
    )


_FIGURES: Mapping[str, Figure] = {one.name: one.metadata["figure"] for one in dataclasses.fields(CycleFigures)}
FIGURES: tuple[Figure, ...] = tuple(_FIGURES.values())
"""Every figure of a cycle: its name, its unit, how it is added up, and its metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport(CycleFigures):
    """Holds what one cycle saw and did: its figures and the rest of the log line.

    ``held`` counts decisions by reason, ``breached_by`` broken promises by rule. ``search`` is how far the search has
    come.
    """

    cycle: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    next_due_at: datetime | None = None
    breached_by: Mapping[str, int] = field(default_factory=dict)
    search: SearchProgress = field(default_factory=lambda: SearchProgress(begun=True))
    glance: Glance = field(default_factory=Glance)

    @property
    def complete(self) -> bool:
        """Returns whether everything that waits was looked at and no search failed."""
        return self.search.complete

    def fields(self, *, period_s: float | None = None) -> dict[str, Any]:
        """Returns the members of the log line, durations in seconds. ``period_s`` is the time to the next cycle, by
        which ``drain_s`` is computed; ``None``: what this cycle took."""
        figures = {figure.name: getattr(self, name) for name, figure in _FIGURES.items()}
        others = {name: getattr(self, name) for name in ("cycle", "held", "next_due_at", "complete")}
        search = {"unseen": self.search.unseen, "unseen_s": self.search.unseen_for}
        line = {name: _plain(value) for name, value in (others | figures | search).items()}
        return {**line, "drain_s": self.drain_s(self.seconds if period_s is None else period_s)}

    @property
    def kept_back(self) -> int:
        """Counts what is due and was kept back by the quota or by a limit."""
        return self.not_sent + sum(self.held.get(reason.value, 0) for reason in LIMITS)

    def drain_s(self, period_s: float) -> float | None:
        """Returns for how many seconds moves are kept back at this cycle's pace; ``None`` if none is kept back, or none
        was made."""
        if not self.transferred or not self.kept_back:
            return None
        return round(self.kept_back * period_s / self.transferred, 1)


def _plain(value: object) -> object:
    match value:
        case timedelta():
            return round(value.total_seconds(), 3)
        case datetime():
            return iso(value)
        case float():
            return round(value, 3)
        case Mapping():
            return dict(value)
        case _:
            return value


def in_a_line(report: CycleReport) -> str:
    """Returns the report as one line, for ``systemctl status``."""
    told = [f"{report.waiting} waiting", f"{report.due} due", f"{report.transferred} moved"]
    more = {"held": sum(report.held.values()), "failed": report.failed}
    told += [f"{count} {name}" for name, count in more.items() if count]
    if report.oldest_breach is not None:
        told.append(f"oldest breach {format_duration(timedelta(seconds=int(report.oldest_breach.total_seconds())))}")
    return f"cycle {report.cycle}: {', '.join(told)}{'' if report.complete else '; the search was incomplete'}"


def report_of(cycle: int, decided: Decided, results: list[Result]) -> CycleReport:
    """Adds up one cycle: ``decided`` holds the last decisions on every contact, ``results`` what came of all rounds."""
    moved = (one.decision for one in results if one.outcome is Outcome.DONE and isinstance(one.decision, Transfer))
    served = {decision.contact.id for decision in moved}
    late = [_late(account) for account in decided.accounts.values() if account.contact.id not in served]
    counted: dict[str, Any] = {one.name: sum(map(one.counts, results)) for one in FIGURES if one.counts is not None}
    present = _without_landed(decided, served)
    return CycleReport(
        cycle=cycle,
        waiting=sum(1 for account in present.accounts.values() if account.wait is not None),
        ungoverned=sum(1 for account in present.accounts.values() if account.ungoverned),
        due=len({one.contact.id for one in decided.decisions if one.due_at is not None}),
        held=_held(decided, results),
        oldest_breach=max((one for one in late if one > timedelta()), default=None),
        next_due_at=decided.next_due_at,
        glance=glance_of(present, results),
        **counted,
    )


def _without_landed(decided: Decided, served: Collection[ContactId]) -> Decided:
    """Leaves out the moved contacts that were decided on again, under their new ids, where they landed."""
    known = Counter(account.wait.key for account in decided.accounts.values() if account.wait is not None)
    accounts = {
        contact_id: account
        for contact_id, account in decided.accounts.items()
        if contact_id not in served or account.wait is None or known[account.wait.key] == 1
    }
    return replace(decided, accounts=accounts)


def _late(account: Account) -> timedelta:
    """Returns how far a waiting contact is past the promise that is broken most; zero if none is broken."""
    found = account.governance
    if found is None:
        return timedelta()
    late = (
        one.elapsed - one.rule.rule.sla.target
        for one in found.promising
        if one.elapsed is not None and one.rule.rule.sla.target is not None
    )
    return max(late, default=timedelta())


def _held(decided: Decided, results: list[Result]) -> dict[str, int]:
    held = Counter(one.reason.value for one in decided.decisions if isinstance(one, Hold))
    held.update(result.reason.value for result in results if result.outcome is Outcome.HELD and result.reason)
    return dict(held)
