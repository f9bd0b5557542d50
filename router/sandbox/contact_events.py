"""Publishes contact events as Amazon Connect and EventBridge do: late, lost, doubled and out of order on request."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from router.sandbox.contacts import SandboxContact
from router.sandbox.directory import AGENT_QUEUE, QUEUE, USER
from router.sandbox.state import State
from router.sandbox.wire.message_queue import MessageQueue
from router.sandbox.world import World

UNSET = "1970-01-01T00:00:00.001Z"
"""How samples of AWS's write a time that is not set (admin guide, "contact-events")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTraps:
    """Holds what happens to events on their way, and forms in which they were seen.

    ``lost`` and ``doubled`` are shares of all events. Each event is delayed by a random time up to ``delay``, which
    also changes their order. ``enqueue_time``: it is given, missing, or written as in 1970. ``names``: members are
    written as documented or in PascalCase.
    """

    lost: float = 0.0
    doubled: float = 0.0
    delay: timedelta = timedelta(0)
    enqueue_time: Literal["given", "missing", "1970"] = "given"
    names: Literal["camel", "pascal"] = "camel"


class EventPublisher:
    """Turns every change of a contact into events, and passes them to ``send`` as messages of EventBridge."""

    def __init__(self, state: State, traps: EventTraps, send: Callable[[str], object], *, seed: int) -> None:
        self._state = state
        self._traps = traps
        self._send = send
        self._chance = random.Random(seed)
        self.published = 0

    def changed(self, before: SandboxContact | None, after: SandboxContact) -> None:
        """Publishes the events of a change."""
        for kind in event_types(before, after):
            self.publish(self.envelope(kind, after))

    def publish(self, envelope: dict[str, Any]) -> None:
        traps, body = self._traps, json.dumps(envelope)
        copies = 0 if self._chance.random() < traps.lost else 1 + (self._chance.random() < traps.doubled)
        for _ in range(copies):
            self.published += 1
            delay = traps.delay * self._chance.random()
            if delay:
                self._state.agenda.at(self._state.now + delay, lambda: self._send(body))
            else:
                self._send(body)

    def envelope(self, kind: str, contact: SandboxContact) -> dict[str, Any]:
        identity = self._state.identity
        detail = self._detail(kind, contact)
        return {
            "version": "0",
            "id": str(uuid.UUID(int=self._chance.getrandbits(128), version=4)),
            "detail-type": "Amazon Connect Contact Event",
            "source": "aws.connect",
            "account": identity.account,
            "time": self._state.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": identity.region,
            "resources": [identity.arn, identity.arn_of("contact", contact.id)],
            "detail": _pascal(detail) if self._traps.names == "pascal" else detail,
        }

    def _detail(self, kind: str, contact: SandboxContact) -> dict[str, Any]:
        identity, life, chain = self._state.identity, contact.life, contact.chain
        queue = self._state.register.queues.get(contact.queue_id or "")
        detail: dict[str, Any] = {
            "eventType": kind,
            "contactId": contact.id,
            "initialContactId": chain.initial_id,
            "previousContactId": chain.previous_id,
            "channel": contact.channel,
            "instanceArn": identity.arn,
            "initiationMethod": life.initiation_method,
            "initiationTimestamp": _iso(life.initiated_at),
            "tags": dict(contact.content.tags),
        }
        if queue is not None:
            kinds = (AGENT_QUEUE, "AGENT") if queue.user_id is not None else (QUEUE, "STANDARD")
            enqueued = {
                "given": _iso(contact.enqueued_at) if contact.enqueued_at else None,
                "missing": None,
                "1970": UNSET,
            }[self._traps.enqueue_time]
            arn = identity.arn_of(kinds[0], queue.id)
            detail["queueInfo"] = _without_none({"queueArn": arn, "queueType": kinds[1], "enqueueTimestamp": enqueued})
        if contact.agent_id is not None and contact.connected_at is not None:
            detail["agentInfo"] = {
                "agentArn": identity.arn_of(USER, contact.agent_id),
                "connectedToAgentTimestamp": _iso(contact.connected_at),
            }
        if life.disconnected_at is not None:
            detail["disconnectTimestamp"] = _iso(life.disconnected_at)
        return _without_none(detail)


def open_events(world: World, traps: EventTraps | None, over: Callable[[], bool], *, seed: int) -> MessageQueue | None:
    """Opens a queue that gets the events of every change from now on, not of those that furnished the world.

    ``None`` without ``traps``.
    """
    if traps is None:
        return None
    state = world.state
    queue = MessageQueue(
        world.identity.account, lambda: int(state.now.timestamp() * 1000), tick=world.advance, over=over
    )
    state.contacts.watch = EventPublisher(state, traps, queue.put, seed=seed).changed
    return queue


def event_types(before: SandboxContact | None, after: SandboxContact) -> Iterator[str]:
    """Yields the types of the events that a change leads to, in order."""
    if before is None:
        yield "INITIATED"
    was_queued = before is not None and before.queued
    same_place = before is not None and (before.queue_id, before.enqueued_at) == (after.queue_id, after.enqueued_at)
    if after.queued and not (was_queued and same_place):
        yield "QUEUED"
    if after.with_agent and (before is None or before.agent_id != after.agent_id):
        yield "CONNECTED_TO_AGENT"
    if before is not None and before.pause.paused is not after.pause.paused and not after.ended:
        yield "PAUSED" if after.pause.paused else "RESUMED"
    if after.ended and (before is None or not before.ended):
        yield from ("DISCONNECTED", "COMPLETED")


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _pascal(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name[:1].upper() + name[1:]: inner if name == "tags" else _pascal(inner) for name, inner in value.items()}
