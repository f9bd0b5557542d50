"""Shows the running service at a glance: the command ``status``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from router.cli.context import print_note
from router.cli.errors import DONE, FOUND, CommandFailed
from router.cli.output.status_screen import picture
from router.cli.output.tables import console, print_json, print_table
from router.cli.parser import add_json
from router.cli.service_client import call_service, control_socket, send_command
from router.daemon.health_word import missing

DESCRIPTION = """\
Shows the running service at a glance, over its control socket: its health in one word, the last cycle, the queues with
their promises, holds and moves by rule, the last moves, what is due next, quotas, strays, pauses. Exits 1 if no service
responds, if it has finished no complete cycle within 4 polls, or if AWS refuses the credentials."""
EXAMPLE = """\
  connect-router status --watch
  connect-router status --json | jq .held
"""
WATCH_EVERY = 1.0
"""Seconds between two requests."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--watch", action="store_true", help="repeat every second, until Ctrl-C")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    path = control_socket(arguments)
    if arguments.watch:
        return _watch(path, as_json=arguments.json)
    status = call_service(path, "status", {"whole": arguments.json})
    if arguments.json:
        print_json(status)
    else:
        print_table(picture(status), console())
    return _verdict(status)


def _verdict(status: dict[str, Any]) -> int:
    if status["healthy"]:
        return DONE
    if status["ledger"]["error"] is not None:
        print_note(f"connect-router: the ledger cannot be read or written: {status['ledger']['error']}")
        return FOUND
    if status["credentials_refused"]:
        print_note("connect-router: AWS refuses the credentials, and no call is made: renew them")
        return FOUND
    print_note(f"connect-router: {missing(status)} for {status['silent_s']:.0f} s: more than 4 polls")
    return FOUND


def _watch(path: Path, *, as_json: bool) -> int:
    """Shows the status every second until Ctrl-C, which is an orderly end here.

    A pipe receives one screen, or one line of JSON, after the other."""
    import json

    from rich.live import Live

    out = console()
    try:
        if as_json or not out.is_terminal:
            while True:
                status = call_service(path, "status", {"whole": as_json})
                print(json.dumps(status), flush=True) if as_json else print_table(picture(status), out)
                time.sleep(WATCH_EVERY)
        with Live(console=out, screen=True, auto_refresh=False) as live:
            while True:
                live.update(_now(path, lines=out.height), refresh=True)
                time.sleep(WATCH_EVERY)
    except KeyboardInterrupt:
        return DONE


def _now(path: Path, *, lines: int) -> Any:
    """Returns the present screen, or the error. A restarted service is shown again as soon as it responds."""
    from rich.text import Text

    try:
        answer = send_command(path, "status", within=5.0)
    except CommandFailed as failed:
        return Text("\n".join(failed.lines), style="bold red")
    return picture(dict(answer.result), lines=lines) if answer.ok else Text("\n".join(answer.errors), style="bold red")
