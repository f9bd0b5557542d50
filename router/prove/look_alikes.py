"""Finds conditions whose text looks like a form of another program: a negation or a regular expression."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from router.problems import Problem
from router.prove.lint_queues import warning
from router.rules.condition import tests_of
from router.rules.rule import Rule
from router.rules.value_test import TextForm

_NEGATION = re.compile(r"(?:(?:!=?|<>) *|(?:not|NOT) +)(.+)", re.DOTALL)
_BETWEEN_SLASHES = re.compile(r"/(.*[.*+?()|^$\[\\].*)/i?", re.DOTALL)
_REGEX = re.compile(r"\^.*|.*(?:\.[*+]|\\[bdswBDSW]|\[[^\]]*\w-\w[^\]]*\][*+?{]|\(\?|[^ |]\|[^ |]).*", re.DOTALL)


def look_alikes(rule: Rule) -> Iterator[Problem]:
    """Yields a warning for each text of ``match`` that is compared as it is, and was probably meant otherwise."""
    for test in tests_of(rule.condition):
        form = test.form
        if test.place is None or not isinstance(form, TextForm):
            continue
        for text in (*form.literals, *form.globs):
            if found := _meant(text, test.key, negated=form.negated):
                what, write = found
                yield warning(test.place, f"{_quoted(text)} looks like {what}, and is compared as it is: write {write}")
    for step in rule.to_steps:
        for entry in step.entries:
            name = _quoted(entry.queue or "")
            if "*" in name:
                yield warning(entry.place, f"{name} is one queue with an asterisk in its name: a move takes no pattern")
            elif _NEGATION.fullmatch(entry.queue or ""):
                yield warning(entry.place, f"{name} looks like a negation: name each queue to move to")


def _meant(text: str, key: str, *, negated: bool) -> tuple[str, str] | None:
    if found := _NEGATION.fullmatch(text):
        other = _quoted(found[1])
        return "a negation", other if negated else f"{{ not = {other} }}"
    expression = _BETWEEN_SLASHES.fullmatch(text) or _REGEX.fullmatch(text)
    if expression is None:
        return None
    inside = expression[1] if expression.re is _BETWEEN_SLASHES else text
    write = f"{{ matches = {_quoted(f'(?i:{inside})' if text.endswith('/i') else inside)} }}"
    return "a regular expression", f"none = [{{ {key} = {write} }}]" if negated else write


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
