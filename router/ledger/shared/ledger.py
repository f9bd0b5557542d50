"""Shares one ledger between several routers: the queries and promises of one file, the same SQL, and a log in DynamoDB.

Each router has a copy of the ledger in SQLite, and each transaction of it is in the log before it is committed to the
copy. What a transaction must see to keep the promises (no open intent in this chain, no such step yet) it sees in the
copy; and the log takes it only if the copy is up to date. The constraints are therefore SQLite's, for both stores, and
one conditional write decides between routers.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime, timedelta
from threading import Thread, current_thread
from typing import Self
from weakref import WeakSet

from router.ledger.connection import closing_on_error, open_private, require_sqlite, transaction
from router.ledger.errors import LedgerUnavailable
from router.ledger.group_commit import GroupCommit, T
from router.ledger.schema import shipped
from router.ledger.shared import changes as change
from router.ledger.shared.follower import TRIES, LogFollower, new_copy
from router.ledger.shared.log import KEPT, Base, Counted, Overtaken, TransactionLog, Writer, compressed
from router.ledger.shared.table import DynamoTable

SMALLEST_TAIL = 1_000_000
"""Bytes of the log that are worth a new base; with a large base, half of that."""
ENDS_WITHIN = 1.0


class _Barring(GroupCommit):
    """Refuses writes of threads that an earlier turn has left behind, also those that had begun to wait before."""

    def __init__(
        self,
        writing: Callable[[], AbstractContextManager[sqlite3.Connection]],
        barred: Collection[Thread],
        *,
        name: str,
    ) -> None:
        super().__init__(writing)
        self._barred = barred
        self._name = name

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        me = current_thread()

        def if_not_barred(connection: sqlite3.Connection) -> T:
            if me in self._barred:
                raise LedgerUnavailable(f"{self._name}: the turn in which this was begun is over")
            return work(connection)

        return super().write(if_not_barred)


class SharedLedger(LogFollower):
    """Shares the ledger of one Connect instance. Thread-safe.

    ``take_over`` makes this router the one that writes. Before that, and after another router has taken over, every
    write raises ``LedgerUnavailable``, and ``catch_up`` reads what the other router wrote.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        log: TransactionLog,
        *,
        name: str,
        keep: timedelta,
        clock: Callable[[], datetime],
        trusted: Callable[[], bool],
    ) -> None:
        super().__init__(connection, log, keep=keep)
        self._clock = clock
        self._me = Writer(id=secrets.token_hex(8), name=name, term=0)
        self._doubtful = False
        self._barred: WeakSet[Thread] = WeakSet()
        self._together = _Barring(self.writing, self._barred, name=self.name)
        self.trusted = trusted
        self.looks = 0

    @classmethod
    def open_shared(
        cls,
        table: DynamoTable,
        *,
        instance_id: str,
        name: str,
        keep: timedelta,
        clock: Callable[[], datetime],
        trusted: Callable[[], bool] = lambda: True,
    ) -> Self:
        """Reads the whole ledger; if there is none, it is empty, and ``take_over`` makes it.

        ``name`` is this router's, for people. Raises ``LedgerBroken`` if the table is missing or its content cannot be
        read.
        """
        require_sqlite()
        connection = new_copy(shipped()[-1].version)
        with closing_on_error(connection):
            change.watch(connection)
            log = TransactionLog(table, instance_id)
            ledger = cls(connection, log, name=name, keep=keep, clock=clock, trusted=trusted)
            ledger.catch_up()
        return ledger

    @property
    def holding(self) -> bool:
        """Returns whether this router wrote last, and may write."""
        return self._last is not None and self._last == self._me and self._me.term > 0

    @property
    def writer(self) -> str | None:
        """Returns the name of the router whose turn it is, or was last; ``None``: nobody ever wrote."""
        return self._last.name if self._last is not None else None

    @property
    def term(self) -> int:
        """Returns how often a router has taken over, all routers counted."""
        return self._last.term if self._last is not None else 0

    def bar(self, threads: Iterable[Thread]) -> None:
        """Refuses later writes of these threads, which an earlier turn has left behind.

        What they wrote is in the ledger already, or never will be. What they know of an intent may be outdated by the
        next turn. A write of this moment is read by the next turn, which waits for it.
        """
        self._barred.update(threads)

    def take_over(self) -> None:
        """Makes this router the one that writes; a write that another one still tries is refused from now on."""
        now = self._clock()
        self.created = self._log.make(now) or self.created
        self.began_at = self.began_at or now  # there is a head from here on: a reading without one is none
        for _ in range(TRIES):
            self.catch_up()
            mine = Writer(id=self._me.id, name=self._me.name, term=self.term + 1)
            try:
                with self._alone():
                    if self._stale:
                        continue  # another thread has read on since
                    self._tail += self._log.append(self._number + 1, mine, (), schema=self._schema, now=self._clock())
                    self._number += 1
                    self._me = self._last = mine
                    self._leave_older()
            except Overtaken:
                continue
            self._recent.forget()
            return
        raise LedgerUnavailable(f"{self.name}: other routers write faster than this one can take over")

    def look(self) -> None:
        """Reads on if another router may have written or the fate of a write is not known.

        A router that was stopped believes that it is the one that writes, until it reads that another has taken over.
        """
        self._dispel_doubt()
        if not self.holding or not self.trusted():
            self.catch_up()
        self.looks += 1

    @property
    def _sole_writer(self) -> bool:
        return self.holding

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Opens a transaction that is in the log before it is in the copy.

        One whose fate is not known counts as not made, and is looked for before the next. A router without the lease
        reads on first: it may have slept for days, and numbers that were taken then may be free again.
        """
        self._dispel_doubt()
        if not self.trusted():
            self.catch_up()
        self._require_turn()
        with self._alone() as connection:
            try:
                with transaction(connection):
                    yield connection
                    size = self._append(connection)
            except Overtaken:
                self._doubtful = True
                raise LedgerUnavailable(f"{self.name}: another write came first; try again") from None
            if size is not None:
                self._number += 1
                self._tail += size

    def prune(self, before: datetime) -> int:
        """Removes old chains like any ledger, if this router writes. The log is shortened if it has grown long."""
        if not self.holding:
            return 0
        count = super().prune(before)
        if self._tail > max(SMALLEST_TAIL, self._base.size // 2):
            self.shorten()
        return count

    def shorten(self) -> None:
        """Writes a new base, and removes entries that are neither needed nor recent. Never an older one than there is:
        a router that does not know yet that its turn is over may have an old copy, and what follows it may be gone."""
        head = self._log.head()
        if head is None or head.base.number >= self._number:
            return
        # Of a copy, which is made in no time: nobody waits while it is written down.
        with closing(open_private()) as still:
            with self._alone() as connection:
                connection.backup(still)
                number, writer = self._number, self._last
            rows = change.everything(still, self.instance_id)
            counted = Counted(json.dumps(row, separators=(",", ":")) for row in rows)
            pieces, newest_id = compressed(counted), change.newest_id(still)
        new = Base(number=number, size=counted.size, newest_id=newest_id, schema=self._schema, writer=writer)
        if self._log.replace_base(head, pieces, new):
            self._base, self._tail = new, 0
        self._log.forget(head.base.number, before=self._clock() - KEPT)

    def require_turn(self) -> None:
        self._require_turn()
        if not self.trusted():
            why = "the lease was not renewed in time; another router may have taken over"
            raise LedgerUnavailable(f"{self.name}: {why}")

    def close(self) -> None:
        """Waits for a write of which the answer does not come no longer than ``ENDS_WITHIN`` seconds."""
        if self._one_at_a_time.acquire(timeout=ENDS_WITHIN):
            self._one_at_a_time.release()
            super().close()

    def _dispel_doubt(self) -> None:
        if not self._doubtful:
            return
        self._doubtful = False
        try:
            self.catch_up()
        except LedgerUnavailable:
            self._doubtful = True
            raise

    def _append(self, connection: sqlite3.Connection) -> int | None:
        """Appends the transaction's changes and returns the entry's size, ``None`` if nothing was changed."""
        found = change.changed(connection, self.instance_id)
        if not found:
            return None
        try:
            return self._log.append(self._number + 1, self._me, found, schema=self._schema, now=self._clock())
        except LedgerUnavailable:
            self._doubtful = True
            raise

    def _require_turn(self) -> None:
        if self.holding:
            return
        if self._me.term > 0:
            raise LedgerUnavailable(f"{self.name}: {self.writer} has taken over; this is a standby router")
        last = f"; {self.writer} does, or did last: use that one" if self.writer is not None else ""
        raise LedgerUnavailable(f"{self.name}: this router only observes{last}")
