"""Describes every contact of one queue at once: its values, times and hours are variables of the solver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import z3

from router.prove.implication import key_of
from router.prove.promises.logic import Formula, Time, all_of, any_of, at_least, micros, negation, one_of
from router.prove.promises.opening_times import EPOCH, OpeningTimes
from router.prove.promises.text_values import ValueClass, classes_of
from router.rules.condition import AllOf, AnyOf, Condition, Test, tests_of
from router.rules.promise import Assumption, StatedPromise, Within
from router.rules.rule import Rule, Step
from router.rules.value_test import QUEUES_OWN, Form, HoursForm, RangeForm, TextForm

METHOD, LATER_METHOD = "initiation_method", "initiation_method of a moved contact"
PRESENT, EMPTY = TextForm(present=True), TextForm.of([""])
SECOND = 1_000_000
LONGEST = 3650 * 86_400 * SECOND


def absolute(at: datetime) -> int:
    return micros(at - EPOCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Holds what a rule sees of a contact that may have been moved: the queue, the time in it, the number of transfers
    since the wait began, and whether ``initiation_method`` is that of a moved contact.

    ``clock_begins`` is when the rule's queue clock started. ``when`` states that the rule may see the contact so.
    """

    queue: str
    waited: Time
    clock_begins: Time
    transfers: int = 0
    moved: bool = False
    when: Formula = True


