"""Checks what is proved of promises, what is broken, and by which contact."""

import re
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from router.decide.snapshot import Limits
from router.prove.examples import prove_examples
from router.prove.promises.example_text import UNLIKE
from router.prove.promises.numerals import Numeral
from router.prove.promises.paths import Paths
from router.prove.promises.patterns import LAST, complement
from router.prove.promises.prove import prove_promises
from router.prove.promises.prover import PromiseProver
from router.rules.load import load_rules
from router.rules.value_test import RangeForm
from tests.builders.contacts import NOW
from tests.builders.rules import ruleset

SHIPPED = Path(__file__).parents[3] / "rules"
CLASSES = """match = {{ queue = "A", any = [{{ tags.t = "x*" }}, {{ tags.t = {{ not = "{}" }} }}] }}"""
APART = "{ attributes.n = { max = 5 }, all = [{ attributes.n = { min = 5.1 } }] }"
NUMBERS = f"""match = {{ queue = "A", none = [{APART}] }}"""
TO = 'match.queue = "A"\nstep = [{ at = "10m", to = [{ %s }] }]'
FREE = TO % 'queue = "Up", slots_available = { min = 1 }'
OPEN = TO % 'queue = "Up", open = true'
FIRST = 'match.queue = "A"\nstep = [{ at = "10m", routing = { priority = 1 } }]'
LATE = 'step = [{ at = "10m", to = [{ queue = "Up" }] }]'


def verdict(rules, promise, limits=None):
    given = ruleset(f'{rules}\n[[promise]]\nname = "p"\n{promise}')
    return next(prove_promises(given, limits=limits or Limits(), now=NOW))


def outcome(rules, promise, **others):
    found = verdict(rules, promise, **others)
    assert found.reason == ""
    return found.outcome.value


def rule(text, name="r"):
    return f'[[rule]]\nname = "{name}"\n{text}\n'


def test_every_promise_of_the_shipped_rules_is_proved():
    found = list(prove_promises(load_rules(SHIPPED), limits=Limits(), now=NOW))
    assert {one.promise.name: one.outcome.value for one in found} == {one.promise.name: "PROVED" for one in found}
    assert len(found) == 9


WITHIN = 'match.queue = "A"\nwithin = "{}"\nact = ["{}"]\nassume = [{}]'


def within(time, act="move", assume='"no_guard"'):
    return WITHIN.format(time, act, assume)


def test_progress_names_each_promise_while_its_proof_runs():
    told: list[tuple[int, str]] = []
    given = ruleset(rule(FIRST) + "".join(f'[[promise]]\nname = "{name}"\n{within("1h")}\n' for name in "ab"))
    verdicts = prove_promises(
        given, limits=Limits(), now=NOW, tick=lambda number, promise: told.append((number, promise.name))
    )
    next(verdicts)
    assert set(told) == {(1, "a")}
    next(verdicts)
    assert set(told) == {(1, "a"), (2, "b")}


