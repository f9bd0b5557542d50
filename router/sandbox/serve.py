"""Runs the sandbox as a program, until a signal stops it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TextIO

from router.sandbox.contact_events import EventTraps
from router.sandbox.sandbox import Sandbox
from router.sandbox.scenario import Scenario

DEFAULT_PORT = 4571
TICK_S = 1.0


def serve(
    scenario: Scenario | None, port: int = DEFAULT_PORT, out: TextIO | None = None, *, events: bool = False
) -> int:
    """Prints how to reach the sandbox, runs it until SIGINT or SIGTERM, and returns 0.

    ``scenario`` ``None``: the one in the package. ``events`` publishes contact events. Raises ``OSError`` if the port
    is not free. It must run in the main thread, because it handles signals."""
    stop = threading.Event()
    scenario = scenario or Scenario.default()
    if events and scenario.events is None:
        scenario = replace(scenario, events=EventTraps())
    sandbox = Sandbox(scenario, port=port, log=lambda line: _print(line, sys.stderr))
    sandbox.after("Publish", lambda form: _show(form, out or sys.stdout))
    with _until_signalled(stop.set), sandbox:
        _print(greeting(sandbox), out or sys.stdout)
        while not stop.wait(TICK_S):
            sandbox.world.advance()
    return 0


def greeting(sandbox: Sandbox) -> str:
    """Returns the lines for a shell that let a user reach the sandbox."""
    waiting = sum(contact.queued for contact in sandbox.world.open())
    contacts = "contact" if waiting == 1 else "contacts"
    return "\n".join(
        (
            f"# Amazon Connect sandbox: {sandbox.endpoint}, {waiting} {contacts} waiting. Ctrl-C ends it.",
            f"# Instance: {sandbox.instance_id}",
            *_clock(sandbox),
            f"export AWS_ENDPOINT_URL_CONNECT={sandbox.endpoint}",
            f"export AWS_ENDPOINT_URL_SNS={sandbox.endpoint}",
            f"export AWS_DEFAULT_REGION={sandbox.region}",
            f"export AWS_REGION={sandbox.region}",
            "export AWS_ACCESS_KEY_ID=sandbox",
            "export AWS_SECRET_ACCESS_KEY=sandbox",
            *([f"export CONNECT_ROUTER_EVENTS__QUEUE={sandbox.queue_url}"] if sandbox.queue_url is not None else ()),
            f"# aws connect list-queues --instance-id {sandbox.instance_id}",
        )
    )


def _show(form: Mapping[str, str], out: TextIO) -> None:
    """Prints a message on a topic as lines that a shell takes for comments, as long as anybody reads them."""
    lines = [f"Message on {form['TopicArn']}: {form.get('Subject', '')}", *form["Message"].splitlines()]
    with suppress(OSError):
        _print("\n".join(f"# {''.join(filter(str.isprintable, line))}".rstrip() for line in lines), out)


def _clock(sandbox: Sandbox) -> Iterator[str]:
    """Yields what a user must know of a clock that is not the machine's."""
    scenario = sandbox.scenario
    if scenario.start is not None or scenario.speed != 1:
        shows = f"{sandbox.now:%Y-%m-%d %H:%M:%SZ}, {scenario.speed:g} seconds a second"
        yield f"# Its clock: {shows}. The next two lines let a router on this machine follow it."
        yield f"export CONNECT_ROUTER_SANDBOX_CLOCK={announced_clock(sandbox)}"
        yield f"export CONNECT_ROUTER_EXECUTE__LANDING_TIMEOUT={landing_timeout(sandbox)}"


def announced_clock(sandbox: Sandbox) -> str:
    """Returns what a router needs to show the sandbox's time: the machine's time, the sandbox's, and its speed."""
    return f"{datetime.now(UTC).isoformat()}/{sandbox.now.isoformat()}/{sandbox.scenario.speed:g}"


def landing_timeout(sandbox: Sandbox) -> str:
    """Returns two minutes of the machine, which the calls take, in the time of the sandbox."""
    return f"{int(120 * max(sandbox.scenario.speed, 1))}s"


@contextmanager
def _until_signalled(stop: Callable[[], None]) -> Iterator[None]:
    before = {number: signal.signal(number, lambda *_: stop()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print(line: str, out: TextIO) -> None:
    print(line, file=out, flush=True)
