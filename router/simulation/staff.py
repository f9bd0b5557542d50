"""Follows which agents work, which of their slots are free, and who takes the next contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import count

from router.model import AgentId, AgentState, Channel, ProfileId, QueueId, RoutingProfile
from router.simulation.centre import Seconds, Team
from router.simulation.wait_record import AGENT_QUEUE


class SimulatedAgent:
    """Holds the state of one agent; ``version`` counts its changes, so that an outdated entry of a heap shows."""

    __slots__ = ("held", "name", "own_queue", "present", "since", "team", "used", "version")

    def __init__(self, name: str, team: Team) -> None:
        self.name = name
        self.own_queue = QueueId(f"{AGENT_QUEUE}{name}")
        self.team = team
        self.present = team.presence is None
        self.used = dict.fromkeys(team.slots, 0)
        self.held = 0
        self.since: Seconds = 0.0
        self.version = 0

    def free(self, channel: Channel) -> int:
        """Returns the free slots of the channel; none after the shift."""
        return max(self.team.slots.get(channel, 0) - self.used.get(channel, 0), 0) if self.present else 0


_Entry = tuple[int, Seconds, int, int, SimulatedAgent]


class TeamState:
    """Holds the agents of a team, and a heap of the free ones for each channel: the one with the fewest contacts first,
    then the one that has been free for the longest time."""

    def __init__(self, team: Team, order: Iterator[int]) -> None:
        self.team = team
        self.agents = [SimulatedAgent(name, team) for name in team.agents]
        self.free_slots = dict.fromkeys(team.slots, 0)
        self._heaps: dict[Channel, list[_Entry]] = {channel: [] for channel in team.slots}
        self._order = order
        for agent in self.agents:
            if agent.present:
                self.changed(agent, dict(team.slots.items()))

    def changed(self, agent: SimulatedAgent, more: dict[Channel, int]) -> None:
        """Takes up a change of an agent; ``more`` is what it adds to the free slots."""
        agent.version += 1
        for channel, slots in more.items():
            self.free_slots[channel] += slots
        for channel, heap in self._heaps.items():
            if agent.free(channel):
                heappush(heap, (agent.held, agent.since, next(self._order), agent.version, agent))

    def first_free(self, channel: Channel) -> _Entry | None:
        heap = self._heaps[channel]
        while heap and heap[0][4].version != heap[0][3]:
            heappop(heap)
        return heap[0] if heap else None


class Staff:
    """Holds all teams of a centre."""

    def __init__(self, teams: Sequence[Team]) -> None:
        order = count()
        self.teams = [TeamState(team, order) for team in teams]
        self._serving: dict[tuple[QueueId, Channel], list[TeamState]] = defaultdict(list)
        self._state_of = {id(state.team): state for state in self.teams}
        self.agents: dict[str, SimulatedAgent] = {}
        for state in self.teams:
            self.agents.update((agent.name, agent) for agent in state.agents)
            for queue_id in state.team.served:
                for channel in state.team.slots:
                    self._serving[queue_id, channel].append(state)

    def find(self, queue_id: QueueId, channel: Channel) -> SimulatedAgent | None:
        """Returns the agent that takes a contact of this queue and channel now; ``None`` if no slot is free."""
        states = self._serving.get((queue_id, channel), ())
        entries = [entry for state in states if (entry := state.first_free(channel)) is not None]
        return min(entries)[4] if entries else None

    def take(self, agent: SimulatedAgent, channel: Channel) -> None:
        agent.used[channel] += 1
        agent.held += 1
        self._state_of[id(agent.team)].changed(agent, {channel: -1} if agent.present else {})

    def release(self, agent: SimulatedAgent, channel: Channel, now: Seconds) -> None:
        agent.used[channel] -= 1
        agent.held -= 1
        agent.since = now
        self._state_of[id(agent.team)].changed(agent, {channel: 1} if agent.present else {})

    def set_present(self, state: TeamState, now: Seconds, *, present: bool) -> None:
        """Begins or ends the shift of a team."""
        for agent in state.agents:
            before = {channel: agent.free(channel) for channel in agent.used}
            agent.present, agent.since = present, now
            state.changed(agent, {channel: agent.free(channel) - before[channel] for channel in agent.used})

    def figures(self, queue_id: QueueId, channel: Channel) -> tuple[int, int, int]:
        """Returns the free slots of a queue, the agents that have one, and the agents that work."""
        states = self._serving.get((queue_id, channel), ())
        slots = sum(state.free_slots[channel] for state in states)
        present = [agent for state in states for agent in state.agents if agent.present]
        return slots, sum(1 for agent in present if agent.free(channel)), len(present)

    def agent_states(self) -> Iterator[tuple[AgentId, AgentState]]:
        for agent in self.agents.values():
            slots = {channel.value: agent.free(channel) for channel in agent.used}
            profile = ProfileId(agent.team.name)
            yield AgentId(agent.name), AgentState(routable=agent.present, slots_available=slots, profile_id=profile)

    def profiles(self) -> tuple[RoutingProfile, ...]:
        """Returns the routing profiles: an agent with a contact is offered contacts of its other channels."""
        teams = [state.team for state in self.teams]
        return tuple(
            RoutingProfile(queue_ids=frozenset(one.served), alone=dict.fromkeys(one.slots, False)) for one in teams
        )

    def served_by_profile(self) -> dict[ProfileId, frozenset[tuple[QueueId, Channel]] | None]:
        teams = [state.team for state in self.teams]
        return {
            ProfileId(one.name): frozenset((queue, channel) for queue in one.served for channel in one.slots)
            for one in teams
        }
