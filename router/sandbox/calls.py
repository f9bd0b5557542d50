"""Records the calls that a sandbox served, and runs what tests hook in before and after them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Hook = Callable[[Mapping[str, Any]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Records a call and its response. ``status`` 0: the caller got no response. ``fault``: the injected fault."""

    at: datetime
    operation: str
    params: Mapping[str, Any]
    status: int
    request_id: str
    code: str | None = None
    fault: str | None = None


class Hooks:
    """Holds what runs at each call of an operation. Thread-safe."""

    def __init__(self) -> None:
        self._hooks: list[tuple[str, Hook]] = []
        self._lock = threading.Lock()

    def add(self, operation: str, act: Hook) -> Callable[[], None]:
        """Adds ``act``; the returned function removes it again."""
        entry = (operation, act)
        with self._lock:
            self._hooks.append(entry)

        def remove() -> None:
            with self._lock:
                if entry in self._hooks:
                    self._hooks.remove(entry)

        return remove

    def run(self, operation: str, params: Mapping[str, Any]) -> None:
        with self._lock:
            acts = [act for wanted, act in self._hooks if wanted == operation]
        for act in acts:
            act(params)
