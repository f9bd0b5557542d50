"""Draws the first lines of ``status``: health, rules, the last cycle and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.text import Text

from router.cli.output.tables import count, text
from router.daemon.health_word import missing
from router.durations import span

Status = Mapping[str, Any]
COLOURS = {"well": "green", "failing": "red", "degraded": "red"} | dict.fromkeys(("late", "behind", "paused"), "yellow")


def head_lines(status: Status) -> Iterator[Text]:
    now, health = instant(status["now"]), status.get("health")
    if health is not None:
        colour = COLOURS.get(health["word"], "")
        yield text(health["word"].upper(), f"bold {colour}".strip()).append_text(text(f"  {health['reason']}", colour))
    state = f"{status['state']} for {since(status['started_at'], now)}"
    told = status["healthy"] or status["ledger"]["error"] is not None or health is not None
    silent = "" if told else f"; {missing(status)} for {span_of(status['silent_s'])}"
    yield text(
        f"connect-router {status['version']}, {status['mode']}, {state}{silent}",
        style="" if status["healthy"] else "bold red",
    )
    yield text(f"instance {status['instance']}, config {status['config']}, process {status['pid']}")
    yield from _turn(status)
    yield from _rules(status, now)
    yield from _cycle(status, now)
    yield from _trouble(status)


def _turn(status: Status) -> Iterator[Text]:
    """Yields the turn, if several routers share a ledger. A service of an earlier version does not send it."""
    lease = status.get("lease")
    if lease is None:
        return
    if lease["held"]:
        yield text(f"active on {status['ledger']['url']}, turn {lease['term']}")
    elif lease["holder"] is not None:
        yield text(f"standby: {lease['holder']} is active on {status['ledger']['url']}, turn {lease['term']}")
    else:
        yield text(f"standby: no active router is known on {status['ledger']['url']}", style="bold red")


def _rules(status: Status, now: datetime) -> Iterator[Text]:
    rules = status["rules"]
    loaded = f"{count(rules['count'], 'rule')} from {rules['path']}, revision {rules['revision']}"
    yield text(f"{loaded}, in force for {since(rules['since'], now)}")
    if rules["last_good"]:
        yield text("these are the last good rules, not those in the files", style="bold red")
    if rules["refused"] is not None:
        yield text(f"a reload was refused {since(rules['refused']['at'], now)} ago:", style="bold red")
        yield from (text(f"  {line}", style="red") for line in rules["refused"]["errors"])
    yield from (text(f"  {line}", style="red") for line in rules["unresolved"])


def _cycle(status: Status, now: datetime) -> Iterator[Text]:
    cycle = status["cycle"]
    if status["mode"] == "standby":
        yield text("no cycles: it reads the shared ledger, and calls Amazon Connect when it takes over")
        return
    if cycle is None:
        yield text("no cycle yet")
        return
    ago, took = since(cycle["finished_at"], now), cycle.get("busy_s", cycle["seconds"])
    incomplete = "" if cycle["complete"] else ", the search was incomplete"
    yield text(f"cycle {cycle['cycle']} ended {ago} ago, worked {took:.1f} s{incomplete}")
    did = [f"{cycle['waiting']} waiting", f"{cycle['ungoverned']} ungoverned", f"{cycle['due']} due"]
    moved = "transferred" if status["mode"] == "enforce" else "would_transfer"
    names = {moved: moved.replace("_", " "), "reprioritized": "reprioritized", "warned": "warned", "failed": "failed"}
    did += [f"{cycle[key]} {name}" for key, name in names.items() if cycle[key]]
    yield text(", ".join(did))


def _trouble(status: Status) -> Iterator[Text]:
    told = status.get("health", {}).get("word")
    if status["oldest_breach_s"] is not None and told != "late":
        yield text(f"the oldest breach not served is {span_of(status['oldest_breach_s'])} old", style="yellow")
    if status["drain_s"] is not None and told != "behind":
        drain = span_of(status["drain_s"])
        yield text(f"more is due than limits and quotas let through: {drain} to drain", style="yellow")
    if status["under_way"] or status["at_agents"]:
        yield text(f"{status['under_way']} moved and not landed yet, {status['at_agents']} in agents' own queues")
    yield from _landing_slots(status.get("landing_slots", ()))
    if status["suspended_flows"]:
        yield text(f"suspended flows: {', '.join(status['suspended_flows'])}", style="bold red")
    yield from _events(status.get("events"))
    yield from _notices(status.get("notify"))
    if status.get("log_lines_lost"):
        lost = count(status["log_lines_lost"], "line")
        yield text(f"{lost} of the log lost: nothing read them in time", style="yellow")
    ledger = status["ledger"]
    if ledger["error"] is not None:
        yield text(f"the ledger cannot be read or written: {ledger['error']}", style="bold red")
    elif ledger["open_intents"]:
        yield text(f"{count(ledger['open_intents'], 'intent')} without an answer in {ledger['path'] or ledger['url']}")


def _landing_slots(flows: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    """Yields the flows that are in use. A service of an earlier version does not send them."""
    for one in flows:
        if one["taken"]:
            mean = "" if one["landing_s"] is None else f", a contact lands after {one['landing_s']:.1f} s"
            full = "yellow" if one["taken"] >= one["limit"] else ""
            yield text(f"{one['flow']}: {one['taken']} of {one['limit']} landing slots taken{mean}", style=full)


def _notices(notify: Status | None) -> Iterator[Text]:
    """Yields the messages of ``[notify]``. A service of an earlier version does not send them."""
    if notify is not None:
        counts = f"{notify['sent']} sent, {notify['waiting']} waiting, {notify['failed']} attempts failed"
        yield text(f"messages to SNS: {counts}", style="yellow" if notify["waiting"] and notify["failed"] else "")


def _events(events: Status | None) -> Iterator[Text]:
    """Yields the contact events. A service of an earlier version does not receive them."""
    if events is None:
        return
    ignored = sum(events["ignored"].values())
    counts = f"{events['received']} received, {events['applied']} applied, {ignored} ignored"
    without = "" if events["live"] else "; the queues are searched without them"
    late = f", up to {span_of(events['lag_s'])} late"
    yield text(f"contact events: {counts}{late}{without}", style="" if events["live"] else "yellow")


def instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


def since(written: str, now: datetime) -> str:
    return span(now - instant(written))


def span_of(seconds: float | None) -> str:
    return "" if seconds is None else span(timedelta(seconds=seconds))
