"""A rule's ladder as people and programs are shown it."""

import pytest

from router.cli.ladder import ladder_json, print_ladders
from router.cli.shown import console
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
