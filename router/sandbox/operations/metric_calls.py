"""Responds to GetCurrentMetricData: queues and agents in real time, behind by the metrics' lag."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.sandbox.contacts import SandboxContact
from router.sandbox.directory import CHANNELS, CONTACT
from router.sandbox.faults import invalid_parameter, invalid_request
from router.sandbox.instance import AVAILABLE, OFFLINE, Profile, User
from router.sandbox.operations.call import OperationCall, Result

OFFERED_GROUPINGS: tuple[list[str], ...] = (
    [],
    ["QUEUE"],
    ["CHANNEL"],
    ["QUEUE", "CHANNEL"],
    ["CHANNEL", "QUEUE"],
    ["ROUTING_PROFILE"],
)
OF_QUEUES = frozenset({"CONTACTS_IN_QUEUE", "CONTACTS_SCHEDULED", "OLDEST_CONTACT_AGE"})
"""These need a filter of routing profiles if they are grouped by ROUTING_PROFILE (API_GetCurrentMetricData)."""
AGES = ("OLDEST_CONTACT_AGE", "ESTIMATED_WAIT_TIME")


@dataclass(frozen=True, slots=True)
class Scope:
    """Holds the queues, channels and routing profiles that one row sums up."""

    queue_ids: frozenset[str] | None
    channels: frozenset[str]
    profile_ids: frozenset[str] | None

    def waits_here(self, contact: SandboxContact) -> bool:
        in_queue = self.queue_ids is None or contact.queue_id in self.queue_ids
        return contact.queued and in_queue and contact.channel in self.channels

    def serves(self, profile: Profile) -> bool:
        if self.profile_ids is not None:
            return profile.id in self.profile_ids
        return any(
            (self.queue_ids is None or each.queue_id in self.queue_ids) and each.channel in self.channels
            for each in profile.queues
        )


@dataclass(frozen=True, slots=True)
class MetricsMoment:
    """Holds the whole instance as of the metrics' instant."""

    at: datetime
    live: Sequence[SandboxContact]
    agents: Sequence[tuple[User, Profile]]
    held: Mapping[str, Sequence[SandboxContact]]


@dataclass(frozen=True, slots=True)
class MetricsQuery:
    """Holds the part of the instance that one row sums up."""

    moment: MetricsMoment
    scope: Scope
    grouped: bool
    waiting: Sequence[SandboxContact]
    agents: Sequence[tuple[User, Profile]]


def get_current_metric_data(call: OperationCall) -> Result:
    groupings = list(call.params.get("Groupings") or [])
    metrics = _checked_metrics(call.params["CurrentMetrics"], groupings)
    moment = _moment(call)
    looks = [
        (dimensions, _look(moment, scope, grouped=bool(groupings))) for dimensions, scope in _scopes(call, groupings)
    ]
    rows = [
        {"Dimensions": dimensions or None, "Collections": [_value(metric["Name"], look) for metric in metrics]}
        for dimensions, look in looks
        if not groupings or look.waiting or look.agents
    ]
    _sort(rows, call.params.get("SortCriteria") or [{"SortByMetric": "AGENTS_ONLINE", "SortOrder": "DESCENDING"}])
    page = call.rows("MetricResults", rows, lambda row: row, total="ApproximateTotalCount")
    return page | {"DataSnapshotTime": moment.at}


def get_contact_metrics(call: OperationCall) -> Result:
    """Returns a contact's position in its queue, as the behaviour ``contact_metrics`` has it."""
    contact, behaviour = call.contact(), call.world.behaviours.contact_metrics
    if behaviour == "refused":
        raise invalid_request(f"Contacts of channel {contact.channel} have no metrics")
    waiting = call.world.routing.in_order(contact.queue_id or "")
    place = [each.id for each in waiting].index(contact.id) + 1 if contact.queued else None
    known = {"POSITION_IN_QUEUE": float(place)} if place is not None and behaviour == "yes" else {}
    results = [
        {"Name": metric["Name"], "Value": {"Number": known[metric["Name"]]}}
        for metric in call.params["Metrics"]
        if metric["Name"] in known
    ]
    return {"MetricResults": results, "Id": contact.id, "Arn": call.world.identity.arn_of(CONTACT, contact.id)}


