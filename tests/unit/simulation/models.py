"""Builds small simulated centres, and their arrivals, from the parameters of queueing theory. Times are in seconds."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import sqrt
from random import Random

from router.model import Channel, Contact, ContactId, Details, Directory, Queue, QueueId
from router.simulation.centre import Arrival, SimulatedCentre, Team
from router.simulation.engine import Engine
from router.simulation.intervals import student_quantile
from router.simulation.randomness import RandomStreams, Spread
from router.simulation.wait_record import Ending, SimulatedWait

START = datetime(2026, 3, 2, tzinfo=UTC)
QUEUE = QueueId("Queue")
BATCHES = 20


def contact(number: int, at: float, *, queue: QueueId = QUEUE, priority: int = 5, channel=Channel.TASK) -> Contact:
    return Contact(
        id=ContactId(f"contact-{number}"),
        channel=channel,
        queue_id=queue,
        enqueued_at=START + timedelta(seconds=at),
        initiated_at=START + timedelta(seconds=at),
        details=Details(priority=priority),
    )


def poisson(
    rate: float, many: int, *, seed: int = 1, patience: float | None = None, priorities: Sequence[int] = (5,)
) -> list[Arrival]:
    """Draws contacts at a rate per second. The priorities are equally frequent."""
    random, at, found = Random(seed), 0.0, []
    for number in range(many):
        at += random.expovariate(rate)
        found.append(
            Arrival(
                contact=contact(number, at, priority=random.choice(priorities)),
                at=at,
                patience=random.expovariate(1 / patience) if patience else None,
            )
        )
    return found


def centre(agents: int, handling: Spread, *, slots: int = 1) -> SimulatedCentre:
    names = tuple(f"agent-{number}" for number in range(agents))
    return SimulatedCentre(
        start=START,
        directory=Directory(queues=(Queue(id=QUEUE, name="Queue"),)),
        teams=(Team(name="team", agents=names, served={QUEUE: 1}, slots={Channel.TASK: slots}),),
        handling={(QUEUE, Channel.TASK): handling},
    )


def waits_of(arrivals: Sequence[Arrival], of: SimulatedCentre, *, seed: int = 1) -> list[SimulatedWait]:
    return Engine(of, arrivals, None, RandomStreams(str(seed))).run()


def steady(waits: Sequence[SimulatedWait], value: Callable[[SimulatedWait], float]) -> tuple[float, float]:
    """Returns the mean and the half-width of its 99.9 % interval, by batch means, without the first twentieth."""
    kept = [value(one) for one in waits[len(waits) // 20 :]]
    size = len(kept) // BATCHES
    means = [sum(kept[n * size : (n + 1) * size]) / size for n in range(BATCHES)]
    return interval(means)


def interval(values: Sequence[float]) -> tuple[float, float]:
    n = len(values)
    mean = sum(values) / n
    error = sqrt(sum((one - mean) ** 2 for one in values) / (n - 1) / n)
    return mean, student_quantile(0.9995, n - 1) * error


def answered(wait: SimulatedWait) -> bool:
    return wait.ending is Ending.ANSWERED


def priority_of(wait: SimulatedWait) -> int | None:
    details = wait.arrival.contact.details
    return None if details is None else details.priority
