"""Holds a rule as it runs: typed and checked, names not yet bound. ``compile`` makes it from a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from router.problems import Place, Problem
from router.rules.condition import Condition
from router.rules.example import Example

if TYPE_CHECKING:
    from router.rules.promise import StatedPromise


class Mode(StrEnum):
    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"

    def weaker(self, other: Mode) -> Mode:
        order = list(Mode)
        return min(self, other, key=order.index)


class OnHold(StrEnum):
    """Names what a rule does with a contact while none of its due steps can act."""

    WAIT = "wait"
    NEXT = "next"
    """The next matching rule governs the contact."""


class Pick(StrEnum):
    FIRST = "first"
    MOST_SLOTS = "most-slots"
    SHORTEST_WAIT = "shortest-wait"
    FEWEST_WAITING = "fewest-waiting"
    ROUND_ROBIN = "round-robin"
    WEIGHTED = "weighted"


__all__ = [
    "DestinationEntry",
    "MetricLimit",
    "Mode",
    "OnHold",
    "Pick",
    "Place",
    "Routing",
    "Rule",
    "RuleGuard",
    "RuleSet",
    "Sla",
    "Step",
]


@dataclass(frozen=True, slots=True)
class MetricLimit:
    """Holds both ends, inclusive; ``None`` is no limit. ``metric`` is a field's name of ``QueueMetrics``.

    Ages are timedeltas, the others whole numbers.
    """

    metric: str
    min: int | timedelta | None
    max: int | timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationEntry:
    """Holds one destination of a step's ``to``. Exactly one of ``queue``, ``agent`` and ``agent_from`` is set.

    ``queue``, ``agent`` and ``flow`` are names, ids or ARNs. ``agent_from`` is the key of a contact attribute that
    holds a user name or id.
    """

    flow: str
    place: Place
    queue: str | None = None
    agent: str | None = None
    agent_from: str | None = None
    limits: tuple[MetricLimit, ...] = ()
    open: bool | None = None
    shorter_wait: bool = False
    require_available: bool = True
    revisit: bool = False
    weight: int = 1

    @property
    def unconditional(self) -> bool:
        """Returns whether it is always eligible: a last resort. An agent is one only if no free slot is required."""
        free = self.queue is not None or (self.agent is not None and not self.require_available)
        return free and not self.limits and self.open is None and not self.shorter_wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Holds a new priority (1 to 10, 1 the highest) or time added to the routing age; exactly one is set."""

    priority: int | None = None
    age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Holds one step. ``number`` counts from 1 in the file; ``at`` is the time on the rule's clock, ``label`` its text
    in the file."""

    number: int
    at: timedelta
    label: str
    place: Place
    to: tuple[tuple[DestinationEntry, ...], ...] = ()
    """Tiers; a plain list is one tier."""
    pick: Pick = Pick.FIRST
    routing: Routing | None = None
    warn: str | None = None

    @property
    def entries(self) -> tuple[DestinationEntry, ...]:
        return tuple(entry for tier in self.to for entry in tier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    target: timedelta | None = None
    clock: Literal["queue", "chain"] = "queue"
    hours: str | None = None
    """The name, id or ARN of hours of operation, or ``"queue"``; ``None``: around the clock."""
    place: Place | None = None
    """Where the hours are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGuard:
    """Holds the rule's own limits; ``None`` means the service's own. The stricter of both applies.

    For ``cooldown`` the service's limit is only a default.
    """

    max_transfers: int | None = None
    cooldown: timedelta | None = None
    per_cycle: int | None = None
    per_hour: int | None = None
    percent_of_queue: int | None = None
    enqueued_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Holds one rule. ``fingerprint`` is a hash of its content, not of its place or its layout."""

    name: str
    place: Place
    condition: Condition
    fingerprint: str
    description: str = ""
    mode: Mode = Mode.ENFORCE
    from_at: datetime | None = None
    until_at: datetime | None = None
    sla: Sla = field(default_factory=Sla)
    steps: tuple[Step, ...] = ()
    guard: RuleGuard = field(default_factory=RuleGuard)
    on_hold: OnHold = OnHold.WAIT

    @property
    def excludes(self) -> bool:
        return not self.steps

    @property
    def to_steps(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.to)

    def in_force(self, now: datetime) -> bool:
        """Returns whether the rule applies at an instant, from ``from`` on and before ``until``."""
        after = self.from_at is None or self.from_at <= now
        return self.mode is not Mode.OFF and after and (self.until_at is None or now < self.until_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """All rules, in the order in which they are tried. ``revision`` is a hash over the files' names and bytes;
    ``sources`` are these, as they were read; ``warnings`` is what reading found that is no error."""

    rules: tuple[Rule, ...]
    revision: str
    files: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    promises: tuple[StatedPromise, ...] = ()
    sources: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    warnings: tuple[Problem, ...] = ()
