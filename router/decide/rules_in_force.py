"""Selects the rules that are in force, and of these the rules that contacts of a queue can match."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import islice

from router.decide.match_subject import is_detail
from router.decide.snapshot import ReadValues, RecordedMoves, Snapshot
from router.decide.wait import Wait
from router.decide.waiting_contact import WaitingContact, detail
from router.model import Details, QueueId
from router.rules.bound import BoundRule, BoundRuleSet, Plain, Values
from router.rules.condition import ReliedOnValue, Test, Truth, Unread
from router.rules.match_keys import match_key
from router.rules.rule import Mode
from router.rules.value_test import Value

NO_RULES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """Describes a rule that is in force; ``mode`` is the weaker of the rule's and the service's.

    A ``side_rule`` acts in addition to the governing rule: it has no ``to`` step, or it only observes while the service
    enforces. ``reads_details``: one of its conditions is on a value that only DescribeContact has. Rules with an equal
    ``clock`` are due at the same instants, for a contact on which neither has acted, and an operator has paused both or
    neither. Of side rules with an equal ``held_with``, one hold is enough while they are due and the same is unread.
    """

    rule: BoundRule
    mode: Mode
    side_rule: bool
    reads_details: bool
    excludes: bool
    clock: Hashable
    held_with: Hashable

    @classmethod
    def of(cls, rule: BoundRule, snapshot: Snapshot) -> RuleInForce | None:
        """Returns the rule with its mode; ``None`` if the rule is off, or not in force at this time."""
        if not rule.rule.in_force(snapshot.now):
            return None
        mode = rule.rule.mode.weaker(snapshot.mode)
        only_observes = mode is Mode.OBSERVE and snapshot.mode is Mode.ENFORCE
        reads_details = any(is_detail(test.key) for test in rule.conditions)
        excludes = rule.rule.excludes
        paused = snapshot.paused.concerning(rule=rule.name, queue_id=None, contact_ids=())
        held_with = mode, paused, rule.rule.sla.clock, rule.rule.sla.hours, rule.hours_id
        return cls(
            rule=rule,
            mode=mode,
            side_rule=only_observes or not (rule.to_steps or excludes),
            reads_details=reads_details,
            excludes=excludes,
            clock=(mode, paused, _clock_of(rule)),
            held_with=held_with,
        )

    def is_selected(self, *, untouched: bool) -> bool:
        """Returns whether values of DescribeContact decide if the rule is tried, on a contact on which no rule has
        acted or, not ``untouched``, this one has not."""
        return self.required_attribute is not None or (untouched and self.plain_with_details is not None)

    @property
    def plain_with_details(self) -> Plain | None:
        return self.rule.plain_with_details if self.rule.rule.guard.enqueued_after is None else None

    @property
    def required_attribute(self) -> tuple[str, frozenset[str]] | None:
        """Returns the attribute and the values that decide whether the rule is tried; ``None`` if it always is."""
        return self.rule.required_attribute if self.rule.rule.guard.enqueued_after is None else None


def _clock_of(rule: BoundRule) -> Hashable:
    """Returns what decides when a rule's steps are due; its name if its conditions change with the time as well."""
    if any(match_key(test.key).timed for test in rule.conditions):
        return rule.name
    sla = rule.rule.sla
    steps = ((one.at, bool(one.to), one.warn is None, one.routing is None) for one in rule.rule.steps)
    return sla.target, sla.clock, sla.hours, rule.hours_id, rule.rule.guard.enqueued_after, *steps


