"""Loads broken rule files; each file lists the problems that must be reported."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from router.problems import Problems
from router.rules.load import parse_rules

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "rules"
BROKEN = sorted(CORPUS.glob("*.toml"))


def reported(path: Path) -> list[str]:
    """Returns the lines that a file expects. They are at its end, to leave its line numbers alone; ``FILE`` is its
    name."""
    lines = re.findall(r"^# problem: (.*)$", path.read_text(), re.MULTILINE)
    return [line.replace("FILE:", f"{path.name}:") for line in lines]


def test_the_corpus_is_there():
    assert len(BROKEN) >= 150
    assert all(reported(path) for path in BROKEN)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_rule_file_is_reported_as_it_says(path):
    with pytest.raises(Problems) as caught:
        parse_rules([(path.name, path.read_bytes())])
    assert [str(problem).removeprefix(f"{path.name}:") for problem in caught.value.problems] == reported(path)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_every_problem_is_one_printable_line(path):
    with pytest.raises(Problems) as caught:
        parse_rules([(path.name, path.read_bytes())])
    for problem in caught.value.problems:
        assert str(problem).isprintable()


def test_all_broken_files_are_reported_at_once():
    with pytest.raises(Problems) as caught:
        parse_rules([(path.name, path.read_bytes()) for path in BROKEN])
    assert {problem.file for problem in caught.value.problems} == {path.name for path in BROKEN}
