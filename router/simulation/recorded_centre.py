"""Makes a simulated centre of a history: the contacts as they arrived, the agents as they worked, and what was seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from router.decide.snapshot import Limits
from router.history.world import Leaving, Staffed, Stay
from router.model import Agent, AgentId, Channel, Directory, Flow, FlowId, FlowType, HoursId, QueueId
from router.rules.clock import OpenTimes
from router.rules.rule import RuleSet
from router.simulation.centre import Arrival, KnownTurn, Seconds, SimulatedCentre, Team
from router.simulation.first_looks import FirstLooks
from router.simulation.presence import SLACK, TakenContact, Unserved, teams_of_events, teams_of_work
from router.simulation.randomness import Observed, RandomStreams
from router.simulation.recorded_waits import RecordedContact, RecordedWait, contacts_of, queue_of
from router.simulation.spans import Span, joined
from router.simulation.tally import DAY, ByUnit, count
from router.simulation.wait_record import Ending, SimulatedContact, SimulatedWait

WARM_UP = timedelta(days=1)
"""Contacts of the time before the history's begin fill the queues, and are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCentre:
    """Holds what a history has in addition to its contacts.

    ``unserved`` is when the metrics of a queue and channel showed no free slot, as instants. ``staffed`` are agent
    events.
    """

    directory: Directory
    hours: Mapping[HoursId, OpenTimes] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    staffed: Sequence[Staffed] = ()
    unserved: Mapping[tuple[QueueId, Channel], Sequence[tuple[datetime, datetime]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCentre:
    """Holds the contacts of a history. The days on which they began to wait are the units of the estimate.

    ``known_agents`` are agents whose presence is known from events; that of ``inferred_agents`` is inferred.
    """

    contacts: tuple[RecordedContact, ...]
    known: KnownCentre
    teams: tuple[Team, ...]
    start: datetime
    since: datetime
    end: datetime
    known_agents: int
    inferred_agents: int

    @classmethod
    def of(cls, stays: Iterable[Stay], known: KnownCentre, since: datetime, until: datetime) -> RecordedCentre:
        """Joins the stays to waits, and finds the agents' queues, slots and presence. Raises ``ValueError`` if nothing
        waited, or nobody answered."""
        usable = [
            one for one in stays if since - WARM_UP <= one.enqueued_at < until and one.contact.queue_id is not None
        ]
        contacts = tuple(contacts_of(usable))
        if not contacts:
            raise ValueError("no contact waited in this time")
        waits = [wait for contact in contacts for wait in contact]
        first = waits[0].began_at
        start = first.replace(hour=0, minute=0, second=0, microsecond=0)
        end = min(max(one.ended_at or one.began_at for one in waits), until)
        taken = _taken(waits, start)
        if not taken:
            raise ValueError("no contact was answered by an agent in this time")
        shown = teams_of_events(known.staffed, lambda at: (at - start).total_seconds())
        by_events = {AgentId(one.name) for one in shown}
        others = {agent_id: found for agent_id, found in taken.items() if agent_id not in by_events}
        inferred = teams_of_work(others, _unserved(usable, known, start))
        shares = _put_back(contacts, (*shown, *inferred))
        teams = tuple(replace(one, put_back=shares.get(frozenset(one.served), 0.0)) for one in (*shown, *inferred))
        return cls(
            contacts=contacts,
            known=known,
            teams=teams,
            start=start,
            since=max(since, first),
            end=end,
            known_agents=len(by_events),
            inferred_agents=len(inferred),
        )

    @property
    def by_day(self) -> bool:
        return True

    def centre(self, *rulesets: RuleSet | None) -> SimulatedCentre:
        """Returns the centre. It has every flow that the rules name."""
        directory = self.known.directory
        named = (
            {
                entry.flow
                for rules in rulesets
                if rules is not None
                for rule in rules.rules
                for step in rule.steps
                for entry in step.entries
            }
            - {flow.name for flow in directory.flows}
            - {flow.id for flow in directory.flows}
        )
        flows = [Flow(id=FlowId(name), name=name, type=FlowType.INBOUND) for name in sorted(named)]
        names = {one.id: one.name for one in directory.agents}
        made = [Agent(id=AgentId(one), name=names.get(AgentId(one), one)) for team in self.teams for one in team.agents]
        agents = {one.id: one for one in (*directory.agents, *made)}
        last = self.contacts[-1][0].began_at
        return SimulatedCentre(
            start=self.start,
            directory=replace(directory, flows=(*directory.flows, *flows), agents=tuple(agents.values())),
            teams=self.teams,
            handling=self._handling(),
            hours=self.known.hours,
            limits=self.known.limits,
            measured_from=self._seconds(self.since),
            runs_on=max((self.end - last).total_seconds(), 0.0) + SLACK,
        )

    def _seconds(self, at: datetime) -> Seconds:
        return (at - self.start).total_seconds()

    def _handling(self) -> dict[tuple[QueueId, Channel], Observed]:
        times: dict[tuple[QueueId, Channel], list[float]] = defaultdict(list)
        for wait in (wait for contact in self.contacts for wait in contact):
            if wait.worked is not None:
                times[queue_of(wait.last), wait.last.contact.channel].append(wait.worked.total_seconds())
        return {key: Observed(sorted(found)) for key, found in times.items()}

    def arrivals(self, streams: RandomStreams) -> Sequence[Arrival]:
        """Returns the contacts as they arrived. A contact needs the time that it needed, or in another queue the time
        of the same place among that queue's times."""
        handling = self._handling()
        shares = {name: team.put_back for team in self.teams for name in team.agents}
        return [self._arrival(contact, handling, shares, streams) for contact in self.contacts]

    def _arrival(
        self,
        contact: RecordedContact,
        handling: Mapping[tuple[QueueId, Channel], Observed],
        shares: Mapping[str, float],
        streams: RandomStreams,
    ) -> Arrival:
        wait = contact[0]
        seen, at = wait.stays[0].contact, self._seconds(wait.began_at)
        turns = []
        for turn, one in enumerate(contact):
            if one.answered_by is not None:
                share, drawn = shares.get(one.answered_by, 0.0), streams.uniform(seen.id, f"put back {turn}")
                kept = drawn * share if one is not contact[-1] else share + drawn * (1 - share)
                turns.append(KnownTurn(quantile=_quantile(one, handling), kept=kept))
        ended = wait.last.how is Leaving.ENDED and wait.last.left_at is not None
        first = replace(seen, initial_id=None, previous_id=None, related_id=None)
        return Arrival(
            contact=first,
            at=at,
            patience=(wait.last.left_at - wait.began_at).total_seconds() if ended and wait.last.left_at else None,
            turns=tuple(turns),
            unit=int(at // DAY),
        )

    def observed(self, centre: SimulatedCentre, looks: FirstLooks) -> ByUnit:
        """Counts the waits as they were observed, against the promises that the simulation uses."""
        arrivals = self.arrivals(RandomStreams(""))
        pairs = zip(self.contacts, arrivals, strict=True)
        found = [
            self._observed(wait, turn, arrival, centre, looks)
            for contact, arrival in pairs
            for turn, wait in enumerate(contact)
        ]
        return count(found, centre.measured_from, None)

    def _observed(
        self, wait: RecordedWait, turn: int, arrival: Arrival, centre: SimulatedCentre, looks: FirstLooks
    ) -> SimulatedWait:
        began = self._seconds(wait.began_at)
        seen = SimulatedWait(arrival=arrival, queue_id=wait.queue_id, began=began, turn=turn)
        contact = SimulatedContact(
            seen=wait.stays[0].contact if turn else arrival.contact,
            wait=seen,
            queue_id=wait.queue_id,
            priority=5,
            enqueued_at=began,
            since=began,
        )
        seen.promise, _ = looks.look(contact, began, None)
        seen.moves = [(self._seconds(one.enqueued_at), queue_of(one)) for one in wait.stays[1:]]
        ended_at = wait.ended_at if wait.ended_at is not None and wait.ended_at <= self.end else None
        seen.ended = max(self._seconds(ended_at or self.end), began)
        answered = wait.answered_by is not None or wait.last.how is Leaving.ANSWERED
        seen.ending = Ending.OPEN if ended_at is None else Ending.ANSWERED if answered else Ending.EXPIRED
        if seen.promise is not None:
            seen.late = seen.promise.late(centre.instant(seen.ended))
        return seen


def _quantile(wait: RecordedWait, handling: Mapping[tuple[QueueId, Channel], Observed]) -> float | None:
    if wait.worked is None:
        return None
    return handling[queue_of(wait.last), wait.last.contact.channel].share_of(wait.worked.total_seconds())


def _taken(waits: Iterable[RecordedWait], start: datetime) -> dict[AgentId, list[TakenContact]]:
    found: dict[AgentId, list[TakenContact]] = defaultdict(list)
    for wait in waits:
        stay = wait.last
        if wait.answered_by is not None and stay.connected_at is not None:
            begins = (stay.connected_at - start).total_seconds()
            ends = begins + (stay.handle_time or timedelta()).total_seconds()
            one = TakenContact(begins=begins, ends=ends, queue_id=queue_of(stay), channel=stay.contact.channel)
            found[wait.answered_by].append(one)
    return found


def _unserved(stays: Iterable[Stay], known: KnownCentre, start: datetime) -> Unserved:
    """Returns when a contact waited, or the metrics showed no free slot, by queue and channel."""
    spans: dict[tuple[QueueId, Channel], list[Span]] = defaultdict(list)
    for stay in stays:
        gone = stay.connected_at or stay.left_at
        ends = (gone - start).total_seconds() if gone is not None else float("inf")
        spans[queue_of(stay), stay.contact.channel].append(((stay.enqueued_at - start).total_seconds(), ends))
    for key, shown in known.unserved.items():
        spans[key] += [((begins - start).total_seconds(), (ends - start).total_seconds()) for begins, ends in shown]
    return {key: joined(of) for key, of in spans.items()}


def _put_back(contacts: Iterable[RecordedContact], teams: Iterable[Team]) -> dict[frozenset[QueueId], float]:
    """Returns the share of contacts that agents put back, by the queues that the agents serve."""
    served = {name: frozenset(team.served) for team in teams for name in team.agents}
    answered: Counter[frozenset[QueueId]] = Counter()
    returned: Counter[frozenset[QueueId]] = Counter()
    for contact in contacts:
        for wait in contact:
            if wait.answered_by is not None and wait.answered_by in served:
                answered[served[wait.answered_by]] += 1
                returned[served[wait.answered_by]] += wait is not contact[-1]
    return {key: returned[key] / many for key, many in answered.items()}
