"""Holds the recent moves as they were read: each look reads only what was written since."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Lock

from router.ledger.rows import micros
from router.ledger.statements import MOVES_CHANGED, MOVES_SINCE
from router.model import Action

Read = Callable[[str, dict[str, int | str]], Iterable[Action]]
"""Runs a statement with its values."""


class RecentMoves:
    """Holds the recent moves of a ledger that nobody else writes. Thread-safe.

    ``changed`` is called for each action that was written again, ``forget`` after actions were removed.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._since: datetime | None = None
        self._moves: dict[int, Action] = {}
        self._newest = 0
        self._changed: set[int] = set()
        self._lock = Lock()

    def changed(self, action: Action) -> None:
        self._changed.add(action.id)

    def forget(self) -> None:
        with self._lock:
            self._since = None

    def since(self, instant: datetime) -> tuple[Action, ...]:
        """Returns transfers that acted or are open, decided at or after the instant, oldest first."""
        with self._lock:
            if self._since is None or instant < self._since:
                self._moves = {move.id: move for move in self._read(MOVES_SINCE, {"since": micros(instant)})}
            else:
                self._renew()
                self._moves = {one: move for one, move in self._moves.items() if move.decided_at >= instant}
            self._since = instant
            self._newest = max((*self._moves, self._newest))
            return tuple(self._moves[one] for one in sorted(self._moves))

    def _renew(self) -> None:
        changed = set(self._changed)
        self._changed -= changed
        for one in changed:
            self._moves.pop(one, None)
        values: dict[str, int | str] = {"newest": self._newest, "changed": json.dumps(sorted(changed))}
        self._moves.update((move.id, move) for move in self._read(MOVES_CHANGED, values))
