"""Proves that two rule sets do the same to every contact, or finds classes of contacts to which one does more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import z3

from router.decide.decision import RoutingUpdate, Transfer, Warn
from router.durations import format_duration
from router.problems import Place
from router.prove.promises.acts import Act, ActOfRule, SharedWorld, acts_at, content
from router.prove.promises.answer import Answer, answer, possible, world_of
from router.prove.promises.governance import Stand
from router.prove.promises.logic import Formula, Time, all_of, any_of, micros, negation
from router.prove.promises.prover import PromiseProver
from router.prove.promises.replay import Replay, enforced
from router.prove.promises.scene import LONGEST, SECOND, Scene
from router.prove.promises.text_values import ValueClass
from router.prove.promises.verdict import Unsure
from router.rules.condition import tests_of
from router.rules.file.field_types import written, written_key
from router.rules.rule import Rule, Step
from router.rules.value_test import RangeForm, TextForm

MOST_CLASSES = 20
MOST_OF_QUEUE = 4
KINDS = {"to": Transfer, "warn": Warn, "routing": RoutingUpdate}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Holds one class of contacts to which one rule set does something that the other does not do then.

    ``contacts`` describes the class, and ``to`` the destinations of a move. ``since`` is the time in the queue from
    which on it is so. ``other`` is when the other set begins to do the same, ``None`` for never. If that is earlier,
    the other set does something else since.
    """

    more: str
    less: str
    act: str
    rule: str
    place: Place
    contacts: str
    to: str
    since: timedelta
    other: timedelta | None

    def __str__(self) -> str:
        when = "never" if self.other is None else f"from {format_duration(self.other)}"
        until = " until then" if self.other is not None and self.other < self.since else ""
        since = f"from {format_duration(self.since)}"
        what = f"{self.more} {self.act} {self.contacts}{self.to} {since}; {self.less} {when}{until}"
        return f"{what} (rule '{self.rule}', {self.place})"


@dataclass(frozen=True)
class Comparison:
    """Compares two rule sets, each with its name."""

    names: tuple[str, str]
    provers: tuple[PromiseProver, PromiseProver]

    def differences(self) -> Iterator[Difference]:
        """Yields classes of contacts; none if the sets do the same to each contact on which no rule has acted. Raises
        ``Unsure``."""
        found = 0
        for queue in self.provers[0].queues:
            rules = tuple(prover.book.of_queue(queue) for prover in self.provers)
            if [content(rule) for rule in rules[0]] == [content(rule) for rule in rules[1]]:
                continue
            for one in _Queue(self, queue, (rules[0], rules[1])).differences():
                yield one
                found += 1
                if found >= MOST_CLASSES:
                    return


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
        return list(acts_at(self.rules[0], stand, self.world)), list(acts_at(self.rules[1], stand, self.world))

    def differences(self) -> Iterator[Difference]:
        for side in (0, 1):
            for act in dict.fromkeys(one.act for one in self.acts[side]):
                yield from self._of_act(act, side)

    def _does(self, act: Act, side: int) -> Formula:
        return any_of(one.done for one in self.acts[side] if one.act == act)

    def _of_act(self, act: Act, side: int) -> Iterator[Difference]:
        differs = all_of((self._does(act, side), negation(self._does(act, 1 - side))))
        seen: list[Formula] = []
        for _ in range(MOST_OF_QUEUE):
            if not possible(self.scene, differs, *seen):
                return
            self.scene.solver.push()
            try:
                self.scene.solver.add(*(one for one in (differs, *seen) if one is not True))
                found = answer(self.scene, [self.now])
            finally:
                self.scene.solver.pop()
            chosen = self._class(found, differs)
            yield self._shown(act, side, found, chosen)
            seen.append(negation(all_of(variable for _, _, variable in chosen)))
            if not chosen:
                return

    def _class(self, found: Answer, differs: Formula) -> list[tuple[str, ValueClass, Formula]]:
        """Returns the values that the contact needs, one class of values for each key."""
        values = [
            (key, one, variable)
            for key, classes in self.scene.classes.items()
            for one, variable in classes
            if key in found.values and one.value == found.values[key]
        ]
        needed = list(values)
        for one in values:
            rest = [variable for key, _, variable in needed if key != one[0]]
            others = [variable for _, variable in self.scene.classes[one[0]] if variable is not one[2]]
            if all(possible(self.scene, differs, *rest, variable) for variable in others):
                needed = [each for each in needed if each[0] != one[0]]
        return needed

    def _shown(self, act: Act, side: int, found: Answer, chosen: list[tuple[str, ValueClass, Formula]]) -> Difference:
        whole = self.whole
        fixed = [
            variable
            for key, classes in self.scene.classes.items()
            for one, variable in classes
            if key in found.values and one.value == found.values[key]
        ]
        fixed += [time == micros(value) for time, value in self._times(found) if not isinstance(time, int)]
        since = self._first(self._does(act, side), negation(self._does(act, 1 - side)), fixed)
        since = since if since is not None else found.times[0]
        found = self._again(found, (self._does(act, side), negation(self._does(act, 1 - side))), fixed, since)
        other = self._first(self._does(act, 1 - side), True, fixed)
        doing = self._doer(act, side, since, fixed)
        self._confirm(act, side, found, since, doing)
        return Difference(
            more=whole.names[side],
            less=whole.names[1 - side],
            act=_in_words(act),
            rule=doing.rule.name,
            place=doing.step.place,
            contacts=self._contacts(chosen),
            to=_destinations(doing.step) if act[0] == "to" else "",
            since=since,
            other=other,
        )

    def _again(self, found: Answer, more: Iterable[Formula], fixed: Iterable[Formula], at: timedelta) -> Answer:
        """Returns the same contact at another instant, with the world in which the sets differ then."""
        self.scene.solver.push()
        try:
            self.scene.solver.add(*(one for one in (*more, *fixed, self.now == micros(at)) if one is not True))
            return answer(self.scene, [self.now], self.world.eligible) if possible(self.scene) else found
        finally:
            self.scene.solver.pop()

    def _times(self, found: Answer) -> Iterator[tuple[Time, timedelta]]:
        yield self.scene.age, found.age

    def _first(self, does: Formula, more: Formula, fixed: Iterable[Formula]) -> timedelta | None:
        """Returns the first instant of those at which something changes; ``None`` without one."""
        for at in self._instants:
            if possible(self.scene, does, more, *fixed, self.now == at):
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

    def _contacts(self, chosen: list[tuple[str, ValueClass, Formula]]) -> str:
        named = {key: one.value for key, one, _ in chosen}
        channel = str(named.pop("channel", "TASK or EMAIL"))
        conditions = [_condition(key, value) for key, value in named.items() if self._matters(key, value)]
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


def _in_words(act: Act) -> str:
    kind = act[0]
    return {"to": "moves", "warn": "warns about", "routing": "changes the routing of"}[str(kind)]


def _destinations(step: Step) -> str:
    named = (one.queue or one.agent or f"the agent in {one.agent_from}" for one in step.entries)
    return f" to {' or '.join(dict.fromkeys(named))}"


def _condition(key: str, value: str | int | None) -> str:
    head, dot, name = key.partition(".")
    full = head + dot + (written_key(name) if name else "")
    return f"no {full}" if value is None else f"{full} = {written(value)}"
