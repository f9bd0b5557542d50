"""Holds the project to the countable rules of its language: docstrings, names, sentences, plain words.

``python tests/measures/check.py PATH...`` prints the lines that break them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.measures.check import WHOLE, findings
from tests.measures.findings import Finding, of_path, together
from tests.measures.plain_words import EXCEPTIONS

ROOT = Path(__file__).resolve().parents[2]
DOCS = tuple(Path(path) for path in WHOLE if path not in ("router", "tests"))


@cache
def found() -> list[Finding]:
    return findings(ROOT, [Path(path) for path in WHOLE])


def holds(part: str, rule: str, target: int) -> None:
    """Fails with the offending lines if a part of the tree has more findings than the target."""
    lines = _lines(part, rule)
    assert len(lines) <= target, "\n".join(
        [f"{part}: {len(lines)} findings of the rule {rule!r}, {target} allowed", *map(str, lines)]
    )


def _lines(part: str, rule: str) -> list[Finding]:
    whole = [one for one in found() if one.rule == rule]
    if part == "docs":
        return [one for one in whole if one.path.endswith(".md")]
    return [one for one in whole if Path(one.path).is_relative_to(part)]


@pytest.mark.parametrize("part", ["router", "tests"])
def test_fewer_than_five_percent_of_the_docstrings_do_not_begin_with_a_verb(part: str):
    holds(part, "docstring", (of_path(ROOT, Path(part)).functions * 5 - 1) // 100)


@pytest.mark.parametrize("part", ["router", "tests"])
def test_modules_and_classes_open_with_a_sentence(part: str):
    holds(part, "sentence", 0)


def test_the_name_of_every_class_occurs_once():
    holds("router", "class", 0)


def test_the_name_of_every_module_is_a_noun():
    holds("router", "name", 0)


def test_fewer_than_two_percent_of_the_sentences_in_the_docs_are_longer_than_thirty_words():
    total = together(of_path(ROOT, page) for page in DOCS).sentences
    holds("docs", "long", (total * 2 - 1) // 100)


def test_no_sentence_in_the_docs_begins_with_a_bare_pronoun():
    holds("docs", "pronoun", 0)


@pytest.mark.parametrize("part", ["router", "tests", "docs"])
def test_no_word_is_used_that_has_a_plainer_one(part: str):
    holds(part, "word", 0)


def test_every_exception_has_a_reason_and_is_used():
    texts = [path.read_text(encoding="utf-8").lower() for part in WHOLE for path in _files(ROOT / part)]
    for phrase, reason in EXCEPTIONS:
        assert reason
        assert any(phrase.lower() in " ".join(text.split()) for text in texts), phrase


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("*.md")]
