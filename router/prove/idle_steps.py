"""Finds steps that can never act, and settings of a rule that have no effect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from router.durations import format_duration
from router.problems import Problem
from router.prove.lint_queues import error, literal_queues, queue_of, warning
from router.rules.condition import AllOf, Condition, Test, tests_of
from router.rules.rule import OnHold, Pick, Rule, RuleGuard
from router.rules.value_test import RangeForm


def idle_steps(rule: Rule, poll_every: timedelta) -> Iterator[Problem]:
    yield from _superseded(rule)
    yield from _after_the_match(rule)
    yield from _older_than_the_match(rule)
    yield from _nowhere_to_go(rule)
    yield from _very_early(rule, poll_every)


def idle_settings(rule: Rule) -> Iterator[Problem]:
    """Warns about settings that a user may rely on and that no code reads."""
    if not rule.to_steps and replace(rule.guard, enqueued_after=None) != RuleGuard():
        yield warning(rule.place, f"rule '{rule.name}' moves nothing: its guard has no effect")
    if rule.on_hold is OnHold.NEXT and not rule.to_steps:
        yield warning(rule.place, f"rule '{rule.name}' moves nothing: its on_hold has no effect")
    for test in tests_of(rule.condition):
        if isinstance(test.form, RangeForm) and isinstance(test.form.min, timedelta) and test.form.min == test.form.max:
            least = format_duration(test.form.min)
            hint = f'{test.key} = {{ min = "{least}" }}'
            yield warning(test.place or rule.place, f"{test.text} fits at that very instant only; did you mean {hint}?")
    for step in rule.to_steps:
        for entry in step.entries if step.pick is not Pick.WEIGHTED else ():
            if entry.weight != 1:
                yield warning(entry.place, f'weight counts with pick = "weighted" only, and this is "{step.pick}"')


def _superseded(rule: Rule) -> Iterator[Problem]:
    """Finds warnings or routing updates that never act, because a later one is due at the same time."""
    for index, step in enumerate(rule.steps):
        later = [other for other in rule.steps[index + 1 :] if other.at == step.at]
        warned = step.warn is not None and any(other.warn is not None for other in later)
        bumped = step.routing is not None and any(other.routing is not None for other in later)
        if bumped or (warned and not step.to and step.routing is None):
            yield error(step.place, f"step {step.number} can never act: another of its kind is due at the same time")
        elif warned:
            yield warning(step.place, f"the warn of step {step.number} never acts: a later one is due at the same time")


def _after_the_match(rule: Rule) -> Iterator[Problem]:
    """Finds steps that are due when ``waited`` with a max does not match any longer.

    If the rule has moved a contact, ``waited`` remains what it was before.
    """
    longest = _longest(rule.condition, "waited")
    if longest is None or rule.sla.clock != "queue" or rule.sla.hours is not None:
        return
    if any(step.at <= longest for step in rule.to_steps):
        return
    for step in rule.steps:
        if step.at > longest:
            late, most = format_duration(step.at), format_duration(longest)
            yield error(step.place, f"step {step.number} (at {late}) can never act: the rule matches up to {most} only")


def _older_than_the_match(rule: Rule) -> Iterator[Problem]:
    """Finds steps beyond the greatest age that the rule matches; no clock ever shows more than the age."""
    oldest = _longest(rule.condition, "age")
    for step in rule.steps:
        if oldest is not None and step.at > oldest:
            late, most = format_duration(step.at), format_duration(oldest)
            why = f"the rule matches up to an age of {most} only"
            yield error(step.place, f"step {step.number} (at {late}) can never act: {why}")


def _longest(condition: Condition, key: str) -> timedelta | None:
    ends = [
        part.form.max
        for part in (condition.children if isinstance(condition, AllOf) else (condition,))
        if isinstance(part, Test) and part.key == key and isinstance(part.form, RangeForm)
    ]
    return min((end for end in ends if isinstance(end, timedelta)), default=None)


def _nowhere_to_go(rule: Rule) -> Iterator[Problem]:
    """Finds steps that lead only to the queue of the contact, or back to one it was moved out of."""
    literals = literal_queues(rule.condition)
    if literals is None or len(set(literals)) != 1:
        return
    for number, step in enumerate(rule.to_steps):
        stuck = [entry for entry in step.entries if queue_of(entry) == literals[0] and not (entry.revisit and number)]
        if len(stuck) == len(step.entries):
            yield error(step.place, f"step {step.number} can never act: it leads only to the queue the contacts are in")
            continue
        for entry in stuck:
            yield warning(entry.place, "never eligible: it is the queue that the contacts are in, or came from")


def _very_early(rule: Rule, poll_every: timedelta) -> Iterator[Problem]:
    for step in rule.steps:
        if step.at < 2 * poll_every:
            at, twice = format_duration(step.at), format_duration(2 * poll_every)
            yield warning(step.place, f"step {step.number} is due at {at}, below two polls ({twice}): expect it later")
