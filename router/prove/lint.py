"""Runs all proofs over a rule set; a finding is certain, because no instance is needed for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from router.problems import Problem
from router.prove.circles import find_circles, find_long_path
from router.prove.forsaken_contacts import forsaken_contacts
from router.prove.idle_destinations import agents_last, idle_destinations, own_destinations
from router.prove.idle_steps import idle_settings, idle_steps
from router.prove.implication import Prover
from router.prove.lint_queues import RuleQueues
from router.prove.look_alikes import look_alikes
from router.prove.paths import moves_of
from router.prove.rule_scopes import RuleScopes
from router.prove.starved_rules import starved_rules
from router.prove.unreachable_rules import never_governing
from router.rules.rule import Mode, RuleSet


def lint(ruleset: RuleSet, *, poll_every: timedelta, max_transfers: int) -> list[Problem]:
    """Returns errors, which keep rules from running, and warnings, sorted by place. Ignores rules that are off.

    ``max_transfers`` is how often the service moves one chain at most.
    """
    queues = RuleQueues(tuple(rule for rule in ruleset.rules if rule.mode is not Mode.OFF))
    return sorted({*ruleset.warnings, *_proofs(queues, poll_every, max_transfers)})


def _proofs(queues: RuleQueues, poll_every: timedelta, max_transfers: int) -> Iterator[Problem]:
    prover, scopes = Prover(), RuleScopes(queues.rules)
    yield from never_governing(queues, prover, scopes)
    yield from starved_rules(queues, prover, scopes)
    yield from forsaken_contacts(queues)
    for rule in queues.rules:
        yield from idle_steps(rule, poll_every)
        yield from idle_settings(rule)
        yield from look_alikes(rule)
        yield from idle_destinations(rule, queues)
        yield from own_destinations(rule)
        yield from agents_last(rule)
    moves = moves_of(queues)
    yield from find_circles(queues, moves)
    yield from find_long_path(moves, max_transfers)
