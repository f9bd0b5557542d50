"""Compares the time between two polls with the searches that the quota of SearchContacts allows."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from router.durations import format_duration
from router.prove.lint_queues import RuleQueues
from router.rules.rule import Mode, RuleSet

MAX_QUEUES = 100
"""Of one search, as in ``router.connect.search``, which needs the AWS SDK."""


def poll_too_often(ruleset: RuleSet, *, every: timedelta, sweep: timedelta, rate: float, share: float) -> str | None:
    """Returns why polls cannot be complete at this interval, with the arithmetic; ``None`` if they can.

    A poll searches the queues in which a contact may be due, 100 a call. A full scan searches them all again every
    ``sweep``. ``rate`` is the account's quota in calls a second, of which the router takes ``share``.
    """
    acting = tuple(rule for rule in ruleset.rules if rule.mode is not Mode.OFF and rule.steps)
    if not acting:
        return None
    queues = RuleQueues(acting)
    named = len({queue for rule in acting for queue in queues.sources(rule)}) or 1
    searches = ceil(named / MAX_QUEUES)
    allowed, scans = rate * share, searches / sweep.total_seconds()
    if allowed > scans and every.total_seconds() >= searches / (allowed - scans):
        return None
    least = _interval(searches, allowed - scans)
    shown = f"{searches} {'search' if searches == 1 else 'searches'} of SearchContacts"
    left = f"{rate:g} a second x share {share:g}, less {scans:.3g} for full scans, allow {max(allowed - scans, 0):.3g}"
    return (
        f'poll.every ("{format_duration(every)}") is too short: a poll needs up to {shown} for the queues of these '
        f"rules, and {left} a second{least}"
    )


def _interval(searches: int, left: float) -> str:
    if left <= 0:
        return ": raise poll.sweep or the quota"
    return f': write at least "{format_duration(timedelta(seconds=ceil(searches / left)))}"'
