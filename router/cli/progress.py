"""Shows on a terminal what a command waits for: calls to Amazon Connect, or proofs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from router.cli.output.tables import count

if TYPE_CHECKING:
    from router.connect.connection import Connection


@contextmanager
def progress(connection: Connection, *, quiet: bool) -> Iterator[None]:
    """Shows what is read until the block ends, on a terminal and if not ``quiet``."""
    with status_line(lambda: doing(connection), quiet=quiet):
        yield


@contextmanager
def status_line(status: Callable[[], str], *, quiet: bool) -> Iterator[None]:
    """Shows a line on standard error until the block ends, if that is a terminal and not ``quiet``."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    spinner, screen = Spinner("dots"), Console(stderr=True)

    def line() -> Spinner:
        shown = Text(status())
        shown.truncate(max(screen.width - 3, 1), overflow="ellipsis")  # the spinner and a blank stand before it
        spinner.update(text=shown)
        return spinner

    with Live(get_renderable=line, console=screen, transient=True, refresh_per_second=8):
        yield


def doing(connection: Connection) -> str:
    """Returns how many calls were made, and the quota that the next one waits for."""
    quotas = connection.quotas.snapshot()
    made = count(sum(state.calls for state in quotas.values()), "call")
    slow = [f"{name} ({state.rate:g} per second)" for name, state in quotas.items() if state.waiting]
    waits = f", waiting for the quota of {', '.join(slow)}" if slow else ""
    return f"reading from Amazon Connect: {made}{waits}"
