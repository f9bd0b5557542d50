"""What of an instance a rule set speaks of, so that nothing else is listed."""

from __future__ import annotations

from router.rules.condition import tests_of
from router.rules.form import HoursForm
from router.rules.rule import Mode, Rule, RuleSet


def mentions_hours(ruleset: RuleSet) -> bool:
    """Whether hours of operation matter to any rule: by name, as a queue's own, or for a destination that is open."""
    return any(_counts_hours(rule) for rule in ruleset.rules if rule.mode is not Mode.OFF)


def mentions_agents(ruleset: RuleSet) -> bool:
    """Whether a step may send contacts to an agent, named in the rules or by the contact."""
    return any(entry.queue is None for rule in ruleset.rules for step in rule.steps for entry in step.entries)


def _counts_hours(rule: Rule) -> bool:
    conditional = any(entry.open is not None for step in rule.steps for entry in step.entries)
    asked = any(isinstance(test.form, HoursForm) for test in tests_of(rule.condition))
    return rule.sla.hours is not None or conditional or asked
