"""Proves every promise of a rule set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from router.decide.snapshot import Limits
from router.prove.promises.deadlines import DeadlineProof
from router.prove.promises.difference import Difference
from router.prove.promises.differences import Comparison
from router.prove.promises.moves import MovesProof
from router.prove.promises.prover import PromiseProver
from router.prove.promises.verdict import PromiseVerdict, ProofOutcome, Unsure
from router.rules.promise import Assumption, StatedPromise, Within
from router.rules.rule import RuleSet

NAMED = {
    Assumption.DESTINATION: "the conditions of destinations hold",
    Assumption.AGENTS: "agents are routable and free",
    Assumption.NO_GUARD: "no guard holds a move",
    Assumption.OPEN: "all hours of operation are open",
}


def prove_promises(
    ruleset: RuleSet, *, limits: Limits, now: datetime, tick: Callable[[int, StatedPromise], None] | None = None
) -> Iterator[PromiseVerdict]:
    """Yields the verdict on each promise, in the order of the files. ``tick`` is called again and again meanwhile, with
    the number of the promise."""
    at: list[tuple[int, StatedPromise]] = []
    prover = PromiseProver(ruleset, limits, now, (lambda: tick(*at[-1])) if tick is not None else lambda: None)
    for number, promise in enumerate(ruleset.promises, 1):
        at.append((number, promise))
        yield verdict_on(promise, prover)


def verdict_on(promise: StatedPromise, prover: PromiseProver) -> PromiseVerdict:
    assumed = tuple(text for one, text in NAMED.items() if one in promise.assume)
    if promise.hours:
        assumed = (*assumed, f"{', '.join(promise.hours)} open as the promise gives them")
    causes = []
    try:
        for cause in _proof(promise, prover).causes():
            causes.append(cause)
    except Unsure as unsure:
        if not causes:
            return PromiseVerdict(promise=promise, outcome=ProofOutcome.UNKNOWN, assumed=assumed, reason=str(unsure))
    outcome = ProofOutcome.BROKEN if causes else ProofOutcome.PROVED
    return PromiseVerdict(promise=promise, outcome=outcome, causes=tuple(causes), assumed=assumed)


def _proof(promise: StatedPromise, prover: PromiseProver) -> DeadlineProof | MovesProof:
    if isinstance(promise.claim, Within):
        return DeadlineProof(prover, promise, promise.claim)
    return MovesProof(prover, promise, promise.claim)


def compare(rulesets: Mapping[str, RuleSet], *, limits: Limits, now: datetime) -> Iterator[Difference]:
    """Yields classes of contacts to which one of two rule sets, given by name, does something that the other does not.

    Yields nothing if both do the same to every contact on which no rule has acted. Raises ``Unsure``.
    """
    (first, one), (second, other) = rulesets.items()
    prover = PromiseProver(one, limits, now, more=(other,))
    provers = prover, PromiseProver(other, limits, now, known=prover.queues)
    yield from Comparison((first, second), provers).differences()
