"""Finds destinations that are never used, and rules that lead back to their own queues."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from router.problems import Problem
from router.prove.lint_queues import RuleQueues, queue_of, surely_named, warning
from router.rules.rule import DestinationEntry, MetricLimit, Pick, Rule, Step

NOT_MORE_THAN = (
    ("agents_available", "agents_staffed"),
    ("agents_available", "agents_online"),
    ("agents_staffed", "agents_online"),
)
"""Pairs of which the first never exceeds the second: available agents are staffed, and staffed agents are online."""


def idle_destinations(rule: Rule, queues: RuleQueues) -> Iterator[Problem]:
    for step in rule.to_steps:
        yield from (warning(entry.place, why) for entry in step.entries if (why := admits_nothing(entry)) is not None)
        yield from _behind_the_last_resort(rule, step, queues)


def own_destinations(rule: Rule) -> Iterator[Problem]:
    """Warns if a rule matches its own destinations: a contact put back there passes the whole ladder again."""
    own = [queue for step in rule.to_steps for entry in step.entries if (queue := queue_of(entry)) is not None]
    matched = [queue for queue in dict.fromkeys(own) if surely_named(rule.condition, queue)]
    if matched:
        names = ", ".join(f"'{queue}'" for queue in matched)
        yield warning(rule.place, f"rule '{rule.name}' matches contacts in its own destinations ({names})")


def agents_last(rule: Rule) -> Iterator[Problem]:
    """Warns if the rule's last move can lead to an agent: if the agent goes offline, the contact waits there."""
    last = rule.to_steps[-1] if rule.to_steps else None
    if last is not None and any(entry.queue is None for entry in last.entries):
        why = "may lead to an agent, and a contact waits for an agent who goes offline: add a later step to a queue"
        yield warning(last.place, f"the last move of rule '{rule.name}' {why}")


def admits_nothing(entry: DestinationEntry) -> str | None:
    limits = {limit.metric: limit for limit in entry.limits}
    for fewer, more in NOT_MORE_THAN:
        low, high = limits.get(fewer), limits.get(more)
        if low is not None and high is not None and _above(low, high):
            return f"never eligible: {fewer} is never above {more}"
    waiting, age = limits.get("contacts_in_queue"), limits.get("oldest_contact_age")
    if waiting is not None and waiting.max == 0 and age is not None and age.min:
        return "never eligible: an empty queue has no oldest contact"
    return None


def _above(low: MetricLimit, high: MetricLimit) -> bool:
    if low.min is None or high.max is None or isinstance(low.min, timedelta) or isinstance(high.max, timedelta):
        return False
    return low.min > high.max


def _behind_the_last_resort(rule: Rule, step: Step, queues: RuleQueues) -> Iterator[Problem]:
    """Warns about destinations behind a queue that is always eligible: without conditions, and never left by a rule.

    Within a tier that concerns what follows in the list; a later tier is behind all of an earlier one.
    """
    last_resort: DestinationEntry | None = None
    for tier in step.to:
        behind = last_resort
        for entry in tier:
            if behind is not None:
                where = f"line {behind.place.line}"
                message = f"hardly ever used: the destination in {where} has no condition and is tried first"
                yield warning(entry.place, message)
            if behind is None and step.pick is Pick.FIRST and _always_eligible(entry, queues):
                behind = entry
        last_resort = last_resort or next((entry for entry in tier if _always_eligible(entry, queues)), None)


def _always_eligible(entry: DestinationEntry, queues: RuleQueues) -> bool:
    """Returns whether nothing excludes it: a queue that a rule moved the contact out of, or its own queue, is
    excluded."""
    queue = queue_of(entry)
    if queue is None or not entry.unconditional:
        return False
    return not queues.ever_left(queue)
