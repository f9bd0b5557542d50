"""Tests a rule's ladder, as people and programs see it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.cli.output.ladders import ladder_json, print_ladders
from router.cli.output.tables import console
from router.rules.rule import Routing
from tests.builders.rules import overflow, ruleset


@pytest.mark.parametrize(
    ("sla", "line"),
    [
        ('{ target = "4h" }', "promised within 4h, on the queue clock"),
        ('{ target = "4h", hours = "Office" }', 'promised within 4h of hours "Office", on the queue clock'),
        ('{ target = "4h", hours = "queue" }', "promised within 4h of the queue's own hours, on the queue clock"),
        ('{ hours = "Office" }', 'counts hours "Office" only'),
    ],
)
def test_the_ladder_says_which_time_is_counted(capsys, sla, line):
    rules = ruleset(overflow(more=f"sla = {sla}")).rules
    print_ladders(rules, console())
    assert f"  {line}\n" in capsys.readouterr().out


def test_programs_are_told_the_hours_as_the_file_names_them():
    with_hours, without = ruleset(overflow(more='sla.hours = "Office"') + overflow("other")).rules
    assert (ladder_json(with_hours)["hours"], ladder_json(without)["hours"]) == ("Office", None)


def bumping(routing):
    [rule] = ruleset(overflow()).rules
    [step] = rule.steps
    return replace(rule, steps=(replace(step, to=(), routing=routing),))


@pytest.mark.parametrize(
    ("routing", "told", "as_json"),
    [
        (Routing(priority=2), "routing priority 2", {"priority": 2, "age_s": None}),
        (Routing(age=timedelta(minutes=10)), "routing age +10m", {"priority": None, "age_s": 600.0}),
    ],
)
def test_the_ladder_says_what_a_routing_step_sets(capsys, routing, told, as_json):
    rule = bumping(routing)
    print_ladders((rule,), console())
    assert told in capsys.readouterr().out
    assert ladder_json(rule)["steps"][0]["routing"] == as_json


def test_a_step_that_moves_sets_no_routing():
    [rule] = ruleset(overflow()).rules
    assert ladder_json(rule)["steps"][0]["routing"] is None
