"""Finds which rules can match contacts of a queue, without a test of every rule for every queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from router.rules.condition import AllOf, AnyOf, Condition, NoneOf, Test
from router.rules.value_test import TextForm

# These functions find the queues whose contacts a condition could match; they never return too few.

Names = tuple[str, ...]
"""A queue as a subject shows it: its name and id, or what is known of them."""

ELSEWHERE: Names = ("\N{WHITE SQUARE} a queue made later", "00000000-no-such-queue")
"""Means the queues that the instance may have later; a condition that could match it narrows nothing."""


def could_match(condition: Condition, queue: Names, channel: str | None = None) -> bool:
    """Returns whether some contact of the queue (and of the channel, if given) could match.

    A test of anything else may be true or false.
    """
    return _possible(condition, queue, channel)[0]


def must_match(condition: Condition, queue: Names, channel: str) -> bool:
    """Returns whether every contact of the queue and channel matches, whatever else it is."""
    return not _possible(condition, queue, channel)[1]


def _possible(condition: Condition, queue: Names, channel: str | None = None) -> tuple[bool, bool]:
    """Returns whether the condition could be true, and whether it could be false."""
    if isinstance(condition, Test):
        value = {"queue": queue, "channel": channel}.get(condition.key)
        if value is None:
            return True, True
        fits = condition.fits(value)
        return fits, not fits
    outcomes = [_possible(child, queue, channel) for child in condition.children]
    if isinstance(condition, AllOf):
        return all(holds for holds, _ in outcomes), any(fails for _, fails in outcomes)
    some, none = any(holds for holds, _ in outcomes), all(fails for _, fails in outcomes)
    return (some, none) if isinstance(condition, AnyOf) else (none, some)


class Conditional(Protocol):
    @property
    def condition(self) -> Condition: ...


def values_required(condition: Condition, key: str) -> frozenset[str] | None:
    """Returns the values of which the key must have one for a contact to match, a queue's by name or id; ``None`` if
    plain texts do not decide it."""
    match condition:
        case Test(key=tested, form=TextForm() as form) if tested == key:
            plain = not (form.globs or form.negated) and form.pattern is None and form.present is None
            return frozenset(form.literals) if plain else None
        case AllOf(children):
            found = [some for child in children if (some := values_required(child, key)) is not None]
            return min(found, key=len, default=None)
        case AnyOf(children):
            each = [values_required(child, key) for child in children]
            known = [some for some in each if some is not None]
            return frozenset().union(*known) if len(known) == len(each) else None
        case NoneOf() | Test():
            return None


class RuleIndex:
    """The rules by the queues that they require; those that require none are tried on every queue, once for each."""

    def __init__(self, rules: Sequence[Conditional]) -> None:
        self._rules = tuple(rules)
        self._requiring: dict[str, list[int]] = {}
        self._anywhere: list[int] = []
        self._met: dict[Names, tuple[int, ...]] = {}
        for position, rule in enumerate(self._rules):
            required = values_required(rule.condition, "queue")
            for name in required or ():
                self._requiring.setdefault(name, []).append(position)
            if required is None:
                self._anywhere.append(position)

    def meeting(self, queue: Names) -> tuple[int, ...]:
        """Returns the positions, in order, of the rules that some contact of the queue could match."""
        if queue not in self._met:
            named = {position for name in queue for position in self._requiring.get(name, ())}
            candidates = sorted({*named, *self._anywhere})
            self._met[queue] = tuple(
                position for position in candidates if could_match(self._rules[position].condition, queue)
            )
        return self._met[queue]
