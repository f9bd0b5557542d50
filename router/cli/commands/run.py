"""Runs the service: the command ``run``."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from router.cli.errors import DONE, FOUND, CommandFailed
from router.cli.parser import add_mode
from router.problems import Problems

if TYPE_CHECKING:
    from structlog.typing import Processor

    from router.rules.rule import RuleSet
    from router.settings import Settings


DESCRIPTION = """\
Watches the instance and moves what is due, by the rules. Logs to standard output. SIGTERM and SIGINT end it in order;
SIGHUP has it read its rules and config.toml again."""
EXAMPLE = """\
  connect-router run --config /etc/connect-router/config.toml
  connect-router run --once --observe
"""


LOG_ENDS_WITHIN = 2.0
"""Seconds that a reader of the log is given for the last lines."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--once",
        action="store_true",
        help="one complete pass: everything due acted on and its landing awaited; exit 1 if some contacts failed",
    )
    parser.add_argument(
        "--last-good",
        action="store_true",
        help="where the rules do not load, the last ones that did: better than none on a bad day",
    )
    add_mode(parser)


def run(arguments: argparse.Namespace) -> int:
    from router import logs

    settings, ruleset, errors = _load(arguments)
    line = None
    if not logs.writes_json(settings.log.format):
        from router.cli.output.event_lines import line_writer

        line = line_writer()
    logs.configure(
        level=settings.log.level,
        format=settings.log.format,
        taps=_taps(settings),
        instance=settings.connect.instance_id,
        region=settings.connect.region or _region(),
        queued=True,
        line=line,
    )
    try:
        return _serve(arguments, settings, ruleset, errors)
    finally:
        logs.end(within=LOG_ENDS_WITHIN)


def _region() -> str | None:
    """Returns the region of the environment, else that of the AWS profile, for which the SDK must be imported."""
    if region := os.environ.get("AWS_DEFAULT_REGION"):
        return region
    from router.connect.client import region_of_profile

    return region_of_profile()


def _taps(settings: Settings) -> list[Processor]:
    """Returns what completes the events: sentences in JSON, because a console shows the fields, and metrics."""
    from router import logs

    taps: list[Processor] = []
    if logs.writes_json(settings.log.format):
        from router.events import add_message

        taps.append(add_message)
    if settings.log.emf:
        from router.telemetry.cloudwatch import embedding

        taps.append(embedding(settings.connect.instance_id))
    return taps


def _serve(arguments: argparse.Namespace, settings: Settings, ruleset: RuleSet, errors: tuple[str, ...]) -> int:
    from router import logs
    from router.cli.context import announce, announce_in_log, load_both
    from router.cli.foreign_folders import require_own_folders
    from router.cli.resources import in_one_line, unreachable

    require_own_folders(settings, once=arguments.once)
    if logs.writes_json(settings.log.format):
        announce_in_log(settings)
    else:
        announce(settings, quiet=arguments.quiet)
    # After the first line, because the AWS SDK takes its time to import.
    from router.daemon.leadership import make_one_pass, serve
    from router.daemon.startup import LoadedFiles, MetricsUnusable
    from router.inspect.iam_policy import reading_operations

    files = LoadedFiles(
        settings=settings,
        ruleset=ruleset,
        load=lambda: load_both(arguments),
        errors=errors,
        needed=reading_operations,
    )
    with in_one_line():
        if not arguments.once:
            try:
                return serve(files)
            except MetricsUnusable as problem:
                raise CommandFailed(str(problem), misconfigured=True) from problem
        done = make_one_pass(files)
        if done.unreachable is not None and not done.stopped:
            raise unreachable(done.unreachable, settings, done.endpoint)
        return DONE if done.done else FOUND


def _load(arguments: argparse.Namespace) -> tuple[Settings, RuleSet, tuple[str, ...]]:
    """Returns configuration, rules, and the errors because of which these are the last good rules.

    Raises ``Problems``, also for a configuration that does not load, because no rules make up for it.
    """
    from router.cli.context import load_both, print_note, settings_of
    from router.cli.streams import in_journal
    from router.daemon.last_good_rules import LastGoodRules

    try:
        return *load_both(arguments), ()
    except Problems as refused:
        if not arguments.last_good:
            raise
        settings = settings_of(arguments)
        kept = LastGoodRules.of(settings)
        ruleset = kept.load()
        errors = tuple(str(problem) for problem in refused.problems)
        lines = (
            f"connect-router: going on with the last good rules, revision {ruleset.revision}, from {kept.path}, for:",
            *errors,
        )
        for line in () if in_journal() else lines:  # the log has them as rules.last_good
            print_note(line)
        return settings, ruleset, errors
