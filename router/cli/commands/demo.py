"""Runs sandbox and service together, and shows what they do: the command ``demo``."""

from __future__ import annotations

import argparse
import time
from contextlib import suppress
from pathlib import Path

from router.cli.errors import DONE, FOUND

DESCRIPTION = """\
Starts the sandbox and the service together, on this machine alone. The sandbox is a busy contact centre. The router
moves its contacts over HTTP with the AWS SDK, and its ledger is deleted at the end. Uses --config, else ./config.toml,
else the files of the package. Exits 1 if the sandbox counted a contact that was moved twice, or one taken from an agent
who had it before the router read it, or if the service finished no cycle."""
EXAMPLE = """\
  connect-router demo --seconds 60
  connect-router demo --config my/config.toml --scenario my-centre.toml
"""
SHOWN_EVERY = 0.25
"""Seconds between two screens."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", metavar="N", type=_seconds, default=30, help="how long (default: 30)")
    parser.add_argument("--scenario", metavar="FILE", type=Path, help="the sandbox's (default: a busy contact centre)")


def run(arguments: argparse.Namespace) -> int:
    from router.cli.demo.screen import Lines, Screen, print_summary
    from router.cli.demo.stage import open_stage
    from router.cli.demo.story import Story
    from router.cli.demo.tally import DemoTally, judge
    from router.cli.output.tables import console

    tally, out = DemoTally(), console()
    with open_stage(arguments, tap=tally.tap) as stage:
        for line in stage.introduction():
            out.print(line)
        story = Story(stage)
        screen = Screen(stage, tally, story, out) if out.is_terminal else Lines(stage, tally, story, out)
        with suppress(KeyboardInterrupt), screen, stage.performing(arguments.seconds):
            while stage.left > 0 and stage.performs:
                time.sleep(min(SHOWN_EVERY, stage.left))
                tally.take()
                story.look()
                screen.show()
        tally.take()
        story.look()
        screen.show()
        verdict = judge(stage.sandbox)
        print_summary(stage, tally, story, verdict, out)
    return DONE if verdict.kept and stage.performed and tally.cycles else FOUND


def _seconds(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
    if number < 1:
        raise argparse.ArgumentTypeError("expected a whole number of seconds, 1 or more")
    return number
