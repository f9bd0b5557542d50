"""Compares the engine with a published centre of several skills, and with the exact waits of queues that routing
profiles order.

The published centre is the example SimpleMSK of the library ContactCenters (umontreal-simul/contactcenters,
doc/examples/SimpleMSK.java), and its figures are those of doc/examples/SimpleMSK.res: 1,000 days, 95 % intervals.
Its figures by type are compared for the second period. In the third period the groups shrink, and then the centres
differ: a published group takes no contact until enough of its agents, whichever they are, have finished.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from random import Random

import pytest

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

PUBLISHED = (
    (4_270.150, 4_324.460, 0.03),
    (876.133, 944.537, 0.15),
    (0.494, 0.509, 0.08),
    (594.159, 604.509, 0.07),
    (506.276, 517.020, 0.07),
    (607.586, 619.878, 0.07),
)
"""The intervals of what ``batch`` returns, and how wide the simulation's may be as a share of the figure."""


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


def batch(number: int) -> tuple[float, ...]:
    """Returns of some days the contacts served and left a day, the service level, and by type the contacts of the
    second period that are served in time a day."""
    random = Random(number)
    drawn = sorted(random.gammavariate(28.7, 1 / 28.7) for _ in range(101 * DAYS))
    waits = [one for day in range(DAYS) for one in simulated(drawn[101 * day + 50], number * DAYS + day)]
    served = [one for one in waits if answered(one)]
    left = [one for one in waits if not answered(one)]
    in_time = [one for one in served if one.waited < ACCEPTABLE]
    late = sum(one.waited >= ACCEPTABLE for one in left)
    second = [one.queue_id for one in in_time if PERIOD <= one.began < 2 * PERIOD]
    by_type = (second.count(queue) / DAYS for queue in TYPES)
    return len(served) / DAYS, len(left) / DAYS, len(in_time) / (len(served) + late), *by_type


def test_a_centre_of_three_types_and_two_groups_has_the_published_figures():
    found = zip(*(batch(number) for number in range(BATCHES)), strict=True)
    for (low, high, within), values in zip(PUBLISHED, found, strict=True):
        mean, half = interval(values)
        assert low - half <= mean <= high + half, (mean, half)
        assert half <= within * high / TIMES**0.5, "the interval is too wide to compare"


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


QUEUES = FIRST, LAST = QueueId("first"), QueueId("last")
RATES_OF = {FIRST: 1.1, LAST: 1.7}
AGENTS, HANDLING, PATIENCE, LONGEST = 2, (1.0, 1.4), 4.0, 18
"""The agents of each group, the mean handle times of the groups, the mean patience, and the length that a queue of the
chain can have."""
State = tuple[tuple[int, ...], tuple[int, ...]]
"""The groups of the free agents, the one free for the longest time first, and the contacts in the two queues."""


def changed(queued: tuple[int, ...], number: int, by: int) -> tuple[int, ...]:
    return (*queued[:number], queued[number] + by, *queued[number + 1 :])


def moves_from(state: State, groups: Sequence[Mapping[QueueId, int]]) -> Iterator[tuple[State, float]]:
    """Yields the states that follow this one, and their rates."""
    free, queued = state
    for number, queue in enumerate(QUEUES):
        taker = next((place for place, group in enumerate(free) if queue in groups[group]), None)
        if taker is not None:
            yield (free[:taker] + free[taker + 1 :], queued), RATES_OF[queue]
        elif queued[number] < LONGEST:
            yield (free, changed(queued, number, 1)), RATES_OF[queue]
        if queued[number]:
            yield (free, changed(queued, number, -1)), queued[number] / PATIENCE
    for group, served in enumerate(groups):
        rate = (AGENTS - free.count(group)) / HANDLING[group]
        waiting = [number for number, queue in enumerate(QUEUES) if queued[number] and queue in served]
        if rate and waiting:
            yield (free, changed(queued, min(waiting, key=lambda one: served[QUEUES[one]]), -1)), rate
        elif rate:
            yield ((*free, group), queued), rate


def exact(groups: Sequence[Mapping[QueueId, int]]) -> dict[QueueId, tuple[float, float]]:
    """Returns the mean wait of each queue and the share of its contacts that do not wait, from the stationary chain."""
    rates: dict[State, list[tuple[State, float]]] = {}
    unknown: list[State] = [((0,) * AGENTS + (1,) * AGENTS, (0, 0))]
    while unknown:
        state = unknown.pop()
        if state not in rates:
            rates[state] = list(moves_from(state, groups))
            unknown.extend(to for to, _ in rates[state])
    fastest = max(sum(rate for _, rate in moves) for moves in rates.values())
    now, change = dict.fromkeys(rates, 1 / len(rates)), 1.0
    while change > 1e-9:
        then: dict[State, float] = defaultdict(float)
        for state, share in now.items():
            for to, rate in rates[state]:
                then[to] += share * rate / fastest
            then[state] += share * (1 - sum(rate for _, rate in rates[state]) / fastest)
        change = sum(abs(then[state] - share) for state, share in now.items())
        now = then
    assert sum(share for state, share in now.items() if LONGEST in state[1]) < 1e-6, "the chain is cut off too early"
    return {
        queue: (
            sum(share * state[1][number] for state, share in now.items()) / RATES_OF[queue],
            sum(share for state, share in now.items() if any(queue in groups[one] for one in state[0])),
        )
        for number, queue in enumerate(QUEUES)
    }


@pytest.mark.parametrize(
    ("own", "seed"),
    [
        pytest.param({LAST: 1}, 11, id="the second group serves one queue"),
        pytest.param({LAST: 1, FIRST: 2}, 12, id="the second group serves both queues, in the other order"),
    ],
)
def test_two_groups_with_priorities_of_their_own_wait_as_their_markov_chain(own, seed):
    groups = ({FIRST: 1, LAST: 2}, own)
    teams = [
        Team(
            name=f"group {number}",
            agents=tuple(f"agent-{number}-{one}" for one in range(AGENTS)),
            served=served,
            slots={Channel.TASK: 1},
            handling=Exponential(HANDLING[number]),
        )
        for number, served in enumerate(groups)
    ]
    random, at, arrivals = Random(seed), 0.0, []
    for number in range(60_000 * TIMES):
        at += random.expovariate(sum(RATES_OF.values()))
        (queue,) = random.choices(QUEUES, [RATES_OF[one] for one in QUEUES])
        arrival = contact(number, at, queue=queue)
        arrivals.append(Arrival(contact=arrival, at=at, patience=random.expovariate(1 / PATIENCE)))
    waits = waits_of(arrivals, of_teams(teams, QUEUES))
    for queue, (mean, at_once) in exact(groups).items():
        of_queue = [one for one in waits if one.queue_id == queue]
        holds(steady(of_queue, lambda one: one.waited), mean, within=0.05)
        holds(steady(of_queue, lambda one: one.waited == 0), at_once, within=0.03)
