"""Checks from time to time that a standby router could work: its credentials, its permissions, names in its rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from router import events
from router.connect.reads import Patience
from router.daemon.router import Router
from router.rules.rule import RuleSet

CHECK_EVERY = timedelta(hours=1)
"""Each check costs one call of each reading operation. The active router needs the account's quotas."""
REFUSED_CHECK_EVERY = timedelta(minutes=5)
"""The same while AWS refuses the credentials, so that the status shows soon that they are renewed."""
ONCE = Patience(attempts=1)

Needed = Callable[[RuleSet], frozenset[str]]
"""Returns the reading operations that rules need."""


@dataclass(kw_only=True)
class StandbyCheck:
    """Runs on a thread of its own, because the supervising thread must not wait for Amazon Connect."""

    app: Router
    needed: Needed
    _due_at: float | None = None

    def start_if_due(self) -> None:
        """Starts a check at the first call, and then one every ``CHECK_EVERY``."""
        now, first = self.app.clock.monotonic(), self._due_at is None
        if self._due_at is not None and now < self._due_at:
            return
        self._due_at = now + CHECK_EVERY.total_seconds()
        self.app.pool.submit(self._run, names=not first)  # the start has just read the names

    def _run(self, *, names: bool) -> None:
        try:
            failure = self.app.names.refresh() if names else None
            if failure is not None and not self.app.stopping.is_set():
                events.log_instance_unreachable(failure, retry_in=CHECK_EVERY.total_seconds())
            wanted = self.needed(self.app.names.ruleset)
            # Each denied call is logged where it is made.
            self.app.connection.instance.denied(wanted, now=self.app.clock.now(), patience=ONCE)
            self._record_credentials()
        except Exception:
            events.log_standby_check_failed()

    def _record_credentials(self) -> None:
        """Has the status show whether AWS accepts the credentials. The log has it where the call is made."""
        safety = self.app.safety
        if not safety.credentials.refused:
            safety.breakers.record_response()
            return
        safety.breakers.stop_calls()
        self._due_at = self.app.clock.monotonic() + REFUSED_CHECK_EVERY.total_seconds()