@dataclass(eq=False)
class Scene:
    """Holds the variables of the contacts whose wait begins in one queue.

    Times are microseconds since the wait began. ``conditions`` are all that will be tested.
    """

    queue: str
    conditions: tuple[Condition, ...]
    assume: frozenset[Assumption]
    promise: StatedPromise | None = None
    solver: z3.Solver = field(default_factory=z3.SimpleSolver)
    age: Time = 0
    began: Time = 0
    given: OpeningTimes = field(init=False)
    classes: dict[str, list[tuple[ValueClass, Formula]]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    instants: list[Time] = field(default_factory=list)
    steady: list[Formula] = field(default_factory=list)
    _fits: dict[tuple[str, Form], Formula] = field(default_factory=dict)
    _hours: dict[tuple[object, ...], Formula] = field(default_factory=dict)

    def prepare(self, rules: Iterable[Rule], attributes: Iterable[str] = ()) -> None:
        """Makes the variables. ``attributes`` are those that name agents."""
        self.rules = rules = tuple(rules)
        forms: dict[str, dict[Form, None]] = {"channel": {}, "transfers": {}}
        for key, form in self._forms(attributes):
            forms.setdefault(key, {})[form] = None
        for key, some in forms.items():
            self._divide(key, tuple(some))
        tests = {test.key for condition in self.conditions for test in tests_of(condition)}
        claim = self.promise.claim if self.promise is not None else None
        of_age = isinstance(claim, Within) and claim.of_age
        if of_age or "age" in tests or any(rule.sla.clock == "chain" for rule in rules):
            self.age = z3.FreshInt("age")
            self.solver.add(self.age >= 0, self.age <= LONGEST)
        dated = any(rule.from_at or rule.until_at or rule.guard.enqueued_after for rule in rules)
        hours = self.promise.hours if self.promise is not None else {}
        if dated or hours:
            self.began = z3.FreshInt("began")
            self.solver.add(self.began >= -LONGEST, self.began <= LONGEST)
        self.given = OpeningTimes(
            hours, self.solver, self.began, micros(claim.limit) if isinstance(claim, Within) else None
        )

    def _forms(self, attributes: Iterable[str]) -> Iterator[tuple[str, Form]]:
        for condition in self.conditions:
            for test in tests_of(condition):
                if test.form is None or test.key in ("queue", "waited", "age") or isinstance(test.form, HoursForm):
                    continue
                yield key_of(test), test.form
                if test.key == METHOD:
                    yield LATER_METHOD, test.form
        for name in attributes:
            yield from ((f"attributes.{name}", form) for form in (PRESENT, EMPTY))

    def _divide(self, key: str, forms: tuple[Form, ...]) -> None:
        if key == "transfers":
            found = tuple(ValueClass(count, frozenset()) for count in range(12))
        else:
            found = tuple(classes_of(METHOD if key == LATER_METHOD else key, frozenset(forms)))
        self.classes[key] = [(one, z3.FreshBool(key)) for one in found]
        self.solver.add(*one_of([variable for _, variable in self.classes[key]]))
        for form in forms:
            fitting = [variable for one, variable in self.classes[key] if form in one.fits]
            failing = [variable for one, variable in self.classes[key] if form not in one.fits]
            few = any_of(fitting) if len(fitting) <= len(failing) else negation(any_of(failing))
            self._fits[key, form] = few

    def fits(self, key: str, form: Form) -> Formula:
        return self._fits[key, form]

    def names_agent(self, attribute: str) -> Formula:
        """Returns that the attribute has a value that could be an agent's name."""
        key = f"attributes.{attribute}"
        return all_of([self.fits(key, PRESENT), negation(self.fits(key, EMPTY))])

    def transfers(self, form: Form, more: int) -> Formula:
        return any_of(variable for one, variable in self.classes["transfers"] if form(int(one.value or 0) + more))

    def transfers_below(self, most: int) -> Formula:
        return any_of(variable for one, variable in self.classes["transfers"] if int(one.value or 0) < most)

    def moment(self, now: Time) -> int:
        """Returns the number of an instant; hours are open or closed independently at each."""
        self.instants.append(now)
        return len(self.instants) - 1

    def open(self, hours: str, instant: int) -> Formula:
        """Returns that these hours are open at an instant."""
        if hours in self.given:
            return self.given.is_open(hours, self.instants[instant])
        if Assumption.OPEN in self.assume:
            return True
        key = "open", hours, instant
        if key not in self._hours:
            always = self._hours.setdefault(("open", hours), z3.FreshBool("open"))
            self._hours[key] = z3.FreshBool("open")
            self.steady.append(self._hours[key] == always)
        return self._hours[key]

    def hours_named(self) -> Mapping[str, Formula]:
        """Returns, by the name of the hours, whether they are open all the time of a steady answer."""
        return {str(key[1]): formula for key, formula in self._hours.items() if len(key) == 2}

    def _open_time(self, hours: str | None, begin: Time, instant: int) -> Time:
        """Returns the time that a clock shows which counts these hours."""
        span = self.instants[instant] - begin
        if hours is None or Assumption.OPEN in self.assume:
            return span
        key = "clock", hours, str(begin), instant
        if key not in self._hours:
            clock = self._hours[key] = z3.FreshInt("clock")
            self.solver.add(clock >= 0, clock <= span)
            self.steady.append(clock == z3.If(self.open(hours, instant), span, 0))
        return self._hours[key]

    # Conditions and steps

    def first_view(self, instant: int) -> View:
        return View(queue=self.queue, waited=self.instants[instant], clock_begins=0)

    def holds(self, condition: Condition, view: View, instant: int) -> Formula:
        if isinstance(condition, Test):
            return self._test(condition, view, instant)
        parts = (self.holds(child, view, instant) for child in condition.children)
        if isinstance(condition, AllOf):
            return all_of(parts)
        return any_of(parts) if isinstance(condition, AnyOf) else negation(any_of(parts))

    def _test(self, test: Test, view: View, instant: int) -> Formula:
        form, key = test.form, key_of(test)
        assert form is not None, "a condition of a file has its meaning as data"
        if isinstance(form, HoursForm):
            is_open = self.open(own_hours(view.queue) if form.name == QUEUES_OWN else form.name, instant)
            return is_open if form.wanted == "open" else negation(is_open)
        if key == "queue":
            return form((view.queue,))
        if key in ("waited", "age"):
            assert isinstance(form, RangeForm), "a time is compared with a range"
            return _in_range(form, view.waited if key == "waited" else self.instants[instant] + self.age)
        if key == "transfers":
            return self.transfers(form, view.transfers)
        return self.fits(LATER_METHOD if key == METHOD and view.moved else key, form)

    def matches(self, rule: Rule, view: View, entered: Time, instant: int) -> Formula:
        """Returns that the rule is in force and matches a contact that entered its queue then."""
        now, guard = self.began + self.instants[instant], rule.guard.enqueued_after
        times = [
            rule.from_at is None or at_least(now, absolute(rule.from_at)),
            rule.until_at is None or negation(at_least(now, absolute(rule.until_at))),
            guard is None or at_least(self.began + entered, absolute(guard)),
        ]
        return all_of((*times, view.when, self.holds(rule.condition, view, instant)))

    def elapsed(self, rule: Rule, view: View, instant: int) -> Time:
        hours = own_hours(view.queue) if rule.sla.hours == QUEUES_OWN else rule.sla.hours
        of_chain = rule.sla.clock == "chain"
        begin = -self.age if of_chain else view.clock_begins
        if hours is not None and hours in self.given:
            return self.given.open_time(hours, begin, self.instants[instant], earlier=of_chain)
        return self._open_time(hours, begin, instant)

    def may_act(self, rule: Rule, view: View, instant: int) -> Formula:
        """Returns that the rule's hours are open."""
        hours = rule.sla.hours
        if hours is None:
            return True
        return self.open(own_hours(view.queue) if hours == QUEUES_OWN else hours, instant)

    def due(self, step: Step, rule: Rule, view: View, instant: int) -> Formula:
        """Returns that the step is due. What falls due when the hours close is due when they open."""
        shown, at, is_open = self.elapsed(rule, view, instant), micros(step.at), self.may_act(rule, view, instant)
        before = at_least(shown, at) if is_open is True else any_of((is_open, at_least(shown, at + 1)))
        return all_of((at_least(shown, at), before))


def own_hours(queue: str) -> str:
    """Returns the name by which a scene knows the own hours of a queue."""
    return f"\x01{queue}"


def _in_range(form: RangeForm, time: Time) -> Formula:
    low = form.min is None or at_least(time, micros(form.min))  # type: ignore[arg-type]
    high = form.max is None or at_least(micros(form.max), time)  # type: ignore[arg-type]
    return all_of((low, high))