def _sort(rows: list[Result], criteria: Sequence[Mapping[str, str]]) -> None:
    """Sorts the rows by a metric; AGENTS_ONLINE, descending, is the default.

    A metric that the call does not request changes nothing."""
    name = criteria[0].get("SortByMetric", "AGENTS_ONLINE")
    if name.startswith("SLOTS_"):
        raise invalid_parameter("Sorting by SLOTS_ACTIVE and SLOTS_AVAILABLE is not supported")

    def value(row: Result) -> float:
        return sum(each["Value"] or 0.0 for each in row["Collections"] if each["Metric"]["Name"] == name)

    rows.sort(key=value, reverse=criteria[0].get("SortOrder", "DESCENDING") == "DESCENDING")


def _checked_metrics(metrics: Sequence[Mapping[str, str]], groupings: Sequence[str]) -> Sequence[Mapping[str, str]]:
    for metric in metrics:
        name = metric.get("Name")
        if name is None:
            raise invalid_parameter("the sandbox offers metrics by Name only")
        unit = "SECONDS" if name in AGES else "COUNT"
        if metric.get("Unit", unit) != unit:
            raise invalid_parameter(f"the unit of {name} is {unit}")
        if name == "ESTIMATED_WAIT_TIME" and sorted(groupings) != ["CHANNEL", "QUEUE"]:
            raise invalid_parameter("ESTIMATED_WAIT_TIME needs the groupings QUEUE and CHANNEL")
    return metrics


def _scopes(call: OperationCall, groupings: list[str]) -> Iterable[tuple[dict[str, Any], Scope]]:
    if groupings not in OFFERED_GROUPINGS:
        raise invalid_parameter(f"the sandbox does not offer the groupings {groupings}")
    filters, register = call.params["Filters"], call.state.register
    _check_filters(call, filters)
    by_profile = {metric.get("Name") for metric in call.params["CurrentMetrics"]} & OF_QUEUES
    if groupings == ["ROUTING_PROFILE"] and by_profile and not filters.get("RoutingProfiles"):
        raise invalid_request(f"a routing profile filter is required for {', '.join(sorted(map(str, by_profile)))}")
    channels = [each for each in filters.get("Channels") or CHANNELS if _shows(call, each)]
    queues = call.listed(register.queues, filters.get("Queues") or (), "Queue")
    profiles = [call.one(register.profiles, each, "Routing profile") for each in filters.get("RoutingProfiles") or ()]
    queue_ids = frozenset(queue.id for queue in queues) if filters.get("Queues") else None
    profile_ids = frozenset(profile.id for profile in profiles) or None
    if groupings == ["ROUTING_PROFILE"]:
        for profile in profiles or register.profiles.values():
            scope = Scope(queue_ids, frozenset(channels), frozenset({profile.id}))
            yield {"RoutingProfile": {"Id": profile.id, "Arn": profile.arn}}, scope
        return
    by_queue = "QUEUE" in groupings
    by_channel = [[each] for each in channels] if "CHANNEL" in groupings else [channels]
    named = register.queues.values() if queue_ids is None else queues
    for queue in named if by_queue else [None]:
        for some in by_channel:
            dimensions: dict[str, Any] = {"Queue": {"Id": queue.id, "Arn": queue.arn}} if queue else {}
            if "CHANNEL" in groupings:
                dimensions["Channel"] = some[0]
            yield dimensions, Scope(frozenset({queue.id}) if queue else queue_ids, frozenset(some), profile_ids)


def _check_filters(call: OperationCall, filters: Mapping[str, Any]) -> None:
    other = sorted(set(filters) - {"Queues", "Channels", "RoutingProfiles"})
    if other:
        raise invalid_parameter(f"the sandbox does not offer {', '.join(other)} in Filters")
    if bool(filters.get("Queues")) == bool(filters.get("RoutingProfiles")):
        raise invalid_request("Either Queues or RoutingProfiles must be given as a filter, not both")
    if "EMAIL" in (filters.get("Channels") or ()) and call.world.behaviours.email_in_metrics == "refused":
        raise invalid_parameter("Channels: EMAIL is not supported")


