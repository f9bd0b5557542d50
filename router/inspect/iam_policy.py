"""Builds the least IAM policy of a rule set: operations and flows as actions and ARNs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from router.connect.contact_events import arn_of
from router.connect.iam import AUTHORISED_ON, FLOW, InstanceArn
from router.model import METRICS, Directory, bare_id
from router.rules.bind import mentions_agents, mentions_hours
from router.rules.rule import DestinationEntry, Mode, Rule, RuleSet

ALWAYS = frozenset(
    {
        "DescribeContact",
        "DescribeInstance",
        "GetCurrentMetricData",
        "ListAssociatedContacts",
        "ListContactFlows",
        "ListQueues",
        "SearchContacts",
    }
)
"""Also without a rule that moves: the metrics decide which queues are searched, and an open intent of an earlier run is
settled by reading the contact and its chain."""
HOURS = frozenset(
    {
        "DescribeHoursOfOperation",
        "DescribeQueue",
        "GetEffectiveHoursOfOperations",
        "ListHoursOfOperations",
        "SearchQueues",
    }
)
CHANNELS = frozenset({"DescribeRoutingProfile", "SearchRoutingProfiles"})
AGENTS = frozenset({"GetCurrentUserData", "ListAgentStatuses"})


BY_ANY_CHANNEL = frozenset(metric.name for metric in METRICS if metric.by_any_channel)


def reading_operations(ruleset: RuleSet) -> frozenset[str]:
    """Returns the operations that observing needs, and enforcing as well."""
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
    if any(limit.metric in BY_ANY_CHANNEL for entry in entries for limit in entry.limits):
        found |= CHANNELS
    return frozenset(found)


def live_check_operations(ruleset: RuleSet) -> frozenset[str]:
    """Returns the operations that ``check --live`` needs in addition: which destinations are disabled queues."""
    to_queues = any(entry.queue is not None for rule in _used(ruleset) for entry in _entries(rule))
    return frozenset({"DescribeQueue", "SearchQueues"}) if to_queues else frozenset()


def changing_operations(ruleset: RuleSet, *, keep_place: bool) -> frozenset[str]:
    """Returns the operations that enforcing needs in addition; rules in observe mode need none of them."""
    rules = _enforced(ruleset)
    moves = any(rule.to_steps for rule in rules)
    found = {"TransferContact"} if moves else set()
    if (moves and keep_place) or any(step.routing for rule in rules for step in rule.steps):
        found.add("UpdateContactRoutingData")
    return frozenset(found)


def flows_used(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Returns the flows of the rules: names, ids and ARNs as the rules write them, each once."""
    return tuple(sorted({entry.flow for rule in rules for entry in _entries(rule)}))


def _used(ruleset: RuleSet) -> list[Rule]:
    return [rule for rule in ruleset.rules if rule.mode is not Mode.OFF]


def _enforced(ruleset: RuleSet) -> list[Rule]:
    return [rule for rule in ruleset.rules if rule.mode is Mode.ENFORCE]


def _entries(rule: Rule) -> Iterator[DestinationEntry]:
    return (entry for step in rule.steps for entry in step.entries)


LONGEST = 6144
"""Characters of a managed policy, white space not counted (IAM and AWS STS quotas)."""

_ID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Statement:
    """Holds one statement of a policy. ``sid`` has letters and digits only, as IAM requires.

    ``tag`` is a key of IAM's for a tag that must be there: a resource's or the request's."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    tag: str | None = None

    @property
    def condition(self) -> dict[str, dict[str, str]]:
        return {} if self.tag is None else {"StringLike": {self.tag: "*"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Holds the statements of a policy. While there are ``unresolved`` flows, whose id is not known, every flow of the
    instance is allowed. ``foreign`` flows belong to no flow of this instance, with the reason, and get no right."""

    statements: tuple[Statement, ...]
    unresolved: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


QUOTAS = Statement("ConnectRouterReadsQuotas", ("servicequotas:ListServiceQuotas",), ("*",))
"""The action takes no resource (Service Authorization Reference, Service Quotas)."""


LEDGER_READS = ("dynamodb:GetItem", "dynamodb:Query")
LEDGER_WRITES = ("dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem")
"""Each is authorised on the table (Service Authorization Reference, Amazon DynamoDB)."""

TOPIC = ("sns:GetTopicAttributes", "sns:Publish")
"""``check --live`` needs the first one, and publishes nothing."""


EVENTS = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
"""``check --live`` needs the second one. Each is authorised on the queue (Service Authorization Reference, SQS)."""


