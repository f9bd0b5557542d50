"""``run``: the service."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from router.cli.failures import DONE, FOUND, CommandFailed
from router.cli.parser import add_mode

if TYPE_CHECKING:
    from router.service.app import App

DESCRIPTION = """\
Watches the instance and moves what is due, by the rules. Logs to standard output. SIGTERM and SIGINT end it in order;
SIGHUP has it read its rules again."""
EXAMPLE = """\
  connect-router run --config /etc/connect-router/config.toml
  connect-router run --once --observe
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--once",
        action="store_true",
        help="one complete pass: everything due acted on and its landing awaited; exit 1 if some contacts failed",
    )
    parser.add_argument("--last-good", action="store_true", help=argparse.SUPPRESS)
    add_mode(parser)


def run(arguments: argparse.Namespace) -> int:
    from router import logs
    from router.cli.loading import announce, load_both
    from router.cli.opening import in_one_line
    from router.rules.rule import Mode

    if arguments.last_good:
        raise CommandFailed("connect-router run: --last-good is not offered in this version", misconfigured=True)
    settings, ruleset = load_both(arguments)
    logs.configure(level=settings.log.level, format=settings.log.format)
    announce(settings)
    # After the first word, for the AWS SDK takes its time to import.
    from router.service.app import build

    with in_one_line():
        app = build(settings, ruleset, mode=Mode(settings.execute.mode))
        return _once(app) if arguments.once else _serve(app)


def _serve(app: App) -> int:
    from router.service.control.requests import desk_of
    from router.service.control.server import ControlServer
    from router.service.daemon import Daemon
    from router.service.notify import Notifier
    from router.service.reload import reload_rules

    def reload() -> None:
        reload_rules(app, app.settings.rules.path)

    control = ControlServer(app.settings.control_socket, desk_of(app).handle)
    return Daemon(app, notifier=Notifier.from_environment(os.environ), reload=reload, control=control).run()


def _once(app: App) -> int:
    from router.cli.unreachable import unreachable
    from router.service.once import run_once

    done = run_once(app)
    if done.unreachable is not None and not done.stopped:
        raise unreachable(done.unreachable, app.settings, app.connection.endpoint)
    return DONE if done.done else FOUND
