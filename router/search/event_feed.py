"""Receives contact events on a thread of its own, and maintains the waiting list by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event, Thread

from router import events
from router.connect.answers import Failure, Full
from router.connect.connection import Connection
from router.connect.contact_events import EventReader, QueueMessage
from router.connect.event_queue import LONG_POLL_S, EventQueue
from router.model import Contact, ContactEvent, IgnoredReason, QueueId
from router.news import NewsFilter
from router.ports import Clock
from router.runtime import Runtime
from router.search.contact_readings import ContactReadings
from router.search.event_gate import EventGate
from router.search.event_merge import Effect, EventMerge
from router.search.planner import SearchPlanner
from router.search.waiting_list import WaitingList
from router.settings import Settings

FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 1.0, 60.0


@dataclass(kw_only=True)
class EventFeed:
    """Drains the queue while its router is ``working``, and passes on what each event is a reason for.

    A message is deleted after it was applied. Messages of a router that lost its turn meanwhile are left to the next
    one: SQS shows them again. ``on_news`` is called when there is something to decide on.
    """

    queue: EventQueue
    reader: EventReader
    readings: ContactReadings
    waiting_list: WaitingList
    clock: Clock
    working: Callable[[], bool]
    stopping: Event
    on_news: Callable[[], object]
    gate: EventGate
    merge: EventMerge = field(default_factory=EventMerge)
    wait_s: int = LONG_POLL_S
    failing: bool = False
    _news: NewsFilter[str] = field(init=False)

    @classmethod
    def open(
        cls,
        settings: Settings,
        runtime: Runtime,
        connection: Connection,
        planner: SearchPlanner,
        *,
        watched: Callable[[QueueId], bool],
        remember: Callable[[Contact, datetime], object],
        working: Callable[[], bool],
        on_news: Callable[[], object],
    ) -> EventFeed | None:
        """Opens it without a call; ``None`` if the configuration names no queue. Raises ``Unreachable``."""
        if planner.gate is None:
            return None
        waiting_list, clock, stopping = planner.waiting_list, runtime.clock, runtime.stopping
        readings = ContactReadings(
            reader=connection.background,
            clock=clock,
            waiting_list=waiting_list,
            watched=watched,
            remember=remember,
            stopping=stopping,
            on_news=on_news,
        )
        return cls(
            queue=EventQueue.open(settings.events.queue, region=connection.home.region),
            reader=EventReader(settings.connect.instance_id, waiting_list.channels),
            readings=readings,
            waiting_list=waiting_list,
            clock=clock,
            working=working,
            stopping=stopping,
            on_news=on_news,
            gate=planner.gate,
        )

    def __post_init__(self) -> None:
        self._news = NewsFilter(self.clock.monotonic)
        self.thread = Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        self.readings.start()
        self.thread.start()

    def _run(self) -> None:
        back_off = FIRST_BACK_OFF_S
        while not self.stopping.is_set():
            try:
                failure = self.step()
            except Exception:
                events.log_events_broken()
                failure = Full(message="a bug")
            if failure is None:
                back_off = FIRST_BACK_OFF_S
                continue
            self.stopping.wait(back_off)
            back_off = min(back_off * 2, LONGEST_BACK_OFF_S)
        self.queue.close()

    def step(self) -> Failure | Full | None:
        """Receives once, applies what it got and deletes it. Returns why SQS refused or failed, ``None`` if not."""
        found = self.queue.receive(wait_s=self.wait_s)
        if not isinstance(found, tuple):
            return self._failed("ReceiveMessage", found)
        self.gate.pulse.answered()
        if not found or not self._has_turn:
            self._recovered()
            return None
        self.apply(found)
        if not self._has_turn:
            return None
        failure = self.queue.delete(found)
        if failure is not None:
            return self._failed("DeleteMessage", failure)
        self._recovered()
        return None

    @property
    def _has_turn(self) -> bool:
        return self.working() and not self.stopping.is_set()

    def _failed(self, operation: str, failure: Failure | Full) -> Failure | Full:
        self.failing = True
        if self._news.is_news("queue", (operation, failure.code)):
            events.log_events_failed(operation, failure)
        return failure

    def _recovered(self) -> None:
        if self.failing:
            self.failing = False
            self._news.forget("queue")
            events.log_events_recovered()

    def apply(self, messages: Iterable[QueueMessage]) -> None:
        """Applies messages in any order; wakes the cycle if the waiting list has a new contact."""
        fresh = False
        for message in messages:
            self.gate.pulse.received += 1
            now = self.clock.now()
            event = self.reader.read(message, now)
            found = self._merge(event) if isinstance(event, ContactEvent) else event
            if isinstance(found, IgnoredReason):
                self.gate.pulse.ignored[found] += 1
                continue
            assert isinstance(event, ContactEvent), "an event that was not read is ignored"
            self.gate.pulse.applied += 1
            fresh |= self._apply(event, found, now)
        if fresh:
            self.on_news()

    def _merge(self, event: ContactEvent) -> Effect | IgnoredReason:
        self.gate.pulse.arrived(event.sent_at)
        found = self.merge.merge(event)
        contact = event.contact
        if found is not Effect.REMOVE and contact.queue_id is not None and not self.readings.watched(contact.queue_id):
            known = contact.id in self.waiting_list
            return Effect.READ if known and isinstance(found, Effect) else IgnoredReason.UNWATCHED_QUEUE
        return found

    def _apply(self, event: ContactEvent, effect: Effect, now: datetime) -> bool:
        """Returns whether the waiting list has a new contact."""
        contact = event.contact
        if effect is Effect.READ:
            instead = replace(contact, enqueued_at=contact.enqueued_at or event.sent_at)
            self.readings.request(contact.id, instead=instead if contact.queue_id is not None else None)
            return False
        fresh = False
        if effect is Effect.ADD:
            fresh = bool(self.waiting_list.record_seen([contact], now, by_id=True))
        else:
            contact = self.waiting_list.take_out(contact.id) or contact
        if contact.queue_id is not None:
            self.gate.record_change((contact.queue_id, contact.channel), event.sent_at)
        return fresh
