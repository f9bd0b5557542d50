"""Runs flows on contacts, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from router.sandbox.contacts import SandboxContact
from router.sandbox.directory import find
from router.sandbox.distribution import Distribution
from router.sandbox.flow_blocks import (
    ALWAYS_FAIL,
    AT_CAPACITY,
    DISCONNECT,
    END,
    ROUTING_DATA,
    SET_QUEUE,
    STAFFING,
    TO_QUEUE,
    WAIT,
    FlowBlock,
    FlowBlocks,
    routing_data,
    wait_seconds,
)
from router.sandbox.instance import SandboxFlow, SandboxQueue
from router.sandbox.state import State

MOST_BLOCKS = 250
"""Ends a flow whose blocks lead back to each other without a wait."""


@dataclass(slots=True, kw_only=True)
class FlowRun:
    """Holds one run of a flow on a contact: the next block and the working queue.

    The working queue is at first the destination of the transfer. AWS documents this for quick connects only.
    """

    contact_id: str
    position: int
    flow: FlowBlocks
    following: str
    queue: SandboxQueue | None


class FlowRuns:
    def __init__(self, state: State, routing: Distribution) -> None:
        self._state = state
        self._routing = routing
        self._stopped: dict[str, FlowRun] = {}

    def run(self, contact: SandboxContact, flow: SandboxFlow, queue: SandboxQueue | None) -> SandboxContact:
        """Runs the flow on the contact, with ``queue`` as the destination, up to its first wait or its end."""
        blocks, behaviours = flow.blocks, self._state.behaviours
        if behaviours.queue_id_reaches == "transfer_flows" and flow.type == "CONTACT_FLOW":
            queue = None
        run = FlowRun(
            contact_id=contact.id,
            position=contact.chain.position,
            flow=blocks,
            following=blocks.start,
            queue=queue,
        )
        if not behaviours.flow_start_delay:
            return self._proceed(run)
        self._state.agenda.at(self._state.now + behaviours.flow_start_delay, lambda: self._proceed(run))
        return contact

    def resume(self, contact_id: str) -> SandboxContact | None:
        """Continues the flow that the contact's pause has stopped; ``None`` if there is none."""
        stopped = self._stopped.pop(contact_id, None)
        return self._proceed(stopped) if stopped is not None else None

    def _proceed(self, run: FlowRun) -> SandboxContact:
        """Runs the next blocks, unless the contact has ended or moved meanwhile. A paused one waits for its resume."""
        contact = self._state.contact(run.contact_id)
        if contact.pause.paused:
            self._stopped[contact.id] = run
        if contact.ended or contact.pause.paused or contact.chain.position != run.position:
            return contact
        for _ in range(MOST_BLOCKS):
            block = run.flow.blocks.get(run.following)
            if block is None or block.kind in (DISCONNECT, END):
                break
            if block.kind == WAIT:
                run.following = block.condition or block.following
                due = self._state.now + timedelta(seconds=wait_seconds(block))
                self._state.agenda.at(due, lambda: self._proceed(run))
                return contact
            if block.kind == TO_QUEUE and run.queue is not None and self._routing.has_room(run.queue):
                return self._routing.enqueue(contact, run.queue)
            if block.kind == ROUTING_DATA:
                contact = self._state.change(contact, **routing_data(block))
            run.following = self._way_out(run, block, contact)
        return self._routing.finish(contact, "CONTACT_FLOW_DISCONNECT")

    def _way_out(self, run: FlowRun, block: FlowBlock, contact: SandboxContact) -> str:
        """Returns the block that follows. A block that names a queue sets the working queue of the run."""
        if block.kind in ALWAYS_FAIL:
            return block.error()
        if block.kind == SET_QUEUE:
            found = self._named(block, contact)
            run.queue = found or run.queue
            return block.following if found is not None else block.error()
        if block.kind in (TO_QUEUE, STAFFING) and run.queue is None:
            return block.error()
        if block.kind == TO_QUEUE:
            return block.error(AT_CAPACITY)
        if block.kind == STAFFING and run.queue is not None and self._routing.staffed(run.queue, contact.channel):
            return block.condition
        return block.following

    def _named(self, block: FlowBlock, contact: SandboxContact) -> SandboxQueue | None:
        """Returns the queue, or the agent's queue, that the block names: by an attribute, or by id, ARN or name."""
        register = self._state.register
        named = str(block.parameters.get("QueueId") or block.parameters.get("AgentId") or "")
        if named.startswith("$."):
            named = contact.content.attributes.get(named.removeprefix("$.Attributes."), "")
        try:
            if block.parameters.get("AgentId"):
                return register.queues[find(register.users, named).queue_id]
            return find(register.queues, named)
        except KeyError:
            return None
