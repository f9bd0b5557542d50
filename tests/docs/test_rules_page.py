"""Checks that docs/rules.md has every key, and that every file in it loads and passes the proofs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from router.prove.examples import prove_examples
from router.prove.lint import lint
from router.rules.file.destination_table import DestinationTable
from router.rules.file.example_table import ExampleContactTable, ExampleQueueTable, ExampleTable, Expected
from router.rules.file.field_types import TomlTable
from router.rules.file.match_table import MatchTable
from router.rules.file.rule_table import Defaults, GuardTable, RuleFile, RuleTable, SlaTable, StepTable
from router.rules.load import parse_rules

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text()
AROUND = {
    "": "{}",
    " match": '[[rule]]\nname = "r"\n[rule.match]\n{}',
    " step": '[defaults]\nflow = "F"\nagent_flow = "E"\n[[rule]]\nname = "r"\nmatch.queue = "Q"\nsla.target = "4h"\n{}',
}
BLOCKS = [AROUND[kind].format(body) for kind, body in re.findall(r"^```toml(.*?)\n(.*?)^```$", PAGE, re.M | re.S)]
TABLES: list[tuple[str, type[TomlTable]]] = [
    ("", RuleFile),
    ("defaults", Defaults),
    ("rule", RuleTable),
    ("match", MatchTable),
    ("sla", SlaTable),
    ("step", StepTable),
    ("to", DestinationTable),
    ("guard", GuardTable),
    ("example", ExampleTable),
    ("contact", ExampleContactTable),
    ("queue metrics", ExampleQueueTable),
    ("expect", Expected),
]
WRITTEN = " ".join(re.findall(r"`([^`]*)`", PAGE)) + "".join(BLOCKS)


def keys(model: type[TomlTable]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_file_on_the_page_loads_without_a_finding(block):
    ruleset = parse_rules([("rules.toml", block.encode())])
    assert ruleset.rules
    assert lint(ruleset, poll_every=timedelta(seconds=15), max_transfers=3) == []


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_example_on_the_page_holds(block):
    ruleset = parse_rules([("rules.toml", block.encode())])
    results = prove_examples(ruleset, ruleset.examples, now=datetime(2026, 6, 1, 12, tzinfo=UTC))[0]
    assert [result.message for result in results if not result.passed] == []


def test_there_are_blocks_of_every_kind():
    assert len(BLOCKS) >= 6


@pytest.mark.parametrize(
    ("table", "key"), [(table, key) for table, model in TABLES for key in keys(model)], ids=lambda part: part or "file"
)
def test_every_key_is_on_the_page(table, key):
    assert re.search(rf"(?<![a-z_]){re.escape(key)}(?![a-z_])", WRITTEN), f"{table}.{key}"
