"""Holds the lease: an item of the table that the active router renews and the standby routers watch.

The lease only saves work. The log (``SharedLedger``) ensures that nothing is done twice: it accepts only writes of the
router that has taken over, whatever any router believes about the lease.

Clocks of different machines are never compared. A standby router considers the lease given up when it has seen
the same version for ``LASTS`` seconds of its own clock; the holder stops after ``TRUSTED`` seconds without a renewal,
counted from before the renewal was sent. The difference leaves time for the calls under way.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from router.ledger.errors import LedgerBroken
from router.ledger.shared.table import DynamoTable, Item

LEASE = "lease"
LASTS = 15.0
TRUSTED = 10.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """A version of the lease, and since when (monotonic seconds) it is the last."""

    holder: str
    name: str
    version: int
    since: float


class Lease:
    """Holds the lease of one Connect instance, as one router sees it. Thread-safe. Methods that read the table raise
    ``LedgerUnavailable`` if it cannot be read."""

    def __init__(
        self,
        table: DynamoTable,
        instance_id: str,
        *,
        name: str,
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
        lasts: float = LASTS,
        trusted: float = TRUSTED,
    ) -> None:
        self._table = table
        self._instance_id = instance_id
        self._id = secrets.token_hex(8)
        self._name = name
        self._monotonic = monotonic
        self._now = now
        self._lasts = lasts
        self._trusted = trusted
        self._seen: _Seen | None = None
        self._mine: int | None = None
        self._renewed: tuple[float, datetime] | None = None
        self._left = False
        self._lock = Lock()
        self.taken = 0
        """How often this router has taken it: between two renewals of what it had nobody else can have had it."""

    @property
    def held(self) -> bool:
        """Returns whether this router may continue.

        Both clocks are read: the monotonic one does not run while a machine is suspended, the other one may be set.
        """
        renewed = self._renewed
        if self._mine is None or renewed is None:
            return False
        by_clock = abs((self._now() - renewed[1]).total_seconds())
        return max(self._monotonic() - renewed[0], by_clock) < self._trusted

    @property
    def holder(self) -> str | None:
        """Returns the name of the router that has it, as last seen; ``None``: nobody, as far as is known. A router that
        was not seen to renew it for as long as it lasts has lost it."""
        if self.held:
            return self._name
        if self._seen is None or self._mine is not None or self._monotonic() - self._seen.since >= self._lasts:
            return None
        return self._seen.name

    @property
    def version(self) -> int | None:
        """Returns the version last seen of another router, which counts on while that router renews it."""
        return self._seen.version if self._seen is not None else None

    def watch(self) -> None:
        """Reads the holder, and changes nothing."""
        with self._lock:
            self._see(self._table.get(self._instance_id, LEASE))

    def try_to_hold(self) -> bool:
        """Renews it, or takes it if nobody has it or its holder has not renewed it for too long; returns whether
        this router has it now."""
        with self._lock:
            if self._left:
                return False
            began = self._monotonic(), self._now()
            if self._mine is not None and self._replace(self._mine, holder=self._id):
                self._renewed = began
                return True
            taken = self._take()
            if taken:
                self._renewed = began
            return taken

    def release(self, *, for_good: bool = False) -> None:
        """Releases it, so that the next router need not wait for it to run out; ``for_good``: this one does not take it
        again.

        Its version does not matter, because the response to the last renewal may have been lost.
        """
        with self._lock:
            self._left = for_good
            mine, self._mine = self._mine, None
            if mine is not None:
                self._table.delete(self._instance_id, LEASE, expected={"holder": self._id})

    def _take(self) -> bool:
        """Takes the lease, also after a renewal that was refused: its response may have been lost, and the lease be
        this router's."""
        found = self._table.get(self._instance_id, LEASE)
        if found is None:
            self._mine, self._seen = None, None
            if self._table.put_new(self._item(1)):
                self._mine = 1
                self.taken += 1
                return True
            found = self._table.get(self._instance_id, LEASE)
        seen = self._see(found)
        if seen is None:
            return False
        mine = seen.holder == self._id
        if not mine and self._monotonic() - seen.since < self._lasts:
            self._mine = None
            return False
        renewed = mine and self._mine is not None
        done = self._replace(seen.version, holder=seen.holder)
        self.taken += int(done and not renewed)
        return done

    def _replace(self, version: int, *, holder: str) -> bool:
        done = self._table.replace(self._item(version + 1), expected={"holder": holder, "version": version})
        if done:
            self._mine, self._seen = version + 1, None
        return done

    def _see(self, found: Item | None) -> _Seen | None:
        if found is None:
            self._seen = None
            return None
        try:
            holder, version = str(found["holder"]), int(found["version"])
            name = str(found.get("name", holder))
        except (KeyError, ValueError, TypeError) as error:
            url = self._table.url
            raise LedgerBroken(f'{url}: item "{LEASE}" of this instance cannot be read; delete it') from error
        old = self._seen
        if old is None or (old.holder, old.version) != (holder, version):
            self._seen = _Seen(holder, name, version, self._monotonic())
        return self._seen

    def _item(self, version: int) -> Item:
        return {
            "instance": self._instance_id,
            "entry": LEASE,
            "holder": self._id,
            "name": self._name,
            "version": version,
        }
