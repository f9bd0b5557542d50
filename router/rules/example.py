"""Holds an example of a rule file as typed values: a contact, the world around it, and the expected outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from router.model import EMPTY_QUEUE, Channel, HoldReason, QueueMetrics
from router.problems import Place
from router.rules.file.example_table import ExampleContactTable as ContactTable
from router.rules.file.example_table import ExampleQueueTable, ExampleTable, Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleContact:
    """Holds the contact of an example; ``None`` is "not given". ``queue`` and ``visited`` are names, ids or ARNs.

    ``clock`` is what the rule's clock shows, ``progress`` the clock time of the last ``to`` step done, ``visited`` the
    queues that the wait has been moved out of. The file's ``subtype`` is ``connect:Subtype`` in ``segment_attributes``.
    """

    channel: Channel
    queue: str
    waited: timedelta | None = None
    age: timedelta | None = None
    initiation_method: str | None = None
    name: str | None = None
    segment_attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None
    task_template: str | None = None
    to_address: str | None = None
    from_address: str | None = None
    transfers: int | None = None
    clock: timedelta | None = None
    progress: timedelta | None = None
    visited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """Holds the expected outcome: exactly one of ``queue``, ``agent``, ``routing``, ``hold``, ``due``, or ``warn``
    alone.

    ``warn`` may be set with any of the first four. ``step`` is set except with ``due``, and may be missing with
    ``hold``.
    """

    rule: str
    step: int | None = None
    queue: str | None = None
    agent: str | None = None
    routing: bool = False
    warn: bool = False
    hold: HoldReason | None = None
    due: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Holds an example. ``expect`` is ``None`` for ``"nothing"``: no step acts and nothing is held.

    ``queues`` are by name, with 0 for every metric not given. ``agents`` are free slots by user name; agents not given
    are not routable. ``hours`` are by name, ``"queue"`` for every queue's own; ``open`` sets the own hours of single
    queues. What neither names is open. ``moved`` is how many others the rule has moved out of the contact's queue
    within the hour.
    """

    name: str
    place: Place
    contact: ExampleContact
    expect: Expect | None
    queues: Mapping[str, QueueMetrics] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)
    hours: Mapping[str, Literal["open", "closed"]] = field(default_factory=dict)
    open: Mapping[str, bool] = field(default_factory=dict)
    now: datetime | None = None
    moved: int = 0


# ``[[example]]`` tables to examples.


def compile_example(table: ExampleTable, place: Place) -> Example:
    return Example(
        name=table.name,
        place=place,
        contact=contact_of(table.contact),
        expect=_expect(table.expect) if isinstance(table.expect, Expected) else None,
        queues={name: _metrics(queue) for name, queue in table.queues.items()},
        agents={name: agent.slots_available for name, agent in table.agents.items()},
        hours=dict(table.hours),
        open={name: queue.open for name, queue in table.queues.items() if queue.open is not None},
        now=table.now,
        moved=table.moved or 0,
    )


def contact_of(table: ContactTable) -> ExampleContact:
    """Returns the contact of a table."""
    segment = dict(table.segment_attributes)
    if table.subtype is not None:
        segment["connect:Subtype"] = table.subtype
    return ExampleContact(
        channel=Channel(table.channel),
        queue=table.queue,
        waited=table.waited,
        age=table.age,
        initiation_method=table.initiation_method,
        name=table.name,
        segment_attributes=segment,
        tags=dict(table.tags),
        attributes=dict(table.attributes),
        priority=table.priority,
        task_template=table.task_template,
        to_address=table.to_address,
        from_address=table.from_address,
        transfers=table.transfers,
        clock=table.clock,
        progress=table.progress,
        visited=tuple(table.visited),
    )


def _metrics(table: ExampleQueueTable) -> QueueMetrics:
    return replace(EMPTY_QUEUE, **table.model_dump(exclude_none=True, exclude={"open"}))


def _expect(table: Expected) -> Expect:
    return Expect(
        rule=table.rule,
        step=table.step,
        queue=table.queue,
        agent=table.agent,
        routing=table.routing is not None,
        warn=table.warn is not None,
        hold=HoldReason(table.hold) if table.hold is not None else None,
        due=table.due,
    )
