"""Measures which rules, steps and sides of conditions the examples have exercised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from router.decide.act import TriedStep
from router.decide.decide import Account
from router.decide.decision import Hold
from router.decide.match_subject import subject_for
from router.decide.snapshot import Snapshot
from router.decide.waiting_contact import WaitingContact
from router.rules.bound import BoundRule, BoundRuleSet
from router.rules.condition import Test, Truth, match
from router.rules.file.match_table import CHANNELS
from router.rules.rule import DestinationEntry, Mode, Pick, Place
from router.rules.value_test import TextForm


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """Describes one thing that an example can exercise; ``text`` describes what is missing if no example does."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Holds how many points there are and those that are missing, in the order of the files."""

    total: int
    missing: tuple[Point, ...]

    @property
    def percent(self) -> float:
        """Returns the share of exercised points; 100 if there is nothing to exercise."""
        return 100.0 if not self.total else 100.0 * (self.total - len(self.missing)) / self.total


@dataclass(slots=True)
class Exercised:
    """Collects what the examples exercise, one example after the other.

    A rule that contacts of an example's queue cannot meet is matched with one of them only, because all give the same
    result.
    """

    rules: BoundRuleSet
    _seen: set[tuple[object, ...]] = field(default_factory=set)
    _unmet: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._unmet = set(range(len(self.rules.rules)))

    def add(self, snapshot: Snapshot, account: Account) -> None:
        assert account.wait is not None, "an example's contact is no stale sighting"
        waiting = WaitingContact(account.contact, account.wait, snapshot)
        names = (snapshot.directory.queue_name(waiting.queue_id) or waiting.queue_id, waiting.queue_id)
        met = set(self.rules.index.meeting(names))
        for place in (*met, *(self._unmet - met)):
            self._see_conditions(self.rules.rules[place], waiting)
        if not waiting.wait.moves:  # a rule sees a contact that it has moved where it first met it
            self._unmet &= met
        self._see_outcome(account)

    def _see_conditions(self, rule: BoundRule, waiting: WaitingContact) -> None:
        for number, seen in enumerate(match(rule.condition, subject_for(rule, waiting)).seen):
            self._seen.add((rule.name, "condition", number, seen.truth))

    def _see_outcome(self, account: Account) -> None:
        governance = account.governance
        if governance is not None:
            tried = (governance.held_by, *governance.acting)
            self._seen.update((one.rule.name, "rule") for one in tried if one is not None)
        for decision in account.decisions:
            if not isinstance(decision, Hold):
                self._seen.add((decision.rule, "step", decision.step))
        for step in account.steps:
            self._see_destinations(step)

    def _see_destinations(self, tried: TriedStep) -> None:
        chooses = tried.step.step.pick is Pick.FIRST
        for number, weighed in enumerate(tried.weighed):
            used = weighed is tried.chosen if chooses else weighed.eligible
            if used:
                self._seen.add((tried.rule, "used", tried.step.step.number, number))
            if not weighed.eligible:
                self._seen.add((tried.rule, "refused", tried.step.step.number, number))

    def coverage(self) -> Coverage:
        """Returns the coverage of the rules that are not off."""
        points = [
            (key, point) for rule in self.rules.rules if rule.rule.mode is not Mode.OFF for key, point in _points(rule)
        ]
        missing = sorted(point for key, point in points if key not in self._seen)
        return Coverage(total=len(points), missing=tuple(missing))


Found = tuple[tuple[object, ...], Point]


def _points(rule: BoundRule) -> Iterator[Found]:
    place, name = rule.rule.place, rule.name
    yield (name, "rule"), Point(place, f'no example is about rule "{name}"')
    for number, test in enumerate(rule.conditions):
        yield from _sides(name, number, test)
    for step in rule.rule.steps:
        yield (name, "step", step.number), Point(step.place, f'step {step.number} of "{name}" acts in no example')
        for number, entry in enumerate(step.entries):
            yield from _uses(name, step.number, number, entry, chooses=step.pick is Pick.FIRST)


def _sides(name: str, number: int, test: Test) -> Iterator[Found]:
    place = test.place
    assert place is not None, "a condition of a file has a place"
    yield (name, "condition", number, Truth.YES), Point(place, f"{test.text} holds in no example")
    if not _always(test):
        yield (name, "condition", number, Truth.NO), Point(place, f"{test.text} fails in no example")


def _uses(name: str, step: int, number: int, entry: DestinationEntry, *, chooses: bool) -> Iterator[Found]:
    to = entry.queue or entry.agent or entry.agent_from
    used = "chosen" if chooses else "eligible"
    yield (name, "used", step, number), Point(entry.place, f'"{to}" of step {step} of "{name}" is {used} in no example')
    if not entry.unconditional:
        missing = f'"{to}" of step {step} of "{name}" is refused by its conditions in no example'
        yield (name, "refused", step, number), Point(entry.place, missing)


def _always(test: Test) -> bool:
    """Returns whether every contact that may be moved passes the test."""
    form = test.form
    if not isinstance(form, TextForm):
        return False
    every_queue = test.key == "queue" and "*" in form.globs and not form.negated
    return every_queue or (test.key == "channel" and all(form(channel) for channel in CHANNELS))
