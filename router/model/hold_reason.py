"""Defines the reasons why a contact is not moved now: the same names in log, ledger, ``explain`` and docs."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class HoldReason(StrEnum):
    """Lists the reasons in the order in which they are tried; the first that applies is reported.

    ``UNREADABLE`` also takes the place of a guard or destination whose value could not be read. A new reason needs a
    line here, a guard in ``decide/guards.py`` and a row in docs/log-events.md.
    """

    EXCLUDED = "excluded"
    OPERATOR_PAUSE = "operator_pause"
    CLOSED = "closed"
    UNREADABLE = "unreadable"
    UNRESOLVED = "unresolved"
    IN_FLIGHT = "in_flight"
    STRAY = "stray"
    LEDGER = "ledger"
    DENIED = "denied"
    FLOW_SUSPENDED = "flow_suspended"
    INSTANCE_FULL = "instance_full"
    CLOCK_SKEW = "clock_skew"
    FAILED_BEFORE = "failed_before"
    TRANSFER_BUDGET = "transfer_budget"
    MAX_TRANSFERS = "max_transfers"
    COOLDOWN = "cooldown"
    NO_ELIGIBLE_DESTINATION = "no_eligible_destination"
    PERCENT_OF_QUEUE = "percent_of_queue"
    PER_CYCLE = "per_cycle"
    PER_HOUR = "per_hour"
    NOT_SENT = "not_sent"

    # found on reading the contact again, right before the call
    PICKED_UP = "picked_up"
    LEFT_QUEUE = "left_queue"
    NOT_FOUND = "not_found"
    CONTACT_PAUSED = "contact_paused"
    NO_LONGER_MATCHES = "no_longer_matches"
    DISCONNECTED = "disconnected"

    @property
    def rank(self) -> int:
        """Returns its place in the order in which reasons are tried."""
        return _RANKS[self]


_RANKS = {reason: rank for rank, reason in enumerate(HoldReason)}


def earliest(reasons: Iterable[HoldReason]) -> HoldReason:
    """Returns the reason that is tried first. Raises ValueError if there is none."""
    return min(reasons, key=lambda reason: reason.rank)
