"""States as formulas which rule governs a contact at an instant, what acts then, and what may hold it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import z3

from router.prove.idle_destinations import admits_nothing
from router.prove.lint_queues import queue_of
from router.prove.promises.logic import Formula, Time, all_of, any_of, at_least, micros, negation
from router.prove.promises.scene import Scene, View, own_hours
from router.rules.promise import Act, Assumption
from router.rules.queue_index import RuleIndex, could_match
from router.rules.rule import DestinationEntry, Mode, OnHold, Pick, Rule, RuleSet, Step


@dataclass(frozen=True, slots=True)
class Made:
    """Describes a move that was made: out of ``source``, which the contact had ``entered`` then."""

    rule: Rule
    step: Step
    entry: DestinationEntry
    source: str
    target: str
    entered: Time
    now: Time


@dataclass(frozen=True, kw_only=True)
class Stand:
    """Describes where a contact is at an instant, and the moves that brought it there."""

    scene: Scene
    instant: int
    queue: str
    entered: Time = 0
    made: tuple[Made, ...] = ()

    @property
    def now(self) -> Time:
        return self.scene.instants[self.instant]

    @property
    def with_agent(self) -> bool:
        return bool(self.made) and self.made[-1].entry.queue is None

    @cached_property
    def left(self) -> frozenset[str]:
        return frozenset(one.source for one in self.made)

    def done(self, rule: Rule) -> Made | None:
        """Returns the last move of the rule."""
        return next((one for one in reversed(self.made) if one.rule is rule), None)

    def finished(self, rule: Rule) -> bool:
        last = self.done(rule)
        return last is not None and last.step.at >= rule.to_steps[-1].at

    def left_to_do(self, rule: Rule) -> tuple[Step, ...]:
        last = self.done(rule)
        return tuple(step for step in rule.to_steps if last is None or step.at > last.step.at)

    def views(self, rule: Rule) -> list[View]:
        """Returns the ways in which the rule may see the contact: an act without a move can be its first one."""
        own = next((number for number, one in enumerate(self.made) if one.rule is rule), None)
        silent = all(step.warn is None and step.routing is None for step in rule.steps)
        here = View(
            queue=self.queue,
            waited=self.now - self.entered,
            clock_begins=self.entered,
            transfers=len(self.made),
            moved=bool(self.made),
        )
        if own is None:
            earlier = (self.made[number] for number in self._quiet_acts(rule, len(self.made)))
            return [here, *(replace(here, clock_begins=one.entered, when=_acted(rule, one)) for one in earlier)]
        firsts = [own] if silent else [*self._quiet_acts(rule, own), own]
        back = self.queue in targets_of(rule) or any(one.target == self.queue for one in self.made if one.rule is rule)
        return [self._first(number, self.made[number].source if back else self.queue, silent) for number in firsts]

    def _quiet_acts(self, rule: Rule, most: int) -> list[int]:
        """Returns the places, by the number of moves before, where the rule may have acted first without a move."""
        quiet = any(step.warn is not None or step.routing is not None for step in rule.steps)
        before = [] if not quiet else list(enumerate(self.made[:most]))
        return [number for number, one in before if could_match(rule.condition, (one.source,))]

    def _first(self, number: int, queue: str, silent: bool) -> View:
        one = self.made[number]
        waited: Time = one.now - one.entered
        if not silent:
            before = waited
            waited = z3.FreshInt("waited at the first act")
            self.scene.solver.add(waited >= 0, waited <= before)
        return View(queue=queue, waited=waited, clock_begins=one.entered, transfers=number, moved=number > 0)


def _acted(rule: Rule, made: Made) -> Formula:
    """Returns that the rule may have acted before this move, without a move of its own: its first such step was due."""
    first = min((step.at for step in rule.steps if step.warn is not None or step.routing is not None), default=None)
    if first is None or rule.sla.clock == "chain":
        return True
    return at_least(made.now - made.entered, micros(first))


def targets_of(rule: Rule) -> frozenset[str]:
    return frozenset(
        queue for step in rule.to_steps for entry in step.entries if (queue := queue_of(entry)) is not None
    )


def target_of(entry: DestinationEntry) -> str:
    """Returns the queue, or the agent under a name that no queue has."""
    return queue_of(entry) or f"\x01agent {entry.agent or entry.agent_from}"


@dataclass(frozen=True)
class RuleBook:
    """Holds the rules that enforce, in their order, and finds those that matter to a contact."""

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, ruleset: RuleSet) -> RuleBook:
        return cls(tuple(rule for rule in ruleset.rules if rule.mode is Mode.ENFORCE))

    @cached_property
    def _index(self) -> RuleIndex:
        return RuleIndex(self.rules)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {rule.name: number for number, rule in enumerate(self.rules)}

    def of_queue(self, queue: str) -> tuple[Rule, ...]:
        """Returns the rules that could match a contact of the queue on which no rule has acted."""
        return tuple(self.rules[number] for number in self._index.meeting((queue,)))

    def at(self, stand: Stand) -> tuple[Rule, ...]:
        """Returns the rules that may matter where the contact is, in order."""
        if stand.with_agent:
            return (stand.made[-1].rule,)
        moved = {self._places[one.rule.name] for one in stand.made}
        return tuple(self.rules[number] for number in sorted({*self._index.meeting((stand.queue,)), *moved}))


@dataclass(frozen=True)
class ActFormulas:
    """States what the rules do to a contact at one place and instant, under the assumptions of a promise."""

    book: RuleBook
    assume: frozenset[Assumption]

    def nothing_acts(self, stand: Stand, acts: frozenset[Act]) -> Iterator[Formula]:
        """Yields what is true if no act of these kinds happens at the instant."""
        governed, reached = True, True
        for rule in self.book.at(stand):
            views = stand.views(rule)
            if rule.excludes:
                free = negation(any_of(self._matches(rule, view, stand) for view in views))
                governed, reached = all_of((governed, free)), all_of((reached, free))
                continue
            side = not rule.to_steps or stand.finished(rule)
            before = reached if side else governed
            yield any_of(self._silent(rule, view, stand, acts, before=before, side=side) for view in views)
            if not side:
                governed = all_of((governed, self.lets_pass(rule, stand)))

    def _silent(
        self, rule: Rule, view: View, stand: Stand, acts: frozenset[Act], *, before: Formula, side: bool
    ) -> Formula:
        scene, instant = stand.scene, stand.instant
        kinds = [
            step
            for step in rule.steps
            if (Act.WARN in acts and step.warn is not None) or (Act.ROUTING in acts and step.routing is not None)
        ]
        acting = any_of(scene.due(step, rule, view, instant) for step in kinds)
        if not side and Act.MOVE in acts:
            acting = any_of((acting, self._surely_moves(rule, view, stand)))
        active = scene.may_act(rule, view, instant)
        return negation(all_of((before, acting, active, self._matches(rule, view, stand))))

    def lets_pass(self, rule: Rule, stand: Stand) -> Formula:
        """Returns that the rule does not govern, or may hold the contact and give way."""
        if not rule.to_steps or stand.finished(rule):
            return True
        ways = (
            any_of((negation(self._matches(rule, view, stand)), self._gives_way(rule, view, stand)))
            for view in stand.views(rule)
        )
        return any_of(ways)

    def _matches(self, rule: Rule, view: View, stand: Stand) -> Formula:
        return stand.scene.matches(rule, view, stand.entered, stand.instant)

    def _gives_way(self, rule: Rule, view: View, stand: Stand) -> Formula:
        if rule.on_hold is not OnHold.NEXT:
            return False
        scene, instant = stand.scene, stand.instant
        anything = any_of(scene.due(step, rule, view, instant) for step in rule.steps)
        closed = negation(scene.may_act(rule, view, instant))
        moves = any_of(scene.due(step, rule, view, instant) for step in stand.left_to_do(rule))
        held = all_of((moves, negation(self._surely_moves(rule, view, stand))))
        return all_of((anything, any_of((closed, held))))

    def _surely_moves(self, rule: Rule, view: View, stand: Stand) -> Formula:
        """Returns that a step is due and nothing can hold its move, except for closed hours of the rule."""
        if Assumption.NO_GUARD not in self.assume:
            return False
        return any_of(
            all_of((stand.scene.due(step, rule, view, stand.instant), self.surely_taken(entry, stand)))
            for step in stand.left_to_do(rule)
            for entry in step.entries
        )

    def surely_taken(self, entry: DestinationEntry, stand: Stand) -> Formula:
        """Returns that the destination is eligible, as far as the assumptions and the file show."""
        if not _admits(entry, stand):
            return False
        if entry.queue is None:
            named = entry.agent_from is None or stand.scene.names_agent(entry.agent_from)
            return Assumption.AGENTS in self.assume and named
        if entry.unconditional or Assumption.DESTINATION in self.assume:
            return True
        return False if entry.limits or entry.shorter_wait else self.is_open(entry, stand)

    def is_open(self, entry: DestinationEntry, stand: Stand) -> Formula:
        """Returns that the hours of the destination are as the entry wants them."""
        if entry.open is None:
            return True
        found = stand.scene.open(own_hours(target_of(entry)), stand.instant)
        return found if entry.open else negation(found)

    def moves(self, rule: Rule, step: Step, entry: DestinationEntry, stand: Stand) -> Formula:
        """Returns that this move may be made: the rule governs, the step is due, the destination may be eligible and
        no other destination is taken before it."""
        if not _admits(entry, stand) or step not in stand.left_to_do(rule):
            return False
        found = [self.is_open(entry, stand)]
        if entry.agent_from is not None:
            found.append(stand.scene.names_agent(entry.agent_from))
        for other in self.book.at(stand):
            if other is rule:
                break
            if other.excludes:
                found += [negation(self._matches(other, view, stand)) for view in stand.views(other)]
            else:
                found.append(self.lets_pass(other, stand))
        found.append(any_of(self._makes(rule, step, entry, view, stand) for view in stand.views(rule)))
        return all_of(found)

    def _makes(self, rule: Rule, step: Step, entry: DestinationEntry, view: View, stand: Stand) -> Formula:
        scene, instant = stand.scene, stand.instant
        later = [other for other in stand.left_to_do(rule) if other.at > step.at]
        before = [(step, one) for tier in step.to for one in tier if one is not entry and _first(step, one, entry)]
        before += [(other, one) for other in later for one in other.entries]
        taken = (all_of((scene.due(at, rule, view, instant), self._always(one, stand))) for at, one in before)
        return all_of(
            (
                scene.due(step, rule, view, instant),
                scene.may_act(rule, view, instant),
                self._matches(rule, view, stand),
                negation(any_of(taken)),
            )
        )

    @staticmethod
    def _always(entry: DestinationEntry, stand: Stand) -> bool:
        return entry.queue is not None and entry.unconditional and _admits(entry, stand)


def _first(step: Step, one: DestinationEntry, entry: DestinationEntry) -> bool:
    """Returns whether an eligible entry is surely taken before the other one of the same step."""
    tiers = {id(each): number for number, tier in enumerate(step.to) for each in tier}
    if tiers[id(one)] != tiers[id(entry)]:
        return tiers[id(one)] < tiers[id(entry)]
    tier = step.to[tiers[id(one)]]
    return step.pick is Pick.FIRST and tier.index(one) < tier.index(entry)


def _admits(entry: DestinationEntry, stand: Stand) -> bool:
    """Returns whether the destination is not ruled out by itself or by where the contact has been."""
    if entry.queue is None:
        return entry.agent_from is not None or target_of(entry) not in {one.target for one in stand.made}
    target = target_of(entry)
    back = target in stand.left and not entry.revisit
    return target != stand.queue and not back and admits_nothing(entry) is None
