"""Shows the demo: a screen on a terminal, one line an event elsewhere, and a summary at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from router.cli.demo.stage import Stage
from router.cli.demo.story import Story
from router.cli.demo.tally import DemoTally, Verdict
from router.cli.output.event_lines import event_line
from router.cli.output.fitting_table import Column
from router.cli.output.tables import bar, count, percent, print_table, table, text
from router.durations import span
from router.model import QueueId

FIXED_LINES = 8
"""Lines of the screen, except the events, the queues and the holds."""
MOST_COUNTED = 6
"""Names that are counted one by one; the others are added up."""
COLUMNS = (
    "queue",
    Column("waiting", right=True, least=None),
    Column("oldest", right=True, least=None, drop=3),
    Column("promise", right=True, least=None, drop=2),
    Column("used", right=True, least=None),
    Column("", least=None, drop=1, on_screen=True),
    Column("in", right=True, least=None),
    Column("out", right=True, least=None),
    Column("", least=7),
)


class Lines:
    """Prints the events to a pipe or a file."""

    def __init__(self, stage: Stage, tally: DemoTally, story: Story, out: Console) -> None:
        self._stage, self._tally, self._story, self._out = stage, tally, story, out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self) -> None:
        for event in self._tally.new:
            self._out.print(event_line(event), soft_wrap=True)


class Screen:
    """Shows queues, events and holds on a terminal."""

    def __init__(self, stage: Stage, tally: DemoTally, story: Story, out: Console) -> None:
        self._stage, self._tally, self._story, self._out = stage, tally, story, out
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
        holds = list(_held(self._tally))
        yield text(self._clock(), "bold")
        yield text(self._story.headline())
        yield text("")
        yield table(COLUMNS, queues)
        yield text("")
        room = max(self._out.height - FIXED_LINES - len(queues) - len(holds), 3)
        for event in list(self._tally.recent)[-room:]:
            line = event_line(event)
            line.truncate(self._out.width - 1, overflow="ellipsis")
            yield line
        yield text("")
        yield from holds

    def _clock(self) -> str:
        moved = sum(self._tally.moved.values())
        return f"{self._stage.left:.0f}s left   {moved} moved   {count(self._tally.cycles, 'cycle')}"


def queue_rows(stage: Stage, tally: DemoTally) -> Iterator[tuple[object, ...]]:
    """Yields each queue with its waiting contacts, its longest wait, and the router's moves in and out."""
    world, now, report = stage.sandbox.world, stage.sandbox.world.now, stage.report
    unmet = dict(stage.unmet_queues())
    glances = {one.queue_id: one for one in report.glance.queues} if report is not None else {}
    for queue in stage.sandbox.world.state.register.queues.values():
        if queue.user_id is not None:
            continue
        waiting = [one for one in world.waiting(queue.id) if one.enqueued_at is not None]
        oldest = max((now - one.enqueued_at for one in waiting if one.enqueued_at), default=None)
        into, out = tally.into[queue.name], tally.out[queue.name]
        seen = glances.get(QueueId(queue.id))
        promise = seen.promise if seen is not None and waiting else None
        used, target = (promise.used, span(promise.target)) if promise is not None else (None, "")
        no_rule = queue.name in unmet or (seen is not None and waiting and seen.ungoverned == seen.waiting)
        alone = text("no rule" if no_rule else "", "yellow")
        yield queue.name, len(waiting), span(oldest), target, percent(used), bar(used), into or "", out or "", alone


def _held(tally: DemoTally) -> Iterator[Text]:
    held = tally.cycle.get("held") or {}
    for reason, number in sorted(held.items(), key=lambda item: -item[1]):
        yield text(f"held {number:>4}  {reason}")


def print_summary(stage: Stage, tally: DemoTally, story: Story, verdict: Verdict, out: Console) -> None:
    out.print()
    if not out.is_terminal:  # the screen shows them already
        print_table(table(COLUMNS, queue_rows(stage, tally)), out)
        out.print()
    _print_facts(story.chapters(tally), out, "bold")
    out.print()
    _print_facts(_rows(stage, tally), out)
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


def _print_facts(facts: Iterable[tuple[str, str]], out: Console, style: str = "") -> None:
    """Prints titles, and sentences that are wrapped next to them."""
    made = Table.grid(padding=(0, 3, 0, 0), pad_edge=False)
    made.add_column(style=style, no_wrap=True, min_width=9)
    made.add_column()
    for title, sentence in facts:
        made.add_row(text(title), text(sentence))
    print_table(made, out)


def _rows(stage: Stage, tally: DemoTally) -> Iterator[tuple[str, str]]:
    unmet = sum(number for _, number in stage.unmet_queues())
    others = f", and {unmet} in queues that no rule names" if unmet else ""
    yield "waiting", f"{tally.cycle.get('waiting', 0)} seen by the last of {count(tally.cycles, 'cycle')}{others}"
    yield "warned", str(tally.warned)
    yield "held", _counted(tally.cycle.get("held") or {}) or "none"
    yield "failed", str(tally.failed)
    quotas = stage.app.connection.quotas.snapshot()
    yield "throttled", str(sum(state.throttles for state in quotas.values()))
    yield "calls", _counted(stage.app.connection.calls())


def _counted(numbers: Mapping[str, int]) -> str:
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    shown, others = ordered[:MOST_COUNTED], sum(number for _, number in ordered[MOST_COUNTED:])
    counted = ", ".join(f"{name} {number}" for name, number in shown)
    return f"{counted}, others {others}" if others else counted
