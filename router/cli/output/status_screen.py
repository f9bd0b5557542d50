"""Draws the screen of ``status``, with the most important facts first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from router.cli.output.fitting_table import SHORT_ID, Column, FittingTable
from router.cli.output.status_head import Status, head_lines, instant, since, span_of
from router.cli.output.tables import bar, count, percent, table, text
from router.durations import span

TITLES = 3
"""Lines of a section besides its rows: an empty one, its title, and the headings."""
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
HELD = 6
"""Held contacts that are shown, the latest first; the others are counted."""
OPERATIONS = 6
"""Operations that are shown: the throttled ones, then the busy ones; the others are counted."""


def picture(status: Status, *, lines: int | None = None) -> Group:
    """Returns the screen, in at most so many ``lines``: what matters less is then left out."""
    head = list(head_lines(status))
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
    if status.get("held_contacts"):
        yield "held or late", _held(status)
    if status.get("last_moves"):
        yield "last moves", _last_moves(status)
    if status["next_due"]:
        yield "next due", _next_due(status)
    yield "quotas", _quotas(status)


def _pauses(status: Status) -> FittingTable:
    now = instant(status["now"])
    rows = [
        (one["what"], one["name"], f"{span(instant(one['until']) - now)} left", one["who"], one["comment"])
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
            span_of(one["oldest_s"] if one["oldest_s"] is not None else one.get("ungoverned_oldest_s")),
            span_of(one.get("promise_s")),
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
    number, oldest_s = queue.get("ungoverned") or 0, queue.get("ungoverned_oldest_s")
    if not number or number == queue["waiting"]:
        return "no rule" if number else ""
    return f"{number} without a rule" + (f", oldest {span_of(oldest_s)}" if oldest_s is not None else "")


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


def _held(status: Status) -> FittingTable:
    rows: list[tuple[object, ...]] = [
        (
            one["contact_id"][:SHORT_ID],
            one["queue"],
            text(span_of(one["late_s"]), "red"),
            one["rule"],
            f"{one['reason']}: {one['detail']}" if one["detail"] else one["reason"],
        )
        for one in status["held_contacts"][:HELD]
    ]
    if status["held_count"] > len(rows):
        rows.append((f"({status['held_count'] - len(rows)} more)", *("",) * 4))
    columns = ("contact", Column("queue", drop=2), Column("late", right=True, least=None), Column("rule", drop=1))
    return table((*columns, Column("reason", least=24)), rows)


def _last_moves(status: Status) -> FittingTable:
    now = instant(status["now"])
    rows = [
        (
            f"{since(one['at'], now)} ago",
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
    now = instant(status["now"])
    rows = [
        (
            span_of(max((instant(one["due_at"]) - now).total_seconds(), 0)),
            one["contact_id"],
            one["queue"],
            one["rule"],
            span_of(one.get("promise_s")),
            percent(one.get("used")),
            bar(one.get("used")),
        )
        for one in status["next_due"]
    ]
    columns = (Column("in", right=True, least=None), CONTACT, "queue", Column("rule", drop=3), *PROMISE)
    return table(columns, rows)


def _strays(status: Status) -> FittingTable:
    now, rows = instant(status["now"]), []
    for one in status["stray_contacts"]:
        rows.append((one["contact_id"], one["flow"], f"{since(one['moved_at'], now)} ago"))
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
