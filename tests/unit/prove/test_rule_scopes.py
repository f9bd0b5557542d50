"""Tests that few rules are compared with each other, however many share a queue."""

from __future__ import annotations

import pytest

from router.prove.rule_scopes import RuleScopes
from router.rules.load import parse_rules

RULE = """
[[rule]]
name = "rule-{n}"
match = {{ queue = "Shared", {differs} }}
"""
MANY = 300
DIFFERENCES = {
    "attributes": 'attributes.customer = "c{n}"',
    "tags": 'tags.team = ["t{n}", "u{n}"]',
    "globs": 'name = "case-{n}-*"',
    "numbers": "attributes.score = {{ min = {n}.0, max = {n}.9 }}",
    "expressions": 'name = {{ matches = "case-{n}-[0-9]+" }}',
    "unlike expressions": 'name = {{ matches = "[a-z]+-{n}" }}',
    "the last of three": 'channel = "TASK", tags.team = "all", name = "case-{n}"',
    "three alternatives": 'any = [{{ name = "n{n}" }}, {{ name = "c-{n}-*" }}, {{ name = {{ matches = "x{n}-.+" }} }}]',
}


def scopes_of_rules(differs: str) -> RuleScopes:
    text = "".join(RULE.format(n=n, differs=differs.format(n=n)) for n in range(MANY))
    return RuleScopes(parse_rules([("many.toml", text.encode())]).rules)


@pytest.mark.parametrize("kind", DIFFERENCES)
def test_rules_that_differ_are_not_compared(kind):
    scopes = scopes_of_rules(DIFFERENCES[kind])
    for position in range(MANY):
        assert list(scopes.wider(position)) == []
        assert list(scopes.overlapping(position, after=True)) == []


def test_of_rules_with_alternatives_only_those_that_share_one_are_compared_as_wider():
    differs = 'any = [{{ channel = "EMAIL" }}, {{ tags.team = "t{n}" }}, {{ name = "n{n}" }}]'
    scopes = scopes_of_rules(differs)
    assert [list(scopes.wider(position)) for position in range(MANY)] == [[]] * MANY
    assert len(list(scopes.overlapping(0, after=True))) == MANY - 1


def test_rules_that_share_a_value_are_compared():
    scopes = scopes_of_rules('attributes.customer = "c{n}"')
    same = RuleScopes((*scopes.rules, *scopes.rules))
    assert [rule.name for rule in same.wider(MANY + 7)] == ["rule-7"]
    assert [rule.name for rule in same.overlapping(7, after=True)] == ["rule-7"]
