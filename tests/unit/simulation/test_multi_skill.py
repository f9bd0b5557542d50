"""Compares the engine with a published centre of several skills, and with the exact waits of queues that a routing
profile orders.

The published centre is the example SimpleMSK of the library ContactCenters (umontreal-simul/contactcenters,
doc/examples/SimpleMSK.java), and its figures are those of doc/examples/SimpleMSK.res: 1,000 days, 95 % intervals.
"""

from collections.abc import Sequence
from random import Random

from router.model import Channel, Directory, Queue, QueueId
from router.simulation.centre import Arrival, SimulatedCentre, Team
from router.simulation.engine import Engine
from router.simulation.randomness import Exponential, RandomStreams
from router.simulation.staff import SimulatedAgent, Staff
from router.simulation.wait_record import SimulatedWait
from tests.unit.simulation.models import START, answered, contact, interval, steady, waits_of
from tests.unit.simulation.test_theory import MINUTE, TIMES, erlang_c, holds

BATCHES, DAYS = 8, 3 * TIMES
"""The days of a batch are spread evenly over the quiet and the busy ones."""
PERIOD = 120 * MINUTE
RATES = ((4.2, 5.3, 3.2), (5.1, 4.3, 4.8), (6.3, 5.2, 4.8))
"""Contacts a minute, by type and period."""
SERVED, LEAVING = (0.5, 0.6, 0.4), (0.3, 0.4, 0.2)
"""The rates of handling and of losing patience, by the period of arrival."""
ACCEPTABLE = 20.0
TYPES = tuple(QueueId(f"type {number}") for number in range(3))
GROUPS = ({TYPES[0]: 1, TYPES[1]: 1}, {TYPES[1]: 1, TYPES[2]: 1})
ALL_DAY = 99 * PERIOD
STAFF = (
    ((0, 9, 0.0, ALL_DAY), (0, 3, 0.0, 2 * PERIOD), (0, 6, PERIOD, 2 * PERIOD)),
    ((1, 11, 0.0, ALL_DAY), (1, 4, 0.0, 2 * PERIOD), (1, 5, PERIOD, 2 * PERIOD)),
)
"""The agents of the groups: 12, 18 and 9, and 15, 20 and 11 in the three periods."""


def of_teams(teams: Sequence[Team], queues: Sequence[QueueId], mean: float = 1.0) -> SimulatedCentre:
    return SimulatedCentre(
        start=START,
        directory=Directory(queues=tuple(Queue(id=one, name=one) for one in queues)),
        teams=tuple(teams),
        handling={(one, Channel.TASK): Exponential(mean) for one in queues},
    )


def simple_msk() -> SimulatedCentre:
    teams = [
        Team(
            name=f"group {group} {begins}",
            agents=tuple(f"agent-{group}-{begins}-{ends}-{number}" for number in range(count)),
            served=GROUPS[group],
            slots={Channel.TASK: 1},
            presence=((begins, ends),),
        )
        for shifts in STAFF
        for group, count, begins, ends in shifts
    ]
    return of_teams(teams, TYPES)


def a_day(busyness: float, seed: int) -> list[Arrival]:
    random, found = Random(seed), []
    for queue, rates in zip(TYPES, RATES, strict=True):
        for period, rate in enumerate(rates):
            at = period * PERIOD
            while (at := at + random.expovariate(busyness * rate / MINUTE)) < (period + 1) * PERIOD:
                work, patience = (random.expovariate(one[period] / MINUTE) for one in (SERVED, LEAVING))
                found.append((at, queue, work, patience))
    return [
        Arrival(contact=contact(number, at, queue=queue), at=at, work=work, patience=patience)
        for number, (at, queue, work, patience) in enumerate(sorted(found))
    ]


class FirstGroupFirst(Staff):
    """Offers a contact to the first group that has a free agent, as the published centre does.

    The product's own simulation offers it to the agent who has been free for the longest time, as Amazon Connect does.
    """

    def find(self, queue_id: QueueId, channel: Channel) -> SimulatedAgent | None:
        states = self._serving[queue_id, channel]
        groups = ([one for one in states if one.team.served is group] for group in GROUPS)
        free = ([entry for state in group if (entry := state.first_free(channel)) is not None] for group in groups)
        return next((min(entries)[4] for entries in free if entries), None)


def simulated(busyness: float, seed: int) -> list[SimulatedWait]:
    engine = Engine(simple_msk(), a_day(busyness, seed), None, RandomStreams(str(seed)))
    engine.staff = FirstGroupFirst(engine.centre.teams)
    return engine.run()


def batch(number: int) -> tuple[float, float, float]:
    """Returns of some days the contacts served and left a day, and the service level."""
    random = Random(number)
    drawn = sorted(random.gammavariate(28.7, 1 / 28.7) for _ in range(101 * DAYS))
    waits = [one for day in range(DAYS) for one in simulated(drawn[101 * day + 50], number * DAYS + day)]
    served = [one for one in waits if answered(one)]
    left = [one for one in waits if not answered(one)]
    in_time = sum(one.waited < ACCEPTABLE for one in served)
    late = sum(one.waited >= ACCEPTABLE for one in left)
    return len(served) / DAYS, len(left) / DAYS, in_time / (len(served) + late)


def test_a_centre_of_three_types_and_two_groups_has_the_published_figures():
    published = ((4_270.2, 4_324.5), (876.1, 944.5), (0.494, 0.509))
    found = zip(*(batch(number) for number in range(BATCHES)), strict=True)
    for (low, high), values in zip(published, found, strict=True):
        mean, half = interval(values)
        assert low - half <= mean <= high + half, (mean, half)
        assert half <= 0.15 * high / TIMES**0.5, "the interval is too wide to compare"


def test_queues_that_a_routing_profile_orders_wait_as_cobham_computed():
    first, last = QueueId("first"), QueueId("last")
    agents, load = 3, 2.4
    team = Team(name="team", agents=("a", "b", "c"), served={first: 1, last: 2}, slots={Channel.TASK: 1})
    random, at, arrivals = Random(5), 0.0, []
    for number in range(40_000 * TIMES):
        at += random.expovariate(load)
        arrivals.append(Arrival(contact=contact(number, at, queue=random.choice((first, last))), at=at))
    waits = waits_of(arrivals, of_teams([team], (first, last)))
    mean = erlang_c(load, agents) / agents / (1 - load / 2 / agents)
    for queue, exact, within in ((first, mean, 0.07), (last, mean / (1 - load / agents), 0.2)):
        holds(steady([one for one in waits if one.queue_id == queue], lambda one: one.waited), exact, within=within)
