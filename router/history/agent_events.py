"""Reads when agents could take contacts from the agent events that Amazon Connect writes to a Kinesis stream."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from router.history.codec import possible
from router.history.contact_rows import GZIP, json_values
from router.history.world import HistoryUnusable, Staffed
from router.model import Agent, AgentId, Channel, ProfileId, QueueId, bare_id

OURS = (Channel.TASK, Channel.EMAIL)
KINDS = ("LOGIN", "LOGOUT", "STATE_CHANGE", "HEART_BEAT")
AVAILABLE = "Available"
"""The name of the status of agents who take contacts. Events of some years have no type of the status."""


@dataclass
class AgentEvents:
    """Holds the events of agents in the order of time. ``rejected`` counts those that cannot be used, by reason."""

    events: list[Staffed] = field(default_factory=list)
    agents: dict[AgentId, Agent] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)

    def add(self, event: Any) -> None:
        """Adds one event as Connect wrote it. Events arrive more than once."""
        snapshot = event.get("CurrentAgentSnapshot") if isinstance(event, Mapping) else None
        if not isinstance(snapshot, Mapping) or event.get("EventType") not in KINDS:
            self.rejected["no agent event"] += 1
            return
        key = str(event.get("EventId") or len(self._seen))
        if key in self._seen:
            self.rejected["delivered again"] += 1
            return
        self._seen.add(key)
        try:
            staffed = _staffed(event, snapshot)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            self.rejected["with a value that cannot be read"] += 1
            return
        self.events.append(staffed)
        name = (snapshot.get("Configuration") or {}).get("Username")
        self.agents[staffed.agent_id] = Agent(id=staffed.agent_id, name=str(name or staffed.agent_id))


def open_agent_events(path: Path) -> AgentEvents:
    """Reads a file, or every file below a folder: JSON objects that follow one another, also compressed with gzip.

    Raises OSError, and ``HistoryUnusable`` if no event can be used."""
    found = AgentEvents()
    for file in [path] if not path.is_dir() else sorted(one for one in path.rglob("*") if one.is_file()):
        for event in _events_of(file, found.rejected):
            found.add(event)
    if not found.events:
        why = ", ".join(f"{number} {reason}" for reason, number in found.rejected.items()) or "no events"
        raise HistoryUnusable(f"no agent event can be used: {why}")
    found.events.sort(key=lambda one: one.at)
    return found


def _events_of(file: Path, rejected: Counter[str]) -> Iterator[Any]:
    data = file.read_bytes()
    try:
        text = (gzip.decompress(data) if data[:2] == GZIP else data).decode("utf-8-sig")
    except (OSError, EOFError, ValueError):
        rejected["file that cannot be read"] += 1
        return
    yield from json_values(text, rejected)


def _staffed(event: Mapping[str, Any], snapshot: Mapping[str, Any]) -> Staffed:
    profile = (snapshot.get("Configuration") or {}).get("RoutingProfile") or {}
    held = Counter(one.get("Channel") for one in snapshot.get("Contacts") or ())
    slots, free = {}, {}
    for row in profile.get("Concurrency") or ():
        if row.get("Channel") in OURS and row["MaximumSlots"]:
            channel = Channel(row["Channel"])
            slots[channel] = int(row["MaximumSlots"])
            free[channel] = int(row.get("AvailableSlots", slots[channel]))
    queues = (str(one["ARN"]) for one in profile.get("InboundQueues") or ())
    blocked = bool(slots) and not any(free[channel] or held[channel] for channel in slots)
    return Staffed(
        at=_at(event["EventTimestamp"]),
        agent_id=AgentId(bare_id(str(event["AgentARN"]))),
        profile_id=ProfileId(bare_id(str(profile["ARN"]))) if profile.get("ARN") else None,
        slots=slots,
        free=free,
        queues=frozenset(QueueId(bare_id(one)) for one in queues if "/queue/agent/" not in one),
        routable=event["EventType"] != "LOGOUT" and _takes_contacts(snapshot) and not blocked,
    )


def _at(text: Any) -> datetime:
    at = datetime.fromisoformat(str(text))
    return possible(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))


def _takes_contacts(snapshot: Mapping[str, Any]) -> bool:
    """Returns whether the agent is offered contacts: not while another status is chosen for after the contacts at
    hand."""
    status = snapshot.get("AgentStatus") or {}
    routable = status["Type"] == "ROUTABLE" if status.get("Type") else status.get("Name") == AVAILABLE
    return routable and not snapshot.get("NextAgentStatus")
