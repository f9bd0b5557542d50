"""Finds out how a test instance behaves in questions that AWS leaves open: the command ``acceptance``."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from router.cli.errors import ACCEPTANCE, DONE, FOUND, INTERRUPTED, CommandFailed

if TYPE_CHECKING:
    from router.acceptance.lab import Lab
    from router.acceptance.suite import ProofStep, Run
    from router.connect.connection import Connection
    from router.settings import Settings

DESCRIPTION = """\
Makes tasks in a test instance, moves them, stops them, and writes what Connect did into an instance profile. Everything
that it makes has the prefix cr-acc- and is removed at the end, or by the next run. Needs CONNECT_ROUTER_ACCEPTANCE=1 in
the environment, and the tag connect-router:acceptance = allowed on the instance. Exits 1 if the main job failed or
something could not be removed."""
EXAMPLE = """\
  CONNECT_ROUTER_ACCEPTANCE=1 connect-router acceptance --setup --quick
  connect-router acceptance --share instance-profile.toml > shared-profile.toml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--setup", action="store_true", help="make two queues, flows and hours, and delete them again")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_const", dest="length", const="quick", help="leave out what takes long")
    length.add_argument(
        "--full", action="store_const", dest="length", const="full", help="also repeat a call after 1 h"
    )
    parser.add_argument("--queues", nargs=2, metavar=("A", "B"), help="two queues without agents, by name or id")
    parser.add_argument(
        "--flows", nargs=2, metavar=("INBOUND", "TRANSFER"), help="flows: new tasks to queue A; transfer to queue"
    )
    parser.add_argument("--agent", metavar="USERNAME", help="a test agent, for the questions about agents")
    parser.add_argument(
        "--email", metavar="ADDRESS", help="an address of the instance, for the questions about e-mails"
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="the profile (default: next to config.toml)")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="the results as JUnit XML, for CI systems")
    parser.add_argument("--share", metavar="FILE", type=Path, help="print this profile without ids; makes no call")


def run(arguments: argparse.Namespace) -> int:
    from router.acceptance.instance_profile import FILE, load_profile, text_of
    from router.acceptance.marker import SuiteStopped
    from router.acceptance.safeguards import SuiteRefused
    from router.cli.context import announce, settings_of
    from router.cli.foreign_folders import require_writable

    if arguments.share is not None:
        print(text_of(load_profile(arguments.share).without_ids()), end="")
        return DONE
    if os.environ.get(ACCEPTANCE) != "1":
        line = f"it makes, moves and stops tasks in the instance: set {ACCEPTANCE}=1 if that is what you want"
        raise _wrong(line)
    settings = settings_of(arguments)
    if arguments.setup and (arguments.queues or arguments.flows):
        raise _wrong("--setup makes queues and flows: leave it out, or leave out --queues and --flows")
    output = arguments.output or (settings.config_path or Path()).parent / FILE
    files = [path for path in (output, arguments.junit) if path is not None]
    if len({path.resolve() for path in files}) < len(files):
        raise _wrong(f"--output and --junit name the same file: {output}")
    require_writable(output, "--output", "acceptance")
    try:
        announce(settings, quiet=arguments.quiet)
        return _run(arguments, settings, output)
    except SuiteRefused as refused:
        raise _wrong(str(refused)) from None
    except SuiteStopped as stopped:
        raise CommandFailed(f"connect-router acceptance: {stopped}") from None


def _wrong(line: str) -> CommandFailed:
    return CommandFailed(f"connect-router acceptance: {line}", misconfigured=True)


def _run(arguments: argparse.Namespace, settings: Settings, output: Path) -> int:
    from router.acceptance.suite import Run, run_suite
    from router.cli.context import print_note
    from router.cli.resources import connected
    from router.problems import printable

    found, stopped = Run(), False

    def report(line: str) -> None:
        if not arguments.quiet:
            print_note(line)

    with connected(settings) as connection, _signals():
        lab = _open_lab(arguments, connection)
        try:
            run_suite(lab, found, report=report, prove=lambda lab: _prove(arguments, lab))
        except KeyboardInterrupt:
            stopped = True
        finally:
            for line in found.left:
                print_note(printable(f"connect-router acceptance: left behind: {line}"))
    if stopped:
        print_note("connect-router acceptance: interrupted: no profile was written")
        return INTERRUPTED
    _write(arguments, found, lab, output)
    return DONE if found.passed else FOUND


def _open_lab(arguments: argparse.Namespace, connection: Connection) -> Lab:
    from router.acceptance.lab import Lab, Options
    from router.runtime import AnnouncedClock, open_clock

    clock = open_clock()
    if isinstance(clock, AnnouncedClock) and clock.speed != 1:
        line = (
            "it measures times, and the clock of this sandbox does not have the machine's pace: start it without speed"
        )
        raise _wrong(line)
    options = Options(
        length=arguments.length or "default",
        setup=arguments.setup,
        queues=None if arguments.queues is None else tuple(arguments.queues),
        flows=None if arguments.flows is None else tuple(arguments.flows),
        agent=arguments.agent,
        email=arguments.email,
    )
    return Lab(
        calls=connection.plain_calls(clock.now),
        clock=clock,
        options=options,
        sleep=time.sleep,
        skew=connection.skew,
    )


def _prove(arguments: argparse.Namespace, lab: Lab) -> list[ProofStep]:
    from router.acceptance.main_job import prove_main_job
    from router.cli.context import environment, overrides_of
    from router.settings import load_settings

    def settings_with(overrides: Mapping[str, object]) -> Settings:
        config = Path(arguments.config) if arguments.config is not None else None
        return load_settings(config, environ=environment(), overrides={**overrides_of(arguments), **overrides})

    return prove_main_job(lab, settings_with)


@contextmanager
def _signals() -> Iterator[None]:
    """Makes SIGTERM end the run as Ctrl-C does: with the removal of everything that was made."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write(arguments: argparse.Namespace, run: Run, lab: Lab, output: Path) -> None:
    """Writes the profile and the report. Raises ``CommandFailed`` if a file cannot be written."""
    from botocore import __version__ as botocore

    from router import __version__
    from router.acceptance.instance_profile import profile_of, text_of
    from router.acceptance.junit import write_report

    profile = profile_of(
        run.results,
        taken_at=lab.clock.now(),
        length=lab.options.length,
        botocore=botocore,
        router=__version__,
        arn=run.arn,
    )
    try:
        output.write_text(text_of(profile), encoding="utf-8")
        if arguments.junit is not None:
            write_report(arguments.junit, run)
    except OSError as error:
        raise CommandFailed(f"connect-router acceptance: {error.filename}: {error.strerror}") from None
    settled = sum(result.unsettled is None for result in run.results)
    print(f"{settled} of {len(run.results)} questions settled: {output}")
    for step in run.main_job:
        print(f"main job: {step.name}: {step.problem or 'yes'}")
