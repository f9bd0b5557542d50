"""Which operations of Connect's the router uses under these rules, and with which flows."""

from __future__ import annotations

from collections.abc import Iterator

from router.decide.eligible import BY_METRICS
from router.rules.mentions import mentions_agents, mentions_hours
from router.rules.rule import Entry, Mode, Rule, RuleSet

ALWAYS = frozenset({"DescribeContact", "ListAssociatedContacts", "ListContactFlows", "ListQueues", "SearchContacts"})
"""Also without a rule that moves: what an earlier run has left open is settled by reading the contact and its chain."""
HOURS = frozenset(
    {
        "DescribeHoursOfOperation",
        "DescribeQueue",
        "GetEffectiveHoursOfOperations",
        "ListHoursOfOperations",
        "SearchQueues",
    }
)
AGENTS = frozenset({"GetCurrentUserData", "ListAgentStatuses"})


def reading_operations(ruleset: RuleSet) -> frozenset[str]:
    """What observing needs, and enforcing as well."""
    rules = _used(ruleset)
    found = set(ALWAYS)
    if mentions_hours(ruleset):
        found |= HOURS
    if mentions_agents(ruleset):
        found.add("ListUsers")
    entries = [entry for rule in rules for entry in _entries(rule)]
    if any(entry.queue is None for entry in entries):
        found |= AGENTS
    if any(entry.agent_from is not None for entry in entries):
        found.add("ListRoutingProfileQueues")
    if any(entry.limits or entry.shorter_wait for entry in entries) or _picks_by_metrics(rules):
        found.add("GetCurrentMetricData")
    return frozenset(found)


def changing_operations(ruleset: RuleSet, *, keep_place: bool) -> frozenset[str]:
    """What enforcing needs in addition; rules in observe mode need nothing of it."""
    rules = _enforced(ruleset)
    moves = any(rule.to_steps for rule in rules)
    found = {"TransferContact"} if moves else set()
    if (moves and keep_place) or any(step.routing for rule in rules for step in rule.steps):
        found.add("UpdateContactRoutingData")
    return frozenset(found)


def flows_used(ruleset: RuleSet) -> tuple[str, ...]:
    """The flows that may move a contact: names, ids and ARNs as the rules write them, each once."""
    return tuple(sorted({entry.flow for rule in _enforced(ruleset) for entry in _entries(rule)}))


def _used(ruleset: RuleSet) -> list[Rule]:
    return [rule for rule in ruleset.rules if rule.mode is not Mode.OFF]


def _enforced(ruleset: RuleSet) -> list[Rule]:
    return [rule for rule in ruleset.rules if rule.mode is Mode.ENFORCE]


def _entries(rule: Rule) -> Iterator[Entry]:
    return (entry for step in rule.steps for entry in step.entries)


def _picks_by_metrics(rules: list[Rule]) -> bool:
    return any(step.pick in BY_METRICS for rule in rules for step in rule.to_steps)
