"""Finds when the agents of a history could take contacts: from agent events, or from the contacts that they took."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heapify, heappop, heappush
from math import ceil, floor

from router.history.world import Staffed
from router.model import AgentId, Channel, QueueId
from router.simulation.centre import Seconds, Team
from router.simulation.spans import Span, both, joined, overloaded

SILENCE: Seconds = 600.0
"""An agent without an event for so long is not known to be present: a heartbeat is sent every 120 s."""
HEARTBEAT: Seconds = 120.0
IDLE: Seconds = 3_600.0
"""How long an agent without a contact counts as present, if nothing shows the opposite."""
OVERLOOKED: Seconds = 60.0
"""A contact that waits so long next to an agent with a free slot shows that the agent is absent."""
SLACK: Seconds = 2.0
"""By how much times may be wrong that are recorded in whole seconds."""
MOMENT: Seconds = 0.01
ROUND = (5, 15, 30, 60)
"""Multiples of these minutes are the times of the day at which shifts begin and end, if the records allow them."""


def teams_of_events(events: Iterable[Staffed], since_start: Callable[[datetime], Seconds]) -> tuple[Team, ...]:
    """Returns a team for each agent, and one more for each other set of queues and slots that the agent has had."""
    shown: dict[AgentId, list[Staffed]] = defaultdict(list)
    for event in events:
        shown[event.agent_id].append(event)
    found = []
    for agent_id, of_agent in sorted(shown.items()):
        presence: dict[tuple[frozenset[QueueId], tuple[tuple[Channel, int], ...]], list[Span]] = {}
        for event, following in zip(of_agent, [*of_agent[1:], None], strict=True):
            begins = since_start(event.at)
            until = since_start(following.at) if following is not None else begins + HEARTBEAT
            if event.routable and event.queues and event.slots:
                ends = until if until - begins <= SILENCE else begins + HEARTBEAT
                key = event.queues, tuple(sorted(event.slots.items()))
                presence.setdefault(key, []).append((begins, ends))
        for number, ((queues, slots), spans) in enumerate(presence.items()):
            name = agent_id if not number else f"{agent_id} ({number + 1})"
            served = dict.fromkeys(sorted(queues), 1)
            found.append(Team(name=name, agents=(name,), served=served, slots=dict(slots), presence=joined(spans)))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenContact:
    """Holds when an agent took a contact, and when the work on it ended."""

    begins: Seconds
    ends: Seconds
    queue_id: QueueId
    channel: Channel


Unserved = Mapping[tuple[QueueId, Channel], Sequence[Span]]
"""When no agent with a free slot can have been there, by queue and channel: because a contact waited."""


@dataclass(slots=True)
class _Bound:
    """Holds between which instants an agent came or left, and to which one that is narrowed down."""

    earliest: Seconds
    latest: Seconds
    begins: bool
    at: Seconds = 0.0


@dataclass(slots=True)
class _Agent:
    """Holds what an agent took, and the stretches of work between two absences."""

    agent_id: AgentId
    taken: Sequence[TakenContact]
    slots: dict[Channel, int] = field(default_factory=dict)
    stretches: list[tuple[_Bound, _Bound]] = field(default_factory=list)

    def team(self) -> Team:
        queues = dict.fromkeys(sorted({one.queue_id for one in self.taken}), 1)
        presence = joined((came.at, left.at) for came, left in self.stretches)
        return Team(name=self.agent_id, agents=(self.agent_id,), served=queues, slots=self.slots, presence=presence)


def teams_of_work(taken: Mapping[AgentId, Sequence[TakenContact]], unserved: Unserved) -> tuple[Team, ...]:
    """Returns each agent as a team: the queues of the contacts taken, the most contacts at a time, and the presence.

    An agent was present whenever a contact was taken, and absent whenever one waited next to a free slot. Shifts begin
    and end between these instants: at as few different times of the day as possible, and at round ones.
    """
    whole = all(one.begins.is_integer() for of in taken.values() for one in of)
    slack = SLACK if whole else MOMENT
    agents = [
        _agent(agent_id, sorted(of, key=lambda one: one.begins), unserved, slack) for agent_id, of in taken.items()
    ]
    pairs = [pair for agent in agents for pair in agent.stretches]
    for bounds in ([came for came, _ in pairs], [left for _, left in pairs]):
        _narrow(bounds)
    return tuple(agent.team() for agent in sorted(agents, key=lambda one: one.agent_id))


def _agent(agent_id: AgentId, taken: Sequence[TakenContact], unserved: Unserved, slack: Seconds) -> _Agent:
    found = _Agent(agent_id, taken)
    absences: list[Span] = []
    for channel in {one.channel: None for one in taken}:
        spans = [(one.begins, one.ends) for one in taken if one.channel is channel]
        found.slots[channel] = most = _most(spans, slack)
        waited = joined(
            span for queue_id in {one.queue_id for one in taken} for span in unserved.get((queue_id, channel), ())
        )
        absences += (span for span in both(waited, _free(spans, most)) if span[1] - span[0] >= OVERLOOKED)
    found.stretches = list(_stretches(taken, joined(absences), slack))
    return found


def _most(spans: Sequence[Span], slack: Seconds) -> int:
    """Returns how many spans overlap at most, for longer than the slack."""
    most = 1
    while any(ends - begins > slack for begins, ends in overloaded(spans, most)):
        most += 1
    return most


def _free(spans: Sequence[Span], slots: int) -> Iterator[Span]:
    """Yields when fewer than ``slots`` contacts were at hand."""
    last = float("-inf")
    for begins, ends in joined(overloaded(spans, slots - 1)):
        yield last, begins
        last = ends
    yield last, float("inf")


def _stretches(
    taken: Sequence[TakenContact], absences: Sequence[Span], slack: Seconds
) -> Iterator[tuple[_Bound, _Bound]]:
    """Yields between which instants an agent came and left, for each stretch of presence."""
    came, took, free_at = None, float("-inf"), float("-inf")
    for one in taken:
        between = _within(absences, took, one.begins)
        if came is None or between or one.begins - free_at > 2 * IDLE:
            if came is not None:
                yield came, _left(took, free_at, between, slack)
            earliest = max(one.begins - IDLE, between[-1][1] - slack if between else one.begins - IDLE)
            came = _Bound(min(earliest, one.begins), one.begins, begins=True)
        took, free_at = one.begins, max(free_at, one.ends)
    if came is not None:
        yield came, _left(took, free_at, _within(absences, took, float("inf")), slack)


def _within(absences: Sequence[Span], begins: Seconds, ends: Seconds) -> list[Span]:
    """Returns the absences between two contacts that an agent took."""
    found = []
    for number in range(bisect_right(absences, begins, key=lambda one: one[1]), len(absences)):
        if absences[number][0] >= ends:
            break
        span = max(absences[number][0], begins), min(absences[number][1], ends)
        if span[1] - span[0] >= OVERLOOKED:
            found.append(span)
    return found


def _left(took: Seconds, free_at: Seconds, absences: Sequence[Span], slack: Seconds) -> _Bound:
    latest = max(free_at, took) + IDLE
    if absences:
        latest = min(latest, absences[0][0] + slack - 2 * MOMENT)
    return _Bound(took + MOMENT, max(latest, took + MOMENT), begins=False)


def _narrow(bounds: Sequence[_Bound]) -> None:
    """Gives every bound one instant: of the whole minutes of the day that fit, the one that fits most bounds."""
    fitting: dict[int, dict[int, Seconds]] = defaultdict(dict)
    for number, one in enumerate(bounds):
        one.at = one.latest if one.begins else (one.earliest + one.latest) / 2
        for minute in range(ceil(one.earliest / 60), floor(one.latest / 60) + 1):
            fitting[minute % 1440][number] = minute * 60.0
    settled: set[int] = set()
    queue = [_rank(minute, len(of), bounds) for minute, of in fitting.items()]
    heapify(queue)
    while queue:
        rank = heappop(queue)
        here = {number: at for number, at in fitting[rank[-1]].items() if number not in settled}
        if len(here) < -rank[0]:
            if here:
                heappush(queue, _rank(rank[-1], len(here), bounds))
            continue
        settled.update(here)
        for number, at in here.items():
            bounds[number].at = at


def _rank(minute: int, many: int, bounds: Sequence[_Bound]) -> tuple[int, int, int, int]:
    """Returns a key that is smallest for the minute that fits most bounds, then for the roundest, then for the one
    next to the work."""
    roundness = sum(minute % unit == 0 for unit in ROUND)
    return -many, -roundness, -minute if bounds[0].begins else minute, minute
