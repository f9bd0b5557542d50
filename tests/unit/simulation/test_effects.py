"""Checks the estimates, their intervals and the verdict."""

from dataclasses import replace
from math import comb, sqrt
from random import Random

import pytest

from router.model import QueueId
from router.simulation.effects import IN_TIME, HarmFinding, effects_of, verdict_of
from router.simulation.intervals import jackknife, largest_probability, student_quantile
from router.simulation.randomness import Between, Exponential, LogNormal, Observed, RandomStreams
from router.simulation.tally import QueueTally, bounds_of, class_of

QUEUE = QueueId("Queue")


def tally(in_time, promised=100, waited_s=0.0):
    return QueueTally(waits=promised, promised=promised, in_time=in_time, waited_s=waited_s)


def judged(before, after, **limits):
    a = {unit: {QUEUE: tally(one)} for unit, one in enumerate(before)}
    b = {unit: {QUEUE: tally(one)} for unit, one in enumerate(after)}
    error = limits.pop("error", None)
    errors = {} if error is None else {(QUEUE, "in_time"): error}
    effects = effects_of(a, b, [QUEUE], errors)
    return verdict_of(effects, **{"harm": 0.01, "precision": None, **limits}, names=str), effects


@pytest.mark.parametrize(
    ("share", "freedom", "value"),
    [(0.975, 1, 12.7062), (0.975, 9, 2.26216), (0.975, 199, 1.97196), (0.995, 27, 2.77068)],
)
def test_the_quantiles_of_student_are_those_of_the_tables(share, freedom, value):
    assert student_quantile(share, freedom) == pytest.approx(value, abs=2e-5)


def means(values):
    return jackknife(
        [(QueueTally(waits=1, waited_s=one), QueueTally()) for one in values], lambda one, _: one.waited_s / one.waits
    )


def test_the_interval_of_a_mean_is_that_of_the_textbook():
    random = Random(3)
    half = [random.gauss(0, 2) for _ in range(6)]
    values = [5 + one for one in (*half, *(-one for one in half))]
    found = means(values)
    error = sqrt(sum((one - 5) ** 2 for one in values) / 11 / 12)
    assert found is not None
    assert found.value == pytest.approx(5)
    assert (found.low, found.high) == pytest.approx((5 - 2.20099 * error, 5 + 2.20099 * error), rel=1e-4)


def test_the_interval_reaches_further_to_the_side_of_the_rare_long_waits():
    found = means([1.0, 1.0, 2.0, 2.0, 3.0, 30.0])
    assert found.high - found.value > 2 * (found.value - found.low)


def test_the_interval_of_skewed_days_contains_the_mean_as_often_as_it_promises():
    random, covered = Random(1), 0
    for _ in range(400):
        found = means([random.expovariate(1) ** 2 for _ in range(20)])
        covered += found.low <= 2 <= found.high
    assert covered >= 0.9 * 400, covered


def test_units_without_a_contact_do_not_count():
    days = {unit: {QUEUE: tally(90 + unit)} for unit in range(4)}
    idle = {unit: {QUEUE: QueueTally()} for unit in range(4, 9)}
    assert effects_of(days | idle, days | idle, [QUEUE])[0].a == effects_of(days, days, [QUEUE])[0].a


def test_a_difference_of_one_day_alone_has_no_interval():
    effects = judged([90, 91, 90, 92, 93], [90, 91, 88, 92, 93])[1]
    assert not effects[0].difference.bounded
    two_days = judged([90, 91, 90, 92, 93], [90, 91, 88, 92, 91])[1][0].difference
    assert two_days is not None
    assert two_days.bounded


def days(values, *, moves):
    return {unit: {QUEUE: replace(tally(one), received=moves)} for unit, one in enumerate(values)}


@pytest.mark.parametrize(("seen", "units", "doubt", "value"), [(0, 28, 0.015, 0.1393), (1, 28, 0.015, 0.2011)])
def test_the_bounds_of_a_probability_are_those_of_the_binomial_distribution(seen, units, doubt, value):
    found = largest_probability(seen, units, doubt)
    assert found == pytest.approx(value, abs=1e-4)
    so_few = sum(comb(units, n) * found**n * (1 - found) ** (units - n) for n in range(seen + 1))
    assert so_few == pytest.approx(doubt)


def change_in_time(before, after):
    found = effects_of(before, after, [QUEUE], by_day=True)[0].difference
    assert found is not None
    return found


def test_a_share_that_no_day_of_a_history_changes_may_still_change_on_a_rarer_day():
    none = change_in_time(days([90] * 28, moves=0), days([90] * 28, moves=10))
    assert (none.value, none.high) == (0, pytest.approx(0.1393 * 10 / 100, abs=1e-4))
    assert none.low == -none.high
    one_day = change_in_time(days([90] * 28, moves=0), days([70, *[90] * 27], moves=10))
    assert one_day.low == pytest.approx(-0.2011 * 10 / 100, abs=1e-4)
    assert one_day.low < one_day.value < 0 < one_day.high


def test_a_queue_that_nothing_was_moved_into_or_out_of_has_no_effect_for_certain():
    none = change_in_time(days([90] * 28, moves=0), days([90] * 28, moves=0))
    assert (none.low, none.high) == (0, 0)


