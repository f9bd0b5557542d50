"""Reads contacts from Amazon Connect's own records: contact records, and exports of the data lake."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from router.history.codec import possible
from router.history.parquet_rows import parquet_rows
from router.history.world import Event, Fidelity, HistoryUnusable, Leaving, Left, Seen
from router.model import AgentId, Channel, Contact, ContactId, Details, Directory, Queue, QueueId, bare_id
from router.toml_source import require_ordinary

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
NEVER_BEFORE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    """Holds one contact as a record shows it after its end. ``exact``: the record has when it left the queue."""

    contact: Contact
    queue_name: str
    left_at: datetime | None
    how: Leaving
    agent_id: AgentId | None = None
    connected_at: datetime | None = None
    handle_time: timedelta | None = None
    updated_at: datetime = NEVER_BEFORE
    exact: bool = True


@dataclass
class ContactRows:
    """Holds the latest record of each contact. ``rejected`` counts the rows that cannot be used, by reason."""

    rows: dict[ContactId, ContactRow] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)

    @property
    def fidelity(self) -> Fidelity:
        exact = all(row.exact for row in self.rows.values())
        return Fidelity.RECONSTRUCTED if exact else Fidelity.COARSE

    def add(self, row: ContactRow | str) -> None:
        """Adds a row, or the reason why there is none. Of several records of a contact the one updated last counts."""
        if isinstance(row, str):
            self.rejected[row] += 1
            return
        known = self.rows.get(row.contact.id)
        if known is not None:
            self.rejected["replaced by a later record of the contact"] += 1
        if known is None or known.updated_at <= row.updated_at:
            self.rows[row.contact.id] = row

    def events(self) -> Iterator[Event]:
        """Yields when each contact entered its queue and when it left, in the order of time."""
        found: list[tuple[datetime, int, Event]] = []
        for row in self.rows.values():
            at = row.contact.enqueued_at
            assert at is not None, "a row has when the contact was enqueued"
            found.append((at, 1, Seen(at=at, contact=row.contact)))
            if row.left_at is not None:
                found.append((row.left_at, 0 if row.left_at > at else 2, _left(row, row.left_at)))
        found.sort(key=lambda one: one[:2])
        for _, _, event in found:
            yield event

    def directory(self, named: Iterable[Directory]) -> Directory:
        """Returns an instance with the queues of the records, and everything else that rules name."""
        rows = self.rows.values()
        queues = {row.contact.queue_id: row.queue_name for row in rows if row.contact.queue_id is not None}
        known = {*queues, *queues.values()}
        made = [Queue(id=queue_id, name=name) for queue_id, name in queues.items()]
        others = tuple(named)
        for directory in others:
            made += [queue for queue in directory.queues if queue.id not in known and not known.add(queue.id)]  # type: ignore[func-returns-value]
        return Directory(
            queues=tuple(made),
            agents=tuple({one.id: one for directory in others for one in directory.agents}.values()),
            flows=tuple({one.id: one for directory in others for one in directory.flows}.values()),
            hours=tuple({one.id: one for directory in others for one in directory.hours}.values()),
        )


def _left(row: ContactRow, at: datetime) -> Left:
    return Left(
        at=at,
        contact_id=row.contact.id,
        how=row.how,
        agent_id=row.agent_id,
        connected_at=row.connected_at,
        handle_time=row.handle_time,
    )


def open_records(path: Path) -> ContactRows:
    """Reads a file, or every file below a folder: contact records as JSON, exports as CSV or Parquet.

    JSON and CSV may be compressed with gzip.

    Raises OSError, and ``HistoryUnusable`` if no contact can be used."""
    found = ContactRows()
    files = [path] if not path.is_dir() else sorted(file for file in path.rglob("*") if file.is_file())
    for file in files:
        for row in _rows_of(file, found.rejected):
            found.add(row)
    if not found.rows:
        why = ", ".join(f"{number} {reason}" for reason, number in found.rejected.items()) or "no rows"
        raise HistoryUnusable(f"no contact can be used: {why}")
    return found


def _rows_of(file: Path, rejected: Counter[str]) -> Iterator[ContactRow | str]:
    require_ordinary(file)
    with file.open("rb") as stream:
        start = stream.read(4)
    if start == PARQUET:
        for row in parquet_rows(file):
            yield row_of_export(row)
        return
    try:
        data = gzip.decompress(file.read_bytes()) if start[:2] == GZIP else file.read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError, ValueError):
        rejected["file that cannot be read"] += 1
        return
    if text.lstrip()[:1] in ("{", "["):
        for record in json_values(text, rejected):
            yield row_of_record(record)
        return
    for row in csv.DictReader(io.StringIO(text)):
        yield row_of_export(row)


def json_values(text: str, rejected: Counter[str]) -> Iterator[Any]:
    """Yields the JSON values of a text in which they follow one another, with anything blank or nothing between them.

    After a value that is damaged it continues at the next line, or at the next ``}{``."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        if text[place] in " \t\r\n,":
            place += 1
            continue
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            rejected["no JSON"] += 1
            ends = [end for end in (text.find("\n", place + 1), text.find("}{", place + 1) + 1) if end > place]
            place = min(ends, default=len(text))
            continue
        yield from value if isinstance(value, list) else (value,)


def row_of_record(record: Any) -> ContactRow | str:
    """Returns the contact of a contact record, or why it cannot be used."""
    if not isinstance(record, Mapping):
        return "no contact record"
    queue, agent = record.get("Queue") or {}, record.get("Agent") or {}
    if not isinstance(queue, Mapping) or not isinstance(agent, Mapping):
        return "no contact record"
    flat = {
        "contact_id": record.get("ContactId"),
        "initial_contact_id": record.get("InitialContactId"),
        "previous_contact_id": record.get("PreviousContactId"),
        "related_contact_id": record.get("RelatedContactId"),
        "channel": record.get("Channel"),
        "initiation_method": record.get("InitiationMethod"),
        "initiation_timestamp": record.get("InitiationTimestamp"),
        "disconnect_timestamp": record.get("DisconnectTimestamp"),
        "last_update_timestamp": record.get("LastUpdateTimestamp"),
        "queue_id": queue.get("ARN"),
        "queue_name": queue.get("Name"),
        "queue_enqueue_timestamp": queue.get("EnqueueTimestamp"),
        "queue_dequeue_timestamp": queue.get("DequeueTimestamp"),
        "agent_id": agent.get("ARN"),
        "agent_connected_to_agent_timestamp": agent.get("ConnectedToAgentTimestamp"),
        "agent_interaction_duration_ms": _milliseconds(agent.get("AgentInteractionDuration")),
        "agent_after_contact_work_duration_ms": _milliseconds(agent.get("AfterContactWorkDuration")),
        "attributes": record.get("Attributes"),
        "tags": record.get("Tags"),
    }
    return row_of_export(flat)


def row_of_export(row: Mapping[str, Any]) -> ContactRow | str:
    """Returns the contact of a row with the columns of the data lake's ``contact_record``, or why it cannot be used."""
    contact_id, queue_id = row.get("contact_id"), row.get("queue_id") or row.get("queue_arn")
    if not contact_id:
        return "without a contact id"
    channel = str(row.get("channel") or "").upper()
    if channel not in (Channel.TASK, Channel.EMAIL):
        return "of another channel"
    if not queue_id:
        return "that were in no queue"
    try:
        enqueued_at = _instant(row.get("queue_enqueue_timestamp"))
        dequeued_at = _instant(row.get("queue_dequeue_timestamp"))
        waited = _duration(row.get("queue_duration_ms"))
        connected_at = _instant(row.get("agent_connected_to_agent_timestamp"))
        ended_at = _instant(row.get("disconnect_timestamp"))
        interaction = _duration(row.get("agent_interaction_duration_ms"))
        after_work = _duration(row.get("agent_after_contact_work_duration_ms"))
        initiated_at = _instant(row.get("initiation_timestamp"))
        updated_at = _instant(row.get("last_update_timestamp"))
        if dequeued_at is None and enqueued_at is not None and waited is not None:
            dequeued_at = possible(enqueued_at + waited)
    except (ValueError, TypeError, OverflowError):
        return "with a time that cannot be read"
    if enqueued_at is None:
        return "without the time of entering the queue"
    left_at = dequeued_at or connected_at or ended_at
    if left_at is not None and left_at < enqueued_at:
        return "that left the queue before they entered it"
    identity = bare_id(str(queue_id))
    contact = Contact(
        id=ContactId(str(contact_id)),
        channel=Channel(channel),
        initial_id=_id(row.get("initial_contact_id")),
        previous_id=_id(row.get("previous_contact_id")),
        related_id=_id(row.get("related_contact_id")),
        initiation_method=row.get("initiation_method") or None,
        queue_id=QueueId(identity),
        enqueued_at=enqueued_at,
        initiated_at=initiated_at,
        tags=_texts(row.get("tags")),
        details=Details(attributes=_texts(row.get("attributes"))),
    )
    agent_id = row.get("agent_id")
    worked = [one for one in (interaction, after_work) if one is not None]
    return ContactRow(
        contact=contact,
        queue_name=str(row.get("queue_name") or identity),
        left_at=left_at,
        how=_how(connected_at, ended_at),
        agent_id=AgentId(bare_id(str(agent_id))) if agent_id else None,
        connected_at=connected_at,
        handle_time=sum(worked, timedelta()) if worked else None,
        updated_at=updated_at or NEVER_BEFORE,
        exact=dequeued_at is not None,
    )


def _how(connected_at: datetime | None, ended_at: datetime | None) -> Leaving:
    if connected_at is not None:
        return Leaving.ANSWERED
    return Leaving.UNKNOWN if ended_at is None else Leaving.ENDED


def _instant(value: Any) -> datetime | None:
    if value is None or value == "":
        return None
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip().replace(" UTC", "+00:00"))
    return possible(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))


def _duration(value: Any) -> timedelta | None:
    return None if value is None or value == "" else timedelta(milliseconds=float(value))


def _milliseconds(seconds: Any) -> float | None:
    return None if seconds is None else float(seconds) * 1000


def _id(value: Any) -> ContactId | None:
    return ContactId(str(value)) if value else None


def _texts(value: Any) -> dict[str, str]:
    """Returns a mapping of texts. CSV has it as JSON, and Parquet as JSON or as pairs."""
    with suppress(ValueError, TypeError, RecursionError):
        value = json.loads(value) if isinstance(value, str) else value
        value = dict(value) if isinstance(value, list) else value
    pairs = value.items() if isinstance(value, Mapping) else ()
    return {str(name): str(one) for name, one in pairs if one is not None}
