"""The instance of the examples: it has everything that rules and examples name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from router.model import Agent, AgentId, Directory, Flow, FlowId, FlowType, Hours, HoursId, Queue, QueueId, bare_id
from router.rules.condition import tests_of
from router.rules.example import Example
from router.rules.form import QUEUES_OWN, HoursForm
from router.rules.rule import Entry, Rule, RuleSet


def directory_of(ruleset: RuleSet, examples: Iterable[Example]) -> Directory:
    """An instance that has all that is named, each thing under an id that is the name (or the id) itself."""
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


def _queues_of_rules(ruleset: RuleSet, entries: Iterable[Entry]) -> Iterator[str]:
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
