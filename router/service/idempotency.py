"""The ClientToken of a transfer."""

from __future__ import annotations

import hashlib

from router.decide.decision import Transfer


def client_token(decision: Transfer, instance_id: str) -> str:
    """The same text for the same move, whoever computes it and when: contact, wait, step, destination and attempt
    series make it. A timestamp or a random part would defeat what the token is for.

    TransferContact takes up to 500 characters (botocore service model); how long Connect remembers a token is not
    documented, so the token is the second line of defence and reading the contact again the first.
    """
    target = decision.target
    parts = (
        instance_id,
        decision.contact.id,
        decision.contact.enqueued_at.isoformat() if decision.contact.enqueued_at else "",
        decision.rule,
        f"{decision.at.total_seconds():.0f}",
        target.queue_id or "",
        target.agent_id or "",
        target.flow_id,
        str(decision.series),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
