"""Reads a journal back into the events of the recorded world, and names every place where it has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from router.decide.snapshot import Blocks, Limits, ReadValues, RecordedMoves, Snapshot
from router.history.codec import decode, possible
from router.history.journal_encoder import VERSION
from router.history.journal_files import Damage, paths_between, read_lines
from router.history.world import (
    Acted,
    DecisionRecord,
    DirectoryListed,
    Event,
    Gap,
    Leaving,
    Left,
    Looked,
    Measured,
    Opened,
    RulesRead,
    Seen,
)
from router.ledger.rows import instant_of
from router.model import (
    Action,
    AgentId,
    Channel,
    Contact,
    ContactId,
    Directory,
    HoursId,
    OpeningHours,
    Pauses,
    QueueId,
    QueueMetrics,
    RoutingProfile,
    Target,
)
from router.rules.calendar import Calendar
from router.rules.clock import OpenTimes
from router.rules.condition import Unread
from router.rules.rule import Mode

UNUSABLE = (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError)
"""What a record raises that another version wrote, or that refers to a lost one."""
TYPES: Mapping[str, Any] = {
    "contact": Contact,
    "action": Action,
    "directory": Directory,
    "limits": Limits,
    "blocks": Blocks,
    "paused": Pauses,
    "hours": OpeningHours,
    "profiles": tuple[RoutingProfile, ...],
    "last": Target,
}
AT_AGENTS = Mapping[AgentId, int]
SENT = Mapping[tuple[QueueId, Channel | None], int]
ROWS = Mapping[tuple[QueueId, Channel], QueueMetrics]
STEP_BACK = timedelta(seconds=1)


class UnknownVersion(Exception):
    """Reports a journal of a later version of the program."""


def read_journal(path: Path, *, since: datetime, until: datetime) -> Iterator[Event]:
    """Yields the events of a journal in their order, beginning with the file in which ``since`` lies.

    Raises OSError if the folder cannot be read, and ``UnknownVersion``.
    """
    reader = _JournalReader()
    for file in paths_between(path, since, until):
        yield from reader.read(file)
    yield from reader.end(since)


@dataclass
class _JournalReader:
    """Holds what the records so far have set: the values in force, by section and key."""

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    contacts: dict[ContactId, Contact] = field(default_factory=dict)
    recent: dict[str, Action] = field(default_factory=dict)
    others: tuple[Mapping[QueueId, int], frozenset[tuple[QueueId, Channel]]] = ({}, frozenset())
    hashed: bool = False
    at: datetime | None = None
    fresh: list[Contact] = field(default_factory=list)
    unconfirmed: set[ContactId] = field(default_factory=set)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    in_force: dict[str, object] = field(default_factory=dict)
    damage: list[Damage] = field(default_factory=list)

    def read(self, file: Path) -> Iterator[Event]:
        for record in read_lines(file):
            if isinstance(record, Damage):
                self.damage.append(record)
                continue
            try:
                yield from list(self._events(record))
            except UNUSABLE as error:
                why = f"a record cannot be used: {type(error).__name__} {error}"
                self.damage.append(Damage(str(file), 0, why))

    def end(self, since: datetime) -> Iterator[Event]:
        """Yields what could not be read after the last record; ``since`` is its time if there was no record."""
        yield from self._damages(self.at or since)

    def _events(self, record: dict[str, Any]) -> Iterator[Event]:
        kind = record["k"]
        if kind == "set":
            self._take(record["s"], record["i"], record["v"])
            return
        at = possible(instant_of(record["at"]))
        yield from self._damages(at)
        if kind == "begin":
            yield from self._begin(record, at)
        elif self.at is not None and at < self.at - STEP_BACK:
            yield Gap(at=at, until=self.at, why="the clock was set back: this time is recorded twice")
        self.at = at
        yield from self._new_contacts(at)
        handle = _HANDLERS.get(kind)
        if handle is not None:
            yield from handle(self, record, at)

    def _begin(self, record: dict[str, Any], at: datetime) -> Iterator[Event]:
        if record["v"] > VERSION:
            raise UnknownVersion(f"the journal has version {record['v']}, and this program reads {VERSION}: update it")
        self.hashed = record.get("ids") == "hashed"
        self.values.clear()
        self.recent.clear()
        self.others = ({}, frozenset())
        self.unconfirmed = set(self.contacts)
        lost = record.get("lost")
        if self.at is not None and at > self.at and (record["why"] == "start" or lost):
            why = f"{lost} records could not be written" if lost else "the service did not run"
            yield Gap(at=self.at, until=at, why=why)

    def _take(self, section: str, key: str, value: Any) -> None:
        known = self.values.setdefault(section, {})
        if section == "rules":
            known[key] = value
            return
        known[key] = decode(TYPES[section], value)
        if section == "contact":
            contact: Contact = known[key]
            self.unconfirmed.discard(contact.id)
            if self.contacts.get(contact.id) != contact:
                self.contacts[contact.id] = contact
                self.fresh.append(contact)
        elif section == "hours":
            self.calendars[key] = Calendar.of(known[key])

    def _new_contacts(self, at: datetime) -> Iterator[Event]:
        fresh, self.fresh = self.fresh, []
        for contact in fresh:
            yield Seen(at=at, contact=contact)

    def _cycle(self, record: dict[str, Any], at: datetime) -> Iterator[Event]:
        gone = [(ContactId(one), Leaving(how)) for one, how in record.get("gone", ())]
        gone += [(one, Leaving.UNKNOWN) for one in self.unconfirmed]
        self.unconfirmed = set()
        for contact_id, how in gone:
            if self.contacts.pop(contact_id, None) is not None:
                self.values.get("contact", {}).pop(contact_id, None)
                yield Left(at=at, contact_id=contact_id, how=how)

    def _metrics(self, record: dict[str, Any], at: datetime) -> Iterator[Event]:
        yield Measured(at=at, rows=decode(ROWS, record["rows"]))  # type: ignore[type-abstract]

    def _result(self, record: dict[str, Any], at: datetime) -> Iterator[Event]:
        yield Acted(at=at, decision=_decision(record["d"]), outcome=record["o"], reason=record.get("r"))

    def _round(self, record: dict[str, Any], at: datetime) -> Iterator[Event]:
        yield from self._changes(record, at)
        ids = [ContactId(one) for one in record["c"]]
        contacts = self.values["contact"]
        moves, read = self._moves(record), self._read(record)
        if "others" in record:
            unseen, occupied = record["others"]
            pairs = frozenset((QueueId(queue_id), Channel(channel)) for queue_id, channel in occupied)
            self.others = ({QueueId(one): count for one, count in unseen.items()}, pairs)
        snapshot = Snapshot(
            now=at,
            mode=Mode(record["mode"]),
            contacts=tuple(contacts[one] for one in ids),
            directory=self._value("directory"),
            cycle=record["n"],
            moves=moves,
            read=read,
            limits=self._value("limits"),
            blocks=self._value("blocks"),
            paused=self._value("paused"),
            unseen=self.others[0],
            occupied_by_others=self.others[1],
        )
        yield Looked(at=at, snapshot=snapshot, decisions=tuple(map(_decision, record.get("d", ()))))

    def _value(self, section: str) -> Any:
        return self.values[section][""]

    def _changes(self, record: dict[str, Any], at: datetime) -> Iterator[Event]:
        """Yields the rules, names and hours that are in force now and were not before."""
        revision = record["rev"]
        if self.in_force.get("rules") != revision and revision in self.values.get("rules", {}):
            self.in_force["rules"] = revision
            rules = self.values["rules"][revision]
            files = tuple((name, text.encode("utf-8", "surrogateescape")) for name, text in rules["files"])
            keys = frozenset(rules["keys"])
            yield RulesRead(at=at, revision=revision, files=files, keys=keys, hashed=self.hashed)
        directory = self._value("directory")
        if self.in_force.get("directory") != directory:
            self.in_force["directory"] = directory
            yield DirectoryListed(at=at, directory=directory)
        for hours_id, hours in self.values.get("hours", {}).items():
            if self.in_force.get(f"hours {hours_id}") != hours:
                self.in_force[f"hours {hours_id}"] = hours
                yield Opened(at=at, hours_id=HoursId(hours_id), hours=hours)

    def _moves(self, record: dict[str, Any]) -> RecordedMoves:
        actions = self.values.get("action", {})
        for key in record.get("past", ()):
            self.recent.pop(key, None)
        self.recent.update({key: actions[key] for key in record.get("recent", ())})
        histories = {ContactId(one): tuple(actions[key] for key in keys) for one, keys in record.get("h", {}).items()}
        return RecordedMoves(
            histories=histories,
            recent=tuple(self.recent.values()),
            sent_to_queues=decode(SENT, record.get("sent", {})),  # type: ignore[type-abstract]
            sent_to_agents=decode(AT_AGENTS, record.get("at_agents", {})),  # type: ignore[type-abstract]
            last_targets={_step(key): target for key, target in self.values.get("last", {}).items()},
            in_progress=frozenset(ContactId(one) for one in record.get("busy", ())),
            ledger_began_at=instant_of(record["since"]) if "since" in record else None,
        )

    def _read(self, record: dict[str, Any]) -> ReadValues:
        found = decode(ReadValues, record.get("read", {}))
        closed = {HoursId(one): decode(Unread, why) for one, why in record.get("closed", {}).items()}
        hours: dict[HoursId, OpenTimes | Unread] = {HoursId(one): self.calendars[one] for one in record.get("open", ())}
        hours |= closed
        return replace(found, hours=hours, routing_profiles=self._value("profiles") if "profiles" in record else None)

    def _damages(self, until: datetime) -> Iterator[Event]:
        damage, self.damage = self.damage, []
        for one in damage:
            yield Gap(at=min(self.at or until, until), until=until, why=one.why, file=one.file, offset=one.offset)


_HANDLERS = {
    "round": _JournalReader._round,
    "cycle": _JournalReader._cycle,
    "metrics": _JournalReader._metrics,
    "result": _JournalReader._result,
}


def _step(key: str) -> tuple[str, timedelta]:
    at, _, rule = key.partition(" ")
    return rule, timedelta(microseconds=int(at))


def _decision(row: list[Any]) -> DecisionRecord:
    kind, contact_id, rule, step, to, reason = row
    return DecisionRecord(kind=kind, contact_id=ContactId(contact_id), rule=rule, step=step, to=to, reason=reason)
