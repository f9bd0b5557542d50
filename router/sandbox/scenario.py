"""Holds what a sandbox starts with, and builds it from a scenario file.

A scenario adds queues and people, the contacts that wait at the start, and those that arrive later.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from router.sandbox.behaviours import Behaviours
from router.sandbox.contact_events import EventTraps
from router.sandbox.directory import Identity
from router.sandbox.flow_blocks import FlowBlocks
from router.sandbox.flow_outcome import FlowOutcome
from router.sandbox.instance import Override, Working
from router.sandbox.quotas import CallQuotas, CallRate
from router.sandbox.scenario_file import parse_document, read_scenario
from router.sandbox.scenario_tables import (
    OUTCOME_KEYS,
    AgentTable,
    ArrivalsTable,
    BacklogTable,
    ContactTable,
    FaultTable,
    FlowTable,
    HoursTable,
    QueueTable,
    ScenarioDocument,
)
from router.sandbox.world import World

TO_QUEUE = "Overflow to queue"
TO_AGENT = "Escalate to agent"
INBOUND = "Inbound tasks"

DEFAULT_FILE = "contact-centre.toml"

Setting = Callable[[World], object]
"""A change that furnishes the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Describes the instance that a sandbox simulates, and the changes (``settings``) that furnish it, in order.

    By default it is an instance with AWS's own flows and the three that the shipped rules use. It then has no queues,
    no users and no throttling. ``quotas``: ``"aws"`` throttles as documented, ``"none"`` not at all, a mapping only the
    operations named in it. ``latency``: the shortest and the longest time that a response takes. ``start`` is what the
    clock shows at the start (``None``: the time of the machine), ``speed`` the seconds it gains in a second. ``events``
    ``None``: the instance publishes no contact events.
    """

    identity: Identity = field(default_factory=Identity)
    seed: int = 1
    start: datetime | None = None
    speed: float = 1.0
    behaviours: Behaviours = field(default_factory=Behaviours)
    quotas: Literal["aws", "none"] | Mapping[str, CallRate] = "none"
    latency: tuple[timedelta, timedelta] = (timedelta(0), timedelta(0))
    default_flows: bool = True
    settings: tuple[Setting, ...] = ()
    events: EventTraps | None = None

    @staticmethod
    def load(path: str | Path) -> Scenario:
        """Reads a TOML file. Raises ``router.problems.Problems`` with every mistake in it, each with its place."""
        return Scenario.parse(str(path), read_scenario(Path(path)))

    @staticmethod
    def parse(file: str, data: bytes) -> Scenario:
        """Reads the content of a TOML file, as ``load`` does. ``file`` is the name that messages show."""
        return _scenario_of(parse_document(file, data))

    @staticmethod
    def default() -> Scenario:
        """Reads the busy contact centre that is part of the package."""
        return Scenario.parse(DEFAULT_FILE, (files("router.sandbox") / "scenarios" / DEFAULT_FILE).read_bytes())

    def furnish(self, world: World) -> None:
        if self.default_flows:
            add_default_flows(world)
        for setting in self.settings:
            setting(world)

    def make_clock(self) -> Callable[[], datetime]:
        """Returns a clock that starts now."""
        start, began = self.start or datetime.now(UTC), time.monotonic()
        if self.start is None and self.speed == 1:
            return lambda: datetime.now(UTC)
        return lambda: start + timedelta(seconds=(time.monotonic() - began) * self.speed)

    def make_quotas(self) -> CallQuotas:
        if isinstance(self.quotas, str):
            return CallQuotas(limited=self.quotas == "aws")
        return CallQuotas(self.quotas, limited=False)


def add_default_flows(world: World) -> None:
    world.add_flow(TO_QUEUE, type="QUEUE_TRANSFER", description="Puts the contact into the queue it is sent to")
    world.add_flow(TO_AGENT, type="AGENT_TRANSFER", description="Puts the contact into the agent's own queue")
    world.add_flow(
        INBOUND,
        type="CONTACT_FLOW",
        outcome=FlowOutcome(queue_from="queue"),
        description="Puts a new task into the queue that its attribute `queue` names",
    )
    world.add_flow(
        "Default queue transfer",
        type="QUEUE_TRANSFER",
        outcome=FlowOutcome(unstaffed="disconnect", full="disconnect"),
        description="AWS's own: disconnects if no agent serves the queue",
    )
    world.add_flow("Default agent transfer", type="AGENT_TRANSFER", outcome=FlowOutcome(full="disconnect"))
    world.add_flow("Default customer queue", type="CUSTOMER_QUEUE")
    world.add_flow("Default agent hold", type="AGENT_HOLD")


def _scenario_of(document: ScenarioDocument) -> Scenario:
    instance, quotas, latency = document.instance, document.quotas, document.latency_ms
    return Scenario(
        identity=Identity(
            instance_id=instance.id,
            email_addresses=tuple(instance.email_addresses),
            **instance.model_dump(exclude={"id", "email_addresses"}),
        ),
        seed=document.seed,
        start=document.start,
        speed=document.speed,
        behaviours=Behaviours(**dict(document.behaviours)),
        quotas=quotas
        if isinstance(quotas, str)
        else {operation: CallRate(each.rate, each.burst) for operation, each in quotas.items()},
        latency=(timedelta(milliseconds=latency[0]), timedelta(milliseconds=latency[1])),
        default_flows=document.default_flows,
        settings=_settings_of(document),
        events=EventTraps(**dict(document.events)) if document.events is not None else None,
    )


def _settings_of(document: ScenarioDocument) -> tuple[Setting, ...]:
    """Returns the changes in order. Agents are added after the backlog, because they take its oldest contacts first."""
    return (
        *(_hours(each) for each in document.hours),
        *(_queue(each) for each in document.queue),
        *(_flow(each) for each in document.flow),
        *(_backlog(each, random.Random(f"{document.seed} backlog {n}")) for n, each in enumerate(document.backlog)),
        *(_agent(each) for each in document.agent),
        *(_arrivals(each, f"{document.seed} arrivals {n}") for n, each in enumerate(document.arrivals)),
        *(_fault(each) for each in document.fault),
    )


def _hours(table: HoursTable) -> Setting:
    overrides = [
        Override(name=each.name, first=each.first, last=each.last or each.first, windows=tuple(each.open))
        for each in table.override
    ]
    return lambda world: world.add_hours(**table.model_dump(exclude={"override"}), overrides=overrides)


def _queue(table: QueueTable) -> Setting:
    return lambda world: world.add_queue(**table.model_dump())


def _flow(table: FlowTable) -> Setting:
    outcome = FlowOutcome(then=table.outcome, **table.model_dump(include=OUTCOME_KEYS - {"outcome"}))
    same = table.model_dump(exclude={*OUTCOME_KEYS, "content"})
    content = FlowBlocks.parse(table.content) if table.content is not None else None
    return lambda world: world.add_flow(**same, outcome=outcome, content=content)


def _agent(table: AgentTable) -> Setting:
    working = Working(handling=table.handling, put_back=table.put_back) if table.handling is not None else None
    return lambda world: world.add_user(**table.model_dump(exclude={"handling", "put_back"}), working=working)


def _backlog(table: BacklogTable, chance: random.Random) -> Setting:
    def add(world: World) -> None:
        least, most = table.waited
        waits = sorted((least + (most - least) * chance.random() for _ in range(table.count)), reverse=True)
        for waited in waits:
            world.enqueue(waited=waited, chain=table.chain, **_particulars(table, chance))

    return add


def _arrivals(table: ArrivalsTable, seed: str) -> Setting:
    """Lets contacts arrive one after the other, at random (a Poisson process), without end."""

    def add(world: World) -> None:
        chance = random.Random(seed)

        def next_one() -> None:
            world.at(world.now + timedelta(minutes=chance.expovariate(table.per_minute)), arrive)

        def arrive() -> None:
            world.enqueue(**_particulars(table, chance))
            next_one()

        next_one()

    return add


def _particulars(table: ContactTable, chance: random.Random) -> dict[str, Any]:
    """Returns the details of one contact. Its name is one of the table's."""
    same = table.model_dump(include=set(ContactTable.model_fields) - {"names", "name"})
    return same | {"name": chance.choice(table.names) if table.names else table.name}


def _fault(table: FaultTable) -> Setting:
    """Adds a fault. Its ``start`` and ``end`` count from the start of the sandbox."""

    def add(world: World) -> None:
        span = {
            name: world.started_at + offset if offset is not None else None
            for name, offset in (("start", table.start), ("end", table.end))
        }
        world.faults.add(**table.model_dump() | span)

    return add
