"""Checks rules against the instance: names that it lacks, and queues that no rule matches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from router.connect.answers import Denied, Failure
from router.connect.connection import Connection
from router.inspect.iam_policy import reading_operations
from router.model import Directory
from router.problems import Problem
from router.rules.bind import bind, mentions_agents, mentions_hours
from router.rules.bound import BoundRuleSet
from router.rules.queue_index import could_match
from router.rules.rule import Mode, RuleSet

DEFAULT = "Default "
"""How the names of AWS's own flows begin. If no agent can take a contact, they disconnect it, or fail for a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFindings:
    """Holds what the instance shows about rules. ``unmatched`` are the queues that no rule matches, by name.

    ``denied`` are the reading operations of the rules that IAM denies, with AWS's message.
    """

    problems: tuple[Problem, ...]
    unmatched: tuple[str, ...]
    queues: int
    denied: Mapping[str, str] = field(default_factory=dict)


def check_live(connection: Connection, ruleset: RuleSet, *, now: datetime) -> LiveFindings | Failure:
    """Checks the rules with reading calls only. Returns a ``Failure`` if the instance's names could not be read.

    If a missing permission prevents that, ``denied`` names it, and there are no findings about names.
    """
    denied = connection.instance.denied(reading_operations(ruleset), now=now)
    named = mentions_agents(ruleset)
    directory = _directory(connection, ruleset, with_agents=named)
    if isinstance(directory, Denied) and denied:
        return LiveFindings(problems=(), denied=denied, unmatched=(), queues=0)
    if not isinstance(directory, Directory):
        return directory
    rules = bind(ruleset, directory, agents_known=named)
    return LiveFindings(
        problems=tuple(sorted({*_unresolved(rules), *_default_flows(rules, directory)})),
        denied=denied,
        unmatched=_unmatched(rules, directory),
        queues=len(directory.queues),
    )


def _directory(connection: Connection, ruleset: RuleSet, *, with_agents: bool) -> Directory | Failure:
    """Reads the directory with hours, because they come with whether each queue is enabled.

    If no rule names hours, the service does not need that permission, and they are left out if it is missing.
    """
    found = connection.instance.directory(with_agents=with_agents, with_hours=True)
    if isinstance(found, Denied) and not mentions_hours(ruleset):
        return connection.instance.directory(with_agents=with_agents, with_hours=False)
    return found


def _unresolved(rules: BoundRuleSet) -> Iterator[Problem]:
    for rule in rules.rules:
        for one in rule.unresolved:
            yield one.place.problem(one.message)


def _default_flows(rules: BoundRuleSet, directory: Directory) -> Iterator[Problem]:
    for rule in rules.rules:
        for entry in (entry for step in rule.steps for entry in step.entries):
            flow = directory.flow(entry.flow_id) if entry.flow_id is not None else None
            if flow is not None and flow.name.startswith(DEFAULT):
                message = f'flow "{flow.name}" is AWS\'s own: it disconnects contacts that nobody can take, or fails'
                yield entry.entry.place.problem(message, "warning")


def _unmatched(rules: BoundRuleSet, directory: Directory) -> tuple[str, ...]:
    conditions = [rule.rule.condition for rule in rules.rules if rule.rule.mode is not Mode.OFF]
    queues = [queue for queue in directory.queues if queue.agent_id is None]
    return tuple(
        sorted(
            queue.name
            for queue in queues
            if not any(could_match(condition, (queue.name, queue.id)) for condition in conditions)
        )
    )
