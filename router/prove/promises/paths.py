"""Follows a contact through the moves that rules may make of it, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import z3

from router.decide.snapshot import CHAIN_TRANSFERS
from router.prove.promises.answer import possible
from router.prove.promises.governance import Made, Stand, target_of
from router.prove.promises.logic import Time, micros
from router.prove.promises.prover import PromiseProver
from router.prove.promises.scene import LONGEST, Scene
from router.prove.promises.verdict import Unsure
from router.rules.promise import Assumption, StatedPromise
from router.rules.rule import DestinationEntry, Rule, Step

MOST_PATHS = 20_000
MOST_CHAINS = 2_000
Link = tuple[Rule, Step, DestinationEntry]
"""One move: the rule and the step that make it, and the destination."""
Chain = tuple[Link, ...]
Goal = Callable[[str, Chain], bool]
"""Returns whether a path that has come to a queue by these moves may still lead to what is searched."""


@dataclass(frozen=True)
class Path:
    """Holds where a contact began, the moves that were made of it, and the instants of these in the scene."""

    scene: Scene
    made: tuple[Made, ...] = ()
    instants: tuple[int, ...] = ()

    def entered(self, number: int) -> Time:
        """Returns when the contact entered its queue after so many moves."""
        return 0 if number == 0 else self.made[number - 1].now

    def stand(self, instant: int) -> Stand:
        return self.stands[-1](instant)

    @property
    def stands(self) -> list[Callable[[int], Stand]]:
        """Returns, for each number of moves, where the contact is then, by the instant."""
        return [self._after(number) for number in range(len(self.made) + 1)]

    def _after(self, number: int) -> Callable[[int], Stand]:
        queue = self.made[number - 1].target if number else self.scene.queue

        def stand(instant: int) -> Stand:
            return Stand(
                scene=self.scene,
                instant=instant,
                queue=queue,
                entered=self.entered(number),
                made=self.made[:number],
            )

        return stand


@dataclass
class Paths:
    """Finds the paths of the contacts that a promise is about."""

    prover: PromiseProver
    promise: StatedPromise
    assume: frozenset[Assumption]
    looked_at: int = field(default=0)

    def from_queue(self, queue: str, *, longest: int, goal: Goal | None = None) -> Iterator[tuple[Path, Scene]]:
        """Yields each path that some contact can take, the paths without a goal left out. Raises ``Unsure``."""
        waiting: list[Chain] = [()]
        for chain in waiting:
            self.looked_at += 1
            if self.looked_at > MOST_PATHS:
                raise Unsure(f"more than {MOST_PATHS} paths of moves would have to be looked at")
            built = self.build(queue, chain)
            if built is None:
                continue
            yield built, built.scene
            if len(chain) < longest:
                waiting += self._onward(queue, chain, goal)

    def could_lead(self, queue: str, *, longest: int, goal: Goal, wanted: Callable[[Chain], bool]) -> bool:
        """Returns whether moves could follow each other as wanted, whatever the conditions and times of the rules are.
        Returns true as well if there are too many to look at."""
        waiting: list[Chain] = [()]
        for chain in waiting:
            if (chain and wanted(chain)) or len(waiting) > MOST_CHAINS:
                return True
            if len(chain) < longest:
                waiting += self._onward(queue, chain, goal)
        return False

    def _onward(self, queue: str, chain: Chain, goal: Goal | None) -> list[Chain]:
        here = target_of(chain[-1][2]) if chain else queue
        longer = ((*chain, link) for link in self._links(here, chain))
        return [one for one in longer if goal is None or goal(target_of(one[-1][2]), one)]

    def _links(self, here: str, chain: Chain) -> Iterator[Link]:
        moved = [rule for rule, _, _ in chain]
        with_agent = bool(chain) and chain[-1][2].queue is None
        rules = moved[-1:] if with_agent else dict.fromkeys((*self.prover.book.of_queue(here), *moved))
        for rule in rules:
            done = max((step.at for other, step, _ in chain if other is rule), default=timedelta(-1))
            for step in rule.to_steps:
                if step.at > done:
                    yield from ((rule, step, entry) for entry in step.entries if target_of(entry) != here)

    def build(self, queue: str, chain: Chain) -> Path | None:
        """Returns the path in a scene of its own; ``None`` if no contact can take it."""
        places = [queue, *(target_of(entry) for _, _, entry in chain)]
        rules = {rule.name: rule for place in places for rule in self.prover.book.of_queue(place)}
        rules.update({rule.name: rule for rule, _, _ in chain})
        scene = self.prover.scene(queue, rules.values(), self.assume, self.promise)
        path = Path(scene)
        for link in chain:
            moved = self._moved(path, link)
            if moved is None:
                return None
            path = moved
        return path if not chain or possible(scene) else None

    def _moved(self, path: Path, link: Link) -> Path | None:
        rule, step, entry = link
        scene, number = path.scene, len(path.made)
        limits, guard = self.prover.limits, rule.guard
        own = limits.max_transfers if guard.max_transfers is None else guard.max_transfers
        if number >= min(limits.max_transfers, own):
            return None
        now = z3.FreshInt("move")
        pause = limits.cooldown if guard.cooldown is None else guard.cooldown
        scene.solver.add(now <= LONGEST, now >= (path.entered(number) + micros(pause) if number else 0))
        instant = scene.moment(now)
        stand = path.stand(instant)
        formulas = self.prover.formulas(self.assume)
        claims = (
            formulas.moves(rule, step, entry, stand),
            scene.transfers_below(CHAIN_TRANSFERS - limits.reserve_transfers - number),
        )
        if any(one is False for one in claims):
            return None
        scene.solver.add(*(one for one in claims if one is not True))
        made = Made(rule, step, entry, stand.queue, target_of(entry), stand.entered, now)
        return Path(scene, (*path.made, made), (*path.instants, instant))


@dataclass(frozen=True)
class Reach:
    """Finds from which queues the rules may lead to others, whatever their conditions are."""

    leads: dict[str, frozenset[str]]

    @classmethod
    def of(cls, prover: PromiseProver) -> Reach:
        found: dict[str, set[str]] = {}
        for queue in prover.queues:
            for rule in prover.book.of_queue(queue):
                targets = {target_of(entry) for step in rule.to_steps for entry in step.entries}
                for source in (queue, *targets):
                    found.setdefault(source, set()).update(targets - {source})
        return cls({queue: frozenset(targets) for queue, targets in found.items()})

    def distances(self, targets: frozenset[str]) -> dict[str, int]:
        """Returns the least number of moves from each queue to one of the targets."""
        found = dict.fromkeys(targets, 0)
        back: dict[str, set[str]] = {}
        for source, some in self.leads.items():
            for target in some:
                back.setdefault(target, set()).add(source)
        waiting = list(targets)
        for place in waiting:
            for source in back.get(place, ()):
                if source not in found:
                    found[source] = found[place] + 1
                    waiting.append(source)
        return found
