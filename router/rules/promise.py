"""Holds a promise of a rule file as typed values: which contacts it is about, and what must hold of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from router.problems import Place, Problem, did_you_mean
from router.rules.calendar import Calendar, Window
from router.rules.compile import compile_match
from router.rules.condition import AllOf, Condition, tests_of
from router.rules.file.match_table import HoursCondition
from router.rules.file.promise_table import DAYS, NeverTable, OpenTimes, PromiseTable, WithinAge, minutes_of
from router.rules.rule import Rule
from router.rules.value_test import HoursForm, TextForm
from router.toml_source import KeyPath

EVERY_CONTACT = AllOf(())


class Act(StrEnum):
    """Names the kinds of acts that can fulfil a promise with a time."""

    MOVE = "move"
    WARN = "warn"
    ROUTING = "routing"


class Assumption(StrEnum):
    """Names what need not be proved."""

    DESTINATION = "destination"
    AGENTS = "agents"
    NO_GUARD = "no_guard"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Within:
    """Requires one of the acts before a contact has waited so long; with ``of_age``, before its chain is so old."""

    limit: timedelta
    acts: frozenset[Act]
    of_age: bool = False


@dataclass(frozen=True, slots=True)
class Never:
    """Forbids moves to a queue that fits ``to``. With ``hours`` only while these are as the form wants them; its name
    ``"queue"`` means the own hours of the queue that the move leads to."""

    to: TextForm
    hours: HoursForm | None = None


@dataclass(frozen=True, slots=True)
class AtMost:
    """Limits the moves of a wait, and how often a wait may be in one queue. ``None`` is no limit."""

    moves: int | None = None
    visits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedPromise:
    """Holds one promise. ``condition`` is about the contact as it is when its wait begins; its times and hours are
    those of the instant that the promise is about. ``hours`` are the times of day at which named hours are open."""

    name: str
    place: Place
    condition: Condition
    claim: Within | Never | AtMost
    says: str = ""
    assume: frozenset[Assumption] = frozenset()
    hours: Mapping[str, Calendar] = field(default_factory=dict, hash=False)

    def named_queues(self) -> Iterator[tuple[Place, str]]:
        """Yields each queue that the promise names, as the file has it: name, id or ARN."""
        for test in tests_of(self.condition):
            if test.key == "queue" and isinstance(test.form, TextForm):
                yield from ((test.place or self.place, name) for name in test.form.as_written)
        if isinstance(self.claim, Never):
            yield from ((self.place, name) for name in self.claim.to.as_written)


Written = tuple[Callable[[KeyPath], Place], int, PromiseTable]
"""A table, with its index in its file and the places of that file."""


def compile_promises(
    tables: Iterable[Written], rules: Iterable[Rule], problems: list[Problem]
) -> tuple[StatedPromise, ...]:
    """Returns the promises, and adds a problem for each name that two of them have, and for each name of hours whose
    times of day matter to nothing."""
    found: dict[str, StatedPromise] = {}
    tested = {name for rule in rules for name in (rule.sla.hours, *_hours_in(rule.condition)) if name is not None}
    for place, index, table in tables:
        one = compile_promise(table, ("promise", index), place)
        named = one.claim.hours if isinstance(one.claim, Never) else None
        tests = {*tested, *_hours_in(one.condition), *((named.name,) if named is not None else ())}
        for name in one.hours:
            if name not in tests:
                text = f'no rule tests the hours "{name}", and this promise does not{did_you_mean(name, tests)}'
                problems.append(place(("promise", index, "hours", name)).problem(text))
        if (known := found.setdefault(one.name, one)) is not one:
            problems.append(one.place.problem(f'a promise called "{one.name}" exists already at {known.place}'))
    return tuple(found.values())


def compile_promise(table: PromiseTable, path: KeyPath, place: Callable[[KeyPath], Place]) -> StatedPromise:
    match = table.match
    return StatedPromise(
        name=table.name,
        place=place(path),
        condition=compile_match(match, (*path, "match"), place) if match is not None else EVERY_CONTACT,
        claim=_claim(table),
        says=table.says or "",
        assume=frozenset(map(Assumption, table.assume)),
        hours={name: _calendar(given) for name, given in table.hours.items()},
    )


def _hours_in(condition: Condition) -> Iterator[str]:
    yield from (test.form.name for test in tests_of(condition) if isinstance(test.form, HoursForm))


def _calendar(given: OpenTimes) -> Calendar:
    weekly: dict[int, tuple[Window, ...]] = {}
    for one in given if isinstance(given, list) else [given]:
        between, days = (one, None) if isinstance(one, str) else (one.between, one.days)
        for day in map(DAYS.index, days or DAYS):
            weekly[day] = (*weekly.get(day, ()), Window(*minutes_of(between)))
    return Calendar(ZoneInfo("UTC"), weekly)


def _claim(table: PromiseTable) -> Within | Never | AtMost:
    if table.within is not None:
        named = set(table.act or ["any"])
        acts = frozenset(Act) if "any" in named else frozenset(map(Act, named))
        of_age = isinstance(table.within, WithinAge)
        limit = table.within.age if isinstance(table.within, WithinAge) else table.within
        return Within(limit, acts, of_age)
    if table.never is not None:
        return _never(table.never)
    assert table.at_most is not None, "a promise has one claim"
    return AtMost(table.at_most.moves, table.at_most.visits_of_a_queue)


def _never(table: NeverTable) -> Never:
    to = TextForm.of([table.to] if isinstance(table.to, str) else table.to, names=True)
    match table.hours:
        case HoursCondition():
            return Never(to, HoursForm(table.hours.name, table.hours.is_))
        case str():
            return Never(to, HoursForm("queue", table.hours))
        case None:
            return Never(to)
