"""Compares the findings in each file of the corpus with the list at the end of the file."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest

from router.prove.lint import lint
from router.rules.load import parse_rules

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "rules" / "lint"
FILES = sorted(CORPUS.glob("*.toml"))


def expected(path: Path) -> list[str]:
    found = re.findall(r"^# (error|warning): (.*)$", path.read_text(), re.MULTILINE)
    return [f"{severity}: {line.replace('FILE:', path.name + ':')}" for severity, line in found]


def found(path: Path, *, max_transfers: int = 3) -> list[str]:
    ruleset = parse_rules([(path.name, path.read_bytes())])
    problems = lint(ruleset, poll_every=timedelta(seconds=15), max_transfers=max_transfers)
    return [f"{problem.severity}: {str(problem).removeprefix(path.name + ':')}" for problem in problems]


def test_the_corpus_has_both_what_is_found_and_what_must_not_be():
    assert len(FILES) >= 60
    clean = [path.stem for path in FILES if not expected(path)]
    assert len(clean) >= 12


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_proved_is_what_the_file_says(path):
    assert found(path) == expected(path)


def test_a_longer_path_is_fine_where_more_transfers_are_allowed():
    path = CORPUS / "path_longer_than_allowed.toml"
    assert found(path, max_transfers=4) == []


def test_many_rules_that_lead_everywhere_are_given_up_on_and_not_waited_for():
    names = [f"Q{number}" for number in range(40)]
    everywhere = ", ".join(f'{{ queue = "{name}", slots_available = {{ min = 1 }} }}' for name in names)
    rules = [
        f'[[rule]]\nname = "r{name}"\nmatch = {{ queue = "{name}", channel = "TASK" }}\n'
        f'[[rule.step]]\nat = "10m"\nto = [{everywhere}]\n'
        for name in names
    ]
    text = '[defaults]\nflow = "F"\n' + "".join(rules)
    problems = lint(parse_rules([("r.toml", text.encode())]), poll_every=timedelta(seconds=15), max_transfers=9)
    assert {problem.severity for problem in problems} == {"warning"}


@pytest.mark.parametrize(("match", "found"), [('tags.team = "t{}"', 0), ('tags.t{} = "x"', 21)])
def test_a_thousand_rules_for_one_queue_are_compared_in_little_time(match, found):
    rules = [
        f'[[rule]]\nname = "r{number}"\nmatch = {{ queue = "Billing", {match.format(number)} }}\n'
        f'[[rule.step]]\nat = "1h"\nto = [{{ queue = "Overflow", slots_available = {{ min = 1 }} }}]\n'
        for number in range(1_000)
    ]
    ruleset = parse_rules([("r.toml", ('[defaults]\nflow = "F"\n' + "".join(rules)).encode())])
    began = time.process_time()
    assert len(lint(ruleset, poll_every=timedelta(seconds=15), max_transfers=3)) == found
    assert time.process_time() - began < 4, "seconds of this process; a comparison of each two rules takes twelve"