def test_times_have_no_interval_if_the_units_are_the_days_of_a_history():
    days = {unit: {QUEUE: tally(90 + unit % 3, waited_s=unit)} for unit in range(30)}
    other = {unit: {QUEUE: tally(90 + unit % 2, waited_s=2.0 * unit)} for unit in range(30)}

    def bounded(*, by_day):
        effects = effects_of(days, other, [QUEUE], by_day=by_day)
        return {one.measure.name for one in effects if one.difference and one.difference.bounded}

    assert bounded(by_day=False) - bounded(by_day=True) == {"late_by", "wait"}


def test_too_few_units_have_no_interval():
    verdict, effects = judged([90, 91, 90], [95, 95, 96])
    assert verdict.why == 'in "Queue" 3 days or replications are too few for an interval'
    assert not effects[0].difference.bounded
    assert {one.measure.name for one in judged([90] * 19, [91] * 19)[1] if one.difference.bounded} == {
        "in_time", "moves", "returns", "expired"
    }  # fmt: skip


def test_a_clear_loss_is_harm():
    verdict, _ = judged([95, 96, 95, 94, 95], [90, 91, 90, 90, 90])
    assert verdict.finding is HarmFinding.HARM
    assert verdict.why == 'in "Queue" 4.8 points fewer contacts are answered in time'
    assert verdict.queues == {QUEUE}


def test_a_gain_and_a_small_loss_are_no_harm():
    assert judged([90, 91, 90, 90], [99, 99, 98, 99])[0].finding is HarmFinding.NO_HARM
    assert judged([90, 91, 90, 90], [90, 91, 90, 90], harm=0.0)[0].finding is HarmFinding.NO_HARM


def test_a_loss_that_may_be_chance_is_undecided():
    verdict, _ = judged([90, 99, 80, 92], [85, 99, 83, 92])
    assert verdict.finding is HarmFinding.UNDECIDED


def test_a_wide_interval_is_undecided_if_precision_is_demanded():
    before, after = [90, 80, 70, 80], [96, 85, 77, 86]
    assert judged(before, after)[0].finding is HarmFinding.NO_HARM
    assert judged(before, after, precision=0.01)[0].finding is HarmFinding.UNDECIDED


def test_an_effect_below_the_error_of_the_simulation_is_not_stated():
    verdict, effects = judged([90, 91, 90, 91], [92, 93, 92, 93], error=0.05)
    assert not effects[0].stated
    assert verdict.finding is HarmFinding.UNDECIDED
    assert judged([90, 91, 90, 91], [98, 99, 98, 99], error=0.05)[1][0].stated


def test_without_a_promise_nothing_is_decided():
    a = {0: {QUEUE: QueueTally(waits=5, waited_s=10.0)}}
    verdict = verdict_of(effects_of(a, a, [QUEUE]), harm=0.01, precision=None, names=str)
    assert verdict.finding is HarmFinding.UNDECIDED


def test_a_quantile_is_right_to_one_percent():
    random = Random(1)
    waits = sorted(random.expovariate(1 / 300) for _ in range(5000))
    found = QueueTally(waits=5000)
    found.classes.update(map(class_of, waits))
    for share in (0.5, 0.95, 0.99):
        assert found.quantile(share) == pytest.approx(waits[int(share * 5000)], rel=0.02)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 60.0, 86_400.0])
def test_each_wait_is_in_its_class(seconds):
    low, high = bounds_of(class_of(seconds))
    assert low <= seconds + 1e-9
    assert seconds < high


def test_tallies_can_be_taken_apart():
    one, other = QueueTally(waits=2, late_s=5.0), QueueTally(waits=1, late_s=1.5)
    one.classes.update([3, 4])
    other.classes.update([4])
    assert one.plus(other).plus(other, -1) == one


def test_random_numbers_depend_on_seed_contact_and_purpose_only():
    streams = RandomStreams("1")
    first = streams.uniform("contact", "handling")
    streams.uniform("another", "handling")
    assert streams.uniform("contact", "handling") == first
    assert len({first, streams.uniform("contact", "patience"), RandomStreams("2").uniform("contact", "handling")}) == 3


def test_random_numbers_are_spread_evenly():
    values = sorted(RandomStreams("1").uniform(str(n), "x") for n in range(10_000))
    assert max(abs(one - n / 10_000) for n, one in enumerate(values)) < 0.02  # Kolmogorov: 1.63 / 100 in one of 100


@pytest.mark.parametrize("spread", [Exponential(300.0), LogNormal(300.0, 500.0), Between(100.0, 500.0)])
def test_the_mean_of_a_spread_is_as_given(spread):
    values = [spread.at((n + 0.5) / 200_000) for n in range(200_000)]
    assert sum(values) / len(values) == pytest.approx(300, rel=0.01)


def test_an_observed_time_is_found_again_by_its_quantile():
    observed = Observed([10.0, 20.0, 20.0, 40.0])
    assert [observed.at(observed.share_of(one)) for one in observed.times] == [10.0, 20.0, 20.0, 40.0]


def test_the_measure_of_the_verdict_is_the_share_in_time():
    assert IN_TIME.of(tally(75)) == 0.75
    assert IN_TIME.of(QueueTally()) is None
