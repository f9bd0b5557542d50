"""Runs the service: the command ``run``."""

from __future__ import annotations

import argparse
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from router.cli.errors import DONE, FOUND, CommandFailed
from router.cli.parser import add_mode
from router.problems import Problems

if TYPE_CHECKING:
    from structlog.typing import Processor

    from router.rules.rule import RuleSet
    from router.settings import Settings


DYNAMIC_USERS = range(61184, 65520)
"""Numbers that systemd gives to users of ``DynamicUser=yes`` (systemd.io, "Users, Groups, UIDs and GIDs on systemd
Systems")."""
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


def _serve(
    arguments: argparse.Namespace, settings: Settings, ruleset: RuleSet, errors: tuple[str, ...]
) -> int:
    from router import logs
    from router.cli.context import announce, announce_in_log, load_both
    from router.cli.resources import in_one_line, unreachable

    _require_user(settings, once=arguments.once)
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


def _require_user(settings: Settings, *, once: bool) -> None:
    """Raises ``CommandFailed`` if root would make files in a folder of another user, or anybody in the state directory
    of a service of another user."""
    me, state = os.geteuid(), settings.state_folder
    service = settings.service_state
    of_service = service is not None and service.resolve() == state.resolve()
    own = {settings.control_socket.parent: "a socket of its own with --set control.socket=/tmp/trial.sock"}
    own = ({} if once else own) | {state: "a ledger of its own with --set ledger.url=sqlite:/tmp/trial.db"}
    for folder, alternative in own.items():
        if me != 0 and not (of_service and folder == state):
            continue
        try:
            owner: int | None = folder.stat().st_uid
        except FileNotFoundError:
            continue
        except OSError:
            owner = None  # only root and its owner may enter it
        if owner != me:
            raise _foreign(folder, owner, me, alternative)


def _foreign(folder: Path, owner: int | None, me: int, alternative: str) -> CommandFailed:
    name = _name(owner) if owner is not None else None
    state = str(folder).removeprefix("/var/lib/")
    if name is None and (owner is None or owner in DYNAMIC_USERS or not state.startswith("/")):
        how = f"systemd-run --pty -p DynamicUser=yes -p User=connect-router -p StateDirectory={state}"
    else:
        user = name if name is not None else f"'#{owner}'"
        how = f"sudo -u {user}"
    whose = name or ("the user of the service" if owner is None or owner in DYNAMIC_USERS else f"user {owner}")
    return CommandFailed(
        f"connect-router: {folder} belongs to {whose}, and this process is {_name(me) or me}: the service could not"
        " open the files that it would leave there",
        f"stop the service and start this with {how}; or give it {alternative}; `plan` shows what is due and writes"
        " nothing",
        misconfigured=True,
    )


def _name(uid: int) -> str | None:
    """Returns the name of a user, unless it is a user that systemd makes for the time of a service."""
    try:
        return None if uid in DYNAMIC_USERS else pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


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