@dataclass(frozen=True)
class QueueRules:
    """Holds, in their order, the rules that contacts of a queue can match.

    ``behind`` are those, with their places, that matter to a contact that an earlier rule governs: side rules and
    exclusion rules.
    """

    rules: tuple[RuleInForce, ...]
    behind: tuple[tuple[int, RuleInForce], ...]

    @classmethod
    def of(cls, rules: Iterable[RuleInForce]) -> QueueRules:
        found = tuple(rules)
        return cls(found, tuple((at, rule) for at, rule in enumerate(found) if rule.side_rule or rule.excludes))

    def after(self, place: int) -> Iterator[tuple[int, RuleInForce]]:
        return ((at, rule) for at, rule in self.behind if at > place)

    def meeting(self, details: Details | Unread, wait: Wait, values: Values) -> QueueRules:
        """Returns the rules that a contact with these details and values could match, and those that have acted on its
        wait.

        While the details are unread, of rules with equal results only the first is tried.
        """
        acted, read = wait.acted, not isinstance(details, Unread)
        plain = self._plain_with_details if read and not acted else ()
        if not (self._by_attribute or plain):
            return self
        if not (read or acted):
            return self._distinct
        found = {*self._requiring_none, *(self._places[name] for name in acted if name in self._places)}
        found.difference_update(at for at, fits in plain if not fits(values))
        if isinstance(details, Unread):
            found.update(self._first_of_each(acted))
        else:
            for name, by_value in self._by_attribute.items():
                found.update(by_value.get(details.attributes.get(name), ()))
        return self._only(found)

    def fitting(self, values: Values) -> QueueRules:
        """Returns the rules that a contact with these values of a search could match, as far as the key decides of
        which most rules require a text."""
        if self._texts is None:
            return self
        key, by_text, others = self._texts
        text = values[key] if values[key] in by_text else None
        if text not in self._fitting:
            self._fitting[text] = self._only((*others, *by_text.get(text, ())))
        return self._fitting[text]

    def relied_on(
        self, details: Details, wait: Wait, governed_by: str | None, stopped_by: str | None
    ) -> Iterator[ReliedOnValue]:
        """Yields what to check again of the rules that ``meeting`` selects, one test for a key. A priority that the
        router has changed is not the present one."""
        for key in self._tested_after_acts if wait.acted else self._tested:
            if key == "priority" and wait.updates:
                continue
            value = detail(details, key)
            as_read = SameResults(key, value, self.rules, wait.acted, governed_by, stopped_by)
            test = Test(key, f"{key} has the same results", as_read, costs_a_call=True)
            yield ReliedOnValue(test, Truth.YES, value)

    @cached_property
    def _by_attribute(self) -> Mapping[str, Mapping[Value | None, Sequence[int]]]:
        """Returns the places of the rules that require a value of an attribute, by its name and the value."""
        return _places_by_value(rule.required_attribute for rule in self.rules)

    @cached_property
    def _texts(self) -> tuple[str, Mapping[Value | None, Sequence[int]], Sequence[int]] | None:
        """Returns the match key of which most rules require a text, the places of these rules by text, and the places
        of the others; ``None`` if no rule requires a text."""
        required = [rule.rule.required_text for rule in self.rules]
        often = Counter(one[0] for one in required if one is not None).most_common(1)
        if not often:
            return None
        key = often[0][0]
        by_text = _places_by_value(required)[key]
        others = [at for at, one in enumerate(required) if one is None or one[0] != key]
        return key, by_text, others

    @cached_property
    def _fitting(self) -> dict[Value | None, QueueRules]:
        return {}

    def _only(self, places: Iterable[int]) -> QueueRules:
        return QueueRules.of(self.rules[at] for at in sorted(places))

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {rule.rule.name: at for at, rule in enumerate(self.rules)}

    @cached_property
    def _requiring_none(self) -> Sequence[int]:
        return [at for at, rule in enumerate(self.rules) if rule.required_attribute is None]

    @cached_property
    def _plain_with_details(self) -> Sequence[tuple[int, Plain]]:
        """Returns the places of the rules that require no attribute, with the conditions that the details decide."""
        found = ((at, self.rules[at].plain_with_details) for at in self._requiring_none)
        return [(at, fits) for at, fits in found if fits is not None]

    @cached_property
    def _distinct(self) -> QueueRules:
        return self._only((*self._requiring_none, *self._first_of_each(NO_RULES)))

    def _first_of_each(self, acted: Collection[str]) -> Iterator[int]:
        """Yields the place of the first rule of each kind that has not ``acted``."""
        for places in self._of_a_kind:
            yield from islice((at for at in places if self.rules[at].rule.name not in acted), 1)

    @cached_property
    def _of_a_kind(self) -> Collection[Sequence[int]]:
        """Returns the places of the rules that require an attribute, together if they come out alike while it is
        unread."""
        found: dict[Hashable, list[int]] = {}
        for at, rule in enumerate(self.rules):
            if rule.required_attribute is not None:
                kind = rule.side_rule, rule.excludes, rule.clock, rule.rule.while_unread
                found.setdefault(kind, []).append(at)
        return found.values()

    @cached_property
    def _tested(self) -> Sequence[str]:
        return self._keys_tested(untouched=True)

    @cached_property
    def _tested_after_acts(self) -> Sequence[str]:
        return self._keys_tested(untouched=False)

    def _keys_tested(self, *, untouched: bool) -> Sequence[str]:
        selected = (rule.rule.conditions for rule in self.rules if rule.is_selected(untouched=untouched))
        return tuple(dict.fromkeys(test.key for tests in selected for test in tests if is_detail(test.key)))


