"""Checks that the functions in docs/architecture.md exist, and that moving a late contact reaches each of them."""

import importlib
import re
from pathlib import Path

import pytest

from tests.docs import pictures

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


PAGE = (DOCS / "architecture.md").read_text(encoding="utf-8")


def test_every_file_that_the_page_names_exists():
    named = re.findall(r"`((?:router|docs|tests)/[\w/.]+)`", PAGE)
    assert len(named) > 20
    assert [path for path in named if not (DOCS.parent / path).exists()] == []


@pytest.mark.parametrize("file", pictures.PICTURES)
def test_the_pictures_show_the_code_as_it_is(file):
    drawn = pictures.PICTURES[file]()
    assert (pictures.IMAGES / file).read_text(encoding="utf-8") == drawn, "the code has moved on: make pictures"


def test_the_way_enters_no_package_more_than_four_times():
    packages = [package for _, package, _ in pictures.walk()]
    entered = [one for one, before in zip(packages, [None, *packages], strict=False) if one != before]
    assert max(map(entered.count, entered)) <= 4, entered
