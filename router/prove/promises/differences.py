"""Proves that two rule sets do the same to every contact, or finds classes of contacts to which one does more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cached_property

import z3

from router.decide.decision import RoutingUpdate, Transfer, Warn
from router.prove.promises.acts import Act, ActOfRule, SharedWorld, acts_at, content, one_routing
from router.prove.promises.answer import Answer, answer, possible, world_of
from router.prove.promises.difference import (
    AGE,
    BEGAN,
    Difference,
    act_in_words,
    condition_in_words,
    destinations_in_words,
    given_in_words,
)
from router.prove.promises.governance import Stand
from router.prove.promises.logic import Formula, Time, all_of, any_of, micros, negation
from router.prove.promises.opening_times import EPOCH
from router.prove.promises.prover import PromiseProver
from router.prove.promises.replay import Replay, enforced
from router.prove.promises.scene import LONGEST, SECOND, Scene
from router.prove.promises.verdict import Unsure
from router.rules.condition import tests_of
from router.rules.rule import Rule
from router.rules.value_test import RangeForm, TextForm

KINDS = {"to": Transfer, "warn": Warn, "routing": RoutingUpdate}


class Kind(Enum):
    """Names the kinds of facts: a value of the contact, hours of operation that are open or closed, and a time."""

    VALUE = 1
    HOURS = 2
    TIME = 3


@dataclass(frozen=True, slots=True)
class Fact:
    """Holds one fact of a contact that the solver found; ``otherwise`` is every other value."""

    kind: Kind
    name: str
    formula: Formula
    otherwise: Formula
    value: str | int | None = None


@dataclass(frozen=True)
class Comparison:
    """Compares two rule sets, each with its name."""

    names: tuple[str, str]
    provers: tuple[PromiseProver, PromiseProver]

    def differences(self) -> Iterator[Difference]:
        """Yields classes of contacts; none if the sets do the same to each contact on which no rule has acted. Raises
        ``Unsure``."""
        for queue in self.provers[0].queues:
            rules = tuple(prover.book.of_queue(queue) for prover in self.provers)
            if [content(rule) for rule in rules[0]] == [content(rule) for rule in rules[1]]:
                continue
            yield from _Queue(self, queue, (rules[0], rules[1])).differences()


@dataclass(frozen=True)
class _Queue:
    """Compares what the sets do to the contacts of one queue."""

    whole: Comparison
    queue: str
    rules: tuple[tuple[Rule, ...], tuple[Rule, ...]]

    @cached_property
    def scene(self) -> Scene:
        return self.whole.provers[0].scene(self.queue, (*self.rules[0], *self.rules[1]))

    @cached_property
    def now(self) -> Time:
        now = z3.FreshInt("now")
        self.scene.solver.add(now >= 0, now <= LONGEST)
        return now

    @cached_property
    def world(self) -> SharedWorld:
        return SharedWorld()

    @cached_property
    def acts(self) -> tuple[list[ActOfRule], list[ActOfRule]]:
        stand = Stand(scene=self.scene, instant=self.scene.moment(self.now), queue=self.queue)
        found = (acts_at(rules, stand, self.world) for rules in self.rules)
        first, second = (list(one_routing(acts)) for acts in found)
        return first, second

    def differences(self) -> Iterator[Difference]:
        for side in (0, 1):
            for act in dict.fromkeys(one.act for one in self.acts[side]):
                yield from self._of_act(act, side)

    def _does(self, act: Act, side: int) -> Formula:
        return any_of(one.done for one in self.acts[side] if one.act == act)

    def _of_act(self, act: Act, side: int) -> Iterator[Difference]:
        differs = self._differs(act, side)
        seen: list[Formula] = []
        while possible(self.scene, differs, *seen):
            self.scene.solver.push()
            try:
                self.scene.solver.add(*(one for one in (differs, *seen) if one is not True))
                found = answer(self.scene, [self.now])
            finally:
                self.scene.solver.pop()
            needed, shown = self._shown(act, side, found)
            yield shown
            repeated = [one.formula for one in needed if one.kind is not Kind.TIME]
            if not repeated:
                return
            seen = seen or list(self.scene.steady)
            seen.append(negation(all_of(repeated)))

    def _differs(self, act: Act, side: int) -> Formula:
        return all_of((self._does(act, side), negation(self._does(act, 1 - side))))

    def _shown(self, act: Act, side: int, found: Answer) -> tuple[list[Fact], Difference]:
        whole, does, differs = self.whole, self._does(act, 1 - side), self._differs(act, side)
        at_any_time = [one.formula for one in self._facts(found) if one.kind is not Kind.TIME]
        since = self._first(differs, [*self.scene.steady, *at_any_time])
        since = since if since is not None else found.times[0]
        found = self._again(found, differs, at_any_time, since)
        facts = list(self._facts(found))
        fixed = [*self.scene.steady, *(one.formula for one in facts)]
        world = [
            formula if found.truths[key] else negation(formula)
            for key, formula in self.world.eligible.items()
            if key in found.truths
        ]
        other = self._first(does, [*fixed, *world])
        doing = self._doer(act, side, since, fixed)
        self._confirm(act, side, found, since, doing)
        begins = ((all_of((doing.done, negation(does))), differs, since), (does, does, other))

        def is_the_same(contacts: list[Formula]) -> bool:
            given = [*self.scene.steady, *world, *contacts]
            return all(self._begins(*one, given) for one in begins)

        needed = self._needed(facts, is_the_same)
        return needed, Difference(
            more=whole.names[side],
            less=whole.names[1 - side],
            act=act_in_words(act),
            rule=doing.rule.name,
            place=doing.step.place,
            contacts=self._contacts(needed),
            to=destinations_in_words(doing.step) if act[0] == "to" else "",
            given=given_in_words([one.name for one in needed if one.kind is not Kind.VALUE], found),
            since=since,
            other=other,
        )

    def _facts(self, found: Answer) -> Iterator[Fact]:
        """Yields what is true of the found contact, its hours and its times, with the formula of everything else."""
        for key, classes in self.scene.classes.items():
            for one, variable in classes:
                if key in found.values and one.value == found.values[key]:
                    others = any_of(each for _, each in classes if each is not variable)
                    yield Fact(Kind.VALUE, key, variable, others, one.value)
        for name, formula in self.scene.hours_named().items():
            is_open = found.own[name[1:]] if name.startswith("\x01") else found.hours[name]
            state, opposite = (formula, negation(formula)) if is_open else (negation(formula), formula)
            yield Fact(Kind.HOURS, name, state, opposite)
        times = [(AGE, self.scene.age, found.age)]
        times += [(BEGAN, self.scene.began, found.began_at - EPOCH)] if found.began_at is not None else []
        for name, time, value in times:
            if not isinstance(time, int):
                yield Fact(Kind.TIME, name, time == micros(value), time != micros(value))

    def _needed(self, facts: list[Fact], is_the_same: Callable[[list[Formula]], bool]) -> list[Fact]:
        """Returns the facts without which the difference is another one for some contacts.

        A move needs a transfer that is left. That is not shown if no rule tests how many are used.
        """
        tested = any(
            test.key == "transfers" for rules in self.rules for rule in rules for test in tests_of(rule.condition)
        )
        needed = list(facts)
        for one in facts:
            rest = [each for each in needed if each is not one]
            if (one.name != "transfers" or tested) and is_the_same([*(each.formula for each in rest), one.otherwise]):
                needed = rest
        return [one for one in needed if one.name != "transfers" or tested]

    def _begins(self, does: Formula, earlier: Formula, at: timedelta | None, given: list[Formula]) -> bool:
        """Returns whether all contacts are acted on at this instant, and none before it; ``None``: never."""
        if at is None:
            return not possible(self.scene, does, *given)
        if possible(self.scene, earlier, self.now < micros(at), *given):
            return False
        return not possible(self.scene, negation(does), self.now == micros(at), *given)

    def _again(self, found: Answer, differs: Formula, fixed: Iterable[Formula], at: timedelta) -> Answer:
        """Returns the same contact at another instant, with the world in which the sets differ then."""
        self.scene.solver.push()
        try:
            self.scene.solver.add(*(one for one in (differs, *fixed, self.now == micros(at)) if one is not True))
            return answer(self.scene, [self.now], self.world.eligible) if possible(self.scene) else found
        finally:
            self.scene.solver.pop()

    def _first(self, does: Formula, fixed: Iterable[Formula]) -> timedelta | None:
        """Returns the first instant of those at which something changes; ``None`` without one."""
        for at in self._instants:
            if possible(self.scene, does, *fixed, self.now == at):
                return timedelta(seconds=at // SECOND)
        return None

    @cached_property
    def _instants(self) -> list[int]:
        found = {0}
        for rule in (*self.rules[0], *self.rules[1]):
            found.update(micros(step.at) for step in rule.steps)
            for test in tests_of(rule.condition):
                ends = (test.form.min, test.form.max) if isinstance(test.form, RangeForm) else ()
                found.update(micros(end) for end in ends if isinstance(end, timedelta))
                found.update(micros(end) + SECOND for end in ends if isinstance(end, timedelta))
        return sorted(one for one in found if one % SECOND == 0)

    def _doer(self, act: Act, side: int, at: timedelta, fixed: Iterable[Formula]) -> ActOfRule:
        doing = [one for one in self.acts[side] if one.act == act]
        here = self.now == micros(at)
        return next((one for one in doing if possible(self.scene, one.done, here, *fixed)), doing[0])

    def _contacts(self, needed: list[Fact]) -> str:
        named = {one.name: one.value for one in needed if one.kind is Kind.VALUE}
        channel = str(named.pop("channel", "TASK or EMAIL"))
        conditions = [condition_in_words(key, value, tested=self._tests_presence(key)) for key, value in named.items()]
        return f"{channel} in {self.queue}{' with ' if conditions else ''}{' and '.join(conditions)}"

    def _tests_presence(self, key: str) -> bool:
        forms = {form for one, _ in self.scene.classes[key] for form in one.fits}
        return any(isinstance(form, TextForm) and form.present is not None for form in forms)

    def _confirm(self, act: Act, side: int, found: Answer, since: timedelta, doing: ActOfRule) -> None:
        """Lets the code that decides in service look at the contact. Raises ``Unsure`` if it does not act so."""
        kind = KINDS[str(act[0])]
        did = [
            any(isinstance(one, kind) and self._is(act, one.rule, one.step, number) for one in decisions)
            for number, decisions in enumerate(self._decided(found, since))
        ]
        if not did[side] or did[1 - side]:
            raise Unsure(
                f"the solver found a contact in {self.queue} that '{doing.rule.name}' acts on, but the code that"
                " decides does not differ on it"
            )

    def _is(self, act: Act, rule: str, step: int, side: int) -> bool:
        return any((one.rule.name, one.step.number) == (rule, step) for one in self.acts[side] if one.act == act)

    def _decided(self, found: Answer, since: timedelta) -> Iterator[tuple[Transfer | Warn | RoutingUpdate, ...]]:
        wanted = [(entry, found.truths[key]) for key, entry in self.world.entries.items()]
        world = world_of(found, wanted, agents=False, guarded=False)
        for prover in self.whole.provers:
            began = found.began_at or prover.now
            replay = Replay(prover.stage, found.contact, began, found.age, frozenset(world.agents))
            decisions = enforced(replay.look(since, world))
            yield tuple(one for one in decisions if isinstance(one, Transfer | Warn | RoutingUpdate))
