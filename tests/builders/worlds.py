"""Builds small worlds for Hypothesis: a few rules over four queues, a few contacts, and the way Connect behaves.

A world is made from one drawn number. Drawn part by part, Hypothesis prefers worlds in which hardly anything moves; a
limit is proved by worlds that reach it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import strategies as st

from router.decide.snapshot import Limits
from router.model import ContactId
from router.problems import Place
from router.rules.bind import bind
from router.rules.bound import BoundRuleSet
from router.rules.compile import form_of
from router.rules.condition import Test
from router.rules.rule import DestinationEntry, MetricLimit, Mode, OnHold, Pick, Rule, RuleGuard, RuleSet, Sla, Step
from tests.builders.contacts import contact
from tests.builders.instance import DIRECTORY, QUEUES
from tests.builders.simulation import Answer, Simulation

PLACE = Place("rules.toml", 1, 1)
NAMES = [*QUEUES]
TIMES = [0, 1, 5, 10, 20, 30]
SPANS = [timedelta(seconds=15), timedelta(seconds=45), timedelta(minutes=2), timedelta(minutes=12)]

one_slot = MetricLimit("slots_available", 1, None)
short = MetricLimit("contacts_in_queue", None, 3)


def entry(random: Random) -> DestinationEntry:
    return DestinationEntry(
        flow="To queue",
        place=PLACE,
        queue=random.choice(NAMES),
        limits=random.choice([(), (), (one_slot,), (one_slot,), (short,), (one_slot, short)]),
        revisit=random.random() < 0.3,
        weight=random.randint(1, 3),
    )


def tier(random: Random) -> tuple[DestinationEntry, ...]:
    return tuple(entry(random) for _ in range(random.randint(1, 3)))


def step(random: Random, number: int, at: int) -> Step:
    kind = random.choice(["to", "to", "to", "warn", "both"])
    return Step(
        number=number,
        at=timedelta(minutes=at),
        label=f"{at}m",
        place=PLACE,
        to=() if kind == "warn" else tuple(tier(random) for _ in range(random.randint(1, 2))),
        warn=None if kind == "to" else "late",
        pick=random.choice([*Pick]),
    )


def guard(random: Random) -> RuleGuard:
    def seldom(*values):
        return random.choice(values) if random.random() < 0.2 else None

    return RuleGuard(
        max_transfers=seldom(1, 2, 3),
        cooldown=seldom(timedelta(0), timedelta(minutes=2)),
        per_cycle=seldom(1, 2),
        per_hour=seldom(1, 3, 6),
        percent_of_queue=seldom(10, 50, 70),
    )


def rule(random: Random, name: str) -> Rule:
    queues = random.sample(NAMES, random.randint(1, 4))
    form = form_of("queue", queues)
    times = sorted(random.sample(TIMES, random.choice([0, *[1] * 4, *[2] * 6, *[3] * 4])))
    return Rule(
        name=name,
        place=PLACE,
        condition=Test(key="queue", text="queue", fits=form, form=form, references=tuple(queues)),
        fingerprint=name,
        mode=random.choice([*[Mode.ENFORCE] * 8, Mode.OBSERVE, Mode.OFF]),
        sla=Sla(target=random.choice([None, timedelta(minutes=15)])),
        steps=tuple(step(random, number, at) for number, at in enumerate(times, start=1)),
        guard=guard(random),
        on_hold=random.choice([*[OnHold.WAIT] * 3, OnHold.NEXT]),
    )


def bound_rules(random: Random) -> BoundRuleSet:
    found = tuple(rule(random, f"rule-{number}") for number in range(random.randint(1, 6)))
    return bind(RuleSet(rules=found, revision="r"), DIRECTORY, agents_known=True)


def limits(random: Random) -> Limits:
    return Limits(
        max_transfers=random.choice([1, 2, 4, 8, 8]),
        reserve_transfers=random.randint(0, 2),
        cooldown=random.choice([timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=5)]),
        per_cycle=random.choice([1, 2, 4, 8, 8]),
        per_hour=random.choice([3, 8, 30, 30, 30, 30]),
    )


def world(seed: int) -> Simulation:
    """Builds a world of contacts that have waited up to half an hour; some share a chain, and some were transferred."""
    random = Random(seed)
    made = Simulation(
        rules=bound_rules(random),
        slots={queue: random.randint(0, 3) for queue in QUEUES.values()},
        limits=limits(random),
        answer=random.choice([*Answer]),
        landing_takes=random.choice([timedelta(0), timedelta(seconds=40), timedelta(minutes=4)]),
        search_lags=random.choice([timedelta(0), timedelta(seconds=50)]),
    )
    for number in range(random.randint(2, 8)):
        hops = random.choice([*[0] * 8, 1, 5, 7, 9])
        waited = random.choice([0, 4, 9.5, 10, 25, 35])
        arrived = contact(f"c{number}", queue=QUEUES[random.choice(NAMES)], waited=waited)
        if hops:
            before = ContactId(f"before-{number}")
            arrived = replace(arrived, initial_id=ContactId(f"root-{number % 3}"), previous_id=before)
        made.arrive(arrived, hops=hops)
    return made


simulations = st.integers(0, 2**32).map(world)
pauses = st.integers(0, 2**32).map(lambda seed: Random(seed).choices(SPANS, k=8))
