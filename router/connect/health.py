"""Logs when a reading operation stops answering and when it works again, not at each call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import structlog

from router.connect.answers import NOT_SENT, Denied, Failure, Rejected, Skewed, Throttled, Unauthenticated, Unknown

log = structlog.get_logger()

ABOUT_ONE_CONTACT = frozenset({"DescribeContact", "ListAssociatedContacts"})
"""A refusal is about the contact, and one contact that cannot be read is no failing operation."""
IN_A_ROW = 3
"""Contacts in a row that could not be read, from which on it is the operation."""
LOGGED_ELSEWHERE = frozenset({"SearchContacts"})
"""Operations whose failure makes a cycle degraded; the cycle logs that with its consequences."""


@dataclass(slots=True)
class _Failing:
    """Counts failures in a row. ``code`` is the last logged one; ``None`` while too few have failed for a line."""

    since: float
    in_a_row: int = 0
    code: str | None = None


class OperationHealth:
    """By operation, and by what it is about where one may fail and another not. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failing: dict[tuple[str, str], _Failing] = {}
        self._lock = Lock()

    def record_answer(self, operation: str, answer: object, *, about: str = "") -> None:
        """Records the answer of a whole logical read, repeats included. Everything except a failure is a success."""
        if isinstance(answer, Throttled) and answer.code == NOT_SENT:
            return  # no call was made
        if isinstance(answer, Rejected) and operation in ABOUT_ONE_CONTACT:
            return
        if isinstance(answer, Throttled | Unknown | Rejected | Denied | Unauthenticated | Skewed):
            self._failed(operation, answer, about)
        else:
            self._answered(operation, about)

    def _failed(self, operation: str, failure: Failure, about: str) -> None:
        with self._lock:
            state = self._failing.setdefault((operation, about), _Failing(since=self._monotonic()))
            state.in_a_row += 1
            enough = state.in_a_row >= (IN_A_ROW if operation in ABOUT_ONE_CONTACT else 1)
            if not enough or state.code == failure.code:
                return
            state.code = failure.code
        # A permission or credentials that are missing have a line of their own, with what they stop.
        if operation not in LOGGED_ELSEWHERE and not isinstance(failure, Denied | Unauthenticated):
            message = "" if isinstance(failure, Throttled) else failure.message
            log.warning("api.failing", operation=operation, error=failure.code, message=message, **_about(about))

    def _answered(self, operation: str, about: str) -> None:
        with self._lock:
            state = self._failing.pop((operation, about), None)
        if state is not None and state.code is not None:
            after = round(self._monotonic() - state.since, 3)
            log.info("api.recovered", operation=operation, after_s=after, **_about(about))


def _about(about: str) -> dict[str, str]:
    return {"about": about} if about else {}
