"""Checks rules against the instance: names that it lacks, flows that lose contacts, queues that no rule matches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from router.connect.answers import NOT_FROM_AWS, Denied, Failure
from router.connect.connection import Connection
from router.inspect.flow_content import FlowUnreadableError, read_flow
from router.inspect.iam_policy import live_check_operations, reading_operations
from router.model import Directory, FlowId
from router.problems import Problem
from router.rules.bind import bind, mentions_agents, mentions_hours, unresolved_promises
from router.rules.bound import BoundRuleSet
from router.rules.file.field_types import written
from router.rules.queue_index import could_match
from router.rules.rule import DestinationEntry, Mode, RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFindings:
    """Holds what the instance shows about rules. ``unmatched`` are the queues that no rule matches, by name.

    ``denied`` are the reading operations that IAM denies, with AWS's message.
    """

    problems: tuple[Problem, ...]
    unmatched: tuple[str, ...]
    queues: int
    denied: Mapping[str, str] = field(default_factory=dict)


def check_live(connection: Connection, ruleset: RuleSet, *, now: datetime) -> LiveFindings | Failure:
    """Checks the rules with reading calls only. Returns a ``Failure`` if the instance's names could not be read.

    If a missing permission prevents that, ``denied`` names it, and there are no findings about names.
    """
    denied = dict(connection.instance.denied(reading_operations(ruleset) | live_check_operations(ruleset), now=now))
    named = mentions_agents(ruleset)
    directory = _directory(connection, ruleset, with_agents=named)
    if isinstance(directory, Denied) and denied:
        return LiveFindings(problems=(), denied=denied, unmatched=(), queues=0)
    if not isinstance(directory, Directory):
        return directory
    rules = bind(ruleset, directory, agents_known=named)
    return LiveFindings(
        problems=tuple(sorted({*_unresolved(ruleset, rules, directory), *_flow_findings(connection, rules, denied)})),
        denied=denied,
        unmatched=_unmatched(rules, directory),
        queues=len(directory.queues),
    )


def _directory(connection: Connection, ruleset: RuleSet, *, with_agents: bool) -> Directory | Failure:
    """Reads the directory, with the states of the queues if there are destinations.

    Only this check needs the states. If IAM denies them, the names are checked all the same.
    """
    hours, states = mentions_hours(ruleset), bool(live_check_operations(ruleset))
    found = connection.instance.directory(with_agents=with_agents, with_hours=hours, with_states=states)
    if isinstance(found, Denied) and states and not hours:
        return connection.instance.directory(with_agents=with_agents, with_hours=False)
    return found


def _unresolved(ruleset: RuleSet, rules: BoundRuleSet, directory: Directory) -> Iterator[Problem]:
    in_rules = (one for rule in rules.rules for one in rule.unresolved)
    for one in (*in_rules, *unresolved_promises(ruleset, directory)):
        yield one.place.problem(one.message)


def _flow_findings(connection: Connection, rules: BoundRuleSet, denied: dict[str, str]) -> Iterator[Problem]:
    """Yields what is wrong in the content of the flows, each finding at the first place that names the flow.

    Adds the operation to ``denied`` if IAM denies it.
    """
    places: dict[FlowId, list[DestinationEntry]] = defaultdict(list)
    for rule in (rule for rule in rules.rules if rule.rule.mode is not Mode.OFF):
        for entry in (entry for step in rule.steps for entry in step.entries):
            if entry.flow_id is not None:
                places[entry.flow_id].append(entry.entry)
    for flow_id, entries in places.items():
        content = connection.instance.flow_content(flow_id)
        if isinstance(content, Denied) and content.code != NOT_FROM_AWS:
            denied["DescribeContactFlow"] = content.message
            continue
        place, more = entries[0].place, len(entries) - 1
        also = f" ({more} more {'destination' if more == 1 else 'destinations'} with this flow)" if more else ""
        for severity, text in _in_the_content(content):
            message = f"flow {written(entries[0].flow)}: {text}{also}"
            yield place.problem(message, severity)


def _in_the_content(content: str | Failure) -> Iterator[tuple[Literal["error", "warning"], str]]:
    if not isinstance(content, str):
        yield "warning", f"not checked, because its content could not be read ({content.code}: {content.message})"
        return
    try:
        yield from ((found.severity, found.text) for found in read_flow(content).findings())
    except FlowUnreadableError as problem:
        yield "warning", f"not checked, because {problem}"


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
