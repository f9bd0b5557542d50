"""The rules of one snapshot: those that are in force, and of these the ones that contacts of a queue can meet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from router.decide.match_subject import is_detail
from router.decide.snapshot import Snapshot
from router.decide.waiting_contact import WaitingContact
from router.model import QueueId
from router.rules.bound import BoundRule, BoundRuleSet
from router.rules.rule import Mode

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class InForce:
    """``mode`` is the weaker of the rule's and the service's. A rule acts ``beside`` the governing one, and takes no
    contact from it, where it only observes under a service that enforces, and where it has no ``to`` step.
    ``asks_details``: whether a condition of it is on what only DescribeContact tells."""

    rule: BoundRule
    mode: Mode
    beside: bool
    asks_details: bool
    excludes: bool

    @classmethod
    def of(cls, rule: BoundRule, snapshot: Snapshot) -> InForce | None:
        """``None`` where the rule is off, or not at this time."""
        if not rule.rule.in_force(snapshot.now):
            return None
        mode = rule.rule.mode.weaker(snapshot.mode)
        only_observes = mode is Mode.OBSERVE and snapshot.mode is Mode.ENFORCE
        asks_details = any(is_detail(test.key) for test in rule.conditions)
        excludes = rule.rule.excludes
        return cls(rule, mode, only_observes or not (rule.to_steps or excludes), asks_details, excludes)


@dataclass(frozen=True, slots=True)
class RulesMet:
    """The rules that contacts of a queue can meet, in their order. ``behind`` are those, with their places among them,
    that matter to a contact that an earlier rule governs: they act beside it, or exclusion rule it."""

    rules: tuple[InForce, ...]
    behind: tuple[tuple[int, InForce], ...]

    @classmethod
    def of(cls, rules: Iterable[InForce]) -> RulesMet:
        found = tuple(rules)
        return cls(found, tuple((at, rule) for at, rule in enumerate(found) if rule.beside or rule.excludes))

    def after(self, place: int) -> Iterator[tuple[int, InForce]]:
        return ((at, rule) for at, rule in self.behind if at > place)


class RulesInForce:
    """Which rules can match is worked out once for each queue, not for each contact; of a rule that nobody meets
    nothing is worked out."""

    def __init__(self, rules: BoundRuleSet, snapshot: Snapshot) -> None:
        self._look = snapshot
        self._rules = rules
        self._known: dict[int, InForce | None] = {}
        self._met: dict[tuple[QueueId, frozenset[str]], RulesMet] = {}

    def for_wait(self, waiting: WaitingContact) -> RulesMet:
        """In their order, those that could match the contact where it is, and those that have moved its wait: they see
        it in other queues."""
        moved_by = frozenset(move.rule for move in waiting.wait.moves) if waiting.wait.actions else NOBODY
        key = waiting.queue_id, moved_by
        if key not in self._met:
            names = (self._look.directory.queue_name(waiting.queue_id) or waiting.queue_id, waiting.queue_id)
            places = self._rules.positions
            met = {places[name] for name in moved_by if name in places}
            if waiting.in_listed_queue:
                met.update(self._rules.index.meeting(names))
            known = (self._in_force(place) for place in sorted(met))
            self._met[key] = RulesMet.of(rule for rule in known if rule is not None)
        return self._met[key]

    def _in_force(self, place: int) -> InForce | None:
        if place not in self._known:
            self._known[place] = InForce.of(self._rules.rules[place], self._look)
        return self._known[place]
