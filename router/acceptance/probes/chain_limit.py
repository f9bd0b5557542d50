"""Transfers one task twelve times."""

from __future__ import annotations

from router.acceptance.lab import Lab, refusal
from router.acceptance.probe import SeenValue, Unsettled, probe

DOCUMENTED = 11
"""Transfers of a task (admin guide, "feature-limits")."""


@probe("twelfth_contact", "What is the error of the twelfth transfer of a task?")
def twelfth_contact(lab: Lab) -> SeenValue:
    contact_id = lab.queued_task("chain")
    for number in range(1, DOCUMENTED + 1):
        answer = lab.transfer(contact_id)
        if not answer.ok:
            raise Unsettled(f"transfer {number}: {refusal(answer)}")
        contact_id = lab.successor(contact_id, answer.body["ContactId"])
        lab.await_queue(contact_id, lab.resources.queue_b)
    answer = lab.transfer(contact_id)
    if answer.ok or answer.status not in (400, 402):
        raise Unsettled("it was accepted" if answer.ok else refusal(answer))
    return SeenValue(value=str(answer.status), remark=f"{answer.code}: {answer.message}")