def policy_of(
    ruleset: RuleSet,
    *,
    arn: InstanceArn,
    directory: Directory | None,
    observe: bool,
    keep_place: bool,
    quotas: bool = False,
    table: str | None = None,
    topic: str = "",
    queue: str = "",
) -> Policy:
    """Returns the least policy that the rules need.

    ``directory`` gives the ids of flows that rules name; ``None``: only ids and ARNs are known. ``quotas`` adds the
    right to read Service Quotas, ``table`` the rights to the DynamoDB table of the ledger, ``topic`` those to the SNS
    topic with this ARN, and ``queue`` those to the SQS queue with this URL.
    """
    flows = {flow: arn.home.objection(flow, "flow") for flow in flows_used(_used(ruleset))}
    own = [flow for flow, objection in flows.items() if objection is None]
    looked_at, unresolved = _flow_arns(own, arn, directory)
    reading = (
        *_statements("Reads", reading_operations(ruleset) | live_check_operations(ruleset), arn),
        *([_on_flows("ChecksFlows", "DescribeContactFlow", arn, looked_at)] if looked_at else ()),
        *((QUOTAS,) if quotas else ()),
    )
    notices = [Statement("ConnectRouterNotifies", TOPIC, (topic,))] if topic else []
    if queue:
        notices.append(Statement("ConnectRouterEvents", EVENTS, (arn_of(queue, arn.partition, arn.region),)))
    foreign = tuple(f'"{flow}" {objection}' for flow, objection in flows.items() if objection is not None)
    if observe:
        statements = (*reading, *_ledger(table, arn, LEDGER_READS), *notices)
        return Policy(statements=statements, unresolved=unresolved, foreign=foreign)
    changing = changing_operations(ruleset, keep_place=keep_place)
    enforced, _ = _flow_arns([flow for flow in flows_used(_enforced(ruleset)) if flow in own], arn, directory)
    moves = [_on_flows("Moves", "TransferContact", arn, enforced)] if "TransferContact" in changing else []
    places = _statements("Reprioritizes", changing - {"TransferContact"}, arn)
    ledger = _ledger(table, arn, (*LEDGER_READS, *LEDGER_WRITES))
    statements = (*reading, *moves, *places, *ledger, *notices)
    return Policy(statements=statements, unresolved=unresolved, foreign=foreign)


def _ledger(table: str | None, arn: InstanceArn, actions: tuple[str, ...]) -> tuple[Statement, ...]:
    """Returns the statement for a table in the account and region of the instance."""
    if table is None:
        return ()
    resource = f"arn:{arn.partition}:dynamodb:{arn.region}:{arn.account}:table/{table}"
    return (Statement("ConnectRouterLedger", tuple(sorted(actions)), (resource,)),)


def _statements(name: str, operations: Iterable[str], arn: InstanceArn) -> tuple[Statement, ...]:
    """Returns one statement for all operations that are authorised on the same resources."""
    by_kinds: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for operation in sorted(operations):
        by_kinds[AUTHORISED_ON[operation]].append(operation)
    return tuple(
        Statement(f"ConnectRouter{name}{_told(kinds)}", _actions(found), tuple(arn.every(kind) for kind in kinds))
        for kinds, found in sorted(by_kinds.items())
    )


def _on_flows(name: str, operation: str, arn: InstanceArn, flows: Sequence[str]) -> Statement:
    """Returns the statement for an operation that is authorised on these flows, and on all of its other resources."""
    resources = [
        resource for kind in AUTHORISED_ON[operation] for resource in (flows if kind == FLOW else [arn.every(kind)])
    ]
    return Statement(f"ConnectRouter{name}", _actions([operation]), tuple(resources))


def _actions(operations: Collection[str]) -> tuple[str, ...]:
    return tuple(f"connect:{operation}" for operation in operations)


def _told(kinds: tuple[str, ...]) -> str:
    return "".join("".join(word.capitalize() for word in (kind or "instance").split("-")) for kind in kinds)


def _flow_arns(
    references: Iterable[str], arn: InstanceArn, directory: Directory | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the ARNs of flows, and the references without an id. If there is one, the ARN is that of every flow."""
    ids, unresolved = set(), []
    for reference in references:
        found = directory.flow(reference) if directory is not None else None
        if found is not None:
            ids.add(str(found.id))
        elif _ID.fullmatch(bare_id(reference)):
            ids.add(bare_id(reference))
        else:
            unresolved.append(reference)
    exact = tuple(arn.one(FLOW, flow) for flow in sorted(ids))
    return (arn.every(FLOW),) if unresolved else exact, tuple(unresolved)
