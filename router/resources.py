"""Opens the ledger (a SQLite file for one router, or a DynamoDB table for several) and the connection to AWS."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from router.connect.client import Unreachable
from router.connect.connection import Connection
from router.connect.quotas import Rate
from router.ledger.errors import LedgerUnavailable
from router.ledger.sqlite import SqliteLedger
from router.model import Channel
from router.ports import Clock
from router.runtime import SANDBOX_CLOCK, AnnouncedClock, open_clock
from router.settings import Settings

if TYPE_CHECKING:
    from router.ledger.shared.lease import Lease
    from router.ledger.shared.ledger import SharedLedger
    from router.ledger.shared.table import DynamoTable


OBSERVED_FOR = timedelta(days=7)
"""How long what was only observed is remembered, in memory: a contact that waits longer is logged again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Holds a ledger for several routers, and the lease that decides which of them works."""

    ledger: SharedLedger
    lease: Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Holds the ledger of one router, and a ledger in memory of what it only observed.

    ``shared`` is ``None`` if the ledger serves this router alone; a shared one outlives it.
    """

    ledger: SqliteLedger
    observed: SqliteLedger
    shared: Shared | None

    @classmethod
    def open(cls, settings: Settings, clock: Clock, shared: Shared | None) -> Stores:
        """Opens them. Raises ``LedgerInUse``, ``LedgerBroken`` or ``LedgerUnavailable``."""
        ledger = shared.ledger if shared is not None else open_ledger(settings, clock)
        observed = SqliteLedger.in_memory(instance_id=settings.connect.instance_id, keep=OBSERVED_FOR)
        return cls(ledger=ledger, observed=observed, shared=shared)

    @property
    def working(self) -> bool:
        """Returns whether this router has the lease, and therefore writes the records."""
        return self.shared is None or (self.shared.ledger.holding and self.shared.lease.held)

    def prune(self, now: datetime, *, keep: timedelta) -> None:
        """Deletes what is old enough. Raises ``LedgerUnavailable``."""
        self.ledger.prune(now - keep)
        self.observed.prune(now - OBSERVED_FOR)

    def close(self, *, left: Iterable[Thread]) -> None:
        """Closes them. ``left`` are threads that still run; they may not write to a shared ledger any more."""
        if self.shared is None:
            self.ledger.close()
        else:
            self.shared.ledger.bar(left)
        self.observed.close()


def open_ledger(settings: Settings, clock: Clock) -> SqliteLedger:
    """Opens the file for writing. Raises ``LedgerInUse``, ``LedgerBroken`` or ``LedgerUnavailable``."""
    return SqliteLedger.open(
        settings.ledger.path,
        instance_id=settings.connect.instance_id,
        now=clock.now(),
        keep=settings.ledger.keep,
    )


def read_ledger(settings: Settings) -> SqliteLedger:
    """Opens file or table for reading only. Raises ``LedgerBroken`` or ``LedgerUnavailable``, and for a table
    ``Unreachable``."""
    instance_id = settings.connect.instance_id
    if settings.ledger.table is None:
        return SqliteLedger.read(settings.ledger.path, instance_id=instance_id)
    from router.ledger.shared.ledger import SharedLedger

    return SharedLedger.open_shared(
        open_table(settings), instance_id=instance_id, name="", keep=settings.ledger.keep, clock=open_clock().now
    )


def open_shared(settings: Settings, clock: Clock) -> Shared:
    """Opens the table and its lease. Writes nothing, and does not take the lease. Raises as ``read_ledger`` does."""
    from router.ledger.shared.lease import Lease
    from router.ledger.shared.ledger import SharedLedger

    table, instance_id, name = open_table(settings), settings.connect.instance_id, router_name()
    lease = Lease(table, instance_id, name=name, monotonic=clock.monotonic, now=clock.now)
    ledger = SharedLedger.open_shared(
        table,
        instance_id=instance_id,
        name=name,
        keep=settings.ledger.keep,
        clock=clock.now,
        trusted=lambda: lease.held,
    )
    return Shared(ledger=ledger, lease=lease)


def open_table(settings: Settings) -> DynamoTable:
    """Opens the table without a call. Raises ``Unreachable`` if the SDK has no region, credentials or usable
    configuration."""
    from router.connect.client import make_table_client
    from router.ledger.shared.table import DynamoTable

    assert settings.ledger.table is not None, "the caller checks settings.ledger.table first"
    return DynamoTable(make_table_client(region=settings.connect.region), settings.ledger.table)


def table_problem(settings: Settings) -> str | None:
    """Returns in one line why the ledger's table cannot be read; ``None`` if it can, or if there is no table."""
    if settings.ledger.table is None:
        return None
    try:
        open_table(settings).get(settings.connect.instance_id, "head")
    except LedgerUnavailable as problem:
        return str(problem)
    return None


def router_name() -> str:
    """Returns the name by which people find this router: the machine, and the process on it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def open_connection(settings: Settings, clock: Clock, *, pause: Callable[[float], object] | None = None) -> Connection:
    """Opens the connection. ``pause`` passes the time between two attempts at a read; ``None`` means that it sleeps.

    Raises ``Unreachable`` if the SDK has no region, credentials or usable configuration, or if the clock is that of a
    sandbox and calls do not go to one.
    """
    connection = Connection.open(
        instance_id=settings.connect.instance_id,
        region=settings.connect.region,
        account=settings.connect.account,
        channels=[Channel(channel) for channel in settings.poll.channels],
        workers=settings.execute.workers,
        rates={name: Rate(quota.rate, quota.burst) for name, quota in settings.quotas.rates.items()},
        share=settings.quotas.share,
        now=clock.now,
        monotonic=clock.monotonic,
        pause=pause,
    )
    if isinstance(clock, AnnouncedClock) and not _is_of_sandbox(connection.endpoint):
        connection.close()
        to = connection.endpoint
        raise Unreachable(f"{SANDBOX_CLOCK} is set, but calls go to {to}, which is no sandbox: unset the variable")
    return connection


def _is_of_sandbox(endpoint: str) -> bool:
    """Returns whether a sandbox can be there: it listens on the loopback address alone, without TLS."""
    url = urlsplit(endpoint)
    return url.scheme == "http" and url.hostname in ("127.0.0.1", "localhost", "::1")
