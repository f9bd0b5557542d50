"""Runs the suite against a second implementation of the API, which shares no code with the sandbox."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance import standin, worlds
from tests.acceptance.second import explore_second
from tests.acceptance.standin_contacts import SecondConnect

PARTS = ("standin.py", "standin_wire.py", "standin_calls.py", "standin_contacts.py")


FORGETFUL = {"paused_transfer": "refused", "token_memory": "seconds", "repeated_token": "refused"}
"""A run that made its transfer before it needs it would find the token forgotten."""
WORLDS = [*worlds.each_value(), worlds.each_value()[0] | FORGETFUL | {"index_lag": timedelta(minutes=3)}]


@pytest.mark.parametrize("world", WORLDS, ids=range(len(WORLDS)))
def test_the_profile_of_the_second_implementation_equals_its_behaviours(world):
    run, left = explore_second(world)
    assert list(worlds.differences(world, run)) == []
    assert left == []


def test_a_behaviour_that_differs_from_the_world_is_a_difference(monkeypatch):
    world = worlds.each_value()[0]
    monkeypatch.setattr(SecondConnect, "GetContactMetrics", lambda *_: {"MetricResults": []})
    run, _ = explore_second(world)
    assert list(worlds.differences(world, run)) == ["contact_metrics: no_value instead of yes"]


@pytest.mark.parametrize("part", PARTS)
def test_the_second_implementation_imports_nothing_of_the_router(part):
    tree = ast.parse((Path(standin.__file__).parent / part).read_text(encoding="utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not any(name.partition(".")[0] == "router" for name in imported)
    assert {name for name in imported if name.startswith("tests")} <= {
        f"tests.acceptance.{each.removesuffix('.py')}" for each in PARTS
    }
