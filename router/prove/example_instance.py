"""Builds the instance of the examples, which has everything that rules and examples name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.model import Agent, AgentId, Directory, Flow, FlowId, FlowType, Hours, HoursId, Queue, QueueId, bare_id
from router.rules.calendar import NEVER
from router.rules.clock import OpenTimes
from router.rules.condition import tests_of
from router.rules.example import Example
from router.rules.rule import DestinationEntry, Rule, RuleSet
from router.rules.value_test import QUEUES_OWN, HoursForm


class AlwaysOpen:
    """Counts all time as open."""

    def open_time(self, start: datetime, end: datetime) -> timedelta:
        return max(end - start, timedelta())

    def after(self, start: datetime, amount: timedelta) -> datetime:
        return start + amount

    def is_open(self, at: datetime) -> bool:
        return True

    def open_until(self, at: datetime) -> datetime:
        return NEVER


@dataclass(frozen=True, slots=True)
class ClosedSince:
    """Counts time as open until an instant and as closed for ever after it."""

    closed_at: datetime

    def open_time(self, start: datetime, end: datetime) -> timedelta:
        return max(min(end, self.closed_at) - start, timedelta())

    def after(self, start: datetime, amount: timedelta) -> datetime:
        at = start + amount
        return at if at <= self.closed_at else NEVER

    def is_open(self, at: datetime) -> bool:
        return at < self.closed_at

    def open_until(self, at: datetime) -> datetime:
        return max(at, self.closed_at)


def all_open(directory: Directory) -> Mapping[HoursId, OpenTimes]:
    """Returns open hours for all hours of operation of the instance and for the own ones of its queues."""
    own = (queue.hours_id for queue in directory.queues if queue.hours_id is not None)
    return dict.fromkeys((*(hours.id for hours in directory.hours), *own), AlwaysOpen())


def hours_in(
    example: Example, directory: Directory, opened: Mapping[HoursId, OpenTimes], now: datetime
) -> Mapping[HoursId, OpenTimes]:
    """Returns the hours of one example: by name, or a queue's own from its table, or else from ``hours.queue``.

    Hours that the example does not name are those in ``opened``.
    """
    if not (example.hours or example.open):
        return opened
    closed = ClosedSince(now)
    hours = dict(opened)
    if example.hours.get(QUEUES_OWN) == "closed":
        hours.update({queue.hours_id: closed for queue in directory.queues if queue.hours_id is not None})
    for name, given in example.hours.items():
        found = directory.opening_hours(name)
        if found is not None:
            hours[found.id] = AlwaysOpen() if given == "open" else closed
    for name, is_open in example.open.items():
        queue = directory.queue(name)
        if queue is not None and queue.hours_id is not None:
            hours[queue.hours_id] = AlwaysOpen() if is_open else closed
    return hours


def unknown_hours(example: Example, directory: Directory) -> str | None:
    """Returns the name of hours that no rule uses, because a mistyped name proves nothing; ``None`` if there is
    none."""
    names = (name for name in example.hours if name != QUEUES_OWN)
    return next((name for name in names if directory.opening_hours(name) is None), None)


def directory_of(ruleset: RuleSet, examples: Iterable[Example]) -> Directory:
    """Returns an instance with everything that is named; the name, or the id, is the id."""
    entries = [entry for rule in ruleset.rules for step in rule.steps for entry in step.entries]
    given = tuple(examples)
    queues = {bare_id(name) for name in (*_queues_of_rules(ruleset, entries), *_queues_of(given))}
    agents = {bare_id(name) for name in (*(entry.agent for entry in entries), *_agents_of(given)) if name}
    hours = {bare_id(name) for rule in ruleset.rules for name in _hours_of(rule)}
    return Directory(
        queues=tuple(
            Queue(id=QueueId(name), name=name, hours_id=HoursId(f"hours of queue {name}")) for name in sorted(queues)
        ),
        agents=tuple(Agent(id=AgentId(name), name=name) for name in sorted(agents)),
        flows=tuple(
            Flow(id=FlowId(name), name=name, type=FlowType.INBOUND)
            for name in sorted({bare_id(entry.flow) for entry in entries})
        ),
        hours=tuple(Hours(id=HoursId(name), name=name) for name in sorted(hours)),
    )


def queue_id_of(name: str, directory: Directory) -> QueueId:
    queue = directory.queue(name)
    assert queue is not None, "the directory has every queue that an example names"
    return queue.id


def _queues_of_rules(ruleset: RuleSet, entries: Iterable[DestinationEntry]) -> Iterator[str]:
    yield from (entry.queue for entry in entries if entry.queue is not None)
    for rule in ruleset.rules:
        for test in tests_of(rule.condition):
            yield from test.references


def _queues_of(examples: Iterable[Example]) -> Iterator[str]:
    for example in examples:
        yield from (example.contact.queue, *example.contact.visited, *example.queues)
        if example.expect is not None and example.expect.queue is not None:
            yield example.expect.queue


def _agents_of(examples: Iterable[Example]) -> Iterator[str]:
    for example in examples:
        yield from example.agents
        if example.expect is not None and example.expect.agent is not None:
            yield example.expect.agent


def _hours_of(rule: Rule) -> Iterator[str]:
    forms = (test.form for test in tests_of(rule.condition))
    names = (rule.sla.hours, *(form.name for form in forms if isinstance(form, HoursForm)))
    yield from (name for name in names if name is not None and name != QUEUES_OWN)
