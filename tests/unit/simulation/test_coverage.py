"""Checks that the interval of an effect contains the true effect as often as it promises, and narrows with more days.

Each history is a simulated centre, recorded as Amazon Connect would record it. The true effect is that of many more
days of the same centre. The suite tries a few histories with fixed seeds; ``make simulation`` tries a hundred.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from router.simulation.effects import effects_of
from router.simulation.study import Study, run_study
from tests.unit.simulation.histories import history, scenario_of

RUNS = int(os.environ.get("SIMULATION_HISTORIES", "3"))
LONG = RUNS >= 100
pytestmark = [pytest.mark.uses("processes", "threads")] if LONG else []
DAYS = 28
CENTRE = b"""
days = 28
[[hours]]
name = "Office"
zone = "UTC"
week.MONDAY = ["09:00-13:00"]
week.TUESDAY = ["09:00-13:00"]
week.WEDNESDAY = ["09:00-13:00"]
week.THURSDAY = ["09:00-13:00"]
week.FRIDAY = ["09:00-13:00"]
week.SATURDAY = ["09:00-13:00"]
week.SUNDAY = ["09:00-13:00"]
[[queue]]
name = "Billing"
[[queue]]
name = "General"
[[agent]]
username = "billing"
count = 2
queues = ["Billing"]
slots = { TASK = 1 }
hours = "Office"
[[agent]]
username = "general"
count = 2
queues = ["General"]
slots = { TASK = 1 }
hours = "Office"
[[handling]]
queue = "Billing"
mean = "9m"
[[handling]]
queue = "General"
mean = "9m"
[[arrivals]]
queue = "Billing"
period = [{ between = "09:00-12:30", per_minute = 0.19 }]
[[arrivals]]
queue = "General"
period = [{ between = "09:00-12:30", per_minute = 0.13 }]
"""
WATCH = b"""
[[rule]]
name = "watch-billing"
match = { queue = "Billing" }
sla.target = "20m"
[[rule.step]]
at = "breach"
warn = "late"
[[rule]]
name = "watch-general"
match = { queue = "General" }
sla.target = "20m"
[[rule.step]]
at = "breach"
warn = "late"
"""
MOVE = b"""
[defaults]
flow = "Overflow"
[[rule]]
name = "billing"
match = { queue = "Billing" }
sla.target = "20m"
[[rule.step]]
at = "50%"
to = [{ queue = "General", slots_available = { min = 1 } }]
"""
QUIET = CENTRE.replace(b"per_minute = 0.19", b"per_minute = 0.16").replace(b"09:00-12:30", b"09:00-12:00")
"""The same centre with fewer contacts. In every fifth history of 28 days, no day has a difference in General."""
PUT_BACK, GENERAL_PUTS_BACK = 0.25, 0.2
HOURS = CENTRE[CENTRE.index(b"[[hours]]") : CENTRE.index(b"[[queue]]")]
RETURNING = (
    (CENTRE + HOURS.replace(b"Office", b"Late").replace(b"09:00-13:00", b"13:00-18:00"))
    .replace(b"per_minute = 0.19", b"per_minute = 0.13")
    .replace(b'mean = "9m"', b'mean = "4m"')
    .replace(b'hours = "Office"', f'put_back = {PUT_BACK}\nhours = "Late"'.encode(), 1)
    .replace(b'hours = "Office"', f'put_back = {GENERAL_PUTS_BACK}\nhours = "Office"'.encode(), 1)
)
"""A centre in which as many contacts arrive in Billing as in General. The agents of Billing work after the arrivals."""
A, B = (("rules.toml", WATCH),), (("rules.toml", MOVE),)
ALL = (("rules.toml", MOVE.replace(b", slots_available = { min = 1 }", b"")),)
"""Rules that move every contact of Billing in the returning centre, before an agent of Billing works."""


TRUTH = {
    ("Billing", "in_time"): (0.1886, 0.0119),
    ("General", "in_time"): (-0.0140, 0.0028),
    ("Billing", "moves"): (0.1088, 0.0040),
}
"""The differences B - A of 60 simulations of 28 days, and the half of their interval."""
RETURNS_TRUTH = {
    ("Billing", "returns"): -PUT_BACK,
    ("General", "returns"): 2 * GENERAL_PUTS_BACK / (1 + GENERAL_PUTS_BACK) - GENERAL_PUTS_BACK,
}
"""The exact differences B - A in the returning centre, if B moves every contact of Billing.

