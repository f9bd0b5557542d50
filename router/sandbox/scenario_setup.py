"""Turns the tables of a scenario file into changes of the world.

They add its queues and people, the contacts that wait at the start, and those that arrive later.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from router.sandbox.instance import FlowOutcome, Override, Working
from router.sandbox.instance_setup import ALWAYS_OPEN
from router.sandbox.scenario_tables import (
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

Setting = Callable[[World], None]
"""A change that furnishes the world."""


def settings_of(document: ScenarioDocument) -> tuple[Setting, ...]:
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

    def add(world: World) -> None:
        week = {str(day): windows for day, windows in table.week.items()}
        world.add_hours(table.name, zone=table.zone, week=week, overrides=overrides, description=table.description)

    return add


def _queue(table: QueueTable) -> Setting:
    def add(world: World) -> None:
        world.add_queue(
            table.name,
            hours=table.hours or ALWAYS_OPEN,
            enabled=table.enabled,
            capacity=table.capacity,
            description=table.description,
            tags=table.tags,
        )

    return add


def _flow(table: FlowTable) -> Setting:
    outcome = FlowOutcome(
        then=table.outcome,
        after=table.after,
        queue=table.queue,
        queue_from=table.queue_from,
        priority=table.priority,
        age=table.age,
        full=table.full,
        unstaffed=table.unstaffed,
    )

    def add(world: World) -> None:
        world.add_flow(
            table.name,
            type=table.type,
            state=table.state,
            status=table.status,
            outcome=outcome,
            description=table.description,
        )

    return add


def _agent(table: AgentTable) -> Setting:
    working = Working(handling=table.handling, put_back=table.put_back) if table.handling is not None else None

    def add(world: World) -> None:
        world.add_user(
            table.username,
            queues=table.queues,
            slots={str(channel): number for channel, number in table.slots.items()},
            status=table.status,
            working=working,
            first_name=table.first_name,
            last_name=table.last_name,
        )

    return add


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
    return {
        "channel": table.channel,
        "queue": table.queue,
        "name": chance.choice(table.names) if table.names else None,
        "attributes": table.attributes,
        "tags": table.tags,
        "segment_attributes": table.segment_attributes,
        "priority": table.priority,
        "from_address": table.from_address,
        "to_address": table.to_address,
        "task_template": table.task_template,
    }


def _fault(table: FaultTable) -> Setting:
    """Adds a fault. Its ``start`` and ``end`` count from the start of the sandbox."""

    def add(world: World) -> None:
        world.faults.add(
            table.kind,
            table.operation,
            count=table.count,
            probability=table.probability,
            start=world.started_at + table.start if table.start is not None else None,
            end=world.started_at + table.end if table.end is not None else None,
            delay=table.delay,
            code=table.code,
            message=table.message,
        )

    return add
