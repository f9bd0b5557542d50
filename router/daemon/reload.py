"""Reads the rules and config.toml again while the service runs, and puts all of it in force, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock

from pydantic import BaseModel

from router import events, logs
from router.daemon.last_good_rules import LastGoodRules
from router.daemon.router import Router
from router.daemon.systemd import Notifier
from router.problems import Problem, Problems
from router.rules.rule import RuleSet
from router.settings import Settings
from router.settings.sources import KeyPath, keys

LIVE: frozenset[KeyPath] = frozenset(
    {
        ("execute", "agent_timeout"),
        ("execute", "landing_timeout"),
        ("execute", "retry", "attempts"),
        ("execute", "retry", "give_up_after"),
        ("execute", "retry", "max_delay"),
        ("guard", "cooldown"),
        ("guard", "max_transfers"),
        ("guard", "per_cycle"),
        ("guard", "per_hour"),
        ("guard", "reserve_transfers"),
        ("log", "level"),
        ("poll", "every"),
        ("rules", "path"),
    }
)
"""Each is read again for every cycle, or ``reconfigure`` hands it to its part. The others are built into connections,
threads and the ledger; and whether contacts are moved at all (``execute.mode``) is not changed in passing."""


def changed(old: Settings, new: Settings) -> tuple[KeyPath, ...]:
    """Returns the keys whose values differ, whatever set them."""
    return tuple(key for key in _leaves() if _value(old, key) != _value(new, key))


def refusals(old: Settings, new: Settings) -> tuple[Problem, ...]:
    """Returns a problem for each key that cannot change without a restart, located where it was changed."""
    stuck = (key for key in changed(old, new) if key not in LIVE)
    return tuple(
        new.problem(key, f"{'.'.join(key)} cannot change while the service runs: restart it, or take the change back")
        for key in stuck
    )


def ineffective(old: Settings, new: Settings) -> tuple[str, ...]:
    """Returns a located line for each value of config.toml that has changed, and that a stronger source overrides."""
    before = old.overridden
    return tuple(
        str(one.problem) for key, one in new.overridden.items() if key not in before or before[key].value != one.value
    )


def apply(app: Router, settings: Settings) -> None:
    """Puts settings in force, which cannot fail."""
    app.reconfigure(settings)
    logs.set_level(settings.log.level)


def _leaves() -> Iterator[KeyPath]:
    for key, annotation in keys().items():
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            yield key


def _value(settings: Settings, key: KeyPath) -> object:
    value: object = settings
    for part in key:
        value = getattr(value, part, None)
    return value


Load = Callable[[], tuple[Settings, RuleSet]]
"""Reads the files, each once, and proves them. Raises ``Problems``."""


class Reloader:
    """Makes one reload at a time, whatever requested it. ``ineffective`` holds the changes that the last accepted one
    could not put in force."""

    def __init__(self, app: Router, load: Load, *, notifier: Notifier, kept: LastGoodRules) -> None:
        self._app = app
        self._load = load
        self._notifier = notifier
        self._kept = kept
        self._alone = Lock()
        self.ineffective: tuple[str, ...] = ()

    def reload(self) -> tuple[Problem, ...]:
        """Returns why the reload was refused; empty if the files are in force now. Never raises, because a bug here
        must not end a service that works."""
        with self._alone:
            self._notifier.reloading()
            problems: tuple[Problem, ...] = ()
            try:
                before = self._app.settings
                problems = reload(self._app, self._load)
                if not problems:
                    self.ineffective = ineffective(before, self._app.settings)
                    self._kept.keep(self._app.names.ruleset)
            except Exception as error:
                events.log_reload_failed(error)
                problems = (Problem("connect-router", 0, 0, f"a bug: {type(error).__name__}; the log has more"),)
            finally:
                self._notifier.ready("reload refused; nothing has changed" if problems else "reloaded")
            return problems


def reload(app: Router, load: Load) -> tuple[Problem, ...]:
    """Puts the files in force, or returns why not; then nothing has changed.

    When it returns, no call begins any longer that the old rules decided. Timers, ledger and clocks are not touched.
    Denied flows are tried again, and the credentials are resolved again, because these may be what changed.
    """
    try:
        settings, ruleset = load()
    except Problems as refused:
        return _rejected(app, refused.problems)
    stuck = refusals(app.settings, settings)
    if stuck:
        return _rejected(app, stuck)
    no_effect = ineffective(app.settings, settings)
    app.safety.credentials.renew()
    app.names.replace_rules(ruleset)
    apply(app, settings)
    app.safety.breakers.close_all()
    app.vital.reloaded()
    app.put_in_force()
    events.log_rules_loaded(
        ruleset,
        under_way=[call._asdict() for call in app.safety.terms.earlier_calls()],
        unresolved=app.names.unresolved,
        ineffective=no_effect,
    )
    return ()


def _rejected(app: Router, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    lines = [str(problem) for problem in problems]
    events.log_rules_rejected(lines)
    app.vital.refused(tuple(lines))
    return problems
