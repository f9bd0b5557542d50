"""Runs the short form of ``make chaos``: some deaths at every named point, in a centre of every kind."""

import pytest

from tests.chaos.crash import POINTS, Crash, Plan
from tests.chaos.world import CONNECTS, trial


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", "set by each trial")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.mark.parametrize("seed", range(len(CONNECTS)))
def test_routers_that_die_at_any_point_move_nothing_twice_lose_nothing_and_take_nothing_from_an_agent(tmp_path, seed):
    toll = trial(tmp_path, seed, kills=3)
    assert toll.wrong == {}
    assert toll.moved


@pytest.mark.parametrize("seed", range(0, len(CONNECTS), 2))
def test_the_same_holds_for_routers_that_know_of_contacts_from_events(tmp_path, seed):
    toll = trial(tmp_path, seed, kills=2, events=True)
    assert toll.wrong == {}
    assert toll.moved


def test_a_plan_dies_where_it_is_told_to_and_everything_with_it():
    plan = Plan("after settle", nth=2)
    settle = plan.around("settle", lambda: "settled")
    assert settle() == "settled"
    with pytest.raises(Crash):
        settle()
    for point in POINTS:
        with pytest.raises(Crash):
            plan.at(point)