@pytest.mark.parametrize(
    ("rules", "promise", "expected"),
    [
        (rule(f'match.queue = "A"\n{LATE}'), within("10m"), "PROVED"),
        (rule(f'match.queue = "A"\n{LATE}'), within("9m59s"), "BROKEN"),
        (rule(f'match.queue = "A"\n{LATE}'), within("10m", assume=""), "BROKEN"),
        (rule(f'match.queue = "A*"\n{LATE}'), within("10m"), "PROVED"),
        (rule(f'match.queue = {{ matches = "[AB]" }}\n{LATE}'), within("10m"), "PROVED"),
        (rule(f'match = {{ queue = "A", channel = ["TASK", "EMAIL"] }}\n{LATE}'), within("10m"), "PROVED"),
        (rule(f'match = {{ queue = "A", channel = "TASK" }}\n{LATE}'), within("10m"), "BROKEN"),
        (rule(f"{CLASSES.format('xy*')}\n{LATE}"), within("10m"), "PROVED"),
        (rule(f"{CLASSES.format('y*')}\n{LATE}"), within("10m"), "BROKEN"),
        (rule(f"{NUMBERS}\n{LATE}"), within("10m"), "PROVED"),
        (rule(f'match = {{ queue = "A", waited = {{ max = "9m" }} }}\n{LATE}'), within("1h"), "BROKEN"),
        (rule(f'match = {{ queue = "A", waited = {{ max = "10m" }} }}\n{LATE}'), within("1h"), "PROVED"),
        (rule(f'match = {{ queue = "A", age = {{ max = "10m" }} }}\n{LATE}'), within("1h"), "BROKEN"),
        (rule(f'match = {{ queue = "A", age = {{ min = "1h" }} }}\n{LATE}'), within("10m"), "BROKEN"),
        (rule(f'match = {{ queue = "A", age = {{ min = "10m1s" }} }}\n{LATE}'), within("10m"), "BROKEN"),
        (rule(f'match.queue = "A"\nsla.hours = "H"\n{LATE}'), within("10m"), "BROKEN"),
        (rule(f'match.queue = "A"\nsla.hours = "H"\n{LATE}'), within("10m", assume='"no_guard", "open"'), "PROVED"),
        (rule(f'match.queue = "A"\nsla.clock = "chain"\n{LATE}'), within("10m"), "PROVED"),
        (rule(f'match.queue = "A"\nuntil = 2026-07-01T00:00:00Z\n{LATE}'), within("10m"), "BROKEN"),
        (rule(f'match.queue = "A"\nguard.enqueued_after = 2026-07-01T00:00:00Z\n{LATE}'), within("10m"), "BROKEN"),
        (rule(f'match.queue = "A"\nmode = "observe"\n{LATE}'), within("10m"), "BROKEN"),
        (rule(FREE), within("10m"), "BROKEN"),
        (rule(TO % 'queue = "Up", contacts_in_queue = { max = 5 }'), within("10m"), "BROKEN"),
        (rule(FREE), within("10m", assume='"no_guard", "destination"'), "PROVED"),
        (rule(TO % 'queue = "A"'), within("10m", assume='"no_guard", "destination"'), "BROKEN"),
        (rule(TO % 'agent = "ann"'), within("10m", assume='"no_guard", "agents"'), "PROVED"),
        (rule(TO % 'agent = "ann"'), within("10m", assume='"no_guard", "destination", "open"'), "BROKEN"),
        (rule(TO % 'agent_from = "attributes.who"'), within("10m", assume='"no_guard", "agents"'), "BROKEN"),
        (rule(OPEN), within("10m"), "BROKEN"),
        (rule(OPEN), within("10m", assume='"no_guard", "open"'), "PROVED"),
        (rule('match.queue = "A"\nstep = [{ at = "10m", warn = "late" }]'), within("10m", "warn"), "PROVED"),
        (rule(FIRST), within("10m", "warn"), "BROKEN"),
        (rule(FIRST), within("10m", "any"), "PROVED"),
        (rule('match.tags.t = "x"') + rule(f'match.queue = "A"\n{LATE}', "s"), within("10m"), "BROKEN"),
        (rule(f'match.queue = "A"\n{LATE}') + rule('match.tags.t = "x"', "s"), within("10m"), "PROVED"),
    ],
)  # fmt: skip
def test_a_time_is_proved_for_every_contact_or_broken(rules, promise, expected):
    assert outcome(rules, promise) == expected


EXCLUDED = 'expect = { rule = "r", hold = "excluded" }'


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("x*", '""', "PROVED"),
        ("x*", '"xx"', "PROVED"),
        ("x*", '"y"', "BROKEN"),
        ("x+", '""', "BROKEN"),
        ("ax?b", '["ab", "axb"]', "PROVED"),
        ("^a$", '"a"', "PROVED"),
        ("a$b|^c", '["c"]', "PROVED"),
        ("a$b|^c", '["ab", "c"]', "BROKEN"),
        ("[^a-y]{2}", '["z1", "éé"]', "PROVED"),
        ("(?i)K.", '["ka", "KA"]', "PROVED"),
        ("a.c", '"a*c"', "BROKEN"),
        ("(?s)a.*c", '"a*c"', "PROVED"),
        ("[0-9]+", '"?"', "BROKEN"),
        ("x(a|b)?y", '{ matches = "xa*y" }', "BROKEN"),
        ("x(a|b)*y", '{ matches = "xa+y" }', "PROVED"),
    ],
)
def test_an_expression_fits_exactly_the_values_that_re2_fits(expression, value, expected):
    promise = within("10m").replace('match.queue = "A"', f'match = {{ queue = "A", name = {value} }}')
    rules = rule(f'match = {{ queue = "A", name = {{ matches = "{expression}" }} }}\n{LATE}')
    assert outcome(rules, promise) == expected


