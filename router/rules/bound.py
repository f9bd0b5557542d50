"""Holds rules whose names are bound to the ids of an instance."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from router.model import FlowId, QueueId, Target
from router.rules.condition import AllOf, AnyOf, Condition, Test, tests_of
from router.rules.match_keys import Source, match_key
from router.rules.queue_index import RuleIndex, values_required
from router.rules.rule import DestinationEntry, Place, Rule, Step
from router.rules.value_test import TextForm, Value

# Conditions on values of a search are compiled to a plain yes or no, because most rules do not match most contacts.

Values = Mapping[str, Value | None]
Plain = Callable[[Values], bool]
"""Takes the contact's values by match key."""


def plain(condition: Condition, *sources: Source) -> Plain | None:
    """Returns the condition as a plain yes or no, or ``None`` if only ``match`` can decide it.

    That is so if a test needs a value of another source, or one that changes with time.
    """
    if isinstance(condition, Test):
        return _test(condition, sources)
    queue_last = sorted(condition.children, key=lambda child: isinstance(child, Test) and child.key == "queue")
    children = [plain(child, *sources) for child in queue_last]  # the index has looked at the queue already
    known = [child for child in children if child is not None]
    if len(known) < len(children):
        return None
    if isinstance(condition, AllOf):
        return _all_of(known)
    if isinstance(condition, AnyOf):
        return lambda values: any(child(values) for child in known)
    return lambda values: not any(child(values) for child in known)


def _all_of(children: Sequence[Plain]) -> Plain:
    first, *rest = children
    if not rest:
        return first
    others = _all_of(rest)
    return lambda values: first(values) and others(values)


def _test(test: Test, sources: Sequence[Source]) -> Plain | None:
    key, fits = test.key, test.fits
    known = match_key(key)
    if known.source not in sources or known.timed:
        return None
    form = test.form
    exact = isinstance(form, TextForm) and not (form.globs or form.negated or form.folded or form.names)
    if exact and isinstance(form, TextForm) and form.pattern is None and form.present is None:
        literals = frozenset(form.literals)
        return lambda values: values[key] in literals
    if not known.few_values:
        return lambda values: fits(values[key])
    return _remembering(key, fits)


def _while_unread(condition: Condition) -> Hashable:
    if isinstance(condition, Test):
        return match_key(condition.key).source is Source.DETAILS or (condition.key, condition.text)
    return type(condition), tuple(map(_while_unread, condition.children))


def _remembering(key: str, fits: Callable[[Value | None], bool]) -> Plain:
    known: dict[Value | None, bool] = {}

    def ask(values: Values) -> bool:
        value = values[key]
        found = known.get(value)
        if found is None:
            found = known[value] = fits(value)
        return found

    return ask


@dataclass(frozen=True, slots=True, order=True)
class Unresolved:
    """A name that the instance does not have, or has in a way that cannot be used.

    ``skipped``: it names a destination, or a queue that a rule matches, and only that one is left out. ``foreign``: it
    is an ARN of another instance or of another kind of thing.
    """

    place: Place
    message: str
    skipped: bool = False
    foreign: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.message}{self.place.note}"


@dataclass(frozen=True, slots=True)
class BoundEntry:
    """Holds a destination with its ids. ``target`` is ``None`` if the instance lacks a name, and for ``agent_from``.

    With ``agent_from`` each contact names the agent, and only ``flow_id`` is known.
    """

    entry: DestinationEntry
    target: Target | None
    flow_id: FlowId | None = None

    @property
    def name(self) -> str:
        """Returns the destination as the file names it."""
        return self.entry.queue or self.entry.agent or self.entry.agent_from or ""


@dataclass(frozen=True, slots=True)
class BoundStep:
    step: Step
    tiers: tuple[tuple[BoundEntry, ...], ...] = ()

    @property
    def entries(self) -> tuple[BoundEntry, ...]:
        return tuple(entry for tier in self.tiers for entry in tier)


@dataclass(frozen=True)
class BoundRule:
    """Holds a rule with its ids. ``unresolved`` has a line for each name that the instance does not have. A destination
    without an id is skipped, and a queue without one matches nothing; if another name is missing, the rule governs and
    holds.

    ``fingerprint`` covers the rule's content and everything its names are bound to. The queues that ``rule.condition``
    names are bound to ids as well: a queue that is renamed while the service runs stays the queue that was meant.
    """

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
        """Returns the condition as a plain yes or no, or ``None`` if a search returns too little to decide it."""
        return plain(self.rule.condition, Source.SEARCH)

    @cached_property
    def plain_with_details(self) -> Plain | None:
        """Returns the same of values of a search and of DescribeContact; ``None`` also if a search is enough."""
        return plain(self.rule.condition, Source.SEARCH, Source.DETAILS) if self.plain is None else None

    @cached_property
    def conditions(self) -> tuple[Test, ...]:
        """Returns every test of the condition, nested ones too."""
        return tuple(tests_of(self.rule.condition))

    @cached_property
    def required_attribute(self) -> tuple[str, frozenset[str]] | None:
        """Returns the name of an attribute and the values of which a contact must have one to match, the fewest;
        ``None`` if the rule requires no such attribute."""
        found = self._required(lambda key: key.startswith("attributes."))
        return None if found is None else (found[0].removeprefix("attributes."), found[1])

    @cached_property
    def required_text(self) -> tuple[str, frozenset[str]] | None:
        """Returns a match key that a search has the value of, and the texts of which a contact must have one to match,
        the fewest; ``None`` if the rule requires no text, or needs more than a search returns."""
        return self._required(lambda key: key != "queue") if self.plain is not None else None

    def _required(self, counts: Callable[[str], bool]) -> tuple[str, frozenset[str]] | None:
        keys = sorted({test.key for test in self.conditions if counts(test.key)})
        found = ((key, values_required(self.condition, key)) for key in keys)
        required = ((key, values) for key, values in found if values is not None)
        return min(required, key=lambda one: (len(one[1]), one[0] == "channel"), default=None)

    @cached_property
    def while_unread(self) -> Hashable:
        """Returns what decides the result of the condition on a contact whose details are unread."""
        return _while_unread(self.condition)

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
    def found(self) -> dict[type, object]:
        """Returns where a decision stores what it has found about these rules, for the next one."""
        return {}

    @cached_property
    def changes_at(self) -> Sequence[datetime]:
        """Returns the instants at which a rule begins or ends, in order."""
        return sorted(at for one in self.rules for at in (one.rule.from_at, one.rule.until_at) if at is not None)

    @cached_property
    def index(self) -> RuleIndex:
        return RuleIndex(self.rules)

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Returns where each rule is among the others, by name."""
        return {rule.name: position for position, rule in enumerate(self.rules)}
