"""Draws the screen of ``status``, with the most important facts first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from router.cli.output.fitting_table import Column, FittingTable
from router.cli.output.tables import bar, count, percent, table, text
from router.daemon.health_word import missing
from router.durations import span

Status = Mapping[str, Any]
TITLES = 3
"""Lines of a section besides its rows: an empty one, its title, and the headings."""
COLOURS = {"well": "green", "failing": "red", "degraded": "red"} | dict.fromkeys(("late", "behind", "paused"), "yellow")
CONTACT = Column("contact", ids=True)
PROMISE = (
    Column("promise", right=True, least=None, drop=2),
    Column("used", right=True, least=None),
    Column("", least=None, drop=1, on_screen=True),
)
QUEUE_COLUMNS = (
    "queue",
    Column("waiting", right=True, least=None),
    Column("due", right=True, least=None, drop=4),
    Column("late", right=True, least=None),
    Column("oldest", right=True, least=None, drop=3),
    *PROMISE,
    Column("", least=7, drop=5),
)
QUEUES = 15
"""Queues that are shown; the others are counted."""
OPERATIONS = 6
"""Operations that are shown: the throttled ones, then the busy ones; the others are counted."""


def picture(status: Status, *, lines: int | None = None) -> Group:
    """Returns the screen, in at most so many ``lines``: what matters less is then left out."""
    head = list(_head(status))
    for line in head if lines is not None else ():
        line.no_wrap, line.overflow = True, "ellipsis"
    parts: list[RenderableType] = [*head]
    left = None if lines is None else lines - len(parts) - 1
    omitted = []
    for title, part in _parts(status):
        if left is not None and left < len(part.rows) + TITLES:
            omitted.append(title)
            part = replace(part, rows=part.rows[: max(left - TITLES, 0)])
            if not part.rows:
                continue
        parts += [Text(), Text(title, style="bold"), part]
        left = None if left is None else left - len(part.rows) - TITLES
    if omitted:
        parts.append(text(f"(a higher terminal shows more: {', '.join(omitted)})", "dim"))
    return Group(*parts)


def _parts(status: Status) -> Iterator[tuple[str, FittingTable]]:
    if status.get("pauses"):
        yield "paused", _pauses(status)
    if status["stray_contacts"]:
        yield "strays", _strays(status)
    if status["queues"]:
        yield "queues", _queues(status)
    if status["held"] and "by_rule" not in status:  # a service of an earlier version
        held = sorted(status["held"].items(), key=lambda one: (-one[1], one[0]))
        yield "held", table(("reason", ">contacts"), held)
    if status.get("by_rule"):
        yield "rules", _by_rule(status)
    if status.get("last_moves"):
        yield "last moves", _last_moves(status)
    if status["next_due"]:
        yield "next due", _next_due(status)
    yield "quotas", _quotas(status)


def _head(status: Status) -> Iterator[Text]:
    now, health = _at(status["now"]), status.get("health")
    if health is not None:
        colour = COLOURS.get(health["word"], "")
        yield text(health["word"].upper(), f"bold {colour}".strip()).append_text(text(f"  {health['reason']}", colour))
    state = f"{status['state']} for {_since(status['started_at'], now)}"
    told = status["healthy"] or status["ledger"]["error"] is not None or health is not None
    silent = "" if told else f"; {missing(status)} for {_span(status['silent_s'])}"
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
    yield text(f"{loaded}, in force for {_since(rules['since'], now)}")
    if rules["last_good"]:
        yield text("these are the last good rules, not those in the files", style="bold red")
    if rules["refused"] is not None:
        yield text(f"a reload was refused {_since(rules['refused']['at'], now)} ago:", style="bold red")
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
    ago, took = _since(cycle["finished_at"], now), cycle.get("busy_s", cycle["seconds"])
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
        yield text(f"the oldest breach not served is {_span(status['oldest_breach_s'])} old", style="yellow")
    if status["drain_s"] is not None and told != "behind":
        drain = _span(status["drain_s"])
        yield text(f"more is due than limits and quotas let through: {drain} to drain", style="yellow")
    if status["under_way"] or status["at_agents"]:
        yield text(f"{status['under_way']} moved and not landed yet, {status['at_agents']} in agents' own queues")
    yield from _landing_slots(status.get("landing_slots", ()))
    if status["suspended_flows"]:
        yield text(f"suspended flows: {', '.join(status['suspended_flows'])}", style="bold red")
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


def _pauses(status: Status) -> FittingTable:
    now = _at(status["now"])
    rows = [
        (one["what"], one["name"], f"{span(_at(one['until']) - now)} left", one["who"], one["comment"])
        for one in status["pauses"]
    ]
    return table(("what", "name", "until", "by", "comment"), rows)


def _queues(status: Status) -> FittingTable:
    shown = status["queues"][:QUEUES]
    rows: list[tuple[object, ...]] = [
        (
            one["queue"],
            one["waiting"],
            one["due"],
            text(one.get("late") or "", "red"),
            _span(one["oldest_s"]),
            _span(one.get("promise_s")),
            percent(one.get("used")),
            bar(one.get("used")),
            text(_unlooked(one), "yellow"),
        )
        for one in shown
    ]
    left = status["queues"][QUEUES:]
    if left:
        name = f"({count(len(left), 'more queue')})"
        rows.append((name, sum(one["waiting"] for one in left), sum(one["due"] for one in left), *("",) * 6))
    return table(QUEUE_COLUMNS, rows)


def _unlooked(queue: Mapping[str, Any]) -> str:
    """Returns how many contacts of a queue no rule looks after."""
    number = queue.get("ungoverned") or 0
    return "" if not number else "no rule" if number == queue["waiting"] else f"{number} without a rule"


def _by_rule(status: Status) -> FittingTable:
    rows = [
        (
            one["rule"],
            one["moved"] or "",
            sum(one["held"].values()) or "",
            ", ".join(f"{reason} {number}" for reason, number in sorted(one["held"].items(), key=lambda it: -it[1])),
        )
        for one in status["by_rule"]
    ]
    columns = Column("rule"), Column("moved, 1h", right=True, least=None), Column("held", right=True, least=None), ""
    return table(columns, rows)


def _last_moves(status: Status) -> FittingTable:
    now = _at(status["now"])
    rows = [
        (
            f"{_since(one['at'], now)} ago",
            one["contact_id"],
            f"{one['from_queue']} -> {one['to_queue'] or 'agent ' + str(one['to_agent'])}",
            one["rule"],
            one["landing"],
        )
        for one in status["last_moves"]
    ]
    columns = Column("moved", least=None), CONTACT, "", Column("rule", drop=2), Column("landing", least=None, drop=1)
    return table(columns, rows)


def _next_due(status: Status) -> FittingTable:
    now = _at(status["now"])
    rows = [
        (
            _span(max((_at(one["due_at"]) - now).total_seconds(), 0)),
            one["contact_id"],
            one["queue"],
            one["rule"],
            _span(one.get("promise_s")),
            percent(one.get("used")),
            bar(one.get("used")),
        )
        for one in status["next_due"]
    ]
    columns = (Column("in", right=True, least=None), CONTACT, "queue", Column("rule", drop=3), *PROMISE)
    return table(columns, rows)


def _strays(status: Status) -> FittingTable:
    now, rows = _at(status["now"]), []
    for one in status["stray_contacts"]:
        rows.append((one["contact_id"], one["flow"], f"{_since(one['moved_at'], now)} ago"))
    if status["strays"] > len(rows):
        rows.append((f"({status['strays'] - len(rows)} more)", "", ""))
    return table((CONTACT, "moved by flow", "moved"), rows)


def _quotas(status: Status) -> FittingTable:
    by_weight = sorted(status["quotas"], key=lambda one: (-one["throttles"], -one["waiting"], -one["calls"]))
    shown, left = sorted(by_weight[:OPERATIONS], key=lambda one: str(one["operation"])), by_weight[OPERATIONS:]
    rows: list[tuple[object, ...]] = [
        (
            one["operation"],
            one["calls"],
            text(one["throttles"], style="yellow" if one["throttles"] else ""),
            f"{round(one['rate'], 2):g} of {one['full_rate']:g}",
            one["waiting"],
        )
        for one in shown
    ]
    if left:
        sums = {of: sum(one[of] for one in left) for of in ("calls", "throttles", "waiting")}
        rows.append((f"({count(len(left), 'more operation')})", sums["calls"], sums["throttles"], "", sums["waiting"]))
    return table(("operation", ">calls", ">throttles", ">per second", ">waiting"), rows)


def _at(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _since(written: str, now: datetime) -> str:
    return span(now - _at(written))


def _span(seconds: float | None) -> str:
    return "" if seconds is None else span(timedelta(seconds=seconds))
