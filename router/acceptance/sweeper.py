"""Stops the test contacts and deletes the test resources of this run and of runs that were killed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from router.acceptance.contact_search import started_since
from router.acceptance.lab import PREFIX, TAG, Lab, refusal
from router.acceptance.probe import Unsettled
from router.acceptance.setup import rows

REACH = timedelta(hours=4)
"""Older test tasks have expired."""
ANY_RUN = "[0-9a-f]{8}"


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
    """Holds what was removed, and a line for each thing that is left, and each kind that could not be searched."""

    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unsearched: list[str] = field(default_factory=list)


def sweep(lab: Lab, run_id: str = ANY_RUN) -> Swept:
    """Removes everything with the prefix and the id of a run in its name and, of resources, the tag."""
    swept, named = Swept(), re.compile(f"{PREFIX}{run_id}-")
    _stop_contacts(lab, named, swept)
    for kind in KINDS:
        _delete(lab, kind, named, swept)
    return swept


def _stop_contacts(lab: Lab, named: re.Pattern[str], swept: Swept) -> None:
    """Stops the contacts of this run by id, those of their chains, and those that the index shows."""
    found = dict.fromkeys(lab.known)
    sources: list[Callable[[], Iterable[str]]] = [partial(lab.open_of_chain, each) for each in sorted(lab.unresolved)]
    sources.append(partial(_indexed, lab, named))
    for source in sources:
        try:
            found |= dict.fromkeys(source())
        except Unsettled as failure:
            swept.unsearched.append(f"contacts were not searched: {failure}")
    stopped = 0
    for contact_id in found:
        answer = lab.call("StopContact", ContactId=contact_id)
        stopped += answer.ok
        if not answer.ok and _is_open(lab, contact_id):
            swept.left.append(f"contact {contact_id} was not stopped, and expires by itself: {refusal(answer)}")
    if stopped:
        swept.removed.append(f"{stopped} contact{'s' * (stopped > 1)}")


def _is_open(lab: Lab, contact_id: str) -> bool:
    answer = lab.call("DescribeContact", ContactId=contact_id)
    if answer.code == "ResourceNotFoundException":
        return False
    return not answer.ok or "DisconnectTimestamp" not in answer.body["Contact"]


def _indexed(lab: Lab, named: re.Pattern[str]) -> Iterator[str]:
    """Yields every open contact with such a name that the search index shows. A transfer may have lost the tag."""
    for row in started_since(lab, lab.clock.now() - REACH, ["TASK", "EMAIL"]):
        if named.match(str(row.get("Name", ""))) and "DisconnectTimestamp" not in row:
            yield row["Id"]


def _delete(lab: Lab, kind: ResourceKind, named: re.Pattern[str], swept: Swept) -> None:
    try:
        listed = rows(lab, kind.list_operation, kind.rows)
    except Unsettled as failure:
        swept.unsearched.append(f"no {kind.word} was searched: {failure}")
        return
    for row in listed:
        name = str(row.get("Name") or "")
        if not named.match(name):
            continue
        read = lab.call(kind.describe_operation, **{kind.id_member: row["Id"] + kind.suffix})
        if read.ok and TAG not in ((read.body.get(kind.part) or {}).get("Tags") or {}):
            continue
        answer = lab.call(kind.delete_operation, **{kind.id_member: row["Id"]}) if read.ok else read
        if answer.ok:
            swept.removed.append(f"{kind.word} {name}")
        elif answer.code != "ResourceNotFoundException":
            swept.left.append(f"{kind.word} {name} was not deleted: {refusal(answer)}")