HOLDS = 'match.queue = "A"\nstep = [{ at = "5m", to = [{ queue = "Few", slots_available = { min = 1 } }] }]'


@pytest.mark.parametrize(("on_hold", "expected"), [("", "BROKEN"), ('on_hold = "next"', "PROVED")])
def test_a_rule_that_gives_way_lets_the_next_one_act(on_hold, expected):
    rules = rule(f"{on_hold}\n{HOLDS}") + rule(f'match.queue = "A"\n{LATE}', "s")
    assert outcome(rules, within("10m")) == expected


def test_a_rule_gives_way_only_while_a_step_is_due():
    rules = rule('on_hold = "next"\n' + HOLDS.replace("5m", "30m")) + rule(f'match.queue = "A"\n{LATE}', "s")
    assert outcome(rules, within("10m")) == "BROKEN"


PING = """
[[rule]]
name = "ping"
match = {{ queue = "A", tags.t = {} }}
step = [{{ at = "5m", to = [{{ queue = "B", revisit = {} }}] }}]
[[rule]]
name = "pong"
match = {{ queue = "B", tags.t = {} }}
step = [{{ at = "5m", to = [{{ queue = "A", revisit = {} }}] }}]
"""


@pytest.mark.parametrize(
    ("one", "other", "revisit", "expected"),
    [
        ('"x*"', '"*y"', "true", "BROKEN"),
        ('"x*"', '"y*"', "true", "PROVED"),
        ('"x*"', '"*y"', "false", "PROVED"),
        ("{ min = 5 }", "{ max = 5 }", "true", "BROKEN"),
        ("{ min = 5.01 }", "{ max = 5 }", "true", "PROVED"),
    ],
)
def test_a_circle_is_followed_through_the_conditions_of_its_rules(one, other, revisit, expected):
    assert outcome(PING.format(one, revisit, other, revisit), "at_most.visits_of_a_queue = 1") == expected


def test_the_moves_of_a_wait_are_counted():
    rules = PING.format('"x*"', "true", '"*y"', "true")
    assert outcome(rules, "at_most.moves = 1") == "BROKEN"
    assert outcome(rules, "at_most.moves = 2") == "PROVED"
    assert outcome(rules, "at_most.moves = 1", limits=Limits(max_transfers=1)) == "PROVED"


NIGHT = rule('match.queue = "A"\nstep = [{ at = "5m", to = [{ queue = "Up", %s }] }]')


@pytest.mark.parametrize(
    ("entry", "never", "expected"),
    [
        ("open = true", '{ to = "Up", hours = "closed" }', "PROVED"),
        ("open = true", '{ to = "Up", hours = "open" }', "BROKEN"),
        ("revisit = true", '{ to = "Up", hours = "closed" }', "BROKEN"),
        ("revisit = true", '{ to = "U*" }', "BROKEN"),
        ("revisit = true", '{ to = "Down" }', "PROVED"),
        ("revisit = true", '{ to = "Up", hours = { name = "H", is = "closed" } }', "BROKEN"),
    ],
)
def test_a_move_is_never_made_or_a_contact_is_shown(entry, never, expected):
    assert outcome(NIGHT % entry, f"never = {never}") == expected


def test_a_move_over_two_rules_counts_for_the_queue_where_the_wait_began():
    onward = 'match.queue = "Up"\nstep = [{ at = "5m", to = [{ queue = "Top" }] }]'
    rules = rule(f'match.queue = "A"\n{LATE}') + rule(onward, "s")
    assert outcome(rules, 'match.queue = "A"\nnever.to = "Top"') == "BROKEN"
    assert outcome(rules, 'match.queue = "B"\nnever.to = "Top"') == "PROVED"


@pytest.mark.parametrize(
    ("rules", "promise", "expected"),
    [
        (rule(HOLDS), within("10m"), 'expect = { rule = "r", step = 1, hold = "no_eligible_destination" }'),
        (rule('match.tags.t = "x"') + rule(f'match.queue = "A"\n{LATE}', "s"), within("10m"), EXCLUDED),
        (rule(f'match.queue = "A"\n{LATE}'), 'never.to = "Up"', 'expect = { rule = "r", step = 1, queue = "Up" }'),
    ],
)  # fmt: skip
def test_a_counterexample_is_an_example_that_check_runs(rules, promise, expected):
    found = verdict(rules, promise)
    (text,) = [one.example for one in found.causes if expected in one.example]
    whole = ruleset(f"{rules}\n{text}")
    results, _ = prove_examples(whole, whole.examples, now=NOW)
    assert [one.message for one in results] == [""]


