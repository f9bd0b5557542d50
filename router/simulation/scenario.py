"""Makes a simulated centre and its arrivals from a scenario file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import log1p
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from router.decide.snapshot import Limits
from router.durations import format_duration
from router.model import (
    Agent,
    AgentId,
    Channel,
    Contact,
    ContactId,
    Details,
    Directory,
    Flow,
    FlowId,
    FlowType,
    Hours,
    HoursId,
    OpeningHours,
    Queue,
    QueueId,
    TimeSlice,
)
from router.rules.calendar import Calendar
from router.rules.rule import RuleSet
from router.sandbox.instance_setup import ALWAYS_OPEN
from router.sandbox.scenario_file import read_scenario
from router.sandbox.scenario_tables import BacklogTable, ContactTable, HoursTable
from router.simulation.centre import Arrival, SimulatedCentre, Team, shifts_of
from router.simulation.randomness import Between, Exponential, Fixed, LogNormal, RandomStreams, Spread
from router.simulation.scenario_tables import (
    DAY,
    MOST_DAYS,
    HandlingTable,
    PeriodTable,
    RatedArrivalsTable,
    SimulationDocument,
    TeamTable,
    parse_simulation,
)

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
ALL_DAY = dict.fromkeys(range(7), ((0, 0),))


@dataclass(frozen=True, slots=True)
class SimulationScenario:
    """Holds a scenario; ``arrivals`` differ with the seed of each replication."""

    document: SimulationDocument

    @staticmethod
    def load(path: Path) -> SimulationScenario:
        """Reads a TOML file. Raises ``router.problems.Problems`` with every mistake in it, each with its place."""
        return SimulationScenario(parse_simulation(str(path), read_scenario(path)))

    def with_days(self, days: int | None) -> SimulationScenario:
        """Returns the scenario with as many days; as it is, if that is ``None``. Raises ``ValueError`` if they are more
        than a scenario may have, or not more than the warm-up."""
        if days is None:
            return self
        warm_up = self.document.warm_up
        if days > MOST_DAYS:
            raise ValueError(f"at most {MOST_DAYS} days can be simulated")
        if days * DAY <= warm_up:
            raise ValueError(f"the warm-up of the scenario takes {format_duration(warm_up)}: simulate more days")
        return SimulationScenario(self.document.model_copy(update={"days": days}))

    @property
    def by_day(self) -> bool:
        return False

    def centre(self, *rulesets: RuleSet | None) -> SimulatedCentre:
        """Returns the centre. It has every flow that the rules name, because a scenario has none of its own."""
        document = self.document
        calendars = {HoursId(each.name): _calendar(each) for each in document.hours}
        calendars[HoursId(ALWAYS_OPEN)] = Calendar.of(OpeningHours(zone="UTC", weekly=ALL_DAY, dated={}))
        least, most = (span.total_seconds() for span in document.landing)
        return SimulatedCentre(
            start=document.start,
            directory=_directory(document, [one for one in rulesets if one is not None]),
            teams=tuple(_team(each, document, calendars) for each in document.agent),
            handling={key: spread for each in document.handling for key, spread in _handling(each)},
            hours=calendars,
            promises={QueueId(each.name): each.promise for each in document.queue if each.promise is not None},
            landing=Between(least, most) if most > least else Fixed(least),
            keep_place=document.keep_place,
            poll_every=document.poll_every.total_seconds(),
            limits=Limits.of(document.guard),
            measured_from=document.warm_up.total_seconds(),
        )

    def arrivals(self, streams: RandomStreams) -> list[Arrival]:
        """Draws the contacts of one replication, in the order of time."""
        document = self.document
        found = [one for n, table in enumerate(document.backlog) for one in _backlog(table, n, document.start, streams)]
        for number, table in enumerate(document.arrivals):
            found.extend(_arrivals(table, number, document, streams))
        return sorted(found, key=lambda one: (one.at, one.contact.id))


def _calendar(table: HoursTable) -> Calendar:
    weekly = {DAYS.index(day): tuple(map(_slice, windows)) for day, windows in table.week.items()}
    dated = {}
    for override in table.override:
        day, last = override.first, override.last or override.first
        while day <= last:
            dated[day] = tuple(map(_slice, override.open))
            day += DAY
    return Calendar.of(OpeningHours(zone=table.zone, weekly=weekly, dated=dated))


def _slice(window: tuple[time, time]) -> TimeSlice:
    begins, ends = window
    return begins.hour * 60 + begins.minute, ends.hour * 60 + ends.minute


def agent_names(table: TeamTable) -> tuple[str, ...]:
    """Returns the user names of a table of agents: numbered, if there are several."""
    return (table.username,) if table.count == 1 else tuple(f"{table.username}-{n + 1}" for n in range(table.count))


def _team(table: TeamTable, document: SimulationDocument, calendars: Mapping[HoursId, Calendar]) -> Team:
    until = document.start + document.days * DAY + timedelta(days=15)
    always = table.hours == ALWAYS_OPEN
    return Team(
        name=table.username,
        agents=agent_names(table),
        served={QueueId(queue): table.priorities.get(queue, 1) for queue in table.queues},
        slots={Channel(channel): slots for channel, slots in table.slots.items() if slots},
        presence=None if always else shifts_of(calendars[HoursId(table.hours)], document.start, until),
        handling=Exponential(table.handling.total_seconds()) if table.handling is not None else None,
        put_back=table.put_back,
    )


def _handling(table: HandlingTable) -> Iterator[tuple[tuple[QueueId, Channel], Spread]]:
    mean = table.mean.total_seconds()
    spread: Spread
    if table.deviation is not None:
        spread = LogNormal(mean, table.deviation.total_seconds())
    else:
        spread = Fixed(mean) if table.shape == "fixed" else Exponential(mean)
    channels = [Channel(table.channel)] if table.channel is not None else list(Channel)
    yield from (((QueueId(table.queue), channel), spread) for channel in channels)


def _directory(document: SimulationDocument, rulesets: list[RuleSet]) -> Directory:
    entries = [entry for rules in rulesets for rule in rules.rules for step in rule.steps for entry in step.entries]
    flows = sorted({entry.flow for entry in entries})
    agents = [name for each in document.agent for name in agent_names(each)]
    names = [ALWAYS_OPEN, *(each.name for each in document.hours)]
    return Directory(
        queues=tuple(Queue(id=QueueId(one.name), name=one.name, hours_id=HoursId(one.hours)) for one in document.queue),
        agents=tuple(Agent(id=AgentId(name), name=name) for name in agents),
        flows=tuple(Flow(id=FlowId(name), name=name, type=FlowType.INBOUND) for name in flows),
        hours=tuple(Hours(id=HoursId(name), name=name) for name in names),
    )


def _backlog(table: BacklogTable, number: int, start: datetime, streams: RandomStreams) -> Iterator[Arrival]:
    least, most = (span.total_seconds() for span in table.waited)
    for n in range(table.count):
        contact_id = f"backlog-{number + 1}-{n + 1}"
        waited = least + (most - least) * streams.uniform(contact_id, "waited")
        at = start - timedelta(seconds=waited)
        yield Arrival(contact=_contact(table, contact_id, at, streams), at=0.0, waited=waited)


def _arrivals(
    table: RatedArrivalsTable, number: int, document: SimulationDocument, streams: RandomStreams
) -> Iterator[Arrival]:
    """Draws a Poisson process at the highest rate, and thins it by the rate of each instant."""
    highest = max((table.per_minute, *(period.per_minute for period in table.period)))
    if not highest:
        return
    rates, at, end = _Rates(table), 0.0, document.days * 86_400.0
    patience = table.patience.total_seconds() if table.patience is not None else None
    for n in range(1, 1 << 62):
        contact_id = f"{table.queue}-{number + 1}-{n}"
        at -= log1p(-streams.uniform(contact_id, "arrival")) * 60 / highest
        if at >= end:
            return
        instant = document.start + timedelta(seconds=at)
        rate = rates.at(instant)
        if rate < highest and streams.uniform(contact_id, "kept") * highest >= rate:
            continue
        yield Arrival(
            contact=_contact(table, contact_id, instant, streams),
            at=at,
            patience=Exponential(patience).at(streams.uniform(contact_id, "patience"))
            if patience is not None
            else None,
            unit=int(at // 86_400),
        )


class _Rates:
    """Finds the rate of arrivals at an instant: of the first period that has it, else the table's own."""

    def __init__(self, table: RatedArrivalsTable) -> None:
        self._usual = table.per_minute
        self._zone = ZoneInfo(table.zone)
        self._periods = [(_days(period), _minutes(period), period.per_minute) for period in table.period]

    def at(self, instant: datetime) -> float:
        if not self._periods:
            return self._usual
        local = instant.astimezone(self._zone)
        day, minute = local.weekday(), local.hour * 60 + local.minute
        for days, (begins, ends), rate in self._periods:
            if day in days and begins <= minute < ends:
                return rate
        return self._usual


def _days(period: PeriodTable) -> frozenset[int]:
    return frozenset(DAYS.index(day) for day in period.days or DAYS)


def _minutes(period: PeriodTable) -> tuple[int, int]:
    begins, ends = _slice(period.between) if period.between is not None else (0, 0)
    return begins, ends or 24 * 60


def _contact(table: ContactTable, contact_id: str, at: datetime, streams: RandomStreams) -> Contact:
    name = table.name
    if table.names:
        name = table.names[int(streams.uniform(contact_id, "name") * len(table.names))]
    segments: dict[str, Any] = {key: str(value) for key, value in table.segment_attributes.items()}
    return Contact(
        id=ContactId(contact_id),
        channel=Channel(table.channel),
        initiation_method="API" if table.channel == "TASK" else "INBOUND",
        queue_id=QueueId(table.queue),
        enqueued_at=at,
        initiated_at=at,
        name=name,
        segment_attributes=segments,
        tags=table.tags,
        details=Details(
            attributes=table.attributes,
            priority=table.priority,
            task_template=table.task_template,
            to_address=table.to_address,
            from_address=table.from_address,
        ),
    )
