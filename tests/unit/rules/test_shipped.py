"""The rule files that are shipped, and that the demo runs on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import tomli

from router.prove.examples import prove_examples
from router.prove.lint import lint
from router.prove.lint_queues import named_in
from router.rules.load import load_rules
from router.sandbox.scenario import TO_AGENT, TO_QUEUE

RULES = Path(__file__).resolve().parents[3] / "rules"
SCENARIO = files("router.sandbox") / "scenarios" / "contact-centre.toml"


def test_they_load_and_nothing_is_found_in_them():
    ruleset = load_rules(RULES)
    assert lint(ruleset, poll_every=timedelta(seconds=15), max_transfers=3) == []


def test_all_their_examples_hold_and_exercise_all_that_there_is_file_by_file():
    for file in sorted(RULES.glob("*.toml")):
        ruleset = load_rules(file)
        now = datetime(2026, 6, 1, 12, tzinfo=UTC)
        results, coverage = prove_examples(ruleset, ruleset.examples, now=now, covering=True)
        assert [str(result.place) + result.message for result in results if not result.passed] == []
        assert coverage is not None
        assert [f"{point.place}: {point.text}" for point in coverage.missing] == []


def test_they_are_explained_to_the_operator_before_anything_else():
    for file in sorted(RULES.glob("*.toml")):
        head = file.read_text(encoding="utf-8").partition("\n\n")[0]
        assert len(head) > 100, file
        assert all(line.startswith("# ") for line in head.splitlines()), file


def test_the_demo_has_every_name_of_theirs():
    scenario = tomli.loads(SCENARIO.read_text())
    queues = {queue["name"] for queue in scenario["queue"]}
    rules = load_rules(RULES).rules
    entries = [entry for rule in rules for step in rule.steps for entry in step.entries]
    matched = {name for rule in rules for name in named_in(rule.condition)}
    assert matched | {entry.queue for entry in entries if entry.queue} <= queues
    assert {entry.agent for entry in entries if entry.agent} <= {agent["username"] for agent in scenario["agent"]}
    assert {entry.flow for entry in entries} == {TO_QUEUE, TO_AGENT}
