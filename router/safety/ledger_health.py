"""Knows whether the ledger can be written, and logs once a cycle that it cannot."""

from __future__ import annotations

from threading import Lock
from typing import Any

from router import events
from router.ledger.errors import LedgerUnavailable
from router.ledger.sqlite import SqliteLedger


class LedgerHealth:
    """Holds why the ledger failed last, until a whole cycle passes without a failure. Thread-safe."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self._ledger = ledger
        self._problem: str | None = None
        self._logged = False
        self._lock = Lock()

    @property
    def problem(self) -> str | None:
        """Returns why the ledger could not be read or written; ``None`` if it can."""
        return self._problem

    def begin_cycle(self) -> None:
        """Writes to the ledger, so that a full disk shows before a contact is due. A failure is reported."""
        with self._lock:
            failed, self._logged = self._logged, False
        try:
            self._ledger.prove_writable()
        except LedgerUnavailable as problem:
            self.report(problem)
            return
        if not failed:  # a page that is written again may have room where a new record has none
            self._problem = None

    def report(self, problem: LedgerUnavailable, **fields: Any) -> None:
        """Logs the first failure of a cycle. ``fields`` name the contact concerned, if there is one."""
        with self._lock:
            self._problem = str(problem)
            news, self._logged = not self._logged, True
        if news:
            events.log_ledger_failed(problem, **fields)
