"""Which keys of config.toml may change while the service runs, and putting them in force."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from router import logs
from router.problems import Problem
from router.service.app import App
from router.service.attempts import RetryPolicy
from router.service.limits import limits_of
from router.settings import Settings
from router.settings.keys import KeyPath, keys

LIVE: frozenset[KeyPath] = frozenset(
    {
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
"""Each is read anew for every cycle, or can be handed to the part that has it. The others are built into connections,
threads and the ledger; and whether contacts are moved at all (``execute.mode``) is not changed in passing."""


def changed(old: Settings, new: Settings) -> tuple[KeyPath, ...]:
    """The keys whose values differ, whoever set them."""
    return tuple(key for key in _leaves() if _value(old, key) != _value(new, key))


def refusals(old: Settings, new: Settings) -> tuple[Problem, ...]:
    """What cannot change without a restart, at the place that changed it."""
    stuck = (key for key in changed(old, new) if key not in LIVE)
    return tuple(
        new.problem(key, f"{'.'.join(key)} cannot change while the service runs: restart it, or take the change back")
        for key in stuck
    )


def apply(app: App, settings: Settings) -> None:
    """Nothing here can fail. A cycle that runs keeps the rules it began with."""
    retry = settings.execute.retry
    app.settings = settings
    app.cycle.looking.limits = limits_of(settings)
    app.cycle.enforcer.attempts.policy = RetryPolicy(
        attempts=retry.attempts, max_delay=retry.max_delay, give_up_after=retry.give_up_after
    )
    app.follower.landing_timeout = settings.execute.landing_timeout
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
