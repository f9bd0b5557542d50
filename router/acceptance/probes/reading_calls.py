"""Reads what Connect returns for unknown ids, routing profiles and closed dates. No call changes anything."""

from __future__ import annotations

from datetime import timedelta

from router.acceptance.lab import Lab, refusal
from router.acceptance.probe import SeenValue, Unsettled, probe
from router.connect.iam import NOBODY
from router.connect.plain_calls import PlainAnswer


@probe("clock_skew", "How far is the clock of this machine from Connect's?")
def clock_skew(lab: Lab) -> SeenValue:
    lab.need("DescribeInstance")
    skew = lab.skew()
    if skew is None:
        raise Unsettled("no answer had a date")
    return SeenValue(
        value=None, remark="positive: this machine is ahead", figures={"seconds": round(skew.total_seconds(), 1)}
    )


@probe("unknown_id", "What does one unknown id in a list do to the whole call?")
def unknown_id(lab: Lab) -> SeenValue:
    queue, now = lab.resources.queue_a, lab.clock.now()
    answers = (
        lab.call(
            "GetCurrentMetricData",
            Filters={"Queues": [queue, NOBODY], "Channels": ["TASK"]},
            CurrentMetrics=[{"Name": "CONTACTS_IN_QUEUE", "Unit": "COUNT"}],
            Groupings=["QUEUE"],
        ),
        lab.call("GetCurrentUserData", Filters={"Agents": [NOBODY]}),
        lab.call(
            "SearchContacts",
            TimeRange={"Type": "INITIATION_TIMESTAMP", "StartTime": now - timedelta(hours=1), "EndTime": now},
            SearchCriteria={"QueueIds": [queue, NOBODY]},
            MaxResults=1,
        ),
    )
    found = {answer.operation: _meaning(answer) for answer in answers}
    if len(set(found.values())) > 1:
        each = ", ".join(f"{operation}: {value}" for operation, value in found.items())
        raise Unsettled(f"the operations differ ({each})")
    return SeenValue(value=found["SearchContacts"])


def _meaning(answer: PlainAnswer) -> str:
    if answer.ok:
        return "left_out"
    if answer.code == "ResourceNotFoundException":
        return "not_found"
    if answer.code in ("InvalidParameterException", "InvalidRequestException"):
        return "invalid"
    raise Unsettled(refusal(answer))


_CROSS_CHANNEL = {"ROUTE_ANY_CHANNEL": "any", "ROUTE_CURRENT_CHANNEL_ONLY": "current", None: "absent"}


@probe("cross_channel", "What CrossChannelBehavior do the routing profiles show?")
def cross_channel(lab: Lab) -> SeenValue:
    profiles = lab.need("SearchRoutingProfiles", MaxResults=100)["RoutingProfiles"]
    rows = [row for profile in profiles for row in profile.get("MediaConcurrencies") or ()]
    found = {(row.get("CrossChannelBehavior") or {}).get("BehaviorType") for row in rows}
    if len(found) != 1:
        raise Unsettled("the routing profiles differ" if found else "the instance has no routing profile with channels")
    return SeenValue(value=_CROSS_CHANNEL[found.pop()], remark=f"{len(profiles)} routing profiles")


@probe("closed_date", "How does GetEffectiveHoursOfOperations return a date that an override closes?")
def closed_date(lab: Lab) -> SeenValue:
    hours_id, closed = lab.resources.hours_id, lab.resources.closed_date
    if hours_id is None or closed is None:
        raise Unsettled(lab.resources.no_closed_date)
    body = lab.need("GetEffectiveHoursOfOperations", HoursOfOperationId=hours_id, FromDate=closed, ToDate=closed)
    listed = {row["Date"]: row["OperationalHours"] for row in body.get("EffectiveHoursOfOperationList") or ()}
    named = [row["Date"] for row in body.get("EffectiveOverrideHoursList") or ()]
    if listed.get(closed):
        raise Unsettled(f"{closed} is returned as open although an override closes it")
    return SeenValue(value="empty_list" if closed in listed else "override_only" if closed in named else "left_out")
