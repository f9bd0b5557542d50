"""Runs the events of a simulated centre in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from heapq import heappop, heappush
from typing import Any

from router.model import DEFAULT_PRIORITY, Channel, ContactId, QueueId, QueueMetrics
from router.rules.bound import BoundRuleSet
from router.simulation.centre import Arrival, Seconds, SimulatedCentre
from router.simulation.first_looks import FirstLooks
from router.simulation.randomness import RandomStreams
from router.simulation.rule_acts import RuleActs
from router.simulation.staff import SimulatedAgent, Staff, TeamState
from router.simulation.trace import Trace
from router.simulation.wait_record import Ending, SimulatedContact, SimulatedWait, WaitState
from router.simulation.waiting_lines import Place, WaitingLines

Handler = Callable[[Any], None]


class Engine:
    """Simulates one centre once. ``rules`` are those that move contacts; ``None``: nothing moves them.

    ``looks`` has the promise and the first due instant of each arrival. ``trace`` records what a chart needs.
    """

    def __init__(
        self,
        centre: SimulatedCentre,
        arrivals: Sequence[Arrival],
        rules: BoundRuleSet | None,
        streams: RandomStreams,
        *,
        looks: FirstLooks | None = None,
        trace: Trace | None = None,
    ) -> None:
        self.centre = centre
        self.staff = Staff(centre.teams)
        self.waits: list[SimulatedWait] = []
        self.now: Seconds = 0.0
        self.streams = streams
        self._looks = looks
        self.trace = trace
        self._arrivals: Iterator[Arrival] = iter(arrivals)
        self._agenda: list[tuple[Seconds, int, Handler, Any]] = []
        self._order = 0
        self._alive = len(arrivals)
        self.lines = WaitingLines()
        self._acts = RuleActs(self, rules) if rules is not None else None
        self._end = (arrivals[-1].at if arrivals else 0.0) + centre.runs_on

    def run(self) -> list[SimulatedWait]:
        """Simulates until every contact has ended, or the time is over. Returns the waits in the order of their
        begins."""
        for state in self.staff.teams:
            if state.team.presence is not None:
                self._next_shift((state, 0))
        if self.trace is not None:
            self._sample(None)
        self._next_arrival()
        agenda = self._agenda
        while agenda and self._alive:
            at, _, handler, about = heappop(agenda)
            if at > self._end:
                break
            self.now = at
            handler(about)
        if self._alive:
            self.now = self._end
        for wait in self.waits:
            if wait.ending is Ending.OPEN:
                self._close(wait, Ending.OPEN)
        return self.waits

    def at(self, when: Seconds, handler: Handler, about: Any) -> None:
        self._order += 1
        heappush(self._agenda, (when, self._order, handler, about))

    # ---- contacts that arrive, wait, and end

    def _next_arrival(self) -> None:
        arrival = next(self._arrivals, None)
        if arrival is not None:
            self.at(arrival.at, self._arrive, arrival)

    def _arrive(self, arrival: Arrival) -> None:
        assert arrival.contact.queue_id is not None, "a contact arrives in a queue"
        queued = arrival.at - arrival.waited
        wait = SimulatedWait(arrival=arrival, queue_id=arrival.contact.queue_id, began=queued)
        contact = SimulatedContact(
            seen=arrival.contact,
            wait=wait,
            queue_id=wait.queue_id,
            priority=_priority_of(arrival),
            enqueued_at=queued,
            since=queued,
        )
        self._begin(contact)
        self._next_arrival()

    def _begin(self, contact: SimulatedContact) -> None:
        """Begins a wait: decides on it once, and offers it to the agents."""
        wait = contact.wait
        self.waits.append(wait)
        patience = wait.arrival.patience
        if patience is not None:
            self.at(max(wait.began + patience, self.now), self._expire, (contact, wait))
        due_at = self._first_look(contact)
        if not self.offer(contact):
            self.line_up(contact)
            if due_at is not None and self._acts is not None:
                self._acts.plan(contact, due_at)

    def _first_look(self, contact: SimulatedContact) -> Seconds | None:
        """Finds the promise of a new wait, and when the rules are due; ``None``: never."""
        if self._looks is None:
            return None
        router = self._acts.router if self._acts is not None else None
        contact.wait.promise, due_at = self._looks.look(contact, self.now, router)
        return due_at

    def offer(self, contact: SimulatedContact) -> bool:
        """Gives the contact to a free agent. Returns whether there was one."""
        channel, own = contact.seen.channel, contact.own_agent
        agent = self.staff.find(contact.queue_id, channel) if own is None else self.staff.agents.get(own)
        if agent is None or not agent.free(channel):
            return False
        self._answer(contact, agent)
        return True

    def line_up(self, contact: SimulatedContact) -> None:
        contact.state = WaitState.QUEUED
        self.lines.add(contact)

    def leave(self, contact: SimulatedContact, state: WaitState) -> None:
        """Takes the contact out of its queue."""
        if contact.state is WaitState.QUEUED:
            self.lines.remove(contact)
        contact.state = state
        contact.version += 1
        if self._acts is not None:
            self._acts.left(contact)

    def _answer(self, contact: SimulatedContact, agent: SimulatedAgent) -> None:
        self.leave(contact, WaitState.GONE)
        self._close(contact.wait, Ending.ANSWERED)
        self.staff.take(agent, contact.seen.channel)
        self.at(self.now + self._work_of(contact, agent), self._finish, (contact, agent))

    def _work_of(self, contact: SimulatedContact, agent: SimulatedAgent) -> Seconds:
        arrival, turn = contact.wait.arrival, contact.wait.turn
        if arrival.work is not None:
            return arrival.work
        share = arrival.turns[turn].quantile if turn < len(arrival.turns) else None
        if share is None:
            share = self.streams.uniform(arrival.contact.id, f"handling {turn}")
        queue_id = contact.queue_id if contact.own_agent is None else contact.wait.queue_id
        return self.centre.work_of(queue_id, contact.seen.channel, agent.team).at(share)

    def _finish(self, about: tuple[SimulatedContact, SimulatedAgent]) -> None:
        """Ends a contact, or puts it back into its queue; the agent takes the next one before that."""
        contact, agent = about
        channel, turn = contact.seen.channel, contact.wait.turn
        self.staff.release(agent, channel, self.now)
        self._work(agent)
        if not self._is_put_back(contact.wait.arrival, turn, agent.team.put_back):
            self._alive -= 1
            return
        queue_id = contact.queue_id if contact.own_agent is None else contact.wait.queue_id
        contact.wait = SimulatedWait(arrival=contact.wait.arrival, queue_id=queue_id, began=self.now, turn=turn + 1)
        self.renew(contact, queue_id)
        contact.since, contact.state = self.now, WaitState.ARRIVING
        self._begin(contact)

    def _is_put_back(self, arrival: Arrival, turn: int, share: float) -> bool:
        if not share:
            return False
        if turn < len(arrival.turns):
            return arrival.turns[turn].kept < share
        return self.streams.uniform(arrival.contact.id, f"put back {turn}") < share

    def _expire(self, about: tuple[SimulatedContact, SimulatedWait]) -> None:
        contact, wait = about
        if contact.wait is not wait or contact.state is WaitState.GONE:
            return
        if contact.state is WaitState.MOVING and self._acts is not None:
            self._acts.lost(contact)
        self.leave(contact, WaitState.GONE)
        self._close(wait, Ending.EXPIRED)
        self._alive -= 1

    def _close(self, wait: SimulatedWait, ending: Ending) -> None:
        wait.ending, wait.ended = ending, self.now
        if wait.promise is not None:
            wait.late = wait.promise.late(self.centre.instant(self.now))

    def renew(self, contact: SimulatedContact, queue_id: QueueId) -> None:
        """Gives the contact a new segment, in this queue since now."""
        first, before = contact.wait.arrival.contact, contact.seen
        contact.number += 1
        contact.queue_id, contact.enqueued_at = queue_id, self.now
        instant = self.centre.instant(self.now)
        contact.seen = replace(
            before,
            id=ContactId(f"{first.id}.{contact.number}"),
            initial_id=first.chain_id,
            previous_id=before.id,
            queue_id=queue_id,
            enqueued_at=instant,
            initiated_at=instant,
        )

    # ---- agents

    def _next_shift(self, about: tuple[TeamState, int]) -> None:
        """Plans the begin of a team's next shift, and its end."""
        state, number = about
        presence = state.team.presence or ()
        if number < len(presence):
            begins, ends = presence[number]
            self.at(max(begins, self.now), self._start_shift, state)
            self.at(max(ends, self.now), self._end_shift, (state, number))

    def _start_shift(self, state: TeamState) -> None:
        self.staff.set_present(state, self.now, present=True)
        for agent in state.agents:
            self._work(agent)

    def _end_shift(self, about: tuple[TeamState, int]) -> None:
        state, number = about
        self.staff.set_present(state, self.now, present=False)
        self._next_shift((state, number + 1))

    def _work(self, agent: SimulatedAgent) -> None:
        """Lets the agent take contacts until no slot is free or none waits."""
        while (contact := self._next_for(agent)) is not None:
            self._answer(contact, agent)

    def _next_for(self, agent: SimulatedAgent) -> SimulatedContact | None:
        """Returns the agent's next contact: from the own queue, else by the priorities of the profile and the
        contacts, then the oldest."""
        best: tuple[int, Place] | None = None
        for channel in agent.used:
            if not agent.free(channel):
                continue
            if self._acts is not None and (own := self.lines.first(agent.own_queue, channel)) is not None:
                return own[4]
            for queue_id, rank in agent.team.served.items():
                first = self.lines.first(queue_id, channel)
                if first is not None and (best is None or (rank, *first[:3]) < (best[0], *best[1][:3])):
                    best = rank, first
        return None if best is None else best[1][4]

    # ---- what is seen of the queues

    def figures(self, queue_id: QueueId, channel: Channel) -> QueueMetrics:
        """Returns the real-time metrics of a queue, without a delay. Connect's estimate of the wait is not known."""
        oldest = self.lines.oldest(queue_id, channel)
        slots, available, staffed = self.staff.figures(queue_id, channel)
        return QueueMetrics(
            slots_available=slots,
            agents_available=available,
            agents_staffed=staffed,
            agents_online=staffed,
            contacts_in_queue=self.lines.counts[queue_id, channel],
            oldest_contact_age=timedelta(seconds=self.now - (oldest if oldest is not None else self.now)),
        )

    def _sample(self, _: None) -> None:
        assert self.trace is not None, "only a trace takes samples"
        self.trace.sample(self.now, self.lines.by_queue)
        self.at(self.now + self.trace.every, self._sample, None)


def _priority_of(arrival: Arrival) -> int:
    details = arrival.contact.details
    return DEFAULT_PRIORITY if details is None or details.priority is None else details.priority
