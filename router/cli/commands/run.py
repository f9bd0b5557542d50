"""``run``: the service."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.cli.errors import DONE, FOUND, CommandFailed
from router.cli.parser import add_mode
from router.problems import Problems

if TYPE_CHECKING:
    from router.daemon.compose import Router
    from router.daemon.daemon import Daemon
    from router.rules.rule import RuleSet
    from router.settings import Settings


DESCRIPTION = """\
Watches the instance and moves what is due, by the rules. Logs to standard output. SIGTERM and SIGINT end it in order;
SIGHUP has it read its rules and config.toml again."""
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
    parser.add_argument(
        "--last-good",
        action="store_true",
        help="where the rules do not load, the last ones that did: better than none on a bad day",
    )
    add_mode(parser)


def run(arguments: argparse.Namespace) -> int:
    from router import logs
    from router.cli.context import announce
    from router.cli.resources import in_one_line
    from router.rules.rule import Mode
    from router.telemetry.cloudwatch import embedding

    loaded = _load(arguments)
    settings, ruleset = loaded.settings, loaded.ruleset
    taps = [embedding(settings.connect.instance_id)] if settings.log.emf else []
    logs.configure(level=settings.log.level, format=settings.log.format, taps=taps)
    announce(settings)
    # After the first word, for the AWS SDK takes its time to import.
    from router.daemon.compose import build

    with in_one_line():
        if settings.ledger.table is not None:
            return _once_of_several(loaded) if arguments.once else _take_turns(arguments, loaded)
        app = build(settings, ruleset, mode=Mode(settings.execute.mode))
        if loaded.instead_of:
            _tell_last_good(app, loaded)
        return _once(app) if arguments.once else _served(_daemon(app, arguments, loaded), app)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """``instead_of``: the last good rules, because of these errors in the files."""

    settings: Settings
    ruleset: RuleSet
    instead_of: tuple[str, ...] = ()


def _load(arguments: argparse.Namespace) -> _Loaded:
    """Raises ``Problems``. A configuration that does not load is not helped by any rules."""
    from router.cli.context import load_both, note, settings_of
    from router.daemon.last_good_rules import LastGoodRules

    try:
        settings, ruleset = load_both(arguments)
    except Problems as refused:
        if not arguments.last_good:
            raise
        settings = settings_of(arguments)
        kept = LastGoodRules.of(settings)
        ruleset = kept.load()
        note(f"connect-router: going on with the last good rules, revision {ruleset.revision}, from {kept.path}, for:")
        errors = tuple(str(problem) for problem in refused.problems)
        for line in errors:
            note(line)
        return _Loaded(settings=settings, ruleset=ruleset, instead_of=errors)
    return _Loaded(settings=settings, ruleset=ruleset)


def _tell_last_good(app: Router, loaded: _Loaded) -> None:
    from router import events

    app.vital.refused(loaded.instead_of, last_good=True)
    events.log_rules_last_good(loaded.ruleset.revision, loaded.instead_of)


def _take_turns(arguments: argparse.Namespace, loaded: _Loaded) -> int:
    """With other routers on the same ledger. What is in force when a turn ends is in force in the next one."""
    from router.clock import SystemClock
    from router.daemon.compose import build
    from router.daemon.leadership import Leadership, Turn
    from router.resources import open_shared
    from router.rules.rule import Mode

    clock = SystemClock()
    shared = open_shared(loaded.settings, clock)
    mode = Mode(loaded.settings.execute.mode)
    app: Router | None = None

    def serve(turn: Turn, begun: Callable[[Daemon], None]) -> Daemon:
        nonlocal app
        settings = app.settings if app is not None else loaded.settings
        ruleset = app.names.ruleset if app is not None else loaded.ruleset
        app = build(settings, ruleset, mode=mode if turn.working else Mode.OBSERVE, clock=clock, shared=shared)
        if turn.first and loaded.instead_of:
            _tell_last_good(app, loaded)
        daemon = _daemon(app, arguments, loaded, first=turn.first)
        begun(daemon)
        _served(daemon, app)
        return daemon

    return Leadership(shared=shared, candidate=mode is Mode.ENFORCE, clock=clock).run(serve)


def _once_of_several(loaded: _Loaded) -> int:
    """A pass that moves contacts needs the turn; one that observes does not."""
    from router.clock import SystemClock
    from router.daemon.compose import build
    from router.daemon.leadership import Leadership
    from router.resources import open_shared
    from router.rules.rule import Mode

    clock = SystemClock()
    shared = open_shared(loaded.settings, clock)
    mode = Mode(loaded.settings.execute.mode)
    turns = Leadership(shared=shared, candidate=mode is Mode.ENFORCE, clock=clock)
    with ExitStack() as stack:
        ended_by = stack.enter_context(turns.one_pass()) if turns.candidate else None
        stack.enter_context(closing(shared.ledger))
        app = build(loaded.settings, loaded.ruleset, mode=mode, clock=clock, shared=shared)
        if ended_by is not None:
            ended_by(app.stop)
        if loaded.instead_of:
            _tell_last_good(app, loaded)
        return _once(app)


def _daemon(app: Router, arguments: argparse.Namespace, loaded: _Loaded, *, first: bool = True) -> Daemon:
    from router.cli.context import load_both
    from router.daemon.control.operator import desk_of
    from router.daemon.control.server import ControlServer
    from router.daemon.daemon import Daemon
    from router.daemon.last_good_rules import LastGoodRules
    from router.daemon.reload import Reloader
    from router.daemon.systemd import Notifier

    kept = LastGoodRules.of(app.settings)
    if not loaded.instead_of:
        kept.keep(app.names.ruleset)
    notifier = Notifier.from_environment(os.environ)
    reloader = Reloader(app, lambda: load_both(arguments), notifier=notifier, kept=kept)
    control = ControlServer(app.settings.control_socket, desk_of(app, reloader).handle)
    return Daemon(app, notifier=notifier, reload=reloader.reload, control=control, first=first)


def _served(daemon: Daemon, app: Router) -> int:
    with _measured(app):
        return daemon.run()


@contextmanager
def _measured(app: Router) -> Iterator[None]:
    """With the figures for Prometheus, where they are asked for."""
    address = app.settings.metrics.address
    if address is None:
        yield
        return
    from router.daemon.prometheus import exposed

    host, port = address
    with ExitStack() as stack:
        try:
            stack.enter_context(exposed(app, host=host, port=port))
        except OSError as error:
            app.close()
            why = f"connect-router: metrics.listen {app.settings.metrics.listen}: {error.strerror}"
            raise CommandFailed(why, misconfigured=True) from error
        yield


def _once(app: Router) -> int:
    from router.cli.resources import unreachable
    from router.daemon.once import run_once

    done = run_once(app)
    if done.unreachable is not None and not done.stopped:
        raise unreachable(done.unreachable, app.settings, app.connection.endpoint)
    return DONE if done.done else FOUND
