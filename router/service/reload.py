"""The rules and config.toml read again while the service runs: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from router.problems import Problem, Problems
from router.rules.rule import RuleSet
from router.service import live, tell
from router.service.app import App
from router.service.last_good import LastGood
from router.service.notify import Notifier
from router.settings import Settings

Load = Callable[[], tuple[Settings, RuleSet]]
"""Reads the files, each once, and proves them. Raises ``Problems``."""


class Reloader:
    """One reload at a time, whoever asks for it."""

    def __init__(self, app: App, load: Load, *, notifier: Notifier, kept: LastGood) -> None:
        self._app = app
        self._load = load
        self._notifier = notifier
        self._kept = kept
        self._alone = Lock()

    def reload(self) -> tuple[Problem, ...]:
        """Why it was refused; empty where the files are in force now. Never raises: a bug here must not end a service
        that works."""
        with self._alone:
            self._notifier.reloading()
            problems: tuple[Problem, ...] = ()
            try:
                problems = reload(self._app, self._load)
                if not problems:
                    self._kept.keep(self._app.names.ruleset)
            except Exception as error:
                tell.log.exception("rules.rejected", errors=[f"a bug: {type(error).__name__}"])
                problems = (Problem("connect-router", 0, 0, f"a bug: {type(error).__name__}; the log has more"),)
            finally:
                self._notifier.ready("reload refused; the old rules stay" if problems else "reloaded")
            return problems


def reload(app: App, load: Load) -> tuple[Problem, ...]:
    """Puts what ``load`` reads in force, or answers why not; all stays as it was then. Timers, ledger and clocks are
    not touched; flows that were denied are tried again, for the permissions may be what changed."""
    try:
        settings, ruleset = load()
    except Problems as refused:
        return _rejected(app, refused.problems)
    stuck = live.refusals(app.settings, settings)
    if stuck:
        return _rejected(app, stuck)
    app.names.replace_rules(ruleset)
    live.apply(app, settings)
    app.blocked.forget()
    app.vital.reloaded()
    tell.log.info("rules.loaded", count=len(ruleset.rules), revision=ruleset.revision)
    return ()


def _rejected(app: App, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    lines = [str(problem) for problem in problems]
    tell.log.error("rules.rejected", errors=lines)
    app.vital.refused(tuple(lines))
    return problems
