"""Checks which steps are due."""

from __future__ import annotations

from datetime import timedelta

import pytest

from router.rules.load import parse_rules
from router.rules.rule import Rule
from router.rules.steps import Due, Progress, due_steps, finished


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def ladder(*steps: str) -> Rule:
    text = '[defaults]\nflow = "F"\n[[rule]]\nname = "r"\nmatch.queue = "Billing"\n'
    for step in steps:
        at, *kinds = step.split()
        acts = {"to": 'to = [{ queue = "A" }]', "warn": 'warn = "w"'}
        text += f'[[rule.step]]\nat = "{at}"\n' + "".join(acts[kind] + "\n" for kind in kinds)
    return parse_rules([("r.toml", text.encode())]).rules[0]


LADDER = ladder("10m warn", "20m to", "30m to warn", "40m warn")


def shown(due: Due) -> tuple[list[int], int | None, timedelta | None]:
    return [step.number for step in due.to], due.warn.number if due.warn else None, due.next_at


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (0, ([], None, minutes(10))),
        (9.99, ([], None, minutes(10))),
        (10, ([], 1, minutes(20))),
        (20, ([2], 1, minutes(30))),
        (30, ([3, 2], 3, minutes(40))),
        (500, ([3, 2], 4, None)),
    ],
)
def test_all_due_moves_latest_first_and_only_the_latest_warning(clock, expected):
    assert shown(due_steps(LADDER, minutes(clock), Progress())) == expected


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (Progress(to=minutes(20)), ([3], 4, None)),
        (Progress(to=minutes(30)), ([], 4, None)),
        (Progress(warn=minutes(30)), ([3, 2], 4, None)),
        (Progress(to=minutes(30), warn=minutes(40)), ([], None, None)),
    ],
)
def test_each_kind_of_step_goes_on_from_its_own_progress(progress, expected):
    assert shown(due_steps(LADDER, minutes(45), progress)) == expected


def test_a_step_of_two_kinds_counts_for_each_on_its_own():
    due = due_steps(LADDER, minutes(30), Progress(warn=minutes(30)))
    assert shown(due) == ([3, 2], None, minutes(40))
    due = due_steps(LADDER, minutes(30), Progress(to=minutes(30)))
    assert shown(due) == ([], 3, minutes(40))


def test_after_an_edit_only_later_steps_act():
    edited = ladder("5m to", "15m to", "25m to")
    assert shown(due_steps(edited, minutes(30), Progress(to=minutes(20))))[0] == [3]
    assert shown(due_steps(edited, minutes(10), Progress(to=minutes(20)))) == ([], None, minutes(25))


def test_a_rule_is_finished_when_its_last_move_has_acted():
    assert not finished(LADDER, Progress())
    assert not finished(LADDER, Progress(to=minutes(20)))
    assert finished(LADDER, Progress(to=minutes(30)))
    assert finished(LADDER, Progress(to=minutes(35)))


def test_a_rule_without_moves_has_nothing_to_finish():
    assert finished(ladder("10m warn"), Progress())


def test_nothing_due_is_nothing():
    assert not due_steps(LADDER, minutes(1), Progress()).anything
    assert due_steps(LADDER, minutes(10), Progress()).anything
