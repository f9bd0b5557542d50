"""Checks rules that take over the tables of another rule, and targets that are shares of another rule's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from router.prove.examples import prove_examples
from router.rules.rule import Mode, OnHold
from tests.unit.rules.test_vars import loaded, refused

BASE = """[defaults]
flow = "F"
[[rule]]
name = "base"
description = "d"
mode = "off"
on_hold = "next"
from = 2026-01-01T00:00:00Z
match = { queue = "Billing", tags.a = "1" }
sla = { target = "1h", clock = "chain" }
guard = { per_hour = 5, cooldown = "5m" }
[[rule.step]]
at = "50%"
to = [{ queue = "VIP" }]
"""
MORE = '[defaults]\nflow = "F"\n[[rule]]\nname = "more"\nextends = "base"\n'


def test_a_rule_takes_over_match_sla_steps_guard_and_on_hold_and_nothing_else():
    base, more = loaded(a=BASE, b=MORE).rules
    assert (more.condition, more.sla.target, more.guard, more.on_hold) == (
        base.condition, timedelta(hours=1), base.guard, OnHold.NEXT,
    )  # fmt: skip
    assert (more.name, more.description, more.mode, more.from_at) == ("more", "", Mode.ENFORCE, None)


def test_single_keys_win_and_the_other_keys_are_taken_over():
    own = 'match = { channel = "EMAIL", queue = "Claims", tags.b = "2" }\nsla.target = "2h"\nguard.per_hour = 1\n'
    rule = loaded(a=BASE, b=MORE + own).rules[1]
    assert [test.text for test in rule.condition.children] == [  # type: ignore[union-attr]
        'channel = "EMAIL"', 'queue = "Claims"', 'tags.b = "2"', 'tags.a = "1"',
    ]  # fmt: skip
    assert (rule.sla.target, rule.sla.clock, rule.steps[0].at) == (timedelta(hours=2), "chain", timedelta(hours=1))
    assert (rule.guard.per_hour, rule.guard.cooldown) == (1, timedelta(minutes=5))


def test_steps_of_its_own_replace_all_steps():
    rule = loaded(a=BASE, b=MORE + '[[rule.step]]\nat = "breach"\nwarn = "w"\n').rules[1]
    assert [(step.label, step.warn) for step in rule.steps] == [("breach", "w")]


def test_the_rule_may_stand_before_the_rule_that_it_extends_and_in_another_file():
    assert [rule.name for rule in loaded(a=MORE, b=BASE).rules] == ["more", "base"]


def test_the_tables_of_the_other_rule_stay_as_they_are():
    alone = loaded(a=BASE).rules[0].fingerprint
    assert loaded(a=BASE, b=MORE + 'match.tags.a = "2"\nsla.target = "50% of base"\n').rules[0].fingerprint == alone


def test_a_var_that_both_rules_use_stays_as_it_is():
    base = '[vars]\nm = { queue = "A" }\n' + BASE.replace('{ queue = "Billing", tags.a = "1" }', '"$m"')
    first, second = loaded(a=base, b=MORE + 'match = "$m"\n').rules
    assert first.condition == second.condition


@pytest.mark.parametrize(("name", "message"), [
    ("bse", "no rule is called 'bse' (did you mean 'base'?)"),
    ("more", "'more' cannot be extended, because it extends a rule itself (b.toml:5:11)"),
])  # fmt: skip
def test_a_rule_that_cannot_be_extended_is_one_line(name, message):
    assert refused(a=BASE, b=MORE.replace('"base"', f'"{name}"')) == [f"b.toml:5:11: {message}"]


def test_only_one_rule_deep():
    third = MORE.replace('"base"', '"more"').replace('name = "more"', 'name = "third"')
    assert refused(a=BASE, b=MORE, c=third) == [
        "c.toml:5:11: 'more' cannot be extended, because it extends a rule itself (b.toml:5:11)"
    ]


def test_a_mistake_of_the_other_rule_is_reported_once_and_where_it_is():
    assert refused(a=BASE.replace("queue =", "qeue =", 1), b=MORE) == [
        "a.toml:9:11: unknown key 'qeue' (did you mean 'queue'?)"
    ]


def test_a_mistake_that_only_the_extending_rule_has_points_at_both_places():
    assert refused(a=BASE, b=MORE.replace('[defaults]\nflow = "F"\n', "")) == [
        "a.toml:14:7: no flow for this destination: give it a flow, or the file a flow in [defaults]"
        " (taken over by 'more' at b.toml:3:11)"
    ]


def test_both_places_are_named_when_what_is_taken_over_uses_a_var():
    base = '[vars]\nto = [{ queue = "VIP" }]\n' + BASE.replace('[{ queue = "VIP" }]', '"$to"')
    found = refused(a=base, b=MORE.replace('[defaults]\nflow = "F"\n', ""))[0]
    assert found.startswith("a.toml:2:7: no flow")
    assert found.endswith(" (taken over by 'more' at b.toml:3:11) (as \"$to\" at a.toml:16:6)")


def rule(name: str, target: str) -> str:
    head = f'[[rule]]\nname = "{name}"\nmatch.queue = "{name}"\nsla.target = "{target}"\n'
    return head + '[[rule.step]]\nat = "breach"\nwarn = "w"\n'


def test_a_target_is_a_share_of_another_rules_target():
    rules = loaded(a=rule("a", "50% of b") + rule("b", "150% of c") + rule("c", "2d")).rules
    assert [one.sla.target for one in rules] == [timedelta(hours=36), timedelta(hours=72), timedelta(days=2)]


def test_shares_in_a_circle_are_refused_once():
    assert refused(a=rule("a", "50% of b") + rule("b", "50% of c") + rule("c", "50% of b") + rule("d", "1% of a")) == [
        "a.toml:18:14: these targets are shares of each other: b -> c -> b; give one of them a duration"
    ]
    assert len(refused(a=rule("a", "50% of a"))) == 1


@pytest.mark.parametrize(("target", "message"), [
    ("50% of bb", "no rule is called 'bb' (did you mean 'b'?)"),
    ("50% of none", "rule 'none' has no target"),
    ("half of b", 'expected a duration such as "90s", "15m", "1h30m" or "2d", got "half of b"'),
])  # fmt: skip
def test_a_share_that_cannot_be_computed_is_one_line(target, message):
    none = '[[rule]]\nname = "none"\nmatch.queue = "C"\n'
    assert refused(a=rule("a", target) + rule("b", "1h") + none) == [f"a.toml:4:14: {message}"]


def test_a_share_of_a_target_that_cannot_be_read_is_not_reported_again():
    assert [line[:14] for line in refused(a=rule("a", "50% of b") + rule("b", "soon"))] == ["a.toml:11:14: "]


def test_a_target_that_was_taken_over_may_be_a_share():
    rules = loaded(a=BASE.replace('"1h"', '"50% of b"') + rule("b", "1h"), b=MORE).rules
    assert [one.sla.target for one in rules] == [timedelta(minutes=30), timedelta(hours=1), timedelta(minutes=30)]


def test_the_extending_rule_acts_by_what_it_took_over():
    example = """[[example]]
name = "e"
contact = { channel = "TASK", queue = "Billing", waited = "16m", age = "16m", tags = { a = "1" } }
expect = { rule = "more", step = 1, queue = "VIP" }
"""
    ruleset = loaded(a=BASE, b=MORE + 'sla.target = "50% of base"\n' + example)
    result = prove_examples(ruleset, ruleset.examples, now=datetime(2026, 6, 1, 12, tzinfo=UTC))[0][0]
    assert (result.message, result.passed) == ("", True)
