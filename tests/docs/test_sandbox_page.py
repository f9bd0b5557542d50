"""Checks that docs/sandbox.md has every switch, fault and scenario key, and that its scenario loads."""

import dataclasses
import re
from pathlib import Path

import pytest

from router.sandbox import Behaviours, Sandbox, Scenario
from router.sandbox.faults import KINDS
from router.sandbox.scenario_tables import ScenarioDocument

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sandbox.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("|")]


def keys(model, seen=()):
    """Returns every key of a scenario file, tables included, except the behaviours, which have their own table."""
    for name, field in model.model_fields.items():
        yield name
        inner = (field.annotation, *getattr(field.annotation, "__args__", ()))
        for table in inner:
            if hasattr(table, "model_fields") and name != "behaviours" and table not in seen:
                yield from keys(table, (*seen, table))


@pytest.mark.parametrize("switch", [field.name for field in dataclasses.fields(Behaviours)])
def test_every_behaviour_is_documented(switch):
    assert any(row.startswith(f"| `{switch}` |") for row in ROWS)


@pytest.mark.parametrize("switch", [field.name for field in dataclasses.fields(Behaviours)])
def test_the_promises_tell_what_the_router_does_under_every_behaviour(switch):
    promises = (PAGE.parent / "promises.md").read_text(encoding="utf-8").splitlines()
    assert any(re.match(rf"\|[^|]+\|[^|]*`{switch}`", row) for row in promises)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_is_documented(kind):
    assert any(f"`{kind}`" in row for row in ROWS)


@pytest.mark.parametrize("key", sorted(set(keys(ScenarioDocument))))
def test_every_key_of_a_scenario_is_documented(key):
    assert any(re.search(rf"\b{key}\b", row) for row in ROWS)


@pytest.mark.uses("threads", "sockets")
def test_the_scenario_on_the_page_is_one_and_runs(tmp_path):
    block, *_ = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    path = tmp_path / "my-centre.toml"
    path.write_text(block, encoding="utf-8")
    with Sandbox(Scenario.load(path)) as sandbox:
        assert len(sandbox.world.waiting("Billing")) == 12
