"""Makes the service read its rules and its configuration again: the command ``reload``."""

from __future__ import annotations

import argparse
from pathlib import Path

from router.cli.context import print_note
from router.cli.errors import DONE, FOUND, CommandFailed
from router.cli.output.tables import count, print_json
from router.cli.parser import add_json
from router.cli.service_client import announce_service, call_service, control_socket, print_under_way
from router.cli.streams import in_journal

DESCRIPTION = """\
Makes the running service read its rules and config.toml again, and waits for the result. The new rules are in force, or
refused with the place of every error; then the old rules stay in force. A change of config.toml that needs a restart is
refused by its key. Exits 1 if refused. Only root and the service's own user may do this."""
EXAMPLE = """\
  connect-router reload --config /etc/connect-router/config.toml
  connect-router reload --dry-run --prove
"""
WITHIN_S = 80.0
"""Shorter than systemd's limit (TimeoutStartSec of the unit). Rules that name agents or hours for the first time need
the lists of the instance, which may be long."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="change nothing: show how the files differ from the rules in force",
    )
    parser.add_argument(
        "--prove", action="store_true", help="with --dry-run: also show on which contacts they differ (extra: prove)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    path = control_socket(arguments)
    if arguments.dry_run:
        return _dry_run(path, arguments)
    if arguments.prove:
        raise CommandFailed("connect-router reload: --prove is possible with --dry-run only", misconfigured=True)
    silent = in_journal()  # it is the service's journal: the service itself logs there what is in force
    if not silent:
        announce_service(path, quiet=arguments.quiet)
    result = call_service(path, "reload", within=WITHIN_S)
    if silent:
        return DONE
    if arguments.json:
        print_json(result)
    else:
        before = "as before" if result["revision"] == result["before"] else f"before: {result['before']}"
        print(f"{count(result['count'], 'rule')} in force, revision {result['revision']} ({before})")
        print_under_way(result)
        for line in (*result.get("unresolved", ()), *result.get("ineffective", ())):
            print_note(f"warning: {line}")
    return DONE


def _dry_run(path: Path, arguments: argparse.Namespace) -> int:
    """Compares the files with the rules in force. Exits 1 if they differ, or if the service would refuse them."""
    from router.cli.context import load_both
    from router.cli.solver import print_differences
    from router.decide.snapshot import Limits
    from router.rules.load import parse_rules

    settings, files = load_both(arguments)
    told = call_service(path, "rules")
    in_force = parse_rules((name, text.encode()) for name, text in told["sources"])
    sets, limits = {"the service": in_force, "the folder": files}, Limits.of(settings.guard)
    differ = print_differences(sets, limits, prove=arguments.prove, as_json=arguments.json, quiet=arguments.quiet)
    return FOUND if differ else DONE
