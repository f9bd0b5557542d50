"""One moment of the simulated instance, held while something looks at it or changes it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from router.sandbox.behaviours import Behaviours
from router.sandbox.contact_log import ContactLog
from router.sandbox.directory import Register
from router.sandbox.distribution import Distribution
from router.sandbox.faults import Faults
from router.sandbox.identity import Identity
from router.sandbox.lifecycle import Lifecycle
from router.sandbox.state import Agenda, State
from router.sandbox.transfer import Transfers


class Present:
    """Every look first lets happen all that was due until now, by the clock. Safe to use from several threads."""

    def __init__(
        self, identity: Identity, *, clock: Callable[[], datetime], behaviours: Behaviours, seed: int = 1
    ) -> None:
        start = clock().astimezone(UTC)
        self.identity = identity
        self.behaviours = behaviours
        self.lock = threading.RLock()
        self.random = random.Random(seed)
        self._clock = clock
        self.state = State(
            identity=identity,
            behaviours=behaviours,
            random=self.random,
            agenda=Agenda(start),
            contacts=ContactLog(lag=max(behaviours.index_lag + behaviours.old_segment_lag, behaviours.metrics_lag)),
            register=Register(identity, behaviours),
        )
        self.started_at = self.state.now
        self.routing = Distribution(self.state)
        self.lifecycle = Lifecycle(self.state, self.routing)
        self._transfers = Transfers(self.state, self.routing, self.lifecycle)
        self.started_tasks: dict[str, str] = {}
        self.faults = Faults(random.Random(seed + 1))

    @property
    def now(self) -> datetime:
        """The instant up to which everything has happened."""
        with self.present():
            return self.state.now

    @contextmanager
    def present(self) -> Iterator[State]:
        """The state as of now, held until the block ends."""
        with self.lock:
            self.state.agenda.advance(self._clock().astimezone(UTC))
            yield self.state

    def advance(self) -> None:
        """Lets happen what is due; every other method does so too."""
        with self.present():
            return

    def at(self, instant: datetime, act: Callable[[], object]) -> None:
        """Does ``act`` when that instant comes, in order with everything else."""
        with self.present() as state:
            state.agenda.at(instant, act)
