"""Holds what all proofs about one rule set share, and makes scenes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from router.decide.snapshot import Limits
from router.prove.lint_queues import queue_of
from router.prove.promises.governance import ActFormulas, RuleBook
from router.prove.promises.replay import ProofInstance
from router.prove.promises.scene import Scene
from router.prove.promises.text_values import classes_of
from router.rules.condition import tests_of
from router.rules.promise import Assumption, Never, StatedPromise
from router.rules.queue_index import could_match
from router.rules.rule import Rule, RuleSet
from router.rules.value_test import Form, TextForm

SOLVER_MS = 20_000
"""How long one question may take the solver."""


@dataclass
class PromiseProver:
    """Proves promises about one rule set. ``now`` is the instant of examples that need none."""

    ruleset: RuleSet
    limits: Limits
    now: datetime
    tick: Callable[[], None] = lambda: None
    """Called again and again while a proof runs."""
    more: tuple[RuleSet, ...] = ()
    """Other rule sets, whose queues count as well."""
    known: tuple[str, ...] | None = None
    """The queues, if another prover has found them already."""

    @cached_property
    def book(self) -> RuleBook:
        return RuleBook.of(self.ruleset)

    @cached_property
    def queues(self) -> tuple[str, ...]:
        """Returns one queue of each kind that rules and promises distinguish, every destination among them.

        Raises ``Unsure`` if they are given by name and by id.
        """
        if self.known is not None:
            return self.known
        forms: dict[Form, None] = {}
        sets = (self.ruleset, *self.more)
        promises = [one for some in sets for one in some.promises]
        conditions = [rule.condition for some in sets for rule in RuleBook.of(some).rules]
        for condition in (*conditions, *(one.condition for one in promises)):
            forms.update({test.form: None for test in tests_of(condition) if test.key == "queue" and test.form})
        forms.update({one.claim.to: None for one in promises if isinstance(one.claim, Never)})
        entries = (entry for some in sets for rule in some.rules for step in rule.steps for entry in step.entries)
        forms.update({TextForm.of([queue], names=True): None for entry in entries if (queue := queue_of(entry))})
        return tuple(str(one.value) for one in classes_of("queue", frozenset(forms)))

    @cached_property
    def stage(self) -> ProofInstance:
        return ProofInstance(self.ruleset, self.queues, self.limits)

    def queues_of(self, promise: StatedPromise) -> tuple[str, ...]:
        return tuple(queue for queue in self.queues if could_match(promise.condition, (queue,)))

    def scene(
        self,
        queue: str,
        rules: Iterable[Rule],
        assume: frozenset[Assumption] = frozenset(),
        promise: StatedPromise | None = None,
    ) -> Scene:
        """Makes the scene of one queue, for a promise or for the rules alone."""
        self.tick()
        rules = tuple(rules)
        conditions = (*(rule.condition for rule in rules), *(() if promise is None else (promise.condition,)))
        scene = Scene(queue, conditions, assume, promise)
        scene.solver.set("timeout", SOLVER_MS)
        entries = (entry for rule in rules for step in rule.steps for entry in step.entries)
        scene.prepare(rules, {entry.agent_from for entry in entries if entry.agent_from is not None})
        return scene

    def formulas(self, assume: frozenset[Assumption]) -> ActFormulas:
        return ActFormulas(self.book, assume)
