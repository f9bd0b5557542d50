"""Picks one of the eligible entries of a tier; ties go to the order in the file."""

from __future__ import annotations

import hashlib
import math
from datetime import timedelta

from router.decide.destinations import Weighed
from router.model import Target, WaitKey
from router.rules.rule import Pick

NEVER = timedelta.max


def pick(
    how: Pick, tier: tuple[Weighed, ...], *, wait: WaitKey, rule: str, at: timedelta, last: Target | None
) -> Weighed:
    """Picks one of the eligible entries of ``tier``, of which there is at least one.

    ``last`` is the destination this step used last, for ``round-robin``. ``weighted`` hashes the wait and the step, so
    that ``plan``, ``run`` and other routers pick the same entry. An unknown metric counts as the worst.
    """
    eligible = [weighed for weighed in tier if weighed.eligible]
    match how:
        case Pick.MOST_SLOTS:
            return max(eligible, key=_slots)
        case Pick.SHORTEST_WAIT:
            return min(eligible, key=_oldest)
        case Pick.FEWEST_WAITING:
            return min(eligible, key=_waiting)
        case Pick.ROUND_ROBIN:
            return _after(last, tier)
        case Pick.WEIGHTED:
            return _weighted(eligible, wait, rule, at)
        case Pick.FIRST:
            return eligible[0]


def _slots(weighed: Weighed) -> int:
    slots = weighed.metrics.slots_available if weighed.metrics else None
    return -1 if slots is None else slots


def _oldest(weighed: Weighed) -> timedelta:
    oldest = weighed.metrics.oldest_contact_age if weighed.metrics else None
    return NEVER if oldest is None else oldest


def _waiting(weighed: Weighed) -> float:
    waiting = weighed.metrics.contacts_in_queue if weighed.metrics else None
    return math.inf if waiting is None else waiting


def _after(last: Target | None, tier: tuple[Weighed, ...]) -> Weighed:
    position = next((index for index, weighed in enumerate(tier) if weighed.target == last), -1)
    turned = tier[position + 1 :] + tier[: position + 1]
    return next(weighed for weighed in turned if weighed.eligible)


def _weighted(eligible: list[Weighed], wait: WaitKey, rule: str, at: timedelta) -> Weighed:
    seed = f"{wait.wait_id}|{wait.began_at.isoformat()}|{rule}|{at.total_seconds()}"
    total = sum(weighed.entry.entry.weight for weighed in eligible)
    point = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") % max(total, 1)
    for weighed in eligible:
        point -= weighed.entry.entry.weight
        if point < 0:
            return weighed
    return eligible[-1]
