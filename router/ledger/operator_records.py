"""Records what operators have decided: pauses, flows resumed, refusals to be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from router.ledger.rows import instant_of, micros
from router.ledger.sqlite import SqliteLedger
from router.ledger.statements import FOLLOW_UPS, MEMBERS
from router.model import ContactId, FlowId, Pause, PauseKind

_SET = """INSERT OR REPLACE INTO pauses (instance, kind, subject, name, until, comment, who, set_at)
    VALUES (:instance, :kind, :subject, :name, :until, :comment, :who, :set_at)"""

_CLEAR = "DELETE FROM pauses WHERE instance = :instance AND kind = :kind AND subject = :subject"

_RESUME = "INSERT OR REPLACE INTO resumed_flows (instance, flow_id, resumed_at) VALUES (:instance, :flow_id, :at)"

RETRIED = " retried"
"""Ends the fingerprint of what was refused and may be tried again: no wording of a rule has it, so that no refusal of
it is found."""


@dataclass(frozen=True, slots=True)
class OperatorRecords:
    """Reads and writes operators' decisions. Every method raises ``LedgerUnavailable`` if the ledger cannot do it,
    and then nothing has changed."""

    ledger: SqliteLedger

    def pauses(self) -> tuple[Pause, ...]:
        """Returns all pauses, the oldest first, including those that have ended."""
        rows = self.ledger.rows("SELECT * FROM pauses WHERE instance = :instance ORDER BY set_at, kind, subject", {})
        return tuple(
            Pause(
                kind=PauseKind(row["kind"]),
                subject=row["subject"],
                name=row["name"],
                until=instant_of(row["until"]),
                comment=row["comment"],
                who=row["who"],
                set_at=instant_of(row["set_at"]),
            )
            for row in rows
        )

    def set_pause(self, pause: Pause) -> None:
        """Writes a pause, which replaces the one on the same subject."""
        values = {
            "instance": self.ledger.instance_id,
            "kind": pause.kind.value,
            "subject": pause.subject,
            "name": pause.name,
            "until": micros(pause.until),
            "comment": pause.comment,
            "who": pause.who,
            "set_at": micros(pause.set_at),
        }
        with self.ledger.writing() as connection:
            connection.execute(_SET, values)

    def clear_pause(self, pause: Pause) -> None:
        values = {"instance": self.ledger.instance_id, "kind": pause.kind.value, "subject": pause.subject}
        with self.ledger.writing() as connection:
            connection.execute(_CLEAR, values)

    def resumed_flows(self) -> Mapping[FlowId, datetime]:
        """Returns by flow until when its strays are forgiven."""
        rows = self.ledger.rows("SELECT flow_id, resumed_at FROM resumed_flows WHERE instance = :instance", {})
        return {FlowId(row["flow_id"]): instant_of(row["resumed_at"]) for row in rows}

    def resume_flow(self, flow: FlowId, at: datetime) -> None:
        values = {"instance": self.ledger.instance_id, "flow_id": flow, "at": micros(at)}
        with self.ledger.writing() as connection:
            connection.execute(_RESUME, values)

    def retry(self, *, rule: str | None, contact_id: ContactId | None) -> int:
        """Allows refused moves and updates to be tried again, of a rule, of a contact's chain or of all. Returns the
        number of contacts."""
        filters = ["instance = :instance", f"state = 'refused' AND kind NOT IN ({FOLLOW_UPS})"]
        filters += [f"fingerprint NOT LIKE '%{RETRIED}'"]
        filters += ["rule = :rule"] if rule is not None else []
        filters += [f"chain_id IN ({MEMBERS})"] if contact_id is not None else []
        where = " AND ".join(filters)
        values = {"instance": self.ledger.instance_id, "rule": rule, "contact_id": contact_id}
        with self.ledger.writing() as connection:
            asked = f"SELECT count(DISTINCT contact_id) FROM actions WHERE {where}"
            contacts: int = connection.execute(asked, values).fetchone()[0]
            connection.execute(f"UPDATE actions SET fingerprint = fingerprint || '{RETRIED}' WHERE {where}", values)
        return contacts
