"""Records the broken promises that were logged, so that each is logged once for a wait and rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from router.ledger.outbox import post
from router.ledger.rows import MICROSECOND, Value, micros
from router.ledger.sqlite import SqliteLedger
from router.model import Notice, WaitKey
from router.model.wait_key import SAME_INSTANT

_KNOWN = """SELECT 1 FROM breaches WHERE instance = :instance AND wait_id = :wait_id AND rule = :rule
    AND abs(began_at - :began_at) <= :within"""

_RECORD = """INSERT OR IGNORE INTO breaches (instance, wait_id, began_at, rule, logged_at)
    VALUES (:instance, :wait_id, :began_at, :rule, :logged_at)"""


@dataclass(frozen=True, slots=True)
class BreachRecords:
    """Reads and writes which breaches were logged. Every method raises ``LedgerUnavailable`` if the ledger cannot do
    it."""

    ledger: SqliteLedger

    def is_known(self, wait: WaitKey, rule: str) -> bool:
        """Returns whether the breach of this wait and rule was logged, by this router or another one."""
        began_at, within = micros(wait.began_at), SAME_INSTANT // MICROSECOND
        values: dict[str, Value] = {"wait_id": wait.wait_id, "began_at": began_at, "rule": rule, "within": within}
        return bool(self.ledger.rows(_KNOWN, values))

    def record(self, breaches: Iterable[tuple[WaitKey, str]], now: datetime, *, notices: Iterable[Notice] = ()) -> None:
        """Writes the waits and rules of breaches that were logged, and their notices, all at once."""
        instance, logged_at = self.ledger.instance_id, micros(now)
        with self.ledger.writing() as connection:
            for notice in notices:
                post(connection, instance, notice)
            connection.executemany(
                _RECORD,
                [
                    {
                        "instance": instance,
                        "wait_id": wait.wait_id,
                        "began_at": micros(wait.began_at),
                        "rule": rule,
                        "logged_at": logged_at,
                    }
                    for wait, rule in breaches
                ],
            )
