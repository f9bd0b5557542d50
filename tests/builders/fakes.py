"""Replaces Connect, its quotas, the clock and threads in unit tests of the parts that act on contacts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any, TypeVar

from router.connect.answers import (
    DescribeAnswer,
    Failure,
    Missing,
    Reading,
    SearchPage,
    TransferAnswer,
    UpdateAnswer,
    Updated,
)
from router.model import Contact, ContactId, QueueId, RoutingData, Target
from router.runtime import DaemonThreads

T = TypeVar("T")


class FakeClock:
    """Shows the time that a test sets; both clocks move together."""

    def __init__(self, now: datetime) -> None:
        self.time = now
        self._began = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - self._began).total_seconds()

    def travel(self, span: timedelta) -> None:
        self.time += span


class FakeConnect:
    """Holds contacts by id, with the responses of the next calls, and records every call that changes one."""

    def __init__(self, clock: FakeClock, *contacts: Contact) -> None:
        self._clock = clock
        self.contacts = {one.id: one for one in contacts}
        self.failures: dict[ContactId, Failure] = {}
        self.chains: dict[ContactId, tuple[Contact, ...] | Failure] = {}
        self.update_answers: list[UpdateAnswer] = []
        self.transfer_answers: list[TransferAnswer] = []
        self.updates: list[tuple[ContactId, RoutingData]] = []
        self.transfers: list[tuple[ContactId, Target, str]] = []

    def show(self, contact: Contact) -> None:
        self.contacts[contact.id] = contact

    def describe(self, contact_id: ContactId) -> DescribeAnswer:
        if contact_id in self.failures:
            return self.failures[contact_id]
        contact = self.contacts.get(contact_id)
        if contact is None:
            return Missing(contact_id=contact_id)
        return Reading(contact=contact, answered_at=self._clock.monotonic())

    def chain(self, contact_id: ContactId) -> tuple[Contact, ...] | Failure:
        return self.chains.get(contact_id, ())

    def search(
        self, *, queue_ids: Collection[QueueId] | None, since: datetime, until: datetime
    ) -> Iterator[SearchPage]:
        yield from ()

    def reroute(self, *, contact_id: ContactId, routing: RoutingData) -> UpdateAnswer:
        self.updates.append((contact_id, routing))
        return self.update_answers.pop(0) if self.update_answers else Updated(request_id="request")

    def transfer(
        self, *, contact_id: ContactId, target: Target, token: str, before: float | None = None
    ) -> TransferAnswer:
        self.transfers.append((contact_id, target, token))
        return self.transfer_answers.pop(0)


class FakePacer:
    """Grants every token, until ``empty`` is set, and records tokens given back and responses.

    A pause takes no time: it is recorded, and moves the ``clock`` if there is one.
    """

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.empty = False
        self._clock = clock
        self.seen: list[str] = []
        self.acquired: list[str] = []
        self.paused: list[float] = []

    def acquire(self, operation: str, *, until: float | None = None, cancelled: object = None) -> bool:
        self.acquired.append(operation)
        return not self.empty

    def nudge(self, operation: str) -> None: ...

    def awaits_token(self, thread: int) -> bool:
        return False

    def seconds_to_token(self, operation: str) -> float:
        return 0.0

    def give_back(self, operation: str) -> None:
        self.seen.append("given back")

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        if self._clock is not None:
            self._clock.travel(timedelta(seconds=seconds))

    def throttled(self, operation: str) -> object:
        self.seen.append("throttled")
        return None

    def succeeded(self, operation: str) -> object:
        self.seen.append("succeeded")
        return None


class InlineThreads(DaemonThreads):
    """Runs each piece of work at once, in the calling thread."""

    def __init__(self) -> None:
        super().__init__("inline")

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        self._run(future, lambda: fn(*args, **kwargs))
        return future
