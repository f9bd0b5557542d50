"""Proves that contacts are acted on in time, or finds a contact that nothing acts on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import z3

from router.decide.decide import Account
from router.decide.decision import Hold, RoutingUpdate, Transfer, Warn
from router.durations import format_duration
from router.problems import Place
from router.prove.promises.answer import Answer, answer, possible, world_of
from router.prove.promises.example_text import UNLIKE, example_of, runs
from router.prove.promises.governance import Stand
from router.prove.promises.logic import Formula, Time, all_of, any_of, at_least, micros, negation
from router.prove.promises.opening_times import changes_of
from router.prove.promises.paths import Path, Paths
from router.prove.promises.prover import PromiseProver
from router.prove.promises.replay import Replay, enforced
from router.prove.promises.scene import Scene
from router.prove.promises.verdict import Counterexample, Unsure
from router.rules.condition import tests_of
from router.rules.promise import Act, Assumption, StatedPromise, Within
from router.rules.rule import Rule
from router.rules.value_test import RangeForm

MOST_CAUSES = 5
KINDS = {Act.MOVE: Transfer, Act.WARN: Warn, Act.ROUTING: RoutingUpdate}
EVERY = frozenset(Assumption)
WHY = {
    Assumption.DESTINATION: "no destination may be eligible",
    Assumption.AGENTS: "no agent may be free",
    Assumption.NO_GUARD: "a guard may hold it",
    Assumption.OPEN: "hours may be closed",
}


@dataclass(frozen=True)
class DeadlineProof:
    """Proves one promise with a time."""

    prover: PromiseProver
    promise: StatedPromise
    claim: Within

    def causes(self) -> Iterator[Counterexample]:
        """Yields each cause once; none if the promise is proved. Raises ``Unsure``."""
        found: set[object] = set()
        for queue in self.prover.queues_of(self.promise):
            for cause in self._in_queue(queue):
                key = cause.place or (queue, cause.cause)
                if key not in found:
                    found.add(key)
                    yield cause
                if len(found) >= MOST_CAUSES:
                    return

    def _in_queue(self, queue: str) -> Iterator[Counterexample]:
        if not self._breakable(queue, self.promise.assume):
            return
        levels = [EVERY, *(EVERY - {one} for one in Assumption if one not in self.promise.assume), self.promise.assume]
        shown = False
        for assume in dict.fromkeys(levels):
            if shown and assume == self.promise.assume:
                return
            found = self._find(queue, assume)
            if found is not None:
                shown = True
                yield self._shown(queue, assume, *found)
                if assume == EVERY:
                    return

    def _breakable(self, queue: str, assume: frozenset[Assumption]) -> bool:
        return any(self._states(path, scene, assume) for path, scene in self._scenes(queue, assume))

    def _find(self, queue: str, assume: frozenset[Assumption]) -> tuple[Answer, Scene] | None:
        for path, scene in self._scenes(queue, assume):
            if self._states(path, scene, assume):
                return answer(scene, [made.now for made in path.made]), scene
        return None

    def _scenes(self, queue: str, assume: frozenset[Assumption]) -> Iterator[tuple[Path, Scene]]:
        """Yields the ways that a contact may have taken without an act of the promised kinds."""
        paths = Paths(self.prover, self.promise, assume)
        yield from paths.from_queue(
            queue, longest=0 if Act.MOVE in self.claim.acts else self.prover.limits.max_transfers
        )

    def _states(self, path: Path, scene: Scene, assume: frozenset[Assumption]) -> bool:
        """Adds that nothing acts up to the deadline, and returns whether that is possible."""
        limit = micros(self.claim.limit)
        deadline: Time = limit - scene.age if self.claim.of_age else limit
        instant = scene.moment(deadline)
        stand = path.stand(instant)
        scene.solver.add(z3.BoolVal(True))
        claims = [at_least(deadline, stand.entered), at_least(deadline, 0)]
        claims.append(scene.holds(self.promise.condition, scene.first_view(instant), instant))
        claims += self.prover.formulas(assume).nothing_acts(stand, self.claim.acts)
        if any(one is False for one in claims):
            return False
        scene.solver.add(*(one for one in claims if one is not True))
        if not possible(scene):
            return False
        earlier = list(self._earlier(path, scene, deadline, assume))
        if any(one is False for one in earlier):
            return False
        scene.solver.add(*(one for one in earlier if one is not True))
        return possible(scene)

    def _earlier(self, path: Path, scene: Scene, deadline: Time, assume: frozenset[Assumption]) -> Iterator[Formula]:
        """Yields that nothing acts at the earlier instants at which a condition or a step changes, or at a move."""
        formulas = self.prover.formulas(assume)
        changes = list(scene.given.changes())
        for number, stand_at in enumerate(path.stands):
            entered = path.entered(number)
            if number < len(path.made):
                yield from formulas.nothing_acts(stand_at(path.instants[number]), self.claim.acts)
            left = path.entered(number + 1) if number < len(path.stands) - 1 else deadline
            for time in self._instants(stand_at(scene.moment(0)), entered, scene, changes):
                if isinstance(time, int) and isinstance(left, int) and time >= left:
                    continue
                during = all_of((at_least(time, entered), negation(at_least(time, left))))
                if during is False:
                    continue
                stand = stand_at(scene.moment(time))
                for one in formulas.nothing_acts(stand, self.claim.acts):
                    yield any_of((negation(during), one))

    def _instants(self, stand: Stand, entered: Time, scene: Scene, changes: list[Time]) -> list[Time]:
        rules = self.prover.book.at(stand)
        waited: set[int] = {0}
        aged: set[int] = set()
        found = [*changes]
        for rule in rules:
            times = {micros(step.at) for step in rule.steps}
            if rule.sla.hours is not None and rule.sla.hours in scene.given:
                chain = rule.sla.clock == "chain"
                begin = -scene.age if chain else entered
                found += [scene.given.due(rule.sla.hours, begin, time, earlier=chain) for time in sorted(times)]
            (aged if rule.sla.clock == "chain" else waited).update(times)
            for key, form in ((test.key, test.form) for test in tests_of(rule.condition)):
                if isinstance(form, RangeForm) and key in ("waited", "age"):
                    (aged if key == "age" else waited).update(_edges(form))
        return [*found, *(entered + one for one in sorted(waited)), *(one - scene.age for one in sorted(aged))]

    # Counterexamples

    def _shown(self, queue: str, assume: frozenset[Assumption], found: Answer, scene: Scene) -> Counterexample:
        """Returns the contact as a cause, after the code that decides in service has found nothing to do either."""
        rules = self.prover.book.of_queue(queue)
        entries = [entry for rule in scene.rules for step in rule.steps for entry in step.entries]
        wanted = [(entry, Assumption.DESTINATION in assume) for entry in entries if entry.queue is not None]
        wanted += [(entry, Assumption.AGENTS in assume) for entry in entries if entry.queue is None]
        agents, guarded = Assumption.AGENTS in assume, Assumption.NO_GUARD not in assume
        world = world_of(found, wanted, agents=agents, guarded=guarded)
        deadline = found.contact.waited or self._deadline(found)
        replay = Replay(
            self.prover.stage,
            found.contact,
            found.began_at or self.prover.now,
            found.age,
            frozenset(world.agents),
            self.promise.hours,
        )
        looks = sorted({*self._looks(rules, found, deadline), deadline})
        account = None
        for at in looks:
            account = replay.look(at, world)
            acted = [one for one in enforced(account) if isinstance(one, tuple(KINDS[act] for act in self.claim.acts))]
            if acted:
                one = acted[0]
                raise Unsure(
                    f'the solver found a contact in {queue}, but "{one.rule}" acts on it after {format_duration(at)}'
                )
        assert account is not None, "the deadline is an instant"
        cause, place = self._cause(account, assume)
        contact = replace(found.contact, waited=deadline, age=found.age + deadline if found.age else None)
        now = found.began_at + deadline if found.began_at is not None else None
        example, text = example_of(f"breaks {self.promise.name}", replay, contact, account, world, now)
        if (replay.actions and any(one.moved for one in replay.actions)) or not runs(
            self.prover.ruleset, example, replay
        ):
            text = f"{UNLIKE}\n{text}"
        return Counterexample(cause=cause, place=place, instant=f"after {format_duration(deadline)}", example=text)

    def _deadline(self, found: Answer) -> timedelta:
        return self.claim.limit - found.age if self.claim.of_age else self.claim.limit

    def _looks(self, rules: tuple[Rule, ...], found: Answer, deadline: timedelta) -> Iterator[timedelta]:
        times, began = [timedelta(), *found.times], found.began_at or self.prover.now
        for rule in rules:
            start = found.age if rule.sla.clock == "chain" else timedelta()
            calendar = self.promise.hours.get(rule.sla.hours or "")
            times += [step.at - start for step in rule.steps]
            if calendar is not None:
                times += [calendar.after(began - start, step.at) - began for step in rule.steps]
        for calendar in self.promise.hours.values():
            times += [at - began for at in changes_of(calendar, began, began + deadline)]
        yield from (one for one in times if timedelta() <= one <= deadline)

    def _cause(self, account: Account, assume: frozenset[Assumption]) -> tuple[str, Place | None]:
        """Returns why no rule acts, with the place of the rule or the step."""
        weakened = [WHY[one] for one in Assumption if one not in assume]
        if found := [one for one in enforced(account) if isinstance(one, Hold)]:
            hold = found[0]
            rule = next((one for one in self.prover.book.rules if one.name == hold.rule), None)
            step = next((one for one in rule.steps if one.number == hold.step), None) if rule else None
            place = step.place if step is not None else rule.place if rule is not None else None
            why = f" ({weakened[0]})" if len(weakened) == 1 else ""
            step_text = f" at step {hold.step}" if hold.step is not None else ""
            return f"rule '{hold.rule}' holds it{step_text}: {hold.reason}{why}", place
        governing = account.governance.governing if account.governance is not None else None
        if governing is not None:
            next_at = governing.due.next_at if governing.due is not None else None
            when = "no later step of it acts"
            if next_at is not None and governing.elapsed is not None:
                left = format_duration(next_at - governing.elapsed)
                when = f"its next step is due in {left}{' (open time)' if governing.calendar is not None else ''}"
            return f"rule '{governing.rule.name}' governs it, and {when}", governing.rule.rule.place
        return f"no rule acts on contacts of {account.contact.queue_id}", None


def _edges(form: RangeForm) -> Iterator[int]:
    if isinstance(form.min, timedelta):
        yield micros(form.min)
    if isinstance(form.max, timedelta):
        yield from (micros(form.max), micros(form.max) + 1)
