"""Counts what the service's log events report, and judges the service by what the sandbox saw.

The sandbox knows the truth; the router knows only what it read.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any

from structlog.typing import EventDict, WrappedLogger

from router.sandbox import MadeTransfer, Sandbox

RECENT = 200


class DemoTally:
    """Counts the service's events.

    ``tap`` is a structlog processor that any thread may call. Everything else belongs to the thread that shows."""

    def __init__(self) -> None:
        self._arrived: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.new: list[dict[str, Any]] = []
        """The events of the last ``take``."""
        self.recent: deque[dict[str, Any]] = deque(maxlen=RECENT)
        """The latest events that the screen shows, oldest first."""
        self.moved: Counter[str] = Counter()
        """Moves by rule."""
        self.late = 0
        """Moves of contacts that were past their promise."""
        self.routes: Counter[str] = Counter()
        """Moves by way, such as ``Billing -> Billing Overflow``."""
        self.answered = 0
        """Moved contacts that an agent answered where they were moved to."""
        self.out: Counter[str] = Counter()
        self.into: Counter[str] = Counter()
        self.warned = 0
        self.failed = 0
        self.cycles = 0
        self.cycle: dict[str, Any] = {}
        """The last ``cycle.finished``."""

    def tap(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        self._arrived.put(dict(event))
        return event

    def take(self) -> None:
        """Counts the events that have arrived."""
        self.new = []
        while True:
            try:
                event = self._arrived.get_nowait()
            except Empty:
                return
            self._count(event)
            self.new.append(event)
            if _worth_a_line(event):
                self.recent.append(event)

    def _count(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "contact.transferred":
                self.moved[event["rule"]] += 1
                self.late += event["late_s"] >= 0
                self.out[event["from_queue"]] += 1
                to = event.get("to_queue") or f"agent {event.get('to_agent')}"
                self.into[to] += 1
                self.routes[f"{event['from_queue']} -> {to}"] += 1
            case "contact.landed":
                self.answered += event["landing"] == "answered"
            case "contact.warned":
                self.warned += 1
            case "contact.failed":
                self.failed += 1
            case "cycle.finished":
                self.cycles += 1
                self.cycle = event


def _worth_a_line(event: dict[str, Any]) -> bool:
    name, level = str(event["event"]), str(event["level"])
    of_a_contact = name.startswith("contact.") and name != "contact.skipped"
    return of_a_contact or (level != "info" and name != "ledger.created")  # the demo's ledger is always new


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Holds how well the service kept the two most important promises.

    ``taken`` counts contacts that an agent lost and had accepted before the router's last reading. ``within_window``
    counts those accepted between that reading and the call; Connect gives no means to prevent this."""

    moves: int
    twice: int
    taken: int
    within_window: int

    @property
    def kept(self) -> bool:
        return not (self.twice or self.taken)


def judge(sandbox: Sandbox) -> Verdict:
    transfers = sandbox.world.transfers
    times = Counter((one.contact_id, one.from_queue) for one in transfers)
    lost = sandbox.world.taken_from_agents
    taken = sum(_accepted_before_reading(one, sandbox) for one in lost)
    return Verdict(
        moves=len(transfers),
        twice=sum(number - 1 for number in times.values()),
        taken=taken,
        within_window=len(lost) - taken,
    )


def _accepted_before_reading(transfer: MadeTransfer, sandbox: Sandbox) -> bool:
    accepted_at = sandbox.world.contact(transfer.contact_id).connected_at
    read_at = _last_reading(transfer, sandbox)
    return accepted_at is None or read_at is None or accepted_at <= read_at


def _last_reading(transfer: MadeTransfer, sandbox: Sandbox) -> datetime | None:
    readings = [
        call.at
        for call in sandbox.calls
        if call.operation == "DescribeContact"
        and call.params.get("ContactId") == transfer.contact_id
        and call.at <= transfer.at
    ]
    return max(readings, default=None)
