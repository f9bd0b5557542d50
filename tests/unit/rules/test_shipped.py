"""The rule files that are shipped, and that the demo runs on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import tomli

from router.decide.examples import run_examples
from router.rules.lint import lint
from router.rules.lint.queues import named_in
from router.rules.load import load_rules
from router.sandbox.scenario import TO_AGENT, TO_QUEUE

RULES = Path(__file__).resolve().parents[3] / "rules"
SCENARIO = files("router.sandbox") / "scenarios" / "contact-centre.toml"


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


def test_all_their_examples_hold():
    ruleset = load_rules(RULES)
    results = run_examples(ruleset, ruleset.examples, now=datetime(2026, 6, 1, 12, tzinfo=UTC))
    assert [str(result.place) + result.message for result in results if not result.passed] == []


def test_the_demo_has_every_name_of_theirs():
    scenario = tomli.loads(SCENARIO.read_text())
    queues = {queue["name"] for queue in scenario["queue"]}
    rules = load_rules(RULES).rules
    entries = [entry for rule in rules for step in rule.steps for entry in step.entries]
    matched = {name for rule in rules for name in named_in(rule.condition)}
    assert matched | {entry.queue for entry in entries if entry.queue} <= queues
    assert {entry.agent for entry in entries if entry.agent} <= {agent["username"] for agent in scenario["agent"]}
    assert {entry.flow for entry in entries} == {TO_QUEUE, TO_AGENT}