Under A, the returns are the share of the waits of either queue that its agents put back. Under B, the contacts of both
queues return to General only, and a contact has g / (1 - g) returns there on average.
"""
QUIET_TRUTH, QUIET_HALF = -0.0069, 0.0009
"""The same for the share in time of General in the quiet centre, of 200 simulations."""


def found_in(study, replications):
    result = run_study(study, replications, workers=1)
    opened = study.open()
    queues = [queue.id for queue in opened.centre.directory.queues]
    effects = effects_of(result.a, result.b, queues, by_day=study.source.by_day)
    return {(one.queue_id, one.measure.name): one.difference for one in effects}


def effects_in_history(seed, days=DAYS, centre=CENTRE, against=B):
    """Returns what ``backtest --effects`` finds. Every other history has agent events.

    The seed of the study is that of no history, because a study must not draw the numbers that made its history.
    """
    recorded = history(scenario_of(centre, days), None, seed, events=seed % 2 == 0)
    return found_in(Study(source=recorded, rules=A, against=against, seed=1_000 + seed), 1)


def effects_in_histories(centre, against=B):
    found = partial(effects_in_history, centre=centre, against=against)
    if not LONG:
        return [found(seed) for seed in range(RUNS)]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(found, range(RUNS)))


@pytest.fixture(scope="module")
def histories():
    return effects_in_histories(CENTRE)


def covered(histories, key, true):
    return sum(one.bounded and one.low <= true <= one.high for one in (found[key] for found in histories))


def test_the_interval_of_each_figure_contains_the_true_effect(histories):
    for key, (true, _) in TRUTH.items():
        assert covered(histories, key, true) >= 0.9 * RUNS - (not LONG), key


def test_the_interval_of_a_share_that_few_days_or_none_change_contains_the_true_effect():
    assert covered(effects_in_histories(QUIET), ("General", "in_time"), QUIET_TRUTH) >= 0.9 * RUNS


def test_times_have_no_interval_in_a_history(histories):
    for found in histories:
        assert not any(
            found[queue, name].bounded for queue in ("Billing", "General") for name in ("wait", "late_by", "p95")
        )


def test_the_interval_of_the_returns_in_a_history_contains_their_exact_change():
    found = effects_in_histories(RETURNING, ALL)
    assert all(one["Billing", "moves"].value == 1 for one in found)
    for key, true in RETURNS_TRUTH.items():
        assert covered(found, key, true) >= 0.9 * RUNS, key
        assert covered(found, key, 0.0) == 0, key


def test_the_interval_of_the_returns_in_a_simulation_contains_their_exact_change():
    found = found_in(Study(source=scenario_of(RETURNING, 5), rules=A, against=ALL, seed=7), 20)
    for key, true in RETURNS_TRUTH.items():
        assert found[key].low <= true <= found[key].high, key
        assert found[key].high - found[key].low < 0.5 * abs(true), key


def test_the_interval_narrows_as_days_are_added(histories):
    many = [one["Billing", "in_time"] for one in histories[:3]]
    few = [effects_in_history(seed, days=7)["Billing", "in_time"] for seed in range(3)]
    assert sum(one.high - one.low for one in many) < 0.7 * sum(one.high - one.low for one in few)


@pytest.mark.skipif(not LONG, reason="make simulation")
def test_the_true_effects_are_those_of_more_simulations():
    quiet = {("General", "in_time"): (QUIET_TRUTH, QUIET_HALF)}
    for centre, truth in ((CENTRE, TRUTH), (QUIET, quiet)):
        found = found_in(Study(source=scenario_of(centre, DAYS), rules=A, against=B, seed=7), 60)
        for key, (true, half) in truth.items():
            assert found[key].low - half <= true <= found[key].high + half, key
