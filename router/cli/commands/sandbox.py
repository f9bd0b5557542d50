"""Simulates Amazon Connect on this machine: the command ``sandbox``."""

from __future__ import annotations

import argparse
import errno
from dataclasses import replace
from pathlib import Path

from router.cli.errors import CommandFailed

DESCRIPTION = """\
Simulates the Amazon Connect API on 127.0.0.1, for any AWS SDK, until SIGINT or SIGTERM. Prints the variables to export
first, as lines for a shell."""
EXAMPLE = """\
  connect-router sandbox --port 4571
  connect-router sandbox --scenario my-centre.toml --profile instance-profile.toml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scenario", metavar="FILE", type=Path, help="the instance to simulate (default: a busy contact centre)"
    )
    parser.add_argument(
        "--events", action="store_true", help="publish contact events, in a queue whose URL is printed (default: no)"
    )
    parser.add_argument(
        "--profile", metavar="FILE", type=Path, help="behave as this profile of `connect-router acceptance` describes"
    )
    parser.add_argument("--port", type=_port, default=4571, help="the port; 0: any free one (default: 4571)")


def run(arguments: argparse.Namespace) -> int:
    from router.sandbox import Scenario
    from router.sandbox.serve import serve

    scenario = Scenario.load(arguments.scenario) if arguments.scenario is not None else None
    if arguments.profile is not None:
        from router.acceptance.instance_profile import load_profile

        scenario, profile = scenario or Scenario.default(), load_profile(arguments.profile)
        scenario = replace(scenario, behaviours=profile.applied_to(scenario.behaviours))
    try:
        return serve(scenario, arguments.port, events=arguments.events)
    except OSError as error:
        raise CommandFailed(f"connect-router sandbox: {_why(error, arguments.port)}") from error


def _why(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"another program uses port {port} of 127.0.0.1 (--port 0 takes a free one)"
    if error.errno == errno.EACCES:
        return f"you may not use port {port} of 127.0.0.1: ports below 1024 are root's (--port 0 takes a free one)"
    return f"port {port} of 127.0.0.1: {error.strerror}"


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("expected a number from 0 to 65535")
    return number
