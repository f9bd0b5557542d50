"""Checks how promises of rule files are read, and where their mistakes are reported."""

from datetime import timedelta

import pytest

from router.problems import Problems
from router.rules.calendar import Window
from router.rules.promise import Act, Assumption, AtMost, Never, Within
from router.rules.value_test import HoursForm
from tests.builders.rules import ruleset

RULE = '[[rule]]\nname = "r"\nmatch.queue = "A"\n'


def promise(text):
    (found,) = ruleset(f'{RULE}[[promise]]\nname = "p"\n{text}').promises
    return found


def mistake(text):
    with pytest.raises(Problems) as refused:
        ruleset(f'{RULE}[[promise]]\nname = "p"\n{text}')
    (problem,) = refused.value.problems
    return f"{problem.line - 7}:{problem.column}: {problem.message}"


def test_a_time_in_the_queue_has_every_act_unless_it_names_some():
    assert promise('within = "1h"').claim == Within(timedelta(hours=1), frozenset(Act))
    some = promise('within = { age = "2d" }\nact = ["move", "warn"]\nassume = ["open", "no_guard"]')
    assert some.claim == Within(timedelta(days=2), frozenset({Act.MOVE, Act.WARN}), of_age=True)
    assert some.assume == {Assumption.OPEN, Assumption.NO_GUARD}


def test_a_forbidden_move_may_be_forbidden_during_hours_only():
    claim = promise('never = { to = ["A", "B*"], hours = "closed" }').claim
    assert isinstance(claim, Never)
    assert claim.hours == HoursForm("queue", "closed")
    assert [claim.to((queue,)) for queue in ("A", "B 2", "C")] == [True, True, False]
    named = promise('never = { to = "A", hours = { name = "H", is = "open" } }').claim
    assert isinstance(named, Never)
    assert named.hours == HoursForm("H", "open")


def test_limits_of_a_wait_are_read():
    assert promise("at_most = { moves = 2, visits_of_a_queue = 1 }").claim == AtMost(2, 1)


def test_vars_are_possible_in_promises():
    text = f'[vars]\nsoon = "5m"\n{RULE}[[promise]]\nname = "p"\nwithin = "$soon"\n'
    assert ruleset(text).promises[0].claim == Within(timedelta(minutes=5), frozenset(Act))


ACTS = """3:8: expected "move", "warn", "routing" or "any", got "moves" (did you mean 'move'?)"""
STATES = '2:29: expected "open", "closed", or { name = "Office hours", is = "closed" }'
ASSUMPTIONS = '3:11: expected "destination", "agents", "no_guard" or "open", got "hours"'
ONE_TIME = "2:10: within is the only time of this promise: leave waited and age out of its match"


OWN = "3:7: a promise gives the times of named hours, not those of queues"
IN_UTC = "3:38: unknown key 'zone': write the times of day in UTC"
TIMES = 'expected times of day such as "09:00-17:30"'
WHICHEVER = 'to = "…": never forbids moves to queues, whichever rule makes them'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "0:1: needs exactly one of within, never and at_most"),
        ('within = "1h"\nat_most.moves = 1', "0:1: needs exactly one of within, never and at_most"),
        ('never.to = "A"\nact = ["move"]', "3:7: act is about a promise with within"),
        ("within = 3", '2:10: expected a duration such as "15m", got 3: write the unit, as in "3s" or "3m"'),
        ("within = []", '2:10: expected a duration such as "1h", or { age = "1h" }'),
        ('within = "1h"\nact = ["moves"]', ACTS),
        ('never = { to = "A", hours = "shut" }', STATES),
        ("at_most = {}", "2:11: needs moves, visits_of_a_queue or both"),
        ("at_most = { moves = 12 }", "2:21: must be at most 11, got 12"),
        ('within = "1h"\nassume = ["hours"]', ASSUMPTIONS),
        ('within = "1h"\nmatch.any = [{ waited = { min = "5m" } }]', ONE_TIME),
        ('within = "1h"\nwhen.queue = "A"', "3:1: unknown key 'when': write match = { … }"),
        ('within = "1h"\nhours.H = "9-17"', f"3:11: {TIMES} or \"22:00-06:00\""),
        ('within = "1h"\nhours.H = "24:30-06:00"', f"3:11: {TIMES} or \"22:00-06:00\""),
        ('within = "1h"\nhours.H = 9', f"3:11: {TIMES}, or {{ days = [\"MONDAY\"], between = \"09:00-17:30\" }}"),
        ('within = "1h"\nhours.H = { between = "09:00-17:30", zone = "X" }', IN_UTC),
        ('within = "1h"\nhours.H = { days = ["MONDAY"] }', "3:11: 'between' is missing in [promise.hours.H]"),
        ('within = "1h"\nhours.H = { days = [], between = "09:00-17:30" }', "3:20: must not be empty"),
        ('within = "1h"\nhours.queue = "09:00-17:30"', OWN),
        ('within = "1h"\nhours.H = "09:00-17:30"', '3:11: no rule tests the hours "H", and this promise does not'),
        ('never = { queue = "A" }', "2:11: unknown key 'queue': write to = \"…\", a queue or a list of queues"),
        ('never = { rule = "r" }', f"2:11: unknown key 'rule': write {WHICHEVER}"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_where_it_is(text, expected):
    assert mistake(text) == expected


def test_a_name_is_unique_over_all_promises():
    twice = '[[promise]]\nname = "p"\nwithin = "1h"\n'
    with pytest.raises(Problems, match=r'a promise called "p" exists already at rules\.toml:7:1'):
        ruleset(RULE + twice * 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[promise]\nname = "p"', r"7:1: expected a list .* double brackets, as in \[\[promise\]\]"),
        ('[[promises]]\nname = "p"', r"7:3: unknown key 'promises' \(did you mean 'promise'\?\)"),
        ('[[promise]]\nwithin = "1h"', r"7:1: 'name' is missing in \[\[promise\]\]"),
        ('[[promise]]\nname = "a b"\nwithin = "1h"', "8:8: a name has 1 to 100 letters"),
    ],
)
def test_a_promise_without_a_good_header_or_name_is_reported(text, expected):
    with pytest.raises(Problems, match=f"^rules.toml:{expected}") as refused:
        ruleset(f"{RULE}{text}\n")
    assert len(refused.value.problems) == 1


def test_hours_are_given_by_times_of_day():
    week = '{ days = ["MONDAY", "FRIDAY"], between = "22:00-06:00" }'
    given = promise(
        'match.hours = { name = "H", is = "open" }\nwithin = "1h"\n'
        f'hours.H = [{week}, {{ days = ["MONDAY"], between = "00:00-24:00" }}]'
    )
    assert given.hours["H"].weekly == {0: (Window(1320, 360), Window(0, 0)), 4: (Window(1320, 360),)}
