"""Compares the search for circles with brute force, in both directions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.prove.lint import lint
from router.rules.rule import RuleSet
from tests.builders.effort import scaled
from tests.builders.roundabouts import comes_round, returning, roundabout, ways_of

BLOCKS, SIZE = 8, scaled(260)
"""2,080 rule sets, in blocks that run side by side."""


def circles(rules: RuleSet) -> set[str]:
    """Returns the severity of each circle that is reported."""
    found = lint(rules, poll_every=timedelta(seconds=1), max_transfers=99)
    return {problem.severity for problem in found if problem.message.startswith("circle")}


@pytest.mark.parametrize("block", range(BLOCKS))
def test_what_is_free_of_circles_never_moves_a_contact_twice_into_one_queue(block):
    """Uses ``revisit`` at every destination and no guards, so that nothing but the rules stops a contact."""
    free = moves = 0
    for seed in range(block * SIZE, (block + 1) * SIZE):
        rules = roundabout(seed)
        if circles(rules):
            continue
        free += 1
        allowed = replace(rules, rules=tuple(map(returning, rules.rules)))
        ways = list(ways_of(allowed, seed))
        moves += sum(len(way) - 1 for way in ways)
        assert not [way for way in ways if comes_round(way)], seed
    assert free > SIZE / 3 - 3  # chance leaves a small sample a few short
    assert moves > free


def test_circles_that_are_errors_are_gone_round():
    """Finds nearly all within a few random runs; some would need another order of random choices.

    Rules with too many circles to list are left out, because no circle is reported for them.
    """
    refused = [seed for seed in range(scaled(500)) if "error" in circles(roundabout(seed))]
    shown = [seed for seed in refused if gone_round(seed)]
    assert len(refused) >= scaled(500) / 10 - 3  # chance leaves a small sample a few short
    assert len(shown) >= 0.95 * len(refused)


def gone_round(seed: int) -> bool:
    rules = roundabout(seed)
    return any(comes_round(way) for run in range(8) for way in ways_of(rules, seed + run))


def test_what_is_told_as_a_warning_is_often_gone_round_where_contacts_may_come_back():
    warned = [seed for seed in range(scaled(300)) if circles(roundabout(seed)) == {"warning"}]
    shown = [seed for seed in warned if warned_and_gone_round(seed)]
    assert len(warned) >= scaled(300) / 7.5 - 3
    assert len(shown) >= 0.3 * len(warned)


def warned_and_gone_round(seed: int) -> bool:
    rules = roundabout(seed)
    allowed = replace(rules, rules=tuple(map(returning, rules.rules)))
    return any(comes_round(way) for run in range(3) for way in ways_of(allowed, seed + run))
