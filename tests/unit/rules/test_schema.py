"""The JSON Schema that editors are given."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli

from router.problems import Problems
from router.rules.file.rule_table import RuleFile
from router.rules.load import parse_rules
from router.toml_source import editor_schema

SHIPPED = sorted((Path(__file__).resolve().parents[3] / "rules").glob("*.toml"))
SCHEMA = editor_schema(RuleFile, title="rules")
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def as_json(value: Any) -> Any:
    """Returns date-times as texts, as editors hand them to a validator."""
    if isinstance(value, dict):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_schema_accepts_the_shipped_files(path):
    VALIDATOR.validate(as_json(tomli.loads(path.read_text())))


ALL_KEYS = """
[vars]
soon = "15m"
few = { max = 5 }
night = [{ queue = "B" }]
tag = "$$tag"
mode = "observe"
few_moves = 2
[defaults]
flow = "F"
agent_flow = "E"
pick = "first"
mode = "observe"
sla.hours = "queue"
guard = { max_transfers = 1 }
[lists]
tail = [{ queue = "A" }]
tiers = [[{ queue = "A" }], [{ agent = "b", require_available = false }]]
[[rule]]
name = "r"
description = "d"
mode = "off"
from = 2026-01-01T00:00:00Z
until = 2027-01-01T00:00:00+01:00
sla = { target = "4h", clock = "queue", hours = "H" }
guard = { cooldown = "10m", per_cycle = 1, per_hour = 2, enqueued_after = 2026-03-01T00:00:00Z }
[rule.match]
channel = ["TASK", "EMAIL"]
queue = { not = ["A*", "B"] }
waited = { min = "5m" }
initiation_method = "API"
name = { matches = "a+" }
subtype = { present = true }
segment_attributes."a b" = { max = 3.5 }
tags.x = 3
hours = { name = "queue", is = "open" }
any = [{ name = "x" }]
all = [{ channel = { not = "TASK" } }]
none = [{ waited = "3m" }]
[[rule.step]]
at = "50%"
to = "tail"
pick = "weighted"
warn = "w"
[[rule.step]]
at = "breach"
[[rule.step.to]]
queue = "B"
flow = "G"
slots_available = { min = 1 }
oldest_contact_age = { max = "1h" }
shorter_wait = true
open = false
revisit = true
weight = 3
[[rule]]
name = "s"
mode = "$mode"
extends = "r"
match.tags.x = "$tag"
match.priority = "$few"
sla.target = "50% of r"
guard.per_hour = "$few_moves"
[[rule.step]]
at = "$soon"
to = "$night"
[[example]]
name = "e"
now = 2026-05-01T00:00:00Z
contact = { channel = "TASK", queue = "C", waited = "1h", clock = "1h", progress = "5m", visited = ["A"] }
hours.H = "closed"
queues.B = { open = true, contacts_in_queue = 1, estimated_wait_time = "1m" }
agents.b = { slots_available = 1 }
expect = { rule = "r", step = 1, hold = "cooldown", warn = true }
[[example]]
name = "f"
contact = { channel = "EMAIL", queue = "C", transfers = 1 }
expect = "nothing"
"""


def test_the_schema_accepts_every_key_that_loads():
    assert len(parse_rules([("r.toml", ALL_KEYS.encode())]).rules) == 2
    VALIDATOR.validate(as_json(tomli.loads(ALL_KEYS)))


RULE = '[[rule]]\nname = "r"\nmatch.queue = "A"\n'


@pytest.mark.parametrize(
    "broken",
    [
        "rules = []\n",
        '[[rule]]\nname = "r"\n',
        RULE.replace('"r"', '"a b"'),
        RULE.replace("queue", "qeue"),
        RULE + 'match.channel = "VOICE"\n',
        RULE + "match.waited = 5\n",
        RULE.replace('"A"', "[]"),
        RULE + "guard.per_hour = 0\n",
        RULE + 'sla.target = "half of r"\n',
        RULE + 'guard.per_hour = "$5"\n',
        RULE + "extends = 5\n",
        RULE + '[[rule.step]]\nat = "5m"\nto = [[{ queue = "A" }], { queue = "B" }]\n',
    ],
)
def test_the_schema_refuses_what_does_not_load(broken):
    with pytest.raises(Problems):
        parse_rules([("r.toml", broken.encode())])
    assert not VALIDATOR.is_valid(as_json(tomli.loads(broken)))


def test_the_schema_names_no_null():
    assert "null" not in str(SCHEMA)
