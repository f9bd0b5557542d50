"""Measures how many contacts a second the simulation handles, next to the same queue in SimPy, and compares the waits
with the exact one.

python bench/simulation.py [--contacts 100000] [--seeds 10]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import factorial
from pathlib import Path
from random import Random

import simpy

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report

from router.model import Channel, Contact, ContactId, Directory, Queue, QueueId
from router.simulation.centre import Arrival, SimulatedCentre, Team
from router.simulation.engine import Engine
from router.simulation.randomness import Exponential, RandomStreams

START = datetime(2026, 3, 2, tzinfo=UTC)
QUEUE = QueueId("Queue")
AGENTS, HANDLING, RATE = 14, 180.0, 11.0 / 180.0
"""Agents, the mean handle time in seconds, and contacts a second: 11 of the 14 agents are busy on average."""
NEAR = 0.05


def exact_wait() -> float:
    """Returns the mean wait of Erlang's C formula, in seconds."""
    load = RATE * HANDLING
    waiting = load**AGENTS / factorial(AGENTS) * AGENTS / (AGENTS - load)
    waiting /= sum(load**n / factorial(n) for n in range(AGENTS)) + waiting
    return waiting * HANDLING / (AGENTS - load)


def arrivals(many: int, seed: int) -> list[float]:
    random, at, found = Random(seed), 0.0, []
    for _ in range(many):
        at += random.expovariate(RATE)
        found.append(at)
    return found


def by_router(times: Sequence[float], seed: int) -> tuple[float, float]:
    """Returns the CPU seconds and the mean wait of the router's engine, without rules."""
    names = tuple(f"agent-{number}" for number in range(AGENTS))
    centre = SimulatedCentre(
        start=START,
        directory=Directory(queues=(Queue(id=QUEUE, name="Queue"),)),
        teams=(Team(name="team", agents=names, served={QUEUE: 1}, slots={Channel.TASK: 1}),),
        handling={(QUEUE, Channel.TASK): Exponential(HANDLING)},
    )
    contacts = [_arrival(number, at) for number, at in enumerate(times)]
    began = time.process_time()
    waits = Engine(centre, contacts, None, RandomStreams(str(seed))).run()
    return time.process_time() - began, sum(one.waited for one in waits) / len(waits)


def _arrival(number: int, at: float) -> Arrival:
    began = START + timedelta(seconds=at)
    contact = Contact(
        id=ContactId(f"contact-{number}"), channel=Channel.TASK, queue_id=QUEUE, enqueued_at=began, initiated_at=began
    )
    return Arrival(contact=contact, at=at)


def by_simpy(times: Sequence[float], seed: int) -> tuple[float, float]:
    """Returns the CPU seconds and the mean wait of the same queue in SimPy."""
    random, waits = Random(f"handle times {seed}"), []
    began = time.process_time()
    world = simpy.Environment()
    agents = simpy.Resource(world, AGENTS)

    def contact() -> Iterator[simpy.Event]:
        entered = world.now
        with agents.request() as agent:
            yield agent
            waits.append(world.now - entered)
            yield world.timeout(random.expovariate(1 / HANDLING))

    def arrive() -> Iterator[simpy.Event]:
        for at in times:
            yield world.timeout(at - world.now)
            world.process(contact())

    world.process(arrive())
    world.run()
    return time.process_time() - began, sum(waits) / len(waits)


def _together(runs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Returns the CPU seconds of all runs, and the mean of their mean waits."""
    return sum(seconds for seconds, _ in runs), sum(wait for _, wait in runs) / len(runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, default=10)
    args = parser.parse_args()
    print(f"simulation: {args.contacts} contacts, {args.seeds} seeds", flush=True)
    ours, theirs = [], []
    for seed in range(1, args.seeds + 1):
        times = arrivals(args.contacts, seed)
        ours.append(by_router(times, seed))
        theirs.append(by_simpy(times, seed))
        print(f"  seed {seed}: mean wait {ours[-1][1]:.1f} s and {theirs[-1][1]:.1f} s", flush=True)
    exact, many = exact_wait(), args.contacts * args.seeds
    (our_time, our_wait), (their_time, their_wait) = _together(ours), _together(theirs)
    right = abs(our_wait / exact - 1) <= NEAR
    report(
        "simulation",
        [
            (
                "contacts a CPU second",
                f"{many / our_time:,.0f}",
                f"{many / their_time:,.0f}; ratio {their_time / our_time:.2f}",
                "",
            ),
            ("mean wait", f"{our_wait:.1f} s", f"{their_wait:.1f} s", f"{exact:.1f} s by Erlang's C: {met(right)}"),
        ],
        method=f"{args.contacts} contacts wait for {AGENTS} agents. Arrivals and handle times are exponential, and 11"
        " agents are busy on average. Both simulations have the same arrivals, and no rules. The alternative is the"
        " same queue in SimPy. The router's engine also makes a record of each contact, and matches agents to queues by"
        f" their routing profiles. The figures are of {args.seeds} seeds together. The target is the exact mean wait,"
        " within 5 %.",
    )


if __name__ == "__main__":
    main()