def test_a_cause_names_rule_step_place_and_instant():
    (cause,) = verdict(rule(HOLDS), within("10m")).causes
    assert cause.cause == "rule 'r' holds it at step 1: no_eligible_destination (no destination may be eligible)"
    assert (cause.place.line, cause.instant) == (7, "after 10m")


def test_a_rule_that_leaves_a_contact_alone_is_the_place_of_the_cause():
    rules = rule('match.tags.t = "x"') + rule(f'match.queue = "A"\n{LATE}', "s")
    (cause,) = verdict(rules, within("10m")).causes
    assert (cause.cause, cause.place.line) == ("rule 'r' holds it: excluded", 4)


def test_queues_may_all_be_given_by_id():
    id_ = "8a86387f-6757-4342-97d3-c89b151d1f66"
    up = LATE.replace("Up", id_.replace("8a", "9b"))
    rules = rule(f'match = {{ queue = "{id_}", all = [{{ queue = "*" }}] }}\n{up}')
    assert outcome(rules, within("10m").replace('"A"', f'"{id_}"')) == "PROVED"


MIXED = "queue is given by name and by id, and only the instance knows which of them are equal"


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (r'name = { matches = "\\bx" }', r'the regular expression "\bx" has \b, which no proof covers'),
        (r'name = { matches = "\\pL+" }', r'the regular expression "\pL+" has a form that no proof covers'),
        ('name = { matches = "(?i)ä" }', 'the regular expression "(?i)ä" ignores the case of letters outside of ASCII'),
        ('queue = "8a86387f-6757-4342-97d3-c89b151d1f66"', MIXED),
    ],
)  # fmt: skip
def test_what_is_outside_of_the_fragment_is_unknown(condition, reason):
    found = verdict(rule(f'match = {{ {condition}, all = [{{ queue = "A" }}] }}\n{LATE}'), within("10m"))
    assert (found.outcome.value, found.reason) == ("UNKNOWN", reason)


@pytest.mark.parametrize(("at", "expected"), [("5m", "PROVED"), ("6m", "BROKEN")])
def test_a_side_rule_acts_at_the_instant_at_which_another_rule_moves_the_contact(at, expected):
    moves = rule('match.queue = "A"\nstep = [{ at = "5m", to = [{ queue = "Up" }] }]')
    side = rule(f'match.queue = "A"\nstep = [{{ at = "{at}", warn = "x" }}]', "s")
    assert outcome(moves + side, 'match.queue = "A"\nwithin = "10m"\nact = ["warn"]') == expected


def test_a_chain_that_is_older_than_its_wait_breaks_a_promise_of_age():
    rules = rule('match.queue = "A"\nstep = [{ at = "10m", warn = "x" }]')
    assert outcome(rules, 'match.queue = "A"\nwithin = { age = "10m" }\nact = ["warn"]') == "BROKEN"


def test_the_age_of_a_chain_is_a_variable_only_for_the_rules_or_the_promise_that_depend_on_it():
    age = '[[promise]]\nname = "old"\nmatch.queue = "A"\nwithin = { age = "3d" }'
    rules = ruleset(rule(HOLDS) + f'{age}\n[[promise]]\nname = "p"\n{within("10m")}')
    prover = PromiseProver(rules, Limits(), NOW)
    paths = (Paths(prover, one, frozenset()) for one in rules.promises)
    scenes = [scene for some in paths for _, scene in some.from_queue("A", longest=0)]
    assert [isinstance(scene.age, int) for scene in scenes] == [False, True]


def test_a_move_to_an_id_may_be_the_move_to_the_name_that_never_is_to_happen():
    to = 'to = [{ queue = "11111111-2222-3333-4444-000000000001" }]'
    rules = rule(f'match.queue = "A"\nstep = [{{ at = "10m", {to} }}]')
    assert verdict(rules, 'never = { to = "B" }').outcome.value == "UNKNOWN"


