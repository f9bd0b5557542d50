"""Checks the vars of rule files, which the rules of all files can use."""

from __future__ import annotations

from datetime import timedelta

import pytest

from router.problems import Problems
from router.prove.lint import lint
from router.rules.load import parse_rules
from router.rules.rule import RuleSet

VARS = """[vars]
soon = "10m"
night = [{ queue = "Night Desk", flow = "F" }]
vips = ["vip", "vip-*"]
"""
RULES = """[[rule]]
name = "r"
match = { queue = "Billing", tags.customer = "$vips" }
sla.target = "$soon"
[[rule.step]]
at = "$soon"
to = "$night"
"""


def loaded(**files: str) -> RuleSet:
    return parse_rules((f"{name}.toml", text.encode()) for name, text in files.items())


def refused(**files: str) -> list[str]:
    with pytest.raises(Problems) as caught:
        loaded(**files)
    return [str(problem) for problem in caught.value.problems]


def warned(ruleset: RuleSet) -> list[str]:
    return [str(found) for found in lint(ruleset, poll_every=timedelta(seconds=15), max_transfers=3)]


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_the_vars_of_one_file_count_in_all_files(order):
    rule = loaded(**dict(zip(order, (VARS, RULES), strict=True))).rules[0]
    assert rule.sla.target == rule.steps[0].at == timedelta(minutes=10)
    assert [entry.queue for entry in rule.steps[0].entries] == ["Night Desk"]


def test_vars_mean_the_same_as_their_values():
    written_out = RULES.replace('"$vips"', '["vip", "vip-*"]').replace("$soon", "10m")
    written_out = written_out.replace('"$night"', '[{ queue = "Night Desk", flow = "F" }]')
    assert loaded(a=VARS + RULES).rules[0].fingerprint == loaded(a=written_out).rules[0].fingerprint


def test_vars_count_in_lists_defaults_and_examples():
    text = """[vars]
flow = "F"
desk = "Night Desk"
[defaults]
flow = "$flow"
[lists]
up = [{ queue = "$desk" }]
[[rule]]
name = "r"
match.queue = "Billing"
[[rule.step]]
at = "10m"
to = "up"
[[example]]
name = "e"
contact = { channel = "TASK", queue = "Billing", waited = "11m" }
expect = { rule = "r", step = 1, queue = "$desk" }
"""
    ruleset = loaded(a=text)
    assert ruleset.rules[0].steps[0].entries[0].flow == "F"
    assert ruleset.examples[0].expect is not None
    assert ruleset.examples[0].expect.queue == "Night Desk"
    assert ruleset.warnings == ()


@pytest.mark.parametrize(("written", "meant"), [
    ("$$soon", "$soon"), ("$$$soon", "$$soon"), ("$5", "$5"), ("in $soon", "in $soon"), ("$", "$"),
    ("$$", "$$"), ("$soon.", "$soon."),
])  # fmt: skip
def test_only_a_whole_value_is_the_name_of_a_var_and_two_dollars_are_one(written, meant):
    text = f'[[rule]]\nname = "r"\nmatch.queue = "A"\n[[rule.step]]\nat = "1m"\nwarn = "{written}"\n'
    assert loaded(a=text).rules[0].steps[0].warn == meant


def test_an_unknown_var_is_one_line_at_its_use():
    assert refused(a=VARS + RULES.replace("$night", "$nigth")) == [
        "a.toml:11:6: no var is called 'nigth' (did you mean 'night'?); for the text itself write \"$$nigth\""
    ]


def test_an_unused_var_is_a_warning_at_its_place():
    found = warned(loaded(a=VARS + "late = 1\n" + RULES))
    assert found == ["a.toml:5:1: no rule, example, list or default uses this var"]


def test_a_var_of_two_files_is_refused_at_the_second_with_the_place_of_the_first():
    assert refused(a=VARS + RULES, b='[vars]\nsoon = "5m"\n') == [
        'b.toml:2:1: a var called "soon" exists already at a.toml:2:1'
    ]


def test_a_var_uses_no_other_var():
    assert (
        refused(a='[vars]\nx = "1m"\ny = ["$x"]\n' + RULES.replace("$soon", "1m").replace("$night", "l"), b=VARS)[0]
        == 'a.toml:3:6: "$x" is within [vars], and a var uses no other var'
    )


def test_a_wrong_value_of_a_var_is_located_where_it_is_written_and_where_it_is_used():
    assert refused(a=VARS.replace("queue", "qeue"), b=RULES) == [
        "a.toml:3:12: unknown key 'qeue' (did you mean 'queue'?) (as \"$night\" at b.toml:7:6)"
    ]


def test_the_name_of_a_var_is_checked():
    assert refused(a='[vars]\n"a b" = 1\n' + RULES, b=VARS)[0].startswith('a.toml:2:1: "a b" is not of the form ')


def test_a_changed_var_changes_the_revision_and_only_the_rules_that_use_it():
    other = '[[rule]]\nname = "other"\nmatch.queue = "Claims"\n'
    before, after = (loaded(a=text, b=RULES, c=other) for text in (VARS, VARS.replace("10m", "11m")))
    assert before.revision != after.revision
    assert before.rules[0].fingerprint != after.rules[0].fingerprint
    assert before.rules[1].fingerprint == after.rules[1].fingerprint


def test_one_missing_var_hides_no_other_mistake():
    more = RULES.replace('"r"', '"s"').replace("Billing", "Claims").replace("sla.target", "sla.tarjet")
    assert [line.partition(": ")[0] for line in refused(a=RULES + more, b=VARS.replace("night", "day"))] == [
        "a.toml:7:6", "a.toml:11:5", "a.toml:14:6",
    ]  # fmt: skip
