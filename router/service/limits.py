"""The service's own limits on moves, as deciding takes them."""

from __future__ import annotations

from router.decide.look import Limits
from router.settings import Settings


def limits_of(settings: Settings) -> Limits:
    guard = settings.guard
    return Limits(
        max_transfers=guard.max_transfers,
        reserve_transfers=guard.reserve_transfers,
        cooldown=guard.cooldown,
        per_cycle=guard.per_cycle,
        per_hour=guard.per_hour,
    )
