"""Selects the rules that are in force, and of these the rules that contacts of a queue can match."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from router.decide.match_subject import is_detail
from router.decide.snapshot import Snapshot
from router.decide.waiting_contact import WaitingContact
from router.model import QueueId
from router.rules.bound import BoundRule, BoundRuleSet
from router.rules.match_keys import match_key
from router.rules.rule import Mode

NO_RULES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """Describes a rule that is in force; ``mode`` is the weaker of the rule's and the service's.

    A ``side_rule`` acts in addition to the governing rule: it has no ``to`` step, or it only observes while the service
    enforces. ``reads_details``: one of its conditions is on a value that only DescribeContact has. Rules with an equal
    ``clock`` are due at the same instants, for a contact on which neither has acted.
    """

    rule: BoundRule
    mode: Mode
    side_rule: bool
    reads_details: bool
    excludes: bool
    clock: Hashable

    @classmethod
    def of(cls, rule: BoundRule, snapshot: Snapshot) -> RuleInForce | None:
        """Returns the rule with its mode; ``None`` if the rule is off, or not in force at this time."""
        if not rule.rule.in_force(snapshot.now):
            return None
        mode = rule.rule.mode.weaker(snapshot.mode)
        only_observes = mode is Mode.OBSERVE and snapshot.mode is Mode.ENFORCE
        reads_details = any(is_detail(test.key) for test in rule.conditions)
        excludes = rule.rule.excludes
        clock = mode, _clock_of(rule)
        return cls(rule, mode, only_observes or not (rule.to_steps or excludes), reads_details, excludes, clock)


def _clock_of(rule: BoundRule) -> Hashable:
    """Returns what decides when a rule's steps are due; its name if its conditions change with the time as well."""
    if any(match_key(test.key).timed for test in rule.conditions):
        return rule.name
    sla = rule.rule.sla
    steps = ((one.at, bool(one.to), one.warn is None, one.routing is None) for one in rule.rule.steps)
    return sla.target, sla.clock, sla.hours, rule.hours_id, rule.rule.guard.enqueued_after, *steps


@dataclass(frozen=True, slots=True)
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


class RulesInForce:
    """Finds the rules that can match once for each queue, not for each contact."""

    def __init__(self, rules: BoundRuleSet, snapshot: Snapshot) -> None:
        self._look = snapshot
        self._rules = rules
        self._known: dict[int, RuleInForce | None] = {}
        self._met: dict[tuple[QueueId, frozenset[str]], QueueRules] = {}

    def for_wait(self, waiting: WaitingContact) -> QueueRules:
        """Returns the rules that could match the contact in its queue, and those that have moved its wait, in their
        order."""
        moved_by = frozenset(move.rule for move in waiting.wait.moves) if waiting.wait.actions else NO_RULES
        key = waiting.queue_id, moved_by
        if key not in self._met:
            names = (self._look.directory.queue_name(waiting.queue_id) or waiting.queue_id, waiting.queue_id)
            places = self._rules.positions
            met = {places[name] for name in moved_by if name in places}
            if waiting.in_listed_queue:
                met.update(self._rules.index.meeting(names))
            known = (self._in_force(place) for place in sorted(met))
            self._met[key] = QueueRules.of(rule for rule in known if rule is not None)
        return self._met[key]

    def _in_force(self, place: int) -> RuleInForce | None:
        if place not in self._known:
            self._known[place] = RuleInForce.of(self._rules.rules[place], self._look)
        return self._known[place]
