"""Whether an operator has paused what would be done to a contact."""

from __future__ import annotations

from router.decide.wait import Wait
from router.model import Pause


def pause_of(wait: Wait, rule: str) -> Pause | None:
    """By its queue, by any id that it is known by, by the rule, or with everything; ``None`` where it is not."""
    paused = wait.look.paused
    if not paused.all:
        return None
    ids = (wait.contact.id, wait.case.chain_id, wait.case.key.case_id)
    return paused.concerning(rule=rule, queue_id=wait.queue_id, contact_ids=ids)
