"""Runs all proofs over a rule set; a finding is certain, because no instance is needed for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from router.model.ids import bare_id
from router.problems import Problem, did_you_mean
from router.prove.circles import find_circles, find_long_path
from router.prove.forsaken_contacts import forsaken_contacts
from router.prove.idle_destinations import agents_last, idle_destinations, own_destinations
from router.prove.idle_steps import idle_settings, idle_steps
from router.prove.implication import Prover
from router.prove.lint_queues import RuleQueues, warning
from router.prove.look_alikes import look_alikes
from router.prove.paths import moves_of
from router.prove.rule_scopes import RuleScopes
from router.prove.starved_rules import starved_rules
from router.prove.unreachable_rules import never_governing
from router.rules.file.field_types import written
from router.rules.promise import StatedPromise
from router.rules.rule import Mode, RuleSet


def lint(ruleset: RuleSet, *, poll_every: timedelta, max_transfers: int) -> list[Problem]:
    """Returns errors, which keep rules from running, and warnings, sorted by place. Ignores rules that are off.

    ``max_transfers`` is how often the service moves one chain at most.
    """
    queues = RuleQueues(tuple(rule for rule in ruleset.rules if rule.mode is not Mode.OFF))
    return sorted({*ruleset.warnings, *_proofs(queues, ruleset.promises, poll_every, max_transfers)})


def _proofs(
    queues: RuleQueues, promises: Iterable[StatedPromise], poll_every: timedelta, max_transfers: int
) -> Iterator[Problem]:
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
    yield from _misspelled(promises, queues)
    moves = moves_of(queues)
    yield from find_circles(queues, moves)
    yield from find_long_path(moves, max_transfers)


def _misspelled(promises: Iterable[StatedPromise], queues: RuleQueues) -> Iterator[Problem]:
    """Yields a warning for each queue of a promise that no rule names, if one that a rule names is like it.

    A promise about a queue that is in no rule can be meant: it forbids every move there.
    """
    for promise in promises:
        for place, name in promise.named_queues():
            if bare_id(name) not in queues.known and (hint := did_you_mean(name, queues.known)):
                yield warning(place, f"promise {written(promise.name)}: no rule names the queue {written(name)}{hint}")
