"""Small rule sets in which contacts may go round, and a run of them: the brute force that circles are held against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

from router.decide.snapshot import Limits
from router.model import Channel, ContactId
from router.rules.bind import bind
from router.rules.compile import form_of
from router.rules.condition import AllOf, Condition, Test
from router.rules.rule import DestinationEntry, Mode, OnHold, Pick, Rule, RuleSet, Sla, Step
from tests.builders.contacts import NOW, contact
from tests.builders.instance import DIRECTORY, QUEUES
from tests.builders.simulation import Simulation
from tests.builders.worlds import NAMES, PLACE, one_slot

OFF = Limits(max_transfers=99, reserve_transfers=0, cooldown=timedelta(0), per_cycle=10_000, per_hour=10_000)
"""No limit of ours: what stops a contact then is the rules, and Connect's eleven transfers."""
TIMES = [0, 5, 10, 20, 40]
PAUSES = [timedelta(minutes=1), timedelta(minutes=6), timedelta(minutes=25)]


def _test(key: str, values: list[str]) -> Test:
    form = form_of(key, values)
    return Test(
        key=key, text=key, fits=form, form=form, references=tuple(values) if key == "queue" else (), place=PLACE
    )


def _condition(random: Random) -> Condition:
    parts: list[Condition] = [_test("queue", random.sample(NAMES, random.choice([1, 1, 1, 2])))]
    if random.random() < 0.25:
        parts.append(_test("channel", [random.choice(["TASK", "TASK", "EMAIL"])]))
    if random.random() < 0.3:
        parts.append(_test("name", [random.choice(["one", "other"])]))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _entry(random: Random) -> DestinationEntry:
    return DestinationEntry(
        flow="To queue",
        place=PLACE,
        queue=random.choice(NAMES),
        limits=random.choice([(), (one_slot,)]),
        revisit=random.random() < 0.7,
    )


def _rule(random: Random, name: str) -> Rule:
    times = sorted(random.sample(TIMES, random.choice([0, *[1] * 6, *[2] * 3])))
    steps = tuple(
        Step(
            number=number,
            at=timedelta(minutes=at),
            label=f"{at}m",
            place=PLACE,
            to=(tuple(_entry(random) for _ in range(random.choice([1, 1, 2]))),),
            pick=Pick.FIRST,
        )
        for number, at in enumerate(times, start=1)
    )
    return Rule(
        name=name,
        place=PLACE,
        condition=_condition(random),
        fingerprint=name,
        mode=random.choice([*[Mode.ENFORCE] * 9, Mode.OBSERVE]),
        until_at=NOW + random.choice(PAUSES) if random.random() < 0.1 else None,
        sla=Sla(),
        steps=steps,
        on_hold=random.choice([*[OnHold.WAIT] * 3, OnHold.NEXT]),
    )


def roundabout(seed: int) -> RuleSet:
    random = Random(seed)
    return RuleSet(rules=tuple(_rule(random, f"rule-{n}") for n in range(random.randint(1, 5))), revision="r")


def returning(rule: Rule) -> Rule:
    """Returns the rule with ``revisit`` at every destination."""
    steps = tuple(
        replace(step, to=tuple(tuple(replace(entry, revisit=True) for entry in tier) for tier in step.to))
        for step in rule.steps
    )
    return replace(rule, steps=steps)


def ways_of(rules: RuleSet, seed: int, *, cycles: int = 6) -> Iterator[list[str]]:
    """Returns the queues that contacts were in, in order: one contact of each queue and name, without guards."""
    random = Random(seed)
    made = Simulation(rules=bind(rules, DIRECTORY, agents_known=True), slots={}, limits=OFF)
    for number, (queue, name) in enumerate((queue, name) for queue in NAMES for name in ("one", "other")):
        channel = random.choice([Channel.TASK, Channel.TASK, Channel.EMAIL])
        waited = random.choice([0, 12, 50])
        made.arrive(contact(f"c{number}", queue=QUEUES[queue], waited=waited, name=name, channel=channel))
    for _ in range(cycles):
        made.slots = {queue: random.choice([0, 50]) for queue in QUEUES.values()}
        made.run_cycle()
        made.now += random.choice(PAUSES)
    ways: dict[ContactId, list[str]] = defaultdict(list)
    for move in made.moves():
        assert move.target is not None
        way = ways[made.root(move.contact_id)] or [move.queue_id]
        ways[made.root(move.contact_id)] = [*way, move.target.queue_id or "an agent"]
    yield from ways.values()


def comes_round(way: list[str]) -> bool:
    return len(set(way)) < len(way)
