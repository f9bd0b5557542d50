"""What goes wrong, on order: faults by operation, count, probability, time and contact."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

Kind = Literal[
    "throttle",
    "error_500",
    "error_503",
    "error",
    "timeout_before",
    "timeout_after",
    "reset_before",
    "reset_after",
    "cut_after",
    "slow",
    "garbage",
    "access_denied",
    "expired_credentials",
    "unrecognized_client",
    "short_page",
    "repeat_page",
    "expire_token",
    "skew",
]
"""``…_before`` and ``…_after``: the call has not, or has, taken effect. ``cut_after`` breaks the connection off in the
middle of the answer. ``error`` answers ``code`` and ``message``. ``short_page`` answers one row a page, so that there
are pages to go wrong; ``repeat_page`` answers what this operation answered last; ``expire_token`` refuses a call that
brings a NextToken. ``skew`` shifts the Date header by ``delay``; ``slow`` delays the answer by it, and time-outs last
that long at most."""

KINDS: tuple[Kind, ...] = get_args(Kind)

PATIENCE = timedelta(seconds=60)
"""How long a time-out keeps a caller who does not give up."""


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """``operation`` ``None``: any. ``count`` ``None``: as often as it applies. ``fired`` counts."""

    kind: Kind
    operation: str | None = None
    count: int | None = None
    probability: float = 1.0
    start: datetime | None = None
    end: datetime | None = None
    contact_id: str | None = None
    delay: timedelta = timedelta(0)
    code: str = "InternalServiceException"
    message: str = "injected by the sandbox"
    skip: int = 0
    """How many calls to which it would apply are let through first."""
    fired: int = field(default=0)

    def concerns(self, operation: str, params: Mapping[str, Any], now: datetime) -> bool:
        if self.operation not in (None, operation) or (self.count is not None and self.fired >= self.count):
            return False
        if (self.start and now < self.start) or (self.end and now >= self.end):
            return False
        if self.contact_id is not None and self.contact_id not in (
            params.get("ContactId"),
            params.get("InitialContactId"),
        ):
            return False
        return self.kind not in ("expire_token", "repeat_page") or "NextToken" in params


class Faults:
    """Asked once for each call; the first fault that applies is the one."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, kind: Kind, operation: str | None = None, **details: Any) -> Fault:
        """The rest are ``Fault``'s fields. ``ValueError`` for a kind that there is not."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind!r}; there are {', '.join(KINDS)}")
        fault = Fault(kind=kind, operation=operation, **details)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def next(self, operation: str, params: Mapping[str, Any], now: datetime) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.concerns(operation, params, now) and self._strikes(fault):
                    return fault
        return None

    def _strikes(self, fault: Fault) -> bool:
        if fault.probability < 1.0 and self._chance.random() >= fault.probability:
            return False
        if fault.skip > 0:
            fault.skip -= 1
            return False
        fault.fired += 1
        return True
