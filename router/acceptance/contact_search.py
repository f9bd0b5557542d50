"""Searches contacts by the time of their start, up to a later time than now if Connect accepts that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from router.acceptance.lab import Lab

AHEAD = timedelta(minutes=30)
"""A machine whose clock is behind finds new contacts too, and a search finds those that start while it is read."""


def accepts_future(lab: Lab) -> bool:
    """Returns whether a search may end in the future. It may not if Connect refuses that, and accepts one up to now."""
    now = lab.now()
    refused = _first_row(lab, now + AHEAD) == 400
    return not (refused and _first_row(lab, now) == 200)


def _first_row(lab: Lab, end: datetime) -> int | None:
    span = {"Type": "INITIATION_TIMESTAMP", "StartTime": end - AHEAD * 2, "EndTime": end}
    return lab.call("SearchContacts", TimeRange=span, MaxResults=1).status


def end_of_search(lab: Lab) -> datetime:
    """Returns the latest end that a search may have."""
    return lab.now() + (AHEAD if lab.once(accepts_future) else timedelta(0))


def started_since(lab: Lab, start: datetime, channels: list[str]) -> Iterator[Mapping[str, Any]]:
    """Yields the rows of the contacts that were started since then, the oldest first. Raises ``Unsettled``."""
    end, token = end_of_search(lab), dict[str, str]()
    while True:
        body = lab.need(
            "SearchContacts",
            TimeRange={"Type": "INITIATION_TIMESTAMP", "StartTime": start, "EndTime": end},
            SearchCriteria={"Channels": channels},
            Sort={"FieldName": "INITIATION_TIMESTAMP", "Order": "ASCENDING"},
            MaxResults=100,
            **token,
        )
        rows = body.get("Contacts") or ()
        yield from rows
        if not body.get("NextToken") or not rows:
            return
        token = {"NextToken": body["NextToken"]}
