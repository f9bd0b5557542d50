"""What the service's own log events tell, added up."""

from __future__ import annotations

from collections import Counter, deque
from queue import Empty, SimpleQueue
from typing import Any

from structlog.typing import EventDict, WrappedLogger

RECENT = 200


class DemoTally:
    """``tap`` is a structlog processor and called by any thread; everything else belongs to the thread that shows."""

    def __init__(self) -> None:
        self._arrived: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.new: list[dict[str, Any]] = []
        """The events of the last ``take``."""
        self.recent: deque[dict[str, Any]] = deque(maxlen=RECENT)
        """The latest that are worth a line, oldest first."""
        self.moved: Counter[str] = Counter()
        """By rule."""
        self.late = 0
        """Moves of contacts that were past their promise."""
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
        """Adds up what has arrived."""
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
                self.into[event.get("to_queue") or f"agent {event.get('to_agent')}"] += 1
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
    return of_a_contact or level != "info"
