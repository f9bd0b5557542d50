"""Searches with NOT_EXISTS, by the time of queueing, and page by page; and reads metrics by channel and by contact."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from router.acceptance.contact_search import accepts_future, end_of_search
from router.acceptance.lab import Lab, enqueued_at, refusal
from router.acceptance.probe import SeenValue, Unsettled, probe
from router.acceptance.probes.emails import queued_email
from router.acceptance.probes.index import LOOK_BACK, cohort, index_rows
from router.acceptance.probes.measurements import count_in_queue
from router.acceptance.probes.metrics import metrics_watch
from router.connect.plain_calls import PlainAnswer

INDEXED_WITHIN = timedelta(minutes=15)


def waiting_task(lab: Lab) -> str:
    """Returns a task that waits in queue A, and that the index shows there. A test e-mail is older than the task."""
    with suppress(Unsettled):
        lab.once(queued_email)
    lab.sleep(1.0)  # no task of the run is as young
    contact_id = lab.queued_task("waiting")
    _await_row(lab, contact_id)
    return contact_id


def _await_row(lab: Lab, contact_id: str) -> None:
    def look() -> bool | None:
        return True if (index_rows(lab).get(contact_id) or {}).get("QueueInfo") else None

    if lab.wait_until(look, within=INDEXED_WITHIN) is None:
        raise Unsettled("the index did not show a new task in its queue")


def _search(lab: Lab, kind: str, criteria: Mapping[str, Any], **more: Any) -> PlainAnswer:
    span = {"Type": kind, "StartTime": lab.began_at - LOOK_BACK, "EndTime": end_of_search(lab)}
    return lab.call("SearchContacts", TimeRange=span, SearchCriteria={"Channels": ["TASK"], **criteria}, **more)


@probe("not_exists", "Does the condition NOT_EXISTS of SearchContacts filter?")
def not_exists(lab: Lab) -> SeenValue:
    ended, waiting = set(lab.once(cohort).down.spans), lab.once(waiting_task)
    condition = {"TimestampCondition": {"Type": "DISCONNECT_TIMESTAMP", "ConditionType": "NOT_EXISTS"}}
    answer = _search(
        lab,
        "INITIATION_TIMESTAMP",
        {"AdditionalTimeRange": {"MatchType": "MATCH_ALL", "Criteria": [condition]}},
        Sort={"FieldName": "INITIATION_TIMESTAMP", "Order": "DESCENDING"},
        MaxResults=100,
    )
    if answer.status == 400:
        return SeenValue(value="refused", remark=f"{answer.code}: {answer.message}")
    if not answer.ok:
        raise Unsettled(refusal(answer))
    found = {row["Id"] for row in answer.body.get("Contacts") or ()}
    if waiting not in found:
        raise Unsettled("the search with NOT_EXISTS did not return a task that waits")
    return SeenValue(value="ignored" if found & ended else "honoured")


@probe("enqueue_timestamp", "Does SearchContacts accept a time range of ENQUEUE_TIMESTAMP?")
def enqueue_timestamp(lab: Lab) -> SeenValue:
    waiting = lab.once(waiting_task)
    answer = _search(lab, "ENQUEUE_TIMESTAMP", {"QueueIds": [lab.resources.queue_a]}, MaxResults=100)
    if answer.status == 400:
        return SeenValue(value="refused", remark=f"{answer.code}: {answer.message}")
    if not answer.ok:
        raise Unsettled(refusal(answer))
    if waiting not in {row["Id"] for row in answer.body.get("Contacts") or ()}:
        raise Unsettled("the search did not return a task that waits")
    return SeenValue(value="accepted")


@probe("search_pages", "Do the pages of one search show one moment?")
def search_pages(lab: Lab) -> SeenValue:
    """Reads the newest task as the first page, starts a newer one, and reads the second page."""
    newest = lab.once(waiting_task)
    if not lab.once(accepts_future):
        raise Unsettled("Connect refuses a search that ends in the future, and therefore would not show a newer task")
    request: dict[str, Any] = {
        "TimeRange": {
            "Type": "INITIATION_TIMESTAMP",
            "StartTime": lab.began_at - LOOK_BACK,
            "EndTime": end_of_search(lab),
        },
        "SearchCriteria": {
            "Channels": ["TASK"],
            "Name": {"SearchText": [lab.name("")], "MatchType": "MATCH_ANY"},
        },
        "Sort": {"FieldName": "INITIATION_TIMESTAMP", "Order": "DESCENDING"},
        "MaxResults": 1,
    }
    first = lab.need("SearchContacts", **request)
    if [row["Id"] for row in first["Contacts"]] != [newest] or "NextToken" not in first:
        raise Unsettled("the first page does not show the newest task of this run")
    lab.sleep(1.0)
    lab.stop(later := lab.start_task("page"))
    _await_any_row(lab, later)
    second = lab.need("SearchContacts", **request, NextToken=first["NextToken"])
    rows = [row["Id"] for row in second["Contacts"]]
    if not rows:
        raise Unsettled("the second page is empty")
    return SeenValue(value="live" if rows == [newest] else "snapshot")


def _await_any_row(lab: Lab, contact_id: str) -> None:
    if lab.wait_until(lambda: index_rows(lab).get(contact_id), within=INDEXED_WITHIN) is None:
        raise Unsettled("the index did not show a new task")


@probe("contact_metrics", "Does GetContactMetrics return the position of a task?")
def contact_metrics(lab: Lab) -> SeenValue:
    waiting = lab.once(waiting_task)
    answer = lab.call("GetContactMetrics", ContactId=waiting, Metrics=[{"Name": "POSITION_IN_QUEUE"}])
    if answer.status == 400:
        return SeenValue(value="refused", remark=f"{answer.code}: {answer.message}")
    if not answer.ok:
        raise Unsettled(refusal(answer))
    values = [(row.get("Value") or {}).get("Number") for row in answer.body.get("MetricResults") or ()]
    return SeenValue(value="yes" if any(value is not None for value in values) else "no_value")


@probe("email_in_metrics", "Does GetCurrentMetricData have rows for EMAIL?")
def email_in_metrics(lab: Lab) -> SeenValue:
    answer = _by_channel(lab)
    if answer.status == 400:
        count_in_queue(lab, lab.resources.queue_a)  # a call without EMAIL is not refused
        return SeenValue(value="refused", remark=f"{answer.code}: {answer.message}")
    if not answer.ok:
        raise Unsettled(refusal(answer))
    lab.once(queued_email)
    since = enqueued_at(lab.describe(lab.once(waiting_task)))
    lag = max(span.most for span in lab.once(metrics_watch))
    lab.sleep(lag + 5.0)
    found = lab.wait_until(lambda: _both_counted(_by_channel(lab), since), within=INDEXED_WITHIN)
    if found is None:
        raise Unsettled("the metrics did not count a task that was queued after the e-mail")
    return SeenValue(value=found)


def _by_channel(lab: Lab) -> PlainAnswer:
    return lab.call(
        "GetCurrentMetricData",
        Filters={"Queues": [lab.resources.queue_a], "Channels": ["TASK", "EMAIL"]},
        CurrentMetrics=[{"Name": "CONTACTS_IN_QUEUE", "Unit": "COUNT"}],
        Groupings=["QUEUE", "CHANNEL"],
    )


def _both_counted(answer: PlainAnswer, since: datetime | None) -> str | None:
    """Returns the value as soon as the metrics are newer than the task, which is younger than the e-mail."""
    shown_at: datetime | None = answer.body.get("DataSnapshotTime")
    if since is None or shown_at is None or shown_at < since:
        return None
    counts = {
        row["Dimensions"].get("Channel"): sum(one.get("Value") or 0 for one in row["Collections"])
        for row in answer.body.get("MetricResults") or ()
    }
    if not counts.get("TASK"):
        return None
    return "yes" if counts.get("EMAIL") else "no_rows"
