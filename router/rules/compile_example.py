"""``[[example]]`` tables to examples."""

from __future__ import annotations

from dataclasses import replace

from router.model import EMPTY_QUEUE, Channel, HoldReason, QueueMetrics
from router.rules.example import Example, ExampleContact, Expect
from router.rules.example_document import ExampleContact as ContactTable
from router.rules.example_document import ExampleQueue, ExampleTable, Expected
from router.rules.rule import Place


def compile_example(table: ExampleTable, place: Place) -> Example:
    return Example(
        name=table.name,
        place=place,
        contact=_contact(table.contact),
        expect=_expect(table.expect) if isinstance(table.expect, Expected) else None,
        queues={name: _metrics(queue) for name, queue in table.queues.items()},
        agents={name: agent.slots_available for name, agent in table.agents.items()},
        hours=dict(table.hours),
        open={name: queue.open for name, queue in table.queues.items() if queue.open is not None},
        now=table.now,
        moved=table.moved or 0,
    )


def _contact(table: ContactTable) -> ExampleContact:
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


def _metrics(table: ExampleQueue) -> QueueMetrics:
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
