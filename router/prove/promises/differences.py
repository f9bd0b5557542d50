"""Proves that two rule sets do the same to every contact, or finds classes of contacts to which one does more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import z3

from router.decide.decision import RoutingUpdate, Transfer, Warn
from router.prove.promises.acts import Act, ActOfRule, SharedWorld, acts_at, content, one_routing
from router.prove.promises.answer import Answer, answer, possible, world_of
from router.prove.promises.difference import (
    Difference,
    act_in_words,
    condition_in_words,
    destinations_in_words,
    hours_in_words,
)
from router.prove.promises.governance import Stand
from router.prove.promises.logic import Formula, Time, all_of, any_of, micros, negation
from router.prove.promises.prover import PromiseProver
from router.prove.promises.replay import Replay, enforced
from router.prove.promises.scene import LONGEST, SECOND, Scene
from router.prove.promises.text_values import ValueClass
from router.prove.promises.verdict import Unsure
from router.rules.condition import tests_of
from router.rules.rule import Rule
from router.rules.value_test import RangeForm, TextForm

KINDS = {"to": Transfer, "warn": Warn, "routing": RoutingUpdate}


Chosen = tuple[str, ValueClass, Formula]
"""A match key, a class of its values, and the variable of it."""


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
            chosen, shown = self._shown(act, side, found)
            yield shown
            seen.append(negation(all_of(variable for _, _, variable in chosen)))
            if not chosen:
                return

    def _differs(self, act: Act, side: int) -> Formula:
        return all_of((self._does(act, side), negation(self._does(act, 1 - side))))

    def _class(self, values: list[Chosen], is_the_same: Callable[[list[Formula], list[Formula]], bool]) -> list[Chosen]:
        """Returns the values that a contact needs for the same difference, one class of values for each key."""
        needed = list(values)
        for one in values:
            rest = [variable for key, _, variable in needed if key != one[0]]
            others = [variable for _, variable in self.scene.classes[one[0]] if variable is not one[2]]
            if is_the_same(rest, others):
                needed = [each for each in needed if each[0] != one[0]]
        return needed

    def _shown(self, act: Act, side: int, found: Answer) -> tuple[list[Chosen], Difference]:
        whole = self.whole
        values = [
            (key, one, variable)
            for key, classes in self.scene.classes.items()
            for one, variable in classes
            if key in found.values and one.value == found.values[key]
        ]
        around = [*self.scene.steady, *(time == micros(value) for time, value in self._times(found))]
        hours = {name: formula if is_open else negation(formula) for name, formula, is_open in self._hours(found)}
        fixed = [*(variable for _, _, variable in values), *around, *hours.values()]
        since = self._first(self._differs(act, side), fixed)
        since = since if since is not None else found.times[0]
        found = self._again(found, self._differs(act, side), fixed, since)
        other = self._first(self._does(act, 1 - side), fixed)
        doing = self._doer(act, side, since, fixed)
        self._confirm(act, side, found, since, doing)

        def is_the_same(rest: list[Formula], others: list[Formula]) -> bool:
            given = [*rest, *around]
            return self._begins(doing.done, self._differs(act, side), since, given, others) and (
                self._begins(self._does(act, 1 - side), self._does(act, 1 - side), other, given, others)
            )

        chosen = self._class(values, lambda rest, others: is_the_same([*rest, *hours.values()], others))
        named = [variable for _, _, variable in chosen]
        needed = [
            name
            for name, state in hours.items()
            if not is_the_same([*named, *(one for other, one in hours.items() if other != name)], [negation(state)])
        ]
        return chosen, Difference(
            more=whole.names[side],
            less=whole.names[1 - side],
            act=act_in_words(act),
            rule=doing.rule.name,
            place=doing.step.place,
            contacts=self._contacts(chosen),
            to=destinations_in_words(doing.step) if act[0] == "to" else "",
            hours=hours_in_words(needed, found),
            since=since,
            other=other,
        )

    def _begins(
        self, does: Formula, earlier: Formula, at: timedelta | None, given: list[Formula], others: list[Formula]
    ) -> bool:
        """Returns whether contacts with each of the other values are acted on at this instant, and none before it;
        ``None``: never."""
        anyone = any_of(others)
        if at is None:
            return not possible(self.scene, does, anyone, *given)
        if possible(self.scene, earlier, anyone, self.now < micros(at), *given):
            return False
        return all(possible(self.scene, does, one, self.now == micros(at), *given) for one in others)

    def _again(self, found: Answer, differs: Formula, fixed: Iterable[Formula], at: timedelta) -> Answer:
        """Returns the same contact at another instant, with the world in which the sets differ then."""
        self.scene.solver.push()
        try:
            self.scene.solver.add(*(one for one in (differs, *fixed, self.now == micros(at)) if one is not True))
            return answer(self.scene, [self.now], self.world.eligible) if possible(self.scene) else found
        finally:
            self.scene.solver.pop()

    def _times(self, found: Answer) -> Iterator[tuple[Any, timedelta]]:
        if not isinstance(self.scene.age, int):
            yield self.scene.age, found.age

    def _hours(self, found: Answer) -> Iterator[tuple[str, Formula, bool]]:
        for name, formula in self.scene.hours_named().items():
            yield name, formula, found.own[name[1:]] if name.startswith("\x01") else found.hours[name]

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

    def _contacts(self, chosen: list[Chosen]) -> str:
        named = {key: one.value for key, one, _ in chosen}
        channel = str(named.pop("channel", "TASK or EMAIL"))
        conditions = [condition_in_words(key, value) for key, value in named.items() if self._matters(key, value)]
        return f"{channel} in {self.queue}{' with ' if conditions else ''}{' and '.join(conditions)}"

    def _matters(self, key: str, value: str | int | None) -> bool:
        """Returns whether the value is worth to be shown. No value means any value that fits no rule, except if a rule
        tests whether there is one."""
        forms = {form for one, _ in self.scene.classes[key] for form in one.fits}
        tested = any(isinstance(form, TextForm) and form.present is not None for form in forms)
        return bool(value) if key == "transfers" else value is not None or tested

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