SHIFTS = """
[[rule]]
name = "day"
match = { queue = "A", hours = { name = "Day", is = "open" } }
step = [{ at = "1h", to = [{ queue = "Up" }] }]
[[rule]]
name = "night"
match = { queue = "A", hours = { name = "Night", is = "open" } }
step = [{ at = "30m", to = [{ queue = "Night Desk" }] }]
[[rule]]
name = "mail"
match.queue = "Mail"
sla = { target = "4h", hours = "Day" }
step = [{ at = "breach - 30m", to = [{ queue = "Up" }] }]
"""
WEEK = '{ days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"], between = "08:00-18:00" }'
NOT_AT_NIGHT = "never = { to = 'Up', hours = { name = 'N', is = 'open' } }\nhours.Day = '08:00-18:00'"
OPEN_AT_NIGHT = "never.to = 'Up'\nmatch.hours = { name = 'N', is = 'open' }\nhours.Day = '08:00-18:00'"
TWO = '[{ between = "08:00-12:00" }, { between = "14:00-18:00" }]'


def at_hours(within, queue="Mail", **hours):
    given = "\n".join(f"hours.{name} = {value}" for name, value in hours.items())
    return f'match.queue = "{queue}"\nwithin = {within}\nact = ["move"]\nassume = ["no_guard"]\n{given}'


@pytest.mark.parametrize(
    ("promise", "expected"),
    [
        (at_hours('"1h"', "A"), "BROKEN"),
        (at_hours('"1h"', "A", Day='"07:00-19:00"', Night='"19:00-07:00"'), "PROVED"),
        (at_hours('"1h"', "A", Day='"07:00-18:00"', Night='"19:00-07:00"'), "BROKEN"),
        (at_hours('"1h"', "A", Day='"00:00-24:00"'), "PROVED"),
        (at_hours('"17h30m"', Day='"08:00-18:00"'), "PROVED"),
        (at_hours('"17h29m"', Day='"08:00-18:00"'), "BROKEN"),
        (at_hours('{ age = "17h30m" }', Day='"08:00-18:00"'), "BROKEN"),
        (at_hours('"65h30m"', Day=WEEK), "PROVED"),
        (at_hours('"65h29m"', Day=WEEK), "BROKEN"),
        (at_hours('"15h30m"', Day=TWO), "BROKEN"),
        (at_hours('"17h30m"', Day=TWO), "PROVED"),
        (at_hours('"32d"', Day='"08:00-18:00"'), "UNKNOWN"),
        (f"{NOT_AT_NIGHT}\nhours.N = '18:00-08:00'", "PROVED"),
        (f"{NOT_AT_NIGHT}\nhours.N = '17:59-08:00'", "BROKEN"),
        (f"{OPEN_AT_NIGHT}\nhours.N = '18:00-08:00'", "PROVED"),
    ],
)  # fmt: skip
def test_hours_are_open_at_exactly_the_times_of_day_that_a_promise_gives(promise, expected):
    assert verdict(SHIFTS, promise).outcome.value == expected


def test_a_chain_older_than_its_wait_counts_its_open_time_exactly():
    rules = SHIFTS.replace('hours = "Day" }\nstep', 'hours = "Day", clock = "chain" }\nstep')
    by_day = 'match.hours = { name = "Day", is = "open" }\n'
    for age, expected in (("17h30m", "PROVED"), ("17h29m", "BROKEN")):
        assert outcome(rules, by_day + at_hours(f'{{ age = "{age}" }}', Day='"08:00-18:00"')) == expected


def test_a_gap_between_two_shifts_is_shown_with_its_instant():
    (cause,) = verdict(SHIFTS, at_hours('"1h"', "A", Day='"07:00-18:00"', Night='"19:00-07:00"')).causes
    assert re.search(r"^now = [0-9-]+T18:[0-9:]+Z$", cause.example, re.MULTILINE)
    assert 'hours.Day = "closed"\nhours.Night = "closed"' in cause.example


def test_the_times_of_day_that_a_promise_gives_are_assumed():
    found = verdict(SHIFTS, at_hours('"65h30m"', Day=WEEK))
    assert found.assumed == ("no guard holds a move", "Day open as the promise gives them")


