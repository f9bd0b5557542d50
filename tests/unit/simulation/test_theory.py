"""Compares the engine with exact results of queueing theory and with published figures.

Each figure must be within the 99.9 % interval of the simulation, and that interval must be narrow enough to notice an
error. ``make simulation`` runs the same with ten times as many contacts.
"""

import os
from math import exp, factorial, sqrt

import pytest

from router.simulation.randomness import Exponential, Fixed, LogNormal
from tests.unit.simulation.models import answered, centre, interval, poisson, priority_of, steady, waits_of

TIMES = int(os.environ.get("SIMULATION_TIMES", "1"))
MINUTE = 60.0


def erlang_c(load: float, agents: int) -> float:
    """Returns the probability that a contact has to wait."""
    top = load**agents / factorial(agents) * agents / (agents - load)
    return top / (sum(load**n / factorial(n) for n in range(agents)) + top)


def erlang_a(rate: float, handling: float, patience: float, agents: int) -> tuple[float, float, float]:
    """Returns the probability of a wait, that of ending unanswered, and the mean wait of all, by birth and death."""
    weights, n = [1.0], 0
    while n < agents or weights[-1] > 1e-14 * max(weights):
        n += 1
        weights.append(weights[-1] * rate / (min(n, agents) / handling + max(n - agents, 0) / patience))
    total = sum(weights)
    waiting = sum(max(n - agents, 0) * one for n, one in enumerate(weights)) / total
    return sum(weights[agents:]) / total, waiting / patience / rate, waiting / rate


def holds(found: tuple[float, float], exact: float, *, within: float) -> None:
    """Requires the exact value inside the interval, and the interval to be narrow.

    ``within`` is the share of the value in the long form. In the short form the interval may be wider, as the root of
    the number of contacts.
    """
    mean, half = found
    assert abs(mean - exact) <= half, f"{mean} ± {half} does not contain {exact}"
    assert half <= within * exact * sqrt(10 / TIMES), f"± {half} is too wide to compare with {exact}"


def test_the_formula_of_erlang_c_has_the_published_values():
    assert erlang_c(10, 14) == pytest.approx(0.174, abs=5e-4)
    assert erlang_c(10, 15) == pytest.approx(0.102, abs=5e-4)
    assert erlang_c(9, 10) == pytest.approx(0.668732, abs=1e-6)
    assert erlang_c(90, 100) == pytest.approx(0.2169, abs=5e-5)


def test_the_formula_of_erlang_a_has_the_published_values():
    waits, leaves, mean = erlang_a(100 / 30, 3, 5, 14)
    assert waits == pytest.approx(0.14526, abs=5e-6)
    assert leaves == pytest.approx(0.013984, abs=5e-7)
    assert mean == pytest.approx(0.069919, abs=5e-7)


@pytest.mark.parametrize(
    ("rate", "handling", "agents", "mean", "within"),
    [
        pytest.param(3.5 / MINUTE, 3 * MINUTE, 13, 26.56, 0.15, id="Callcenter-Simulator"),
        pytest.param(100 / 30 / MINUTE, 3 * MINUTE, 14, 0.174 * 180 / 4, 0.17, id="pyworkforce, 14 agents"),
        pytest.param(4.2 / MINUTE, 2 * MINUTE, 12, 0.1022 * MINUTE, 0.17, id="ContactCenters"),
        pytest.param(9.0, 1.0, 10, 0.668732, 0.25, id="M/M/10"),
    ],
)
def test_the_mean_wait_is_that_of_erlang_c(rate, handling, agents, mean, within):
    waits = waits_of(poisson(rate, 25_000 * TIMES), centre(agents, Exponential(handling)))
    assert erlang_c(rate * handling, agents) * handling / (agents - rate * handling) == pytest.approx(mean, rel=3e-3)
    holds(steady(waits, lambda one: one.waited), mean, within=within)


def test_the_service_level_is_that_of_erlang_c():
    waits = waits_of(poisson(4.2 / MINUTE, 20_000 * TIMES), centre(12, Exponential(2 * MINUTE)))
    holds(steady(waits, lambda one: one.waited <= 20), 0.8991, within=0.02)
    waits = waits_of(poisson(100 / 30 / MINUTE, 20_000 * TIMES, seed=2), centre(15, Exponential(3 * MINUTE)))
    holds(steady(waits, lambda one: one.waited <= 20), 0.941, within=0.02)


def test_many_agents_wait_as_halfin_and_whitt_computed():
    waits = waits_of(poisson(90.0, 25_000 * TIMES), centre(100, Exponential(1.0)))
    holds(steady(waits, lambda one: one.waited > 0), 0.2169, within=0.25)


def test_contacts_with_patience_wait_and_leave_as_erlang_a_says():
    arrivals = poisson(100 / 30 / MINUTE, 25_000 * TIMES, patience=5 * MINUTE)
    waits = waits_of(arrivals, centre(14, Exponential(3 * MINUTE)))
    holds(steady(waits, lambda one: one.waited > 0), 0.14526, within=0.12)
    holds(steady(waits, lambda one: not answered(one)), 0.013984, within=0.15)
    holds(steady(waits, lambda one: one.waited), 0.069919 * MINUTE, within=0.15)


def test_the_published_mean_wait_of_erlang_a_is_met():
    arrivals = poisson(3.5 / MINUTE, 25_000 * TIMES, patience=5 * MINUTE)
    waits = waits_of(arrivals, centre(13, Exponential(3 * MINUTE)))
    assert erlang_a(3.5, 3, 5, 13)[2] * MINUTE == pytest.approx(9.91, abs=0.005)
    holds(steady(waits, lambda one: one.waited), 9.91, within=0.15)


@pytest.mark.parametrize(
    ("handling", "second_moment"),
    [
        pytest.param(Fixed(1.0), 1.0, id="M/D/1"),
        pytest.param(Exponential(1.0), 2.0, id="M/M/1"),
        pytest.param(LogNormal(1.0, 1.5), 1 + 1.5**2, id="M/G/1, lognormal"),
    ],
)
def test_one_agent_waits_as_pollaczek_and_khinchine_computed(handling, second_moment):
    waits = waits_of(poisson(0.7, 25_000 * TIMES), centre(1, handling))
    holds(steady(waits, lambda one: one.waited), 0.7 * second_moment / 2 / (1 - 0.7), within=0.15)


def test_priorities_wait_as_cobham_computed():
    waits = waits_of(poisson(0.8, 40_000 * TIMES, priorities=(1, 9)), centre(1, Exponential(1.0)))
    first, last = ([one for one in waits if priority_of(one) == priority] for priority in (1, 9))
    holds(steady(first, lambda one: one.waited), 0.8 / (1 - 0.4), within=0.06)
    holds(steady(last, lambda one: one.waited), 0.8 / (1 - 0.4) / (1 - 0.8), within=0.17)


def test_one_agent_with_three_slots_waits_as_three_agents():
    waits = waits_of(poisson(2.4, 25_000 * TIMES), centre(1, Exponential(1.0), slots=3))
    holds(steady(waits, lambda one: one.waited), erlang_c(2.4, 3) / (3 - 2.4), within=0.15)


def test_an_exponential_wait_has_its_exact_quantile():
    waits = waits_of(poisson(0.7, 40_000 * TIMES), centre(1, Exponential(1.0)))
    holds(steady(waits, lambda one: one.waited > 5), 0.7 * exp(-0.3 * 5), within=0.12)


def test_the_interval_of_a_mean_is_known():
    mean, half = interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert half == pytest.approx(31.599 * (1 / 3) ** 0.5, rel=1e-3)
