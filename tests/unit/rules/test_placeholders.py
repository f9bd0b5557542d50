"""Tests the placeholders in the text of a warning."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from router.problems import Problems
from router.rules.file.rule_table import RuleFile
from router.rules.load import parse_rules
from router.rules.placeholders import PLACEHOLDERS, fill
from router.toml_source import editor_schema

RULE = '[[rule]]\nname = "r"\nmatch.queue = "Q"\nsla.target = "1h"\n[[rule.step]]\nat = "15m"\nwarn = "{}"\n'
PATTERN = editor_schema(RuleFile, title="rules")["$defs"]["StepTable"]["properties"]["warn"]["pattern"]


def filled(text: str, *, late: timedelta = timedelta(), waited: timedelta = timedelta()) -> str:
    return fill(text, late=late, waited=waited, queue="{late}", rule="r", contact_id="c")


@pytest.mark.parametrize(
    ("late", "shown"),
    [
        (timedelta(seconds=59.9), "59s late, 0s left"),
        (timedelta(minutes=61, seconds=7), "1h1m late, 0s left"),
        (timedelta(days=1, seconds=1), "1d late, 0s left"),
        (timedelta(minutes=-20, seconds=-3), "0s late, 20m3s left"),
    ],
)
def test_times_are_filled_for_people(late, shown):
    assert filled("{late} late, {left} left", late=late) == shown


def test_every_placeholder_is_filled_once_and_braces_stay():
    text = "{queue} {rule} {contact_id} {waited} {{late}} {{"
    assert filled(text, waited=timedelta(minutes=3)) == "{late} r c 3m {late} {"


@pytest.mark.parametrize("text", ["", *(f"a {{{name}}} b" for name in PLACEHOLDERS), "{{late}}", "}}{{", "100 %"])
def test_the_loader_and_the_schema_accept_the_same(text):
    text = text or "plain"
    assert parse_rules([("r.toml", RULE.format(text).encode())]).rules[0].steps[0].warn == text
    assert re.search(PATTERN, text)


@pytest.mark.parametrize("text", ["{", "}", "{late", "{lat}", "{late!r}", "{late:9}", "{late.x}", "{0}", "{}", "{{{"])
def test_the_loader_and_the_schema_refuse_the_same(text):
    with pytest.raises(Problems) as caught:
        parse_rules([("r.toml", RULE.format(text).encode())])
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (7, 8)
    assert all(f"{{{name}}}" in problem.message for name in PLACEHOLDERS)
    assert not re.search(PATTERN, text)
