"""Rules whose names are bound to the ids of an instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from router.model import FlowId, QueueId, Target
from router.rules.condition import Condition, Test, tests_of
from router.rules.index import RuleIndex
from router.rules.plain import Plain, plain
from router.rules.rule import Entry, Place, Rule, Step


@dataclass(frozen=True, slots=True, order=True)
class Unresolved:
    """A name that the instance does not have, or has in a way that cannot be used."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class BoundEntry:
    """``target`` is ``None`` where the instance lacks a name, and for ``agent_from``, whose agent each contact names;
    ``flow_id`` alone is known then."""

    entry: Entry
    target: Target | None
    flow_id: FlowId | None = None


@dataclass(frozen=True, slots=True)
class BoundStep:
    step: Step
    tiers: tuple[tuple[BoundEntry, ...], ...] = ()

    @property
    def entries(self) -> tuple[BoundEntry, ...]:
        return tuple(entry for tier in self.tiers for entry in tier)


@dataclass(frozen=True)
class BoundRule:
    """``unresolved`` says, a line each, which names the instance does not have; such a rule governs and holds.
    ``fingerprint`` covers the rule's content and everything its names are bound to. The queues that ``rule.condition``
    names are bound to ids as well: a queue that is renamed while running stays the queue that was meant."""

    rule: Rule
    steps: tuple[BoundStep, ...]
    fingerprint: str
    unresolved: tuple[Unresolved, ...] = ()
    hours_id: str | None = None

    @property
    def name(self) -> str:
        return self.rule.name

    @cached_property
    def destination_queues(self) -> frozenset[QueueId]:
        targets = [entry.target for step in self.steps for entry in step.entries]
        return frozenset(target.queue_id for target in targets if target and target.queue_id)

    @property
    def condition(self) -> Condition:
        return self.rule.condition

    @cached_property
    def plain(self) -> Plain | None:
        """The condition as a plain yes or no, where what a search tells is enough to decide it."""
        return plain(self.rule.condition)

    @cached_property
    def conditions(self) -> tuple[Test, ...]:
        """Every test of the condition, nested ones too."""
        return tuple(tests_of(self.rule.condition))

    @cached_property
    def to_steps(self) -> tuple[BoundStep, ...]:
        return tuple(step for step in self.steps if step.step.to)


@dataclass(frozen=True)
class BoundRuleSet:
    """``queue_ids`` are the queues whose contacts some rule could match or has moved; ``None``: any queue's."""

    rules: tuple[BoundRule, ...]
    revision: str
    queue_ids: frozenset[QueueId] | None = None

    @cached_property
    def index(self) -> RuleIndex:
        return RuleIndex(self.rules)

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """By name: where a rule stands among the others."""
        return {rule.name: position for position, rule in enumerate(self.rules)}
