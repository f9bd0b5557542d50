"""Builds rules from the text of a file, bound to the small instance."""

from __future__ import annotations

from dataclasses import replace

from router.model import Directory
from router.rules.bind import bind
from router.rules.bound import BoundRuleSet
from router.rules.condition import AllOf, Condition, Test
from router.rules.load import parse_rules
from router.rules.rule import RuleSet
from router.rules.value_test import Value
from tests.builders.instance import DIRECTORY

FLOWS = '[defaults]\nflow = "To queue"\nagent_flow = "To agent"\n'


def ruleset(text: str) -> RuleSet:
    """Parses a rule file that lacks its defaults: the two flows."""
    return parse_rules([("rules.toml", (FLOWS + text).encode())])


def rules(text: str, directory: Directory = DIRECTORY) -> BoundRuleSet:
    return bind(ruleset(text), directory, agents_known=True)


def overflow(
    name: str = "overflow",
    *,
    at: str = "10m",
    to: str = '{ queue = "Overflow" }',
    mode: str = "enforce",
    more: str = "",
) -> str:
    """Writes a rule that moves the contacts of Billing; ``more`` are further keys and tables."""
    return f"""
        [[rule]]
        name = "{name}"
        mode = "{mode}"
        match = {{ queue = "Billing" }}
        step = [{{ at = "{at}", to = [{to}] }}]
        {more}
    """


def unreadable(bound: BoundRuleSet, name: str) -> BoundRuleSet:
    """Returns the same rules, of which one has a condition whose value is never read."""

    def never(value: Value | None) -> bool:
        return False

    def with_condition(condition: Condition) -> Condition:
        return AllOf((condition, Test(key="attributes.language", text='attributes.language = "de"', fits=never)))

    changed = tuple(
        replace(one, rule=replace(one.rule, condition=with_condition(one.rule.condition))) if one.name == name else one
        for one in bound.rules
    )
    return replace(bound, rules=changed)
