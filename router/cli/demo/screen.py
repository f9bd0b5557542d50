"""What the demo shows while it runs: a picture on a terminal, a line an event elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from router.cli.demo.stage import Stage
from router.cli.demo.tally import Tally
from router.cli.demo.told import told
from router.cli.shown import span, table, text

BESIDE_MOVES = 14
"""Lines of the picture that are not the stream of events, the queues' rows apart."""


class Lines:
    """For a pipe or a file."""

    def __init__(self, stage: Stage, tally: Tally, out: Console) -> None:
        self._stage, self._tally, self._out = stage, tally, out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self) -> None:
        for event in self._tally.new:
            self._out.print(told(event, self._stage.sandbox), soft_wrap=True)


class Screen:
    """For a terminal: queues, the stream of what happens, what is held and why."""

    def __init__(self, stage: Stage, tally: Tally, out: Console) -> None:
        self._stage, self._tally, self._out = stage, tally, out
        self._live = Live(console=out, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def show(self) -> None:
        self._live.update(Group(*self._picture()), refresh=True)

    def _picture(self) -> Iterator[Table | Text]:
        queues = list(queue_rows(self._stage, self._tally))
        yield text(self._clock(), "bold")
        yield text("")
        yield table(("queue", ">waiting", ">oldest", ">in", ">out"), queues)
        yield text("")
        room = max(self._out.height - BESIDE_MOVES - len(queues), 3)
        for event in list(self._tally.recent)[-room:]:
            line = told(event, self._stage.sandbox)
            line.truncate(self._out.width - 1, overflow="ellipsis")
            yield line
        yield text("")
        yield from _held(self._tally)

    def _clock(self) -> str:
        moved = sum(self._tally.moved.values())
        return f"{self._stage.left:.0f}s left   {moved} moved   {self._tally.cycles} cycles"


def queue_rows(stage: Stage, tally: Tally) -> Iterator[tuple[object, ...]]:
    """Every queue: how many truly wait there, since when, and what the router moved in and out."""
    world = stage.sandbox.world
    now = world.now
    for queue in stage.sandbox.world.state.register.queues.values():
        if queue.user_id is not None:
            continue
        waiting = [one for one in world.waiting(queue.id) if one.enqueued_at is not None]
        oldest = max((now - one.enqueued_at for one in waiting if one.enqueued_at), default=None)
        into, out = tally.into[queue.name], tally.out[queue.name]
        yield queue.name, len(waiting), span(oldest), into or "", out or ""


def _held(tally: Tally) -> Iterator[Text]:
    held = tally.cycle.get("held") or {}
    for reason, number in sorted(held.items(), key=lambda item: -item[1]):
        yield text(f"held {number:>4}  {reason}")
