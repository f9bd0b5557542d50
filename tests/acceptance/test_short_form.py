"""Runs the short form of ``make acceptance-worlds``: each value of each switch once, and some random worlds."""

import pytest

from tests.acceptance import worlds

SHORT = [*worlds.each_value(), *worlds.random_worlds(4, seed=20)]


@pytest.mark.parametrize("world", SHORT, ids=range(len(SHORT)))
def test_the_profile_equals_the_switches_and_knows_what_it_cannot_know(world):
    run, left = worlds.explore(world)
    assert list(worlds.differences(world, run)) == []
    assert left == []


def test_every_value_of_every_switch_is_in_the_short_form():
    for name, values in worlds.AXES.items():
        assert {world[name] for world in SHORT} == set(values)


def test_a_wrong_value_a_guess_and_a_missing_value_are_differences():
    [world, *_] = worlds.each_value()
    run, _ = worlds.explore(world)
    other = world | {"transfer": "same_contact", "error_bodies": "empty"}
    lines = list(worlds.differences(other, run))
    assert "answer_id: guessed new" in lines
    assert "error_bodies: json instead of empty" in lines
    run.results = [
        type(result)(name=result.name, question="", unsettled="not today") if result.name == "resume" else result
        for result in run.results
    ]
    assert list(worlds.differences(world, run)) == ["resume: unsettled, because not today"]
