"""Advances the simulated instance to the present, and locks it there while it is read or changed."""

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
    """Holds the state of the instance. Every access first lets everything happen that is due by the clock.

    It is safe to use from several threads."""

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
        """Returns the instant up to which everything has happened."""
        with self.present():
            return self.state.now

    @contextmanager
    def present(self) -> Iterator[State]:
        """Locks the state as of now until the block ends."""
        with self.lock:
            self.state.agenda.advance(self._clock().astimezone(UTC))
            yield self.state

    def advance(self) -> None:
        """Lets everything happen that is due. Every other method does this too."""
        with self.present():
            return

    def at(self, instant: datetime, act: Callable[[], object]) -> None:
        """Runs ``act`` at that instant, in order with everything else."""
        with self.present() as state:
            state.agenda.at(instant, act)
