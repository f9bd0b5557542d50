"""Builds contact events: as messages of EventBridge, and as the router reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

from router.connect.contact_events import EventReader, QueueMessage
from router.model import Channel, Contact, ContactEvent, Phase
from router.sandbox import Behaviours, EventTraps, SandboxContact
from router.sandbox.contact_events import EventPublisher
from router.sandbox.directory import DEFAULT_INSTANCE, Identity
from router.sandbox.world import World
from tests.builders.contacts import NOW

READER = EventReader(DEFAULT_INSTANCE, frozenset({Channel.TASK, Channel.EMAIL}))
numbers = count()


def envelope(kind: str = "QUEUED", **detail: Any) -> dict[str, Any]:
    """Returns an event of a task of this instance, as EventBridge would send it."""
    arn = Identity().arn
    return {
        "version": "0",
        "id": f"event-{next(numbers)}",
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "time": "2026-03-02T11:59:59Z",
        "detail": {
            "eventType": kind,
            "contactId": "c1",
            "channel": "TASK",
            "instanceArn": arn,
            "initiationMethod": "API",
            "initiationTimestamp": "2026-03-02T11:50:00.000Z",
            "queueInfo": {"queueArn": f"{arn}/queue/billing", "enqueueTimestamp": "2026-03-02T11:58:00.123Z"},
            **detail,
        },
    }


def message(body: object) -> QueueMessage:
    text = body if isinstance(body, str) else json.dumps(body)
    return QueueMessage(message_id="m1", handle="h1", body=text, sent_at=NOW)


def read(body: object, *, now: datetime = NOW) -> Any:
    return READER.read(message(body), now)


def event_of(contact: Contact, phase: Phase, at: datetime, *, event_id: str | None = None) -> ContactEvent:
    """Returns an event of a contact as if it had just been read."""
    return ContactEvent(event_id=event_id or f"event-{next(numbers)}", phase=phase, at=at, sent_at=at, contact=contact)


class PublishingWorld:
    """Holds a simulated instance, whose clock the test moves, and every message that its changes led to."""

    def __init__(self, seed: int, behaviours: Behaviours | None = None, queues: Sequence[str] = ("Billing",)) -> None:
        self.at = NOW
        self.world = World(Identity(), clock=lambda: self.at, behaviours=behaviours or Behaviours(), seed=seed)
        for queue in queues:
            self.world.add_queue(queue)
        self.messages: list[str] = []
        publisher = EventPublisher(self.world.state, EventTraps(), self.messages.append, seed=seed)
        self.world.state.contacts.watch = publisher.changed

    def waiting(self, queue: str = "Billing") -> tuple[SandboxContact, ...]:
        return self.world.waiting(queue)
