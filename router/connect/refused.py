"""A part of a request that Connect does not take, left out for a while."""

from __future__ import annotations

from collections.abc import Callable

AGAIN_AFTER_S = 3600.0
"""What is refused for good costs one call more an hour; what was refused by mistake comes back."""


class RefusedLately:
    """True from ``note`` on, for ``again_after`` seconds of the monotonic clock."""

    def __init__(self, monotonic: Callable[[], float], *, again_after: float = AGAIN_AFTER_S) -> None:
        self._monotonic = monotonic
        self._again_after = again_after
        self._until: float | None = None

    def __bool__(self) -> bool:
        return self._until is not None and self._monotonic() < self._until

    def note(self) -> None:
        self._until = self._monotonic() + self._again_after

    def forget(self) -> None:
        self._until = None
