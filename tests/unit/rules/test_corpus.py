"""Broken rule files are told line by line as they themselves say that they must be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from router.problems import Problems
from router.rules.load import parse_rules

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "rules"
BROKEN = sorted(CORPUS.glob("*.toml"))


def told(path: Path) -> list[str]:
    """The lines a file expects, at its end so that its own lines keep their numbers. ``FILE`` is its name."""
    lines = re.findall(r"^# told: (.*)$", path.read_text(), re.MULTILINE)
    return [line.replace("FILE:", f"{path.name}:") for line in lines]


def test_the_corpus_is_there():
    assert len(BROKEN) >= 150
    assert all(told(path) for path in BROKEN)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_rule_file_is_told_as_it_says(path):
    with pytest.raises(Problems) as caught:
        parse_rules([(path.name, path.read_bytes())])
    assert [str(problem).removeprefix(f"{path.name}:") for problem in caught.value.problems] == told(path)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_every_problem_is_one_printable_line(path):
    with pytest.raises(Problems) as caught:
        parse_rules([(path.name, path.read_bytes())])
    for problem in caught.value.problems:
        assert str(problem).isprintable()


def test_all_broken_files_are_told_at_once():
    with pytest.raises(Problems) as caught:
        parse_rules([(path.name, path.read_bytes()) for path in BROKEN])
    assert {problem.file for problem in caught.value.problems} == {path.name for path in BROKEN}
