"""Reads contacts by their ids for the waiting list, because an event does not show enough of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Condition, Event, Thread

from router import events
from router.connect.answers import Missing, Reading
from router.model import Contact, ContactId, QueueId, Standing
from router.ports import Clock, Describer
from router.search.due_times import NextDue
from router.search.waiting_list import WaitingList

READERS = 4
"""Threads: DescribeContact allows ten calls a second, and one thread makes five of 200 ms."""
ATTEMPTS = 3
MOST = 100_000
"""Contacts that wait to be read; bounds the memory."""


@dataclass(slots=True)
class _Request:
    """Holds a contact to read. ``instead`` is what is recorded if it cannot be read; ``None``: nothing."""

    instead: Contact | None
    attempts: int = 0


@dataclass(kw_only=True)
class ContactReadings:
    """Reads contacts in the order of the requests, on threads of its own, and records them in the waiting list.

    ``watched`` returns whether rules can meet a queue. ``remember`` gets every reading. ``on_news`` is called when
    there is something to decide on.
    """

    reader: Describer
    clock: Clock
    waiting_list: WaitingList
    watched: Callable[[QueueId], bool]
    remember: Callable[[Contact, datetime], object]
    stopping: Event
    on_news: Callable[[], object]
    read: int = 0
    _requests: dict[ContactId, _Request] = field(default_factory=dict)
    _changed: Condition = field(default_factory=Condition)

    def __len__(self) -> int:
        return len(self._requests)

    def start(self) -> None:
        for _ in range(READERS):
            Thread(target=self._run, name="event-readings", daemon=True).start()

    def request(self, contact_id: ContactId, *, instead: Contact | None = None) -> None:
        """Has a contact read soon."""
        with self._changed:
            if contact_id not in self._requests and len(self._requests) < MOST:
                self._requests[contact_id] = _Request(instead)
                self._changed.notify()

    def complete(self, contacts: Iterable[Contact], ahead: NextDue) -> tuple[Contact, ...]:
        """Returns the contacts on which rules can decide. A contact of which a rule needs more than an event shows is
        left out and read; then it is due again."""
        found = []
        for contact in contacts:
            if contact.partial and ahead.needs_row(contact):
                self.request(contact.id)
            else:
                found.append(contact)
        return tuple(found)

    def read_next(self) -> bool:
        """Reads the contact that was requested first; returns ``False`` if there is none."""
        with self._changed:
            if not self._requests:
                return False
            contact_id = next(iter(self._requests))
            request = self._requests.pop(contact_id)
        self._read(contact_id, request)
        return True

    def _read(self, contact_id: ContactId, request: _Request) -> None:
        answer = self.reader.describe(contact_id)
        now = self.clock.now()
        if isinstance(answer, Reading):
            self.read += 1
            self.remember(answer.contact, now)
            self.record(answer.contact, now)
        elif isinstance(answer, Missing):
            self.waiting_list.take_out(contact_id)
        elif request.attempts + 1 < ATTEMPTS and not self.stopping.is_set():
            request.attempts += 1
            with self._changed:
                self._requests.setdefault(contact_id, request)
        elif request.instead is not None and contact_id not in self.waiting_list:
            self.waiting_list.record_seen([request.instead], now, by_id=True)
            self.on_news()

    def record(self, contact: Contact, now: datetime) -> bool:
        """Records a reading, which replaces all that the waiting list knew of the contact. Returns whether it waits."""
        queue_id = contact.queue_id
        if contact.standing(now) is not Standing.WAITING or queue_id is None or not self.watched(queue_id):
            self.waiting_list.take_out(contact.id)
            return False
        self.waiting_list.replace(replace(contact, details=None), now)
        self.on_news()
        return True

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                if self.read_next():
                    continue
            except Exception:
                events.log_events_broken()
            with self._changed:
                if not self._requests:
                    self._changed.wait(1.0)
