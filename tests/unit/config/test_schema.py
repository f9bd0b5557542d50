"""Checks the JSON Schema of config.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from router.problems import Problems
from router.settings import Settings, load_settings
from router.toml_source import editor_schema

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = editor_schema(Settings, title="connect-router config.toml")
CORPUS = ROOT / "tests/corpus/config"
BEYOND_A_SCHEMA = re.compile(
    r"is shorter than|together are more than|the instance's ARN is of|log\.emf "  # keys that contradict each other
    r"|must be at most \"730d\"|must be at least \"1s\"|longer than a duration|at most 107 bytes|number, got \d+\.0"
    r"|control characters|must not be empty|must be a finite number|expected \"sqlite:PATH\"|byte order mark"
)


def test_it_is_a_schema():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_it_accepts_the_shipped_file():
    Draft202012Validator(SCHEMA).validate(tomllib.loads((ROOT / "config.toml").read_text()))


def test_it_offers_no_null_which_toml_does_not_have():
    assert "'null'" not in str(SCHEMA)


def test_every_default_in_it_is_a_value_that_it_accepts():
    schema = SCHEMA
    for table in schema["$defs"].values():
        for key, described in table["properties"].items():
            if "default" in described:
                one = {"$defs": schema["$defs"], **described}
                assert Draft202012Validator(one).is_valid(described["default"]), key


def for_an_editor_too() -> list[Path]:
    """Yields the files of the corpus whose mistake is in one key's value, because a schema checks nothing else."""
    return [path for path in sorted(CORPUS.glob("*.toml")) if _in_one_value(path)]


def _in_one_value(path: Path) -> bool:
    try:
        tomllib.loads(path.read_bytes().decode())
        load_settings(path, environ={}, overrides={})
    except Problems as problems:
        return not all(BEYOND_A_SCHEMA.search(problem.message) for problem in problems.problems)
    except ValueError:
        return False
    return False


def test_most_of_the_corpus_can_be_reported_by_an_editor():
    assert len(for_an_editor_too()) > 40


@pytest.mark.parametrize("path", for_an_editor_too(), ids=lambda path: path.stem)
def test_it_refuses_what_loading_refuses(path):
    assert not Draft202012Validator(SCHEMA).is_valid(tomllib.loads(path.read_text()))