def _shows(call: OperationCall, channel: str) -> bool:
    return channel != "EMAIL" or call.world.behaviours.email_in_metrics == "yes"


def _moment(call: OperationCall) -> MetricsMoment:
    at = call.now - call.world.behaviours.metrics_lag
    live = list(call.state.contacts.live_at(at))
    register = call.state.register
    agents = [(user, register.profile_of(user)) for user in register.users.values() if user.status != OFFLINE]
    held: dict[str, list[SandboxContact]] = {user.id: [] for user, _ in agents}
    for contact in live:
        if contact.agent_id in held:
            held[contact.agent_id].append(contact)
    return MetricsMoment(at, live, agents, held)


def _look(moment: MetricsMoment, scope: Scope, *, grouped: bool) -> MetricsQuery:
    """Selects the contacts and agents of a row. A row with neither is omitted.

    API_GetCurrentMetricData: "MetricResult list is empty: the request cannot find any data in the system"."""
    waiting = [contact for contact in moment.live if scope.waits_here(contact)]
    agents = [(user, profile) for user, profile in moment.agents if scope.serves(profile) or _own(user, scope)]
    return MetricsQuery(moment, scope, grouped, waiting, agents)


def _own(user: User, scope: Scope) -> bool:
    return scope.queue_ids is not None and user.queue_id in scope.queue_ids


def _value(name: str, look: MetricsQuery) -> Result:
    value = METRICS[name](look)
    return {
        "Metric": {"Name": name, "Unit": "SECONDS" if name in AGES else "COUNT"},
        "Value": float(value) if value is not None else None,
    }


def _oldest(look: MetricsQuery) -> float:
    """Returns the longest wait in seconds. Without groupings the value is in milliseconds, although its unit is
    seconds (API_GetCurrentMetricData)."""
    ages = [(look.moment.at - each.enqueued_at).total_seconds() for each in look.waiting if each.enqueued_at]
    seconds = int(max(ages, default=0.0))
    return float(seconds if look.grouped else seconds * 1000)


def _slots(look: MetricsQuery, *, free: bool) -> int:
    total = 0
    for user, profile in look.agents:
        for channel in look.scope.channels:
            used = sum(each.channel == channel for each in look.moment.held[user.id])
            most = profile.slots.get(channel, 0)
            total += max(most - used, 0) * user.routable if free else used
    return total


def _estimated_wait(look: MetricsQuery) -> float | None:
    """Estimates the wait: five minutes a contact, shared by the available agents. ``None`` without any."""
    staffed = sum(user.routable for user, _ in look.agents)
    return 300.0 * len(look.waiting) / staffed if staffed else None


def _agents(fits: Callable[[User, Sequence[SandboxContact]], bool]) -> Callable[[MetricsQuery], int]:
    return lambda look: sum(fits(user, look.moment.held[user.id]) for user, _ in look.agents)


METRICS: Mapping[str, Callable[[MetricsQuery], float | None]] = {
    "AGENTS_ONLINE": _agents(lambda user, held: True),
    "AGENTS_AVAILABLE": _agents(lambda user, held: user.routable and not held),
    "AGENTS_ON_CALL": _agents(lambda user, held: bool(held)),
    "AGENTS_ON_CONTACT": _agents(lambda user, held: bool(held)),
    "AGENTS_NON_PRODUCTIVE": _agents(lambda user, held: user.status != AVAILABLE),
    "AGENTS_AFTER_CONTACT_WORK": lambda look: 0,
    "AGENTS_ERROR": lambda look: 0,
    "AGENTS_STAFFED": _agents(lambda user, held: user.status == AVAILABLE),
    "CONTACTS_IN_QUEUE": lambda look: len(look.waiting),
    "CONTACTS_SCHEDULED": lambda look: 0,
    "OLDEST_CONTACT_AGE": _oldest,
    "SLOTS_ACTIVE": lambda look: _slots(look, free=False),
    "SLOTS_AVAILABLE": lambda look: _slots(look, free=True),
    "ESTIMATED_WAIT_TIME": _estimated_wait,
}
