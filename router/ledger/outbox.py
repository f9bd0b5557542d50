"""Records notices until they are sent, and afterwards, so that none is sent again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from router.ledger.rows import instant_of, micros
from router.model import Notice

if TYPE_CHECKING:
    from router.ledger.sqlite import SqliteLedger

AGAIN_AFTER = timedelta(hours=1)
"""How long after it was settled a notice that repeats may be sent again."""

_POST = """INSERT INTO notices (instance, key, state, at, event, level, rule, queue, subject, body, repeats)
    VALUES (:instance, :key, 'waiting', :at, :event, :level, :rule, :queue, :subject, :body, :repeats)
    ON CONFLICT (instance, key) DO UPDATE SET
        state = 'waiting', settled_at = NULL, at = excluded.at, subject = excluded.subject, body = excluded.body
    WHERE excluded.repeats AND settled_at < :again_before"""

_WAITING = """SELECT * FROM notices WHERE instance = :instance AND state = 'waiting'
    ORDER BY level <> 'error', at, key"""

_SETTLE = """UPDATE notices SET state = :state, settled_at = :at, body = '', subject = ''
    WHERE instance = :instance AND key = :key AND state = 'waiting'"""

_SENT = """SELECT settled_at FROM notices WHERE instance = :instance AND state = 'sent' AND settled_at > :since
    ORDER BY settled_at"""

_PRUNE = "DELETE FROM notices WHERE instance = :instance AND state <> 'waiting' AND settled_at < :before"


def post(connection: sqlite3.Connection, instance_id: str, notice: Notice) -> None:
    """Writes a notice that is to be sent, unless one with its key waits or was sent. Belongs to a transaction."""
    values = {**asdict(notice), "instance": instance_id, "at": micros(notice.at)}
    connection.execute(_POST, {**values, "again_before": micros(notice.at - AGAIN_AFTER)})


@dataclass(frozen=True, slots=True)
class Outbox:
    """Reads and writes the notices of a ledger. Every method raises ``LedgerUnavailable`` if the ledger fails, and then
    nothing has changed."""

    ledger: SqliteLedger

    def add(self, notices: Iterable[Notice]) -> None:
        """Writes notices in one transaction; one that is known already stays as it is."""

        def write(connection: sqlite3.Connection) -> None:
            for notice in notices:
                post(connection, self.ledger.instance_id, notice)

        self.ledger.commit(write)

    def waiting(self) -> tuple[Notice, ...]:
        """Returns the notices that are to be sent: errors first, then the oldest first."""
        return tuple(
            Notice(
                **{name: row[name] for name in ("key", "event", "level", "subject", "body", "rule", "queue")},
                at=instant_of(row["at"]),
                repeats=bool(row["repeats"]),
            )
            for row in self.ledger.rows(_WAITING, {})
        )

    def settle(self, states: Mapping[str, str], at: datetime) -> None:
        """Writes the new state of each key, in one transaction: ``sent``, ``counted`` or ``refused``."""

        def write(connection: sqlite3.Connection) -> None:
            for key, state in states.items():
                values = {"instance": self.ledger.instance_id, "key": key, "state": state, "at": micros(at)}
                connection.execute(_SETTLE, values)

        self.ledger.commit(write)

    def sent_since(self, instant: datetime) -> tuple[datetime, ...]:
        """Returns when notices were sent after the instant, the oldest first."""
        return tuple(instant_of(row["settled_at"]) for row in self.ledger.rows(_SENT, {"since": micros(instant)}))

    def prune(self, before: datetime) -> None:
        """Deletes the notices that were settled before the instant."""
        values = {"instance": self.ledger.instance_id, "before": micros(before)}
        self.ledger.commit(lambda connection: connection.execute(_PRUNE, values))
