"""Builds the snapshot of an example: one contact with the history that the example gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from router.decide.snapshot import Limits, LiveMetrics, ReadValues, RecordedMoves, Snapshot
from router.model import (
    EMPTY_QUEUE,
    AgentId,
    AgentState,
    Contact,
    ContactId,
    Details,
    Directory,
    HoursId,
    ProfileId,
    QueueId,
    QueueMetrics,
    bare_id,
)
from router.prove.example_history import CONTACT, Past
from router.prove.example_instance import all_open, hours_in, queue_id_of
from router.rules.bound import BoundRule
from router.rules.clock import OpenTimes
from router.rules.example import Example
from router.rules.rule import Mode

EVERY_QUEUE = ProfileId("every queue")
"""The routing profile of an example's agents; it serves every queue."""


@dataclass(frozen=True)
class ExampleWorld:
    """Holds the instance of the examples and the values that all of them share, because there may be thousands."""

    directory: Directory
    opened: Mapping[HoursId, OpenTimes]
    queue_ids: frozenset[QueueId]
    agent_ids: frozenset[AgentId]

    @classmethod
    def of(cls, directory: Directory) -> ExampleWorld:
        return cls(
            directory=directory,
            opened=all_open(directory),
            queue_ids=frozenset(queue.id for queue in directory.queues),
            agent_ids=frozenset(agent.id for agent in directory.agents),
        )

    def snapshot_of(self, example: Example, rule: BoundRule | None, *, now: datetime, limits: Limits) -> Snapshot:
        """Takes the snapshot in which the example's contact is decided on.

        ``rule`` is the rule whose clock and progress the example gives. Metrics of every queue are read; those not
        given are empty and unstaffed.
        """
        at = example.now or now
        past = Past.of(example, rule, self.directory, at)
        contact = _contact(example, past)
        given = {queue_id_of(name, self.directory): metrics for name, metrics in example.queues.items()}
        return Snapshot(
            now=at,
            mode=Mode.ENFORCE,
            contacts=(contact,),
            directory=self.directory,
            cycle=1,
            moves=RecordedMoves(histories={contact.id: past.history()}, recent=past.moves_of_others()),
            read=ReadValues(
                transfers={contact.id: max(example.contact.transfers or 0, len(past.sources))},
                origins={contact.id: past.chain_began_at},
                metrics=self._metrics(example, past.queue_id, given),
                hours=hours_in(example, self.directory, self.opened, at),
            ),
            unseen={past.queue_id: max((given.get(past.queue_id, EMPTY_QUEUE).contacts_in_queue or 0) - 1, 0)},
            limits=limits,
        )

    def _metrics(self, example: Example, queue_id: QueueId, given: Mapping[QueueId, QueueMetrics]) -> LiveMetrics:
        """Returns the metrics, with a row for the contact's queue, too, which would count as unknown without one."""
        channel = example.contact.channel
        slots = {AgentId(bare_id(name)): free for name, free in example.agents.items()}
        return LiveMetrics(
            rows={(one, channel): metrics for one, metrics in {queue_id: EMPTY_QUEUE, **given}.items()},
            queues_read=self.queue_ids,
            agents={
                agent: AgentState(routable=True, slots_available={channel.value: n}, profile_id=EVERY_QUEUE)
                for agent, n in slots.items()
            },
            profiles={EVERY_QUEUE: frozenset({(queue_id, channel)})},
            agents_read=self.agent_ids,
        )


def _contact(example: Example, past: Past) -> Contact:
    given = example.contact
    moved = bool(past.sources) or bool(given.transfers)
    return Contact(
        id=CONTACT,
        channel=given.channel,
        initial_id=ContactId("example-1") if moved else None,
        previous_id=past.segment(len(past.sources) - 1) if past.sources else ContactId("example-1") if moved else None,
        initiation_method=given.initiation_method,
        queue_id=past.queue_id,
        enqueued_at=past.enqueued_at,
        initiated_at=past.chain_began_at,
        name=given.name,
        segment_attributes=given.segment_attributes,
        tags=given.tags,
        details=Details(
            attributes=given.attributes,
            priority=given.priority,
            task_template=given.task_template,
            to_address=given.to_address,
            from_address=given.from_address,
        ),
    )
