"""Shows the demo: a screen on a terminal, one line an event elsewhere, and a summary at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from router.cli.demo.event_lines import event_line
from router.cli.demo.stage import Stage
from router.cli.demo.tally import DemoTally, Verdict
from router.cli.output.tables import count, print_table, span, table, text

FIXED_LINES = 14
"""Lines of the screen, except the events and the queues' rows."""


class Lines:
    """Prints the events to a pipe or a file."""

    def __init__(self, stage: Stage, tally: DemoTally, out: Console) -> None:
        self._stage, self._tally, self._out = stage, tally, out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self) -> None:
        for event in self._tally.new:
            self._out.print(event_line(event, self._stage.sandbox), soft_wrap=True)


class Screen:
    """Shows queues, events and holds on a terminal."""

    def __init__(self, stage: Stage, tally: DemoTally, out: Console) -> None:
        self._stage, self._tally, self._out = stage, tally, out
        self._live = Live(console=out, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def show(self) -> None:
        self._live.update(Group(*self._picture()), refresh=True)

    def _picture(self) -> Iterator[RenderableType]:
        queues = list(queue_rows(self._stage, self._tally))
        yield text(self._clock(), "bold")
        yield text("")
        yield table(("queue", ">waiting", ">oldest", ">in", ">out"), queues)
        yield text("")
        room = max(self._out.height - FIXED_LINES - len(queues), 3)
        for event in list(self._tally.recent)[-room:]:
            line = event_line(event, self._stage.sandbox)
            line.truncate(self._out.width - 1, overflow="ellipsis")
            yield line
        yield text("")
        yield from _held(self._tally)

    def _clock(self) -> str:
        moved = sum(self._tally.moved.values())
        return f"{self._stage.left:.0f}s left   {moved} moved   {self._tally.cycles} cycles"


def queue_rows(stage: Stage, tally: DemoTally) -> Iterator[tuple[object, ...]]:
    """Yields each queue with its waiting contacts, its longest wait, and the router's moves in and out."""
    world = stage.sandbox.world
    now = world.now
    for queue in stage.sandbox.world.state.register.queues.values():
        if queue.user_id is not None:
            continue
        waiting = [one for one in world.waiting(queue.id) if one.enqueued_at is not None]
        oldest = max((now - one.enqueued_at for one in waiting if one.enqueued_at), default=None)
        into, out = tally.into[queue.name], tally.out[queue.name]
        yield queue.name, len(waiting), span(oldest), into or "", out or ""


def _held(tally: DemoTally) -> Iterator[Text]:
    held = tally.cycle.get("held") or {}
    for reason, number in sorted(held.items(), key=lambda item: -item[1]):
        yield text(f"held {number:>4}  {reason}")


def print_summary(stage: Stage, tally: DemoTally, verdict: Verdict, out: Console) -> None:
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
        out.print(text(f"{window} accepted between reading and call; Connect gives no means to prevent this"))
    if not tally.cycles:
        out.print(text("the service finished no cycle", "bold red"))
    if not stage.performed:
        out.print(text("the service did not end normally", "bold red"))


def _rows(stage: Stage, tally: DemoTally, verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "waiting", f"{tally.cycle.get('waiting', 0)} seen by the last of {count(tally.cycles, 'cycle')}"
    yield "moved", f"{verdict.moves}: {_counted(tally.moved)}" if tally.moved else f"{verdict.moves}"
    yield "late", f"{tally.late} of those moved were past their promise; {_worst(tally)}"
    yield "warned", str(tally.warned)
    yield "held", _counted(tally.cycle.get("held") or {}) or "none"
    yield "failed", str(tally.failed)
    quotas = stage.app.connection.quotas.snapshot()
    yield "throttled", str(sum(state.throttles for state in quotas.values()))
    yield "calls", _counted(stage.app.connection.calls())


def _worst(tally: DemoTally) -> str:
    oldest = tally.cycle.get("oldest_breach_s")
    if oldest is None:
        return "nothing late is left" if tally.cycle.get("complete") else "whether more are late is not known"
    return f"the latest of those left is {span(timedelta(seconds=oldest))} past it"


def _counted(numbers: Mapping[str, int]) -> str:
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {number}" for name, number in ordered)
