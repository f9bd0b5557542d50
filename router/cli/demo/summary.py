"""What came of it, at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from rich.console import Console

from router.cli.demo.judge import Verdict
from router.cli.demo.screen import queue_rows
from router.cli.demo.stage import Stage
from router.cli.demo.tally import Tally
from router.cli.shown import count, print_table, span, table, text


def print_summary(stage: Stage, tally: Tally, verdict: Verdict, out: Console) -> None:
    out.print()
    print_table(table(("queue", ">waiting", ">oldest", ">moved in", ">moved out"), queue_rows(stage, tally)), out)
    out.print()
    print_table(table(("", ""), _rows(stage, tally, verdict)), out)
    out.print()
    kept = "as promised" if verdict.kept else "NOT AS PROMISED"
    truth = f"the sandbox counted: moved twice = {verdict.twice}, taken from agents = {verdict.taken}: {kept}"
    out.print(text(truth, "bold green" if verdict.kept else "bold red"))
    if verdict.within_window:
        window = count(verdict.within_window, "contact was", "contacts were")
        out.print(text(f"{window} accepted between reading and call, which Connect gives no means to prevent"))
    if not tally.cycles:
        out.print(text("the service finished no cycle: nothing was looked at", "bold red"))
    if not stage.performed:
        out.print(text("the service did not end in order", "bold red"))


def _rows(stage: Stage, tally: Tally, verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "waiting", f"{tally.cycle.get('waiting', 0)} seen by the last of {count(tally.cycles, 'cycle')}"
    yield "moved", f"{verdict.moves}: {_counted(tally.moved)}" if tally.moved else f"{verdict.moves}"
    yield "late", f"{tally.late} of those moved were past their promise; {_worst(tally)}"
    yield "warned", str(tally.warned)
    yield "held", _counted(tally.cycle.get("held") or {}) or "none"
    yield "failed", str(tally.failed)
    quotas = stage.app.connection.quotas.snapshot()
    yield "throttled", str(sum(state.throttles for state in quotas.values()))
    yield "calls", _counted(stage.app.connection.calls())


def _worst(tally: Tally) -> str:
    oldest = tally.cycle.get("oldest_breach_s")
    if oldest is None:
        return "nothing late is left" if tally.cycle.get("complete") else "whether more are late is not known"
    return f"the latest of those left is {span(timedelta(seconds=oldest))} past it"


def _counted(numbers: Mapping[str, int]) -> str:
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {number}" for name, number in ordered)
