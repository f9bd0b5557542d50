"""Finds moves after which no rule may act on the contact, although the rule that moved it has later steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router.problems import Problem
from router.prove.lint_queues import QueueMatches, RuleQueues, queue_of, warning
from router.prove.starved_rules import GIVE_WAY, hours_required, moves
from router.rules.condition import tests_of
from router.rules.match_keys import Source, match_key
from router.rules.rule import OnHold, Rule
from router.rules.value_test import QUEUES_OWN

Place = tuple[int, Rule]
"""A rule and its position among the rules that move contacts."""


def forsaken_contacts(queues: RuleQueues) -> Iterator[Problem]:
    """Warns about moves before a rule's last step after which it may stop, and no other rule acts in the new queue."""
    moving = tuple(rule for rule in queues.rules if moves(rule))
    matches = QueueMatches(moving)
    matching: dict[str, list[Place]] = {}
    for position, rule in enumerate(moving):
        for step in rule.to_steps[:-1]:
            for queue in dict.fromkeys(filter(None, map(queue_of, step.entries))):
                if queue not in matching:
                    matching[queue] = [(place, moving[place]) for place in matches.positions(queue)]
                finding = _forsaken(position, rule, [one for one in matching[queue] if one[1] is not rule])
                if finding is not None:
                    yield warning(step.place, f"after its move to '{queue}' rule '{rule.name}' {finding}")


def _forsaken(position: int, rule: Rule, there: Sequence[Place]) -> str | None:
    """Returns why the rule's later steps may not act. ``there`` are the other rules for the new queue."""
    others = [one for _, one in there]
    before = next((one for place, one in there if place < position and _holds_when_closed(one, rule)), None)
    if before is not None:
        why = f"no longer governs it, and '{before.name}' ({before.place}) holds it while its hours are closed"
        return f"{why}: {GIVE_WAY}"
    hours = any(match_key(test.key).source is Source.HOURS for test in tests_of(rule.condition))
    if hours and all(_stops_with(rule, one) for one in others):
        return f"no longer matches when its hours change, and {_nobody(others)}"
    if rule.until_at is not None and all(one.until_at and one.until_at <= rule.until_at for one in others):
        return f"may end before its last step (until), and {_nobody(others)}"
    waiting = next((one for one in others if one.sla.hours != rule.sla.hours), None)
    if rule.sla.hours is None or waiting is None or rule.on_hold is OnHold.NEXT:
        return None
    return f"holds the contact while its hours are closed, and '{waiting.name}' cannot govern it: {GIVE_WAY}"


def _nobody(others: Sequence[Rule]) -> str:
    return f"'{others[0].name}' stops then too" if others else "no other rule matches there"


def _holds_when_closed(other: Rule, rule: Rule) -> bool:
    """Returns whether the other rule, which governs first in the new queue, holds contacts while this one could act."""
    return other.sla.hours not in (None, rule.sla.hours) and other.on_hold is OnHold.WAIT


def _stops_with(rule: Rule, other: Rule) -> bool:
    """Returns whether the other rule surely acts no longer when the hours change that the first one requires."""
    required = {one for one in hours_required(rule) if one[0] != QUEUES_OWN}
    return bool(required & hours_required(other)) or (other.sla.hours, "open") in required