def test_a_rule_goes_on_with_a_contact_that_it_has_moved_to_an_agent():
    rules = rule(
        'match.queue = "A"\nstep = [{ at = "5m", to = [{ agent = "ann" }] }, { at = "30m", to = [{ queue = "Up" }] }]'
    )
    assert outcome(rules, 'never.to = "Up"\nmatch.waited = { min = "30m" }') == "BROKEN"
    assert outcome(rules, "at_most.moves = 1") == "BROKEN"


@pytest.mark.parametrize(("onward", "expected"), [("C", "BROKEN"), ("E", "PROVED")])
def test_a_rule_sees_a_contact_in_its_first_queue_only_while_it_is_where_the_rule_moves_contacts(onward, expected):
    moves = '{ at = "5m", to = [{ queue = "B" }, { queue = "C" }] }, { at = "30m", to = [{ queue = "D" }] }'
    rules = rule(f'match.queue = "B"\nstep = [{{ at = "5m", to = [{{ queue = "{onward}" }}] }}]', "s")
    rules += rule(f'match.queue = "A"\nstep = [{moves}]')
    assert outcome(rules, 'match.queue = "A"\nat_most.moves = 2') == expected


def test_the_clock_of_a_rule_runs_since_its_first_act_even_if_that_was_a_warning():
    away = 'match = { queue = "A", waited = { min = "10m" } }\nstep = [{ at = "10m", to = [{ queue = "B" }] }]'
    steps = '{ at = "5m", warn = "x" }, { at = "30m", to = [{ queue = "C" }] }, { at = "60m", to = [{ queue = "D" }] }'
    rules = rule(away, "s") + rule(f'match.queue = ["A", "B"]\nstep = [{steps}]')
    found = verdict(rules, 'match = { queue = "A", waited = { max = "65m" } }\nnever.to = "D"')
    assert found.outcome.value != "PROVED"  # it moves at 60m, although it came into B ten minutes late
    assert outcome(rules, 'match = { queue = "A", waited = { max = "59m" } }\nnever.to = "D"') == "PROVED"


TEXTS = ["".join(one) for length in range(1, 5) for one in product("+-.0159", repeat=length)]
ENDS = [None, Decimal("-1.5"), Decimal(-1), Decimal(0), Decimal("0.15"), Decimal("1.0"), Decimal("9.5"), Decimal(15)]


@pytest.mark.parametrize(("low", "high"), [one for one in product(ENDS, ENDS) if one != (None, None)])
def test_a_range_of_numbers_accepts_exactly_its_numbers_digit_by_digit(low, high):
    form = RangeForm(low, high)
    machine = Numeral.of(form)
    for text in TEXTS:
        states = machine.start()
        for character in text:
            states = frozenset(after for state in states for after in machine.after(state, ord(character)))
        assert machine.accepts(states) == form(text), text


def test_a_clock_does_not_run_since_a_queue_in_which_its_rule_had_nothing_to_do():
    window = 'match = { queue = "A", waited = { min = "10m", max = "15m" } }'
    steps = '{ at = "20m", warn = "x" }, { at = "30m", to = [{ queue = "C" }] }'
    rules = rule(f'{window}\nstep = [{{ at = "10m", to = [{{ queue = "B" }}] }}]', "s")
    rules += rule(f'match.queue = ["A", "B"]\nstep = [{steps}]')
    for most, expected in (("39m", "PROVED"), ("45m", "BROKEN")):
        promise = f'match = {{ queue = "A", waited = {{ max = "{most}" }} }}\nat_most.moves = 1'
        assert outcome(rules, promise) == expected


def test_the_last_character_is_outside_of_all_that_end_before_it():
    assert complement([(0, LAST - 1)]) == ((LAST, LAST),)
    assert complement([(0, LAST)]) == ()


def test_a_contact_on_which_check_decides_otherwise_has_a_comment():
    (cause,) = verdict(SHIFTS, at_hours('"17h29m"', Day='"08:00-18:00"')).causes
    assert cause.example.startswith(UNLIKE)


def test_an_act_counts_although_the_contact_is_left_alone_later():
    rules = rule('match = { queue = "A", waited = { min = "12m" } }') + rule(f'match.queue = "A"\n{LATE}', "s")
    assert outcome(rules, within("20m")) == "PROVED"
    rules = rule('match = { queue = "A", age = { min = "12m", max = "30m" } }')
    rules += rule(f'match.queue = "A"\nsla.clock = "chain"\n{LATE}', "s")
    assert outcome(rules, within("20m")) == "PROVED"
