"""Finds contacts that one rule holds while another rule, which could move them, cannot govern."""

from __future__ import annotations

from collections.abc import Iterator

from router.problems import Problem
from router.prove.implication import Prover
from router.prove.lint_queues import RuleQueues, may_match, queue_of, warning
from router.prove.unreachable_rules import always_before
from router.rules.condition import AllOf, Test, tests_of
from router.rules.match_keys import Source, match_key
from router.rules.rule import Mode, OnHold, Rule, Step
from router.rules.value_test import HoursForm

GIVE_WAY = 'on_hold = "next" lets it govern'


def starved_rules(queues: RuleQueues, prover: Prover) -> Iterator[Problem]:
    """Warns about a rule without a last resort before another rule for the same contacts, once for each such rule."""
    moving = [rule for rule in queues.rules if _moves(rule)]
    for number, rule in enumerate(moving):
        if rule.on_hold is OnHold.NEXT or _has_last_resort(rule):
            continue
        behind = (one for one in moving[number + 1 :] if _same_contacts(rule, one, prover))
        starved = next((one for one in behind if not always_before(rule, one, queues, prover)), None)
        if starved is not None:
            why = f"holds contacts when no destination is eligible, and '{starved.name}' cannot govern them"
            yield warning(rule.place, f"rule '{rule.name}' {why} ({starved.place}): {GIVE_WAY}")


def forsaken_contacts(queues: RuleQueues) -> Iterator[Problem]:
    """Warns about moves after which the rule may stop before its last step, and no other rule acts in the new queue."""
    moving = [rule for rule in queues.rules if _moves(rule)]
    for rule in moving:
        others = [one for one in moving if one is not rule]
        for step in rule.to_steps[:-1]:
            for queue in dict.fromkeys(filter(None, map(queue_of, step.entries))):
                finding = _forsaken(rule, queue, others)
                if finding is not None:
                    yield warning(step.place, f"after its move to '{queue}' rule '{rule.name}' {finding}")


def _forsaken(rule: Rule, queue: str, others: list[Rule]) -> str | None:
    there = [one for one in others if may_match(one.condition, queue)]
    if any(match_key(test.key).source is Source.HOURS for test in tests_of(rule.condition)) and not there:
        return "no longer matches when its hours change, and no other rule matches there"
    waiting = next((one for one in there if one.sla.hours != rule.sla.hours), None)
    if rule.sla.hours is None or waiting is None or rule.on_hold is OnHold.NEXT:
        return None
    return f"holds the contact while its hours are closed, and '{waiting.name}' cannot govern it: {GIVE_WAY}"


def _moves(rule: Rule) -> bool:
    return rule.mode is Mode.ENFORCE and bool(rule.to_steps)


def _has_last_resort(rule: Rule) -> bool:
    """Returns whether a step has a destination that no metric, hours or agent can refuse."""
    return any(_is_last_resort(step) for step in rule.to_steps)


def _is_last_resort(step: Step) -> bool:
    return any(entry.unconditional and entry.queue is not None for entry in step.entries)


def _same_contacts(rule: Rule, other: Rule, prover: Prover) -> bool:
    """Returns whether one of the two rules surely matches every contact of the other, at some time."""
    apart = _ends_before(rule, other) or _ends_before(other, rule) or _needs_closed(rule, other.sla.hours)
    one_way = prover.implies(rule.condition, other.condition)
    return not apart and (one_way or prover.implies(other.condition, rule.condition))


def _needs_closed(rule: Rule, hours: str | None) -> bool:
    """Returns whether the rule matches only while these hours are closed, so that a rule that counts them never acts
    then."""
    condition = rule.condition
    parts = condition.children if isinstance(condition, AllOf) else (condition,)
    forms = [part.form for part in parts if isinstance(part, Test)]
    return any(isinstance(form, HoursForm) and (form.name, form.wanted) == (hours, "closed") for form in forms)


def _ends_before(one: Rule, other: Rule) -> bool:
    return one.until_at is not None and other.from_at is not None and one.until_at <= other.from_at
