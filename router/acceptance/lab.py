"""Offers probes what they work with: paced calls, test tasks, time, experiments made once, and their evidence."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar

from router.acceptance.probe import Unsettled, understood
from router.connect.plain_calls import PlainAnswer
from router.model import bare_id
from router.ports import Clock

T = TypeVar("T")

PREFIX = "cr-acc-"
TAG = "connect-router:acceptance-run"
MARKER = f"{PREFIX}marker"
MOST_TASKS = 40
"""A run starts at most so many tasks."""
LANDS_WITHIN = timedelta(seconds=90)
Length = Literal["quick", "default", "full"]
EXPIRY: Mapping[Length, int] = {"quick": 60, "default": 60, "full": 150}
"""Minutes after which Connect ends a test task that nobody has stopped."""


class Calls(Protocol):
    """Makes calls of any operation of the instance."""

    def call(self, operation: str, **parameters: Any) -> PlainAnswer: ...

    def call_at_once(self, operation: str, **parameters: Any) -> PlainAnswer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResources:
    """Names the queues and flows of a run by id. ``inbound`` puts a new contact into ``queue_a``.

    ``closed_date`` is a date that an override of ``hours_id`` closes; ``None`` if there is none, for the reason
    ``no_closed_date``.
    """

    queue_a: str = ""
    queue_b: str = ""
    inbound: str = ""
    transfer: str = ""
    hours_id: str | None = None
    closed_date: str | None = None
    no_closed_date: str = "needs hours of operation with a closed date: --setup makes them"
    own: bool = False
    """Whether this run has made them, and may make more."""

    @property
    def described_by(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yields the call that describes each queue and flow that there is."""
        for operation, member, references in (
            ("DescribeQueue", "QueueId", (self.queue_a, self.queue_b)),
            ("DescribeContactFlow", "ContactFlowId", (self.inbound, self.transfer)),
        ):
            yield from ((operation, {member: each}) for each in references if each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Holds what the user chose. ``agent`` is a username, ``email`` an e-mail address of the instance."""

    length: Length = "default"
    setup: bool = False
    queues: tuple[str, str] | None = None
    flows: tuple[str, str] | None = None
    agent: str | None = None
    email: str | None = None


@dataclass(kw_only=True)
class Lab:
    """Makes experiments on one instance. ``sleep`` passes time, and lets probes go on that have waited long enough."""

    calls: Calls
    clock: Clock
    options: Options
    sleep: Callable[[float], object]
    skew: Callable[[], timedelta | None] = lambda: None
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    began_at: datetime = field(init=False)
    known: list[str] = field(default_factory=list)
    """Every contact of this run, in the order in which it was seen."""
    unresolved: set[str] = field(default_factory=set)
    """Transferred contacts of which no answer names the segment that follows them, if there is one."""
    uncertain: bool = False
    """Whether a call may have made a contact that no answer names."""
    untagged: str | None = None
    """Why a task could not be tagged."""
    agent: str | None = None
    """The id of the test agent, ``None`` if the user named none."""
    resources: RunResources = RunResources()
    _recorders: list[list[str]] = field(default_factory=list)
    _experiments: dict[Callable[..., Any], tuple[Any, Unsettled | None, list[str]]] = field(default_factory=dict)
    _tasks: int = 0

    def __post_init__(self) -> None:
        self.began_at = self.clock.now()

    @property
    def tags(self) -> dict[str, str]:
        return {TAG: self.run_id}

    def name(self, what: str) -> str:
        return f"{PREFIX}{self.run_id}-{what}"

    def now(self) -> datetime:
        """Returns Connect's time, as far as its answers show it."""
        return self.clock.now() - (self.skew() or timedelta(0))

    # Calls and evidence

    def call(self, operation: str, **parameters: Any) -> PlainAnswer:
        """Makes a call and adds it to the evidence."""
        return self._noted(self.calls.call(operation, **parameters))

    def call_at_once(self, operation: str, **parameters: Any) -> PlainAnswer:
        return self._noted(self.calls.call_at_once(operation, **parameters))

    def need(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """Returns the body of a call that must succeed. Raises ``Unsettled`` with the refusal."""
        answer = self.call(operation, **parameters)
        if not answer.ok:
            raise Unsettled(refusal(answer))
        return answer.body

    def _noted(self, answer: PlainAnswer) -> PlainAnswer:
        outcome = answer.status if answer.ok else f"{answer.code} ({answer.status or 'no answer'})"
        line = f"{answer.at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + f"Z {answer.operation} {answer.request_id or '-'} {outcome}"
        for recorder in self._recorders:
            recorder.append(line)
        return answer

    @contextmanager
    def recording(self) -> Iterator[list[str]]:
        """Collects the evidence of all calls until the block ends, without that of an interrupted probe."""
        before, lines = self._recorders, list[str]()
        self._recorders = [lines]
        try:
            yield lines
        finally:
            self._recorders = before

    def once(self, experiment: Callable[[Lab], T]) -> T:
        """Returns the result of an experiment that several probes read; it is made once.

        Raises ``Unsettled`` for each of them if it failed."""
        if experiment not in self._experiments:
            result, failure = None, None
            with self.recording() as lines:
                try:
                    with understood():
                        result = experiment(self)
                except Unsettled as unsettled:
                    failure = unsettled
            self._experiments[experiment] = (result, failure, lines)
        result, failure, lines = self._experiments[experiment]
        for recorder in self._recorders:
            recorder.extend(lines)
        if failure is not None:
            raise Unsettled(str(failure))
        found: T = result
        return found

    # Time

    def wait_until(self, look: Callable[[], T | None], *, within: timedelta, every: float = 1.0) -> T | None:
        """Returns the first result that is not ``None``. The pauses between two looks grow with the time."""
        began = self.clock.monotonic()
        while True:
            found = look()
            elapsed = self.clock.monotonic() - began
            if found is not None or elapsed >= within.total_seconds():
                return found
            self.sleep(max(every, elapsed * 0.03))

    # Contacts

    def describe(self, contact_id: str) -> Mapping[str, Any]:
        contact: Mapping[str, Any] = self.need("DescribeContact", ContactId=contact_id)["Contact"]
        return contact

    def start_task(self, what: str, *, minutes: int | None = None, **more: Any) -> str:
        """Starts a task in queue A, and tags it. Raises ``Unsettled`` if the run may start none."""
        if self._tasks >= MOST_TASKS:
            raise Unsettled(f"the run has started its {MOST_TASKS} tasks")
        self._tasks += 1
        parameters = {
            "Name": self.name(what),
            "ContactFlowId": self.resources.inbound,
            "Attributes": {"cr-acc-run": self.run_id},
            "SegmentAttributes": {"connect:ContactExpiry": {"ValueInteger": minutes or EXPIRY[self.options.length]}},
            "ClientToken": str(uuid.uuid4()),
            **more,
        }
        answer = self.call("StartTaskContact", **parameters)
        self.uncertain |= answer.uncertain
        if not answer.ok:
            raise Unsettled(refusal(answer))
        contact_id: str = answer.body["ContactId"]
        self.known.append(contact_id)
        tagged = self.call("TagContact", ContactId=contact_id, Tags=self.tags)
        if not tagged.ok:
            self.untagged = refusal(tagged)
        return contact_id

    def queued_task(self, what: str, **more: Any) -> str:
        """Starts a task and waits until it is in queue A."""
        contact_id = self.start_task(what, **more)
        self.await_queue(contact_id, self.resources.queue_a)
        return contact_id

    def await_queue(self, contact_id: str, queue_id: str) -> Mapping[str, Any]:
        """Returns the contact as soon as it is in the queue. Raises ``Unsettled`` if it does not get there in time."""

        def look() -> Mapping[str, Any] | None:
            contact = self.describe(contact_id)
            return contact if queue_of(contact) == queue_id or "DisconnectTimestamp" in contact else None

        contact = self.wait_until(look, within=LANDS_WITHIN)
        if contact is None or "DisconnectTimestamp" in contact:
            how = "was ended" if contact is not None else f"was not in its queue within {LANDS_WITHIN.seconds} s"
            raise Unsettled(f"a test contact {how}: check the flows of this run")
        return contact

    def transfer(self, contact_id: str, *, token: str | None = None, **more: Any) -> PlainAnswer:
        """Transfers a contact, to queue B with the transfer flow unless ``more`` names others."""
        target = {} if "UserId" in more else {"QueueId": self.resources.queue_b}
        parameters = {"ContactFlowId": self.resources.transfer, **target, **more}
        answer = self.call(
            "TransferContact", ContactId=contact_id, ClientToken=token or str(uuid.uuid4()), **parameters
        )
        self.uncertain |= answer.uncertain
        if answer.uncertain or (answer.ok and answer.body["ContactId"] == contact_id):
            self.unresolved.add(contact_id)
        elif answer.ok:
            self.known.append(answer.body["ContactId"])
        return answer

    def successor(self, contact_id: str, answered: str) -> str:
        """Returns the contact that continues a transferred one: the same, or the segment that follows it."""
        if answered != contact_id:
            return answered
        if self.wait_until(lambda: self._ended(contact_id), within=timedelta(seconds=3)) is None:
            return contact_id
        open_ones = self.open_of_chain(contact_id)
        if len(open_ones) != 1:
            raise Unsettled("a transfer ended the contact, and no list names the segment that follows it")
        self.known += open_ones
        self.unresolved.discard(contact_id)
        return open_ones[0]

    def open_of_chain(self, contact_id: str) -> list[str]:
        """Returns the contacts of the tree that have not ended, by ListAssociatedContacts. Raises ``Unsettled``."""
        rows = self.need("ListAssociatedContacts", ContactId=contact_id, MaxResults=100)["ContactSummaryList"]
        return [str(row["ContactId"]) for row in rows if "DisconnectTimestamp" not in row]

    def _ended(self, contact_id: str) -> bool | None:
        return True if "DisconnectTimestamp" in self.describe(contact_id) else None

    def stop(self, contact_id: str) -> PlainAnswer:
        return self.call("StopContact", ContactId=contact_id)

    def agent_id(self) -> str:
        """Returns the id of the test agent. Raises ``Unsettled`` if the user named none."""
        if self.agent is None:
            raise Unsettled("needs a test agent: name one with --agent")
        return self.agent


def queue_of(contact: Mapping[str, Any]) -> str | None:
    """Returns the id of the queue that the contact shows, ``None`` if it shows none."""
    reference = (contact.get("QueueInfo") or {}).get("Id")
    return bare_id(reference) if reference else None


def enqueued_at(contact: Mapping[str, Any]) -> datetime | None:
    found: datetime | None = (contact.get("QueueInfo") or {}).get("EnqueueTimestamp")
    return found


def refusal(answer: PlainAnswer) -> str:
    """Returns in one line why a call did not succeed."""
    if answer.status == 403:
        return f"IAM denies connect:{answer.operation}"
    why = f"{answer.code}: {answer.message}" if answer.message else str(answer.code)
    if answer.status in (400, 402, 404, 409):
        return f"Connect refused {answer.operation} ({why})"
    return f"{answer.operation} failed ({why})"
