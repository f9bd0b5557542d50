"""Stops the test contacts and deletes the test resources of this run and of runs that were killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from router.acceptance.lab import PREFIX, TAG, Lab, refusal
from router.acceptance.probe import Unsettled
from router.acceptance.setup import rows

REACH = timedelta(hours=4)
"""Older test tasks have expired."""
AHEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """Describes a kind of resource: how it is listed, read and deleted."""

    word: str
    list_operation: str
    rows: str
    describe_operation: str
    part: str
    id_member: str
    delete_operation: str
    suffix: str = ""
    """Belongs behind the id in the reading call: the saved content of a flow exists before it is published."""


KINDS = (
    ResourceKind(
        "flow", "ListContactFlows", "ContactFlowSummaryList", "DescribeContactFlow", "ContactFlow", "ContactFlowId",
        "DeleteContactFlow", ":$SAVED",
    ),
    ResourceKind("queue", "ListQueues", "QueueSummaryList", "DescribeQueue", "Queue", "QueueId", "DeleteQueue"),
    ResourceKind(
        "hours of operation", "ListHoursOfOperations", "HoursOfOperationSummaryList", "DescribeHoursOfOperation",
        "HoursOfOperation", "HoursOfOperationId", "DeleteHoursOfOperation",
    ),
)  # fmt: skip
"""In the order in which they are deleted: hours of operation that a queue has cannot be."""


@dataclass(slots=True)
class Swept:
    """Holds a line for each thing that is left, and for each kind of thing that could not be searched."""

    left: list[str] = field(default_factory=list)
    unsearched: list[str] = field(default_factory=list)


def sweep(lab: Lab) -> Swept:
    """Removes everything with the prefix and, of resources, the tag."""
    swept = Swept()
    swept.left += _stop_contacts(lab, swept)
    if lab.options.setup:
        for kind in KINDS:
            swept.left += _delete(lab, kind, swept)
    return swept


def _stop_contacts(lab: Lab, swept: Swept) -> Iterator[str]:
    """Stops the contacts of this run by id, those of their chains, and those that the index shows."""
    found = dict.fromkeys(lab.known)
    sources: list[Callable[[], Iterable[str]]] = [partial(lab.open_of_chain, each) for each in sorted(lab.unresolved)]
    sources.append(partial(_indexed, lab))
    for source in sources:
        try:
            found |= dict.fromkeys(source())
        except Unsettled as failure:
            swept.unsearched.append(f"contacts were not searched: {failure}")
    for contact_id in found:
        answer = lab.call("StopContact", ContactId=contact_id)
        if not answer.ok and _is_open(lab, contact_id):
            yield f"contact {contact_id} was not stopped, and expires by itself: {refusal(answer)}"


def _is_open(lab: Lab, contact_id: str) -> bool:
    answer = lab.call("DescribeContact", ContactId=contact_id)
    if answer.code == "ResourceNotFoundException":
        return False
    return not answer.ok or "DisconnectTimestamp" not in answer.body["Contact"]


def _indexed(lab: Lab) -> Iterator[str]:
    """Yields every open test contact that the search index shows, of any run."""
    now, token = lab.clock.now(), dict[str, str]()
    while True:
        body = lab.need(
            "SearchContacts",
            TimeRange={"Type": "INITIATION_TIMESTAMP", "StartTime": now - REACH, "EndTime": now + AHEAD},
            SearchCriteria={"Channels": ["TASK", "EMAIL"]},
            MaxResults=100,
            **token,
        )
        for row in body.get("Contacts") or ():
            if str(row.get("Name", "")).startswith(PREFIX) and "DisconnectTimestamp" not in row:
                yield row["Id"]
        if not body.get("NextToken"):
            return
        token = {"NextToken": body["NextToken"]}


def _delete(lab: Lab, kind: ResourceKind, swept: Swept) -> Iterator[str]:
    try:
        listed = rows(lab, kind.list_operation, kind.rows)
    except Unsettled as failure:
        swept.unsearched.append(f"no {kind.word} was searched: {failure}")
        return
    for row in listed:
        name = str(row.get("Name") or "")
        if not name.startswith(PREFIX):
            continue
        tags = _tags(lab, kind, row["Id"])
        if tags is not None and TAG not in tags:
            continue
        answer = lab.call(kind.delete_operation, **{kind.id_member: row["Id"]})
        if not answer.ok and answer.code != "ResourceNotFoundException":
            yield f"{kind.word} {name} was not deleted: {refusal(answer)}"


def _tags(lab: Lab, kind: ResourceKind, resource_id: str) -> Mapping[str, Any] | None:
    """Returns the tags of a resource, ``None`` if it is gone. A resource that cannot be read counts as untagged."""
    answer = lab.call(kind.describe_operation, **{kind.id_member: resource_id + kind.suffix})
    if answer.code == "ResourceNotFoundException":
        return None
    return (answer.body.get(kind.part) or {}).get("Tags") or {}
