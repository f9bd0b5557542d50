"""The rule files that are shipped, and that the demo runs on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from router.rules.lint import lint
from router.rules.load import load_rules

RULES = Path(__file__).resolve().parents[3] / "rules"


def test_they_load_and_nothing_is_found_in_them():
    ruleset = load_rules(RULES)
    assert lint(ruleset, poll_every=timedelta(seconds=15), max_transfers=3) == []


def test_every_rule_has_an_example():
    ruleset = load_rules(RULES)
    proven = {example.expect.rule for example in ruleset.examples if example.expect is not None}
    assert proven == {rule.name for rule in ruleset.rules}


def test_every_step_that_moves_has_an_example():
    ruleset = load_rules(RULES)
    proven = {(one.expect.rule, one.expect.step) for one in ruleset.examples if one.expect is not None}
    moving = {(rule.name, step.number) for rule in ruleset.rules for step in rule.to_steps}
    assert moving <= proven
