"""Evaluates conditions of ``match``, which are a tree. There are three outcomes: a value that could not be read is not
a "no"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from router.model import Need
from router.problems import Place
from router.rules.value_test import Form, Value


@dataclass(frozen=True, slots=True)
class Unread:
    """Marks a value that is not known. ``need`` is what would have to be read; ``why`` is for people.

    ``need`` is ``None`` if reading it failed. It is an opaque value of the subject's maker.
    """

    why: str
    need: Need | None = None


class Subject(Protocol):
    """Gives the conditions the values of a contact."""

    def value(self, key: str) -> Value | Unread | None:
        """Returns the value of a match key, dotted as in the file (``attributes.language``).

        ``None`` means that the contact has none (a missing attribute).
        """
        ...


class Truth(Enum):
    """Names the outcomes of a condition."""

    NO = "no"
    YES = "yes"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Test:
    """Compares one key with one value of the file. ``fits`` is pure and total: it takes any ``Value`` and ``None``."""

    key: str
    text: str
    """The condition as it is in the file, for people."""
    fits: Callable[[Value | None], bool]
    costs_a_call: bool = False
    references: tuple[str, ...] = ()
    """For ``queue``: the literal names, ids or ARNs; globs are not among them."""
    place: Place | None = field(default=None, compare=False)
    form: Form | None = field(default=None, compare=False)
    """The meaning of ``fits`` as data: ``bind`` binds it to ids, ``lint`` compares it."""


@dataclass(frozen=True, slots=True)
class AllOf:
    children: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    children: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    children: tuple[Condition, ...]


Condition = Test | AllOf | AnyOf | NoneOf


def tests_of(condition: Condition) -> Iterator[Test]:
    """Yields every test of the tree, in the order of the file."""
    if isinstance(condition, Test):
        yield condition
        return
    for child in condition.children:
        yield from tests_of(child)


@dataclass(frozen=True, slots=True)
class ReliedOnValue:
    """Records one test and its outcome, for ``explain``."""

    test: Test
    truth: Truth
    value: Value | Unread | None


@dataclass(frozen=True, slots=True)
class Match:
    """Holds an outcome and its trace. ``needs`` is what would have to be read to know more.

    ``needs`` is empty if ``truth`` is ``UNREAD`` for good.
    """

    truth: Truth
    seen: tuple[ReliedOnValue, ...]

    @property
    def needs(self) -> tuple[Need, ...]:
        unread = [seen.value for seen in self.seen if isinstance(seen.value, Unread)]
        return tuple(value.need for value in unread if value.need is not None)


def describe_unread(matched: Match | None) -> str:
    """Returns a message that a condition could not be decided, with the reasons; it never holds a value."""
    values = (seen.value for seen in matched.seen) if matched is not None else ()
    why = dict.fromkeys(value.why for value in values if isinstance(value, Unread))
    return ": ".join(("a condition's value could not be read", *(("; ".join(why),) if why else ())))


def match(condition: Condition, subject: Subject) -> Match:
    """Evaluates by Kleene's logic: "no" wins over unread in ``AllOf``, "yes" in ``AnyOf``.

    Every test is evaluated, which makes the trace complete; a subject returns ``Unread`` for a value that costs a call.
    """
    seen: list[ReliedOnValue] = []
    truth = _truth(condition, subject, seen)
    return Match(truth, tuple(seen))


def _truth(condition: Condition, subject: Subject, seen: list[ReliedOnValue]) -> Truth:
    if isinstance(condition, Test):
        return _test(condition, subject, seen)
    truths = [_truth(child, subject, seen) for child in condition.children]
    if isinstance(condition, AllOf):
        return _all(truths)
    found = _any(truths)
    return found if isinstance(condition, AnyOf) else _NOT[found]


def _test(test: Test, subject: Subject, seen: list[ReliedOnValue]) -> Truth:
    value = subject.value(test.key)
    if isinstance(value, Unread):
        truth = Truth.UNREAD
    else:
        truth = Truth.YES if test.fits(value) else Truth.NO
    seen.append(ReliedOnValue(test, truth, value))
    return truth


def _all(truths: list[Truth]) -> Truth:
    if Truth.NO in truths:
        return Truth.NO
    return Truth.UNREAD if Truth.UNREAD in truths else Truth.YES


def _any(truths: list[Truth]) -> Truth:
    if Truth.YES in truths:
        return Truth.YES
    return Truth.UNREAD if Truth.UNREAD in truths else Truth.NO


_NOT = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNREAD: Truth.UNREAD}
