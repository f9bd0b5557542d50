"""Checks keys whose values are each possible, but not together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from router.durations import format_duration
from router.settings.model import Settings
from router.settings.sources import KeyPath

CONNECTS_TRANSFERS = 11
"""Transfers of one chain that Connect allows (Amazon Connect administrator guide, feature limits)."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Holds a conflict. It is reported at the first of ``keys`` that the user has set."""

    message: str
    keys: tuple[KeyPath, ...]


def conflicts(settings: Settings) -> Iterator[Conflict]:
    poll, guard, ledger, log = settings.poll, settings.guard, settings.ledger, settings.log
    if poll.sweep < poll.every:
        yield Conflict(
            f'poll.sweep ("{format_duration(poll.sweep)}") is shorter than '
            f'poll.every ("{format_duration(poll.every)}")',
            (("poll", "sweep"), ("poll", "every")),
        )
    if settings.events.queue and settings.events.sweep < poll.sweep:
        yield Conflict(
            f'events.sweep ("{format_duration(settings.events.sweep)}") is shorter than '
            f'poll.sweep ("{format_duration(poll.sweep)}")',
            (("events", "sweep"), ("poll", "sweep")),
        )
    if ledger.keep < poll.lookback:
        yield Conflict(
            f'ledger.keep ("{format_duration(ledger.keep)}") is shorter than '
            f'poll.lookback ("{format_duration(poll.lookback)}"): what is still found would be forgotten',
            (("ledger", "keep"), ("poll", "lookback")),
        )
    if guard.max_transfers + guard.reserve_transfers > CONNECTS_TRANSFERS:
        yield Conflict(
            f"guard.max_transfers ({guard.max_transfers}) and guard.reserve_transfers ({guard.reserve_transfers}) "
            f"together are more than the {CONNECTS_TRANSFERS} transfers that Connect allows a chain",
            (("guard", "reserve_transfers"), ("guard", "max_transfers")),
        )
    if log.emf and log.format == "console":
        yield Conflict('log.emf needs lines of JSON, and log.format is "console"', (("log", "emf"), ("log", "format")))
    if log.emf and log.level in ("warning", "error"):
        yield Conflict(
            f'log.emf needs lines of level "info", and log.level is "{log.level}"',
            (("log", "emf"), ("log", "level")),
        )
