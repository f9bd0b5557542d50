"""Sums up the status of the service in one word, with the reason for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from router.durations import format_duration

Status = Mapping[str, Any]
REASONS = 3
"""How many reasons of contacts that are late are named."""
INCOMPLETE_FOR = 2
"""Polls without a complete search after which the service counts as degraded."""


def health_of(status: Status) -> dict[str, str]:
    """Returns the word and its reason: those of the worst state that applies.

    ``failing``: nothing is moved reliably. ``degraded``: the router does not work as configured.
    ``behind``: limits or quotas hold contacts back. ``late``: promises are broken. ``well``: none of these.
    """
    for word, reasons in STATES:
        reason = next(reasons(status), None)
        if reason is not None:
            return {"word": word, "reason": reason}
    return {"word": "well", "reason": _well(status)}


def _failing(status: Status) -> Iterator[str]:
    if status["ledger"]["error"] is not None:
        yield f"the ledger cannot be read or written: {status['ledger']['error']}"
    if status["credentials_refused"]:
        yield "AWS refuses the credentials, and no call is made"
    if status["unread"] is not None and not status["healthy"]:
        yield f"the instance cannot be read: {status['unread']}"
    if not status["healthy"]:
        yield f"{missing(status)} for {_span(status['silent_s'])}"


def missing(status: Status) -> str:
    """Returns what an unhealthy service lacks: its last complete cycle or, in standby, reading of the ledger."""
    return "no reading of the shared ledger" if status["mode"] == "standby" else "no complete cycle"


def _passing(state: str, reason: str) -> Callable[[Status], Iterator[str]]:
    return lambda status: iter([reason] if status["state"] == state else [])


def _starting(status: Status) -> Iterator[str]:
    if status["state"] == "starting":
        unread = status["unread"]
        yield "the instance has not replied yet" if unread is None else f"the instance cannot be read: {unread}"
    elif status["cycle"] is None and status["mode"] != "standby":
        yield "the first look at the instance has not ended"


def _standby(status: Status) -> Iterator[str]:
    if status["mode"] == "standby":
        holder = (status.get("lease") or {}).get("holder")
        yield f"{holder} is active" if holder is not None else "no active router is known"


def _degraded(status: Status) -> Iterator[str]:
    rules = status["rules"]
    if rules["refused"] is not None:
        yield f"the last reload was refused; correct the files and reload again: {rules['refused']['errors'][0]}"
    if rules["last_good"]:
        yield "the last good rules are in force, not those in the files"
    if status["suspended_flows"]:
        yield f"suspended flows: {', '.join(status['suspended_flows'])}"
    if rules["unresolved"]:
        yield str(rules["unresolved"][0])
    if status["strays"]:
        yield f"{status['strays']} moved and did not land"
    if status["cycle"] is not None and status["silent_s"] > INCOMPLETE_FOR * status["poll_every_s"]:
        yield f"the search has been incomplete for {_span(status['silent_s'])}"


def _paused(status: Status) -> Iterator[str]:
    for pause in status["pauses"]:
        if pause["what"] == "all":
            late = "".join(f"; {one}" for one in _late(status))
            yield f"by {pause['who']}: {pause['comment']}{late}"


def _behind(status: Status) -> Iterator[str]:
    if status["drain_s"] is not None:
        yield f"more is due than limits and quotas let through: {_span(status['drain_s'])} to drain"


def _late(status: Status) -> Iterator[str]:
    late = sum(queue["late"] for queue in status["queues"])
    oldest_s = status["oldest_breach_s"]  # of those with which the rules are not done yet
    if not late and oldest_s is None:
        return
    are = "one contact is past its promise" if late == 1 else f"{late} contacts are past their promise"
    oldest = "" if oldest_s is None else f", the oldest by {_span(oldest_s)}"
    reasons = sorted(status["late_reasons"].items(), key=lambda one: (-one[1], one[0]))[:REASONS] if late else ()
    why = ", ".join(f"{reason} {number}" for reason, number in reasons)
    yield f"{are}{oldest}{f'; {why}' if why else ''}"


def _well(status: Status) -> str:
    promised = sum(queue["promised"] for queue in status["queues"])
    return f"{promised} of {status['cycle']['waiting']} waiting contacts have a promise, and none is late"


STATES: tuple[tuple[str, Callable[[Status], Iterator[str]]], ...] = (
    ("failing", _failing),
    ("stopping", _passing("stopping", "it finishes its calls")),
    ("starting", _starting),
    ("standby", _standby),
    ("degraded", _degraded),
    ("paused", _paused),
    ("behind", _behind),
    ("late", _late),
)
"""The words, the worst first, and the reasons for each."""


def _span(seconds: float) -> str:
    return format_duration(timedelta(seconds=int(seconds)))