def _places_by_value(
    required: Iterable[tuple[str, frozenset[str]] | None],
) -> dict[str, dict[Value | None, list[int]]]:
    found: dict[str, dict[Value | None, list[int]]] = {}
    for at, one in enumerate(required):
        name, values = one or ("", ())
        for value in values:
            found.setdefault(name, {}).setdefault(value, []).append(at)
    return found


@dataclass(frozen=True, slots=True)
class SameResults:
    """Checks that a value of DescribeContact has the same results as the one that was read, in all tests of its key.

    These are the tests of rules that are selected by such values and have not ``acted``, up to the governing rule.
    Behind it only side rules and exclusion rules count, up to the rule ``stopped_by`` which the search ended.
    """

    key: str
    value: Value | None
    rules: tuple[RuleInForce, ...]
    acted: frozenset[str]
    governed_by: str | None
    stopped_by: str | None

    def __call__(self, value: Value | None) -> bool:
        return value == self.value or all(test.fits(value) is test.fits(self.value) for test in self._tests())

    def _tests(self) -> Iterator[Test]:
        governed = False
        for rule in self.rules:
            counts = not governed or rule.side_rule or rule.excludes
            if counts and rule.is_selected(untouched=not self.acted) and rule.rule.name not in self.acted:
                yield from (test for test in rule.rule.conditions if test.key == self.key)
            governed = governed or rule.rule.name == self.governed_by
            if rule.rule.name == self.stopped_by:
                return


@dataclass(frozen=True, slots=True)
class Selected:
    """Holds the rules in force, by place, and those that can match, by queue and the rules that have moved the wait.

    It outlives the decision on the snapshot: ``look`` is the snapshot without contacts and readings.
    """

    look: Snapshot
    known: dict[int, RuleInForce | None] = field(default_factory=dict)
    met: dict[tuple[QueueId, frozenset[str]], QueueRules] = field(default_factory=dict)

    def holds(self, snapshot: Snapshot, changes_at: Sequence[datetime]) -> bool:
        """Returns whether the same is true of another snapshot; ``changes_at`` is when rules begin or end."""
        look = self.look
        same_time = bisect_right(changes_at, look.now) == bisect_right(changes_at, snapshot.now)
        same_place = look.directory is snapshot.directory and look.mode is snapshot.mode
        return same_time and same_place and look.paused == snapshot.paused


class RulesInForce:
    """Finds the rules that can match once for each queue, not for each contact and decision."""

    def __init__(self, rules: BoundRuleSet, snapshot: Snapshot) -> None:
        self._rules = rules
        known = rules.found.get(Selected)
        if not isinstance(known, Selected) or not known.holds(snapshot, rules.changes_at):
            known = Selected(replace(snapshot, contacts=(), moves=RecordedMoves(), read=ReadValues()))
            rules.found[Selected] = known
        self._selected = known

    def for_wait(self, waiting: WaitingContact) -> QueueRules:
        """Returns the rules that could match the contact in its queue, and those that have moved its wait, in their
        order."""
        moved_by = frozenset(move.rule for move in waiting.wait.moves) if waiting.wait.actions else NO_RULES
        key, met = (waiting.queue_id, moved_by), self._selected.met
        if key not in met:
            names = (self._selected.look.directory.queue_name(waiting.queue_id) or waiting.queue_id, waiting.queue_id)
            places = self._rules.positions
            could = {places[name] for name in moved_by if name in places}
            if waiting.in_listed_queue:
                could.update(self._rules.index.meeting(names))
            known = (self._in_force(place) for place in sorted(could))
            met[key] = QueueRules.of(rule for rule in known if rule is not None)
        return met[key]

    def _in_force(self, place: int) -> RuleInForce | None:
        known = self._selected.known
        if place not in known:
            known[place] = RuleInForce.of(self._rules.rules[place], self._selected.look)
        return known[place]
