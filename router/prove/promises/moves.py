"""Proves that rules never make a move, or make at most so many, or finds the path of a contact that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from router.decide.decide import Account
from router.decide.decision import Transfer
from router.durations import format_duration
from router.prove.lint_queues import queue_of
from router.prove.promises.answer import Answer, answer, possible, world_of
from router.prove.promises.example_text import UNLIKE, example_of, runs
from router.prove.promises.governance import Made, target_of
from router.prove.promises.logic import Formula, negation
from router.prove.promises.paths import Chain, Path, Paths, Reach
from router.prove.promises.prover import PromiseProver
from router.prove.promises.replay import Replay, Surroundings, enforced
from router.prove.promises.scene import own_hours
from router.prove.promises.verdict import Counterexample, Unsure
from router.rules.example import ExampleContact
from router.rules.promise import Assumption, AtMost, Never, StatedPromise
from router.rules.value_test import QUEUES_OWN

MOST_CAUSES = 5


@dataclass(frozen=True)
class MovesProof:
    """Proves one promise about the moves of a wait."""

    prover: PromiseProver
    promise: StatedPromise
    claim: Never | AtMost

    def causes(self) -> Iterator[Counterexample]:
        """Yields each cause once; none if the promise is proved. Raises ``Unsure``."""
        queues = self.prover.queues_of(self.promise)
        if not self._targets:
            return
        found: set[object] = set()
        for queue in queues:
            for path in self._broken(queue):
                key = path.made[-1].step.place, path.made[-1].target
                if key not in found:
                    found.add(key)
                    yield self._shown(path)
                if len(found) >= MOST_CAUSES:
                    return

    @cached_property
    def _targets(self) -> frozenset[str]:
        """Returns the places to which the last move of a path leads that breaks the promise."""
        entries = [entry for rule in self.prover.book.rules for step in rule.to_steps for entry in step.entries]
        claim = self.claim
        if isinstance(claim, Never):
            return frozenset(queue for entry in entries if (queue := queue_of(entry)) and claim.to((queue,)))
        if self._too_many is not None:
            return frozenset(map(target_of, entries))
        return frozenset(target_of(entry) for entry in entries if entry.revisit)

    @property
    def _too_many(self) -> int | None:
        """Returns the number of moves that breaks the promise; ``None`` if the service's own limit is not above it."""
        most = self.claim.moves if isinstance(self.claim, AtMost) else None
        return most + 1 if most is not None and most < self.prover.limits.max_transfers else None

    def _broken(self, queue: str) -> Iterator[Path]:
        assume = self.promise.assume
        paths = Paths(self.prover, self.promise, assume)
        longest = self.prover.limits.max_transfers
        if not paths.could_lead(queue, longest=longest, goal=self._goal, wanted=lambda one: self._breaks(queue, one)):
            return
        if next(self._ways(queue, assume), None) is None:
            return
        replayed = False
        for level in dict.fromkeys((assume | {Assumption.NO_GUARD}, assume)):
            for path in self._ways(queue, level):
                replayed = True
                yield path
            if replayed:
                return

    def _ways(self, queue: str, assume: frozenset[Assumption]) -> Iterator[Path]:
        longest = self.prover.limits.max_transfers
        for path, scene in Paths(self.prover, self.promise, assume).from_queue(queue, longest=longest, goal=self._goal):
            if path.made and self._breaks(queue, tuple((one.rule, one.step, one.entry) for one in path.made)):
                instant = path.instants[-1]
                view = replace(scene.first_view(instant), waited=scene.instants[instant])
                claims = [scene.holds(self.promise.condition, view, instant), self._while(path)]
                if possible(scene, *claims):
                    scene.solver.add(*(one for one in claims if one is not True))
                    yield path

    @cached_property
    def _distances(self) -> dict[str, int]:
        return Reach.of(self.prover).distances(self._targets)

    def _goal(self, place: str, chain: Chain) -> bool:
        longest = self.prover.limits.max_transfers
        return place in self._targets or self._distances.get(place, longest + 1) <= longest - len(chain)

    def _breaks(self, queue: str, chain: Chain) -> bool:
        """Returns whether the last of these moves is one that the promise forbids."""
        claim, visited = self.claim, [queue, *(target_of(entry) for _, _, entry in chain)]
        if isinstance(claim, Never):
            return chain[-1][2].queue is not None and claim.to((visited[-1],))
        if self._too_many is not None and len(chain) >= self._too_many:
            return True
        return claim.visits is not None and visited.count(visited[-1]) > claim.visits

    def _while(self, path: Path) -> Formula:
        """Returns that the hours are those in which the promise forbids the move."""
        hours = self.claim.hours if isinstance(self.claim, Never) else None
        if hours is None:
            return True
        name = own_hours(path.made[-1].target) if hours.name == QUEUES_OWN else hours.name
        found = path.scene.open(name, path.instants[-1])
        return found if hours.wanted == "open" else negation(found)

    # Counterexamples

    def _shown(self, path: Path) -> Counterexample:
        found = answer(path.scene, [one.now for one in path.made])
        replay = Replay(
            self.prover.stage,
            found.contact,
            found.began_at or self.prover.now,
            found.age,
            frozenset(value for made in path.made if (value := _named(made, found)) is not None),
            self.promise.hours,
        )
        account: Account | None = None
        for made, instant in zip(path.made, path.instants, strict=True):
            world = self._world(made, found)
            account = replay.look(found.times[instant], world)
            if not any(_is_move(one, made) for one in enforced(account)):
                raise Unsure(
                    f"the solver found a contact in {path.scene.queue} that '{made.rule.name}' moves to"
                    f" {shown_place(made.target)}, but the code that decides does not move it"
                )
        assert account is not None, "a path has a move"
        cause = _cause(path)
        contact = self._contact(path, found)
        now = found.began_at + found.times[path.instants[-1]] if found.began_at is not None else None
        example, text = example_of(f"breaks {self.promise.name}", replay, contact, account, world, now)
        if not runs(self.prover.ruleset, example, replay):
            text = f"{UNLIKE}\n{text}"
        instant_text = f"after {format_duration(found.times[path.instants[-1]])}"
        return Counterexample(cause=cause, place=path.made[-1].step.place, instant=instant_text, example=text)

    def _world(self, made: Made, found: Answer) -> Surroundings:
        """Returns a world in which the destination of the move is eligible, and as few others as possible."""
        rules = {made.rule.name: made.rule, **{rule.name: rule for rule in self.prover.book.of_queue(made.source)}}
        near = [entry for rule in rules.values() for step in rule.to_steps for entry in step.entries]
        return world_of(found, [(entry, entry is made.entry) for entry in near], agents=False, guarded=False)

    def _contact(self, path: Path, found: Answer) -> ExampleContact:
        last, times = path.made[-1], found.times
        when = dict(zip(map(id, path.made), (times[one] for one in path.instants), strict=True))
        now = when[id(last)]
        entered = when[id(path.made[-2])] if len(path.made) > 1 else timedelta()
        own = [one for one in path.made[:-1] if one.rule is last.rule]
        began = path.made.index(own[0]) if own else 0
        clock = now - (when[id(path.made[began - 1])] if began else timedelta()) if own else None
        return replace(
            found.contact,
            queue=last.source if last.source in self.prover.queues else found.contact.queue,
            waited=now - entered,
            age=found.age + now if found.age else None,
            visited=tuple(shown_place(one.source) for one in path.made[:-1]),
            transfers=(found.contact.transfers or 0) + len(path.made) - 1 or None,
            progress=own[-1].step.at if own else None,
            clock=clock if last.rule.sla.clock == "queue" else None,
        )


def _cause(path: Path) -> str:
    moves = (
        f"rule '{one.rule.name}' moves it from {shown_place(one.source)} to {shown_place(one.target)}"
        f" at step {one.step.number}"
        for one in path.made
    )
    return ", then ".join(moves)


def _named(made: Made, found: Answer) -> str | None:
    entry = made.entry
    return entry.agent or found.contact.attributes.get(entry.agent_from or "")


def _is_move(decision: object, made: Made) -> bool:
    if not isinstance(decision, Transfer) or (decision.rule, decision.step) != (made.rule.name, made.step.number):
        return False
    return made.entry.queue is None or decision.target.queue_id == made.target


def shown_place(place: str) -> str:
    """Returns a queue, or an agent, for people."""
    return place.removeprefix("\x01")
