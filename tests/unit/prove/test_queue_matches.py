"""Tests the indexes of the proofs against a test of every rule, and against every path."""

from __future__ import annotations

from random import Random

import pytest

from router.prove.lint_queues import QueueMatches, RuleQueues, may_match
from router.prove.paths import moves_of, part_of_paths, paths
from router.rules.load import parse_rules
from tests.builders.roundabouts import roundabout

IDS = [f"00000000-0000-0000-0000-00000000000{n}" for n in range(3)]
NAMES = ["Billing", "Billing Overflow", "Refunds"]
CONDITIONS = [
    'queue = "{queue}"',
    'queue = ["{queue}", "{other}"]',
    'queue = "Billing*"',
    'queue = {{ not = "{queue}" }}',
    'channel = "TASK"',
    'any = [{{ queue = "{queue}" }}, {{ tags.team = "a" }}]',
    'queue = "{queue}", none = [{{ queue = "{other}" }}]',
]


def test_the_index_of_queues_finds_the_rules_that_a_test_of_each_rule_finds():
    random = Random(1)
    named = 0
    for _ in range(40):
        known = random.sample([*NAMES, *IDS], 3)
        matches = [
            random.choice(CONDITIONS).format(queue=random.choice(known), other=random.choice(known)) for _ in range(6)
        ]
        text = "".join(f'[[rule]]\nname = "r{n}"\nmatch = {{ {match} }}\n' for n, match in enumerate(matches))
        rules = parse_rules([("rules.toml", text.encode())]).rules
        index = QueueMatches(rules)
        for queue in (*NAMES, *IDS, "Elsewhere"):
            brute = [place for place, rule in enumerate(rules) if may_match(rule.condition, queue)]
            assert index.positions(queue) == brute, (matches, queue)
            named += 0 < len(brute) < len(rules)
    assert named > 50


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_no_path_of_the_length_is_lost_with_the_moves_that_are_part_of_none(length):
    fewer = found = 0
    for seed in range(60):
        moves = moves_of(RuleQueues(roundabout(seed).rules))
        left = part_of_paths(moves, length)
        every = [path for path in paths(moves, longest=length) if path is not None and len(path) == length]
        kept = [path for path in paths(left, longest=length) if path is not None and len(path) == length]
        assert kept == every
        found += len(every)
        fewer += sum(map(len, left.values())) < sum(map(len, moves.values()))
    assert found
    assert fewer or length == 1
