"""Pauses and resumes tasks and e-mails, and transfers contacts that are paused or scheduled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from router.acceptance.lab import Lab, enqueued_at, queue_of, refusal
from router.acceptance.probe import SeenValue, Unsettled, probe
from router.acceptance.probes.index import cohort
from router.acceptance.probes.measurements import count_in_queue
from router.connect.plain_calls import PlainAnswer

SETTLES_WITHIN = timedelta(seconds=15)
COUNTS_WITHIN = timedelta(minutes=5)
SCHEDULED_IN = timedelta(minutes=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """Holds a task before, during and after its pause."""

    before: Mapping[str, Any]
    during: Mapping[str, Any]
    after: Mapping[str, Any]
    contact_id: str
    counted: bool | None
    """Whether the metrics count the task again; ``None``: they could not be read."""


def one_pause(lab: Lab) -> Paused:
    contact_id = lab.queued_task("paused")
    before = lab.describe(contact_id)
    lab.need("PauseContact", ContactId=contact_id)
    lab.sleep(2.0)
    during = lab.describe(contact_id)
    lab.need("ResumeContact", ContactId=contact_id)
    lab.sleep(1.0)
    after = lab.wait_until(lambda: _in_a_queue(lab, contact_id), within=SETTLES_WITHIN) or lab.describe(contact_id)
    counted = _is_counted(lab, contact_id, after) if enqueued_at(after) == enqueued_at(before) else None
    return Paused(contact_id=contact_id, before=before, during=during, after=after, counted=counted)


def _in_a_queue(lab: Lab, contact_id: str) -> Mapping[str, Any] | None:
    contact = lab.describe(contact_id)
    return contact if queue_of(contact) is not None else None


def _is_counted(lab: Lab, contact_id: str, contact: Mapping[str, Any]) -> bool | None:
    """Returns whether metrics that are newer than the resume count the task, in addition to the others in its queue."""
    queue_id = lab.resources.queue_a
    resumed: datetime = contact.get("LastResumedTimestamp") or lab.clock.now()

    def look() -> float | None:
        count, at = count_in_queue(lab, queue_id)
        return count if at is not None and at > resumed else None

    try:
        others = [lab.describe(each) for each in lab.known if each != contact_id]
        count = lab.wait_until(look, within=COUNTS_WITHIN)
    except Unsettled:
        return None
    waiting = sum(queue_of(each) == queue_id and "DisconnectTimestamp" not in each for each in others)
    return None if count is None else count > waiting


@probe("paused_looks_queued", "Does a paused task retain its QueueInfo?")
def paused_looks_queued(lab: Lab) -> SeenValue:
    return SeenValue(value=queue_of(lab.once(one_pause).during) is not None)


@probe("resume", "Is a resumed task in its queue, and with which EnqueueTimestamp?")
def resume(lab: Lab) -> SeenValue:
    paused = lab.once(one_pause)
    before, after = enqueued_at(paused.before), enqueued_at(paused.after)
    if after is None:
        return SeenValue(value="stays_out")
    if before is None or after > before:
        return SeenValue(value="renews_time")
    if paused.counted is None:
        raise Unsettled("the task looks queued as before, and no metric shows whether it is")
    return SeenValue(value="keeps_time" if paused.counted else "stays_out")


@probe("paused_transfer", "Can a paused task be transferred?")
def paused_transfer(lab: Lab) -> SeenValue:
    contact_id = lab.once(one_pause).contact_id
    lab.need("PauseContact", ContactId=contact_id)
    lab.sleep(2.0)
    return transferable(lab, lab.transfer(contact_id))


@probe("scheduled_transfer", "Can a scheduled task be transferred before its time?")
def scheduled_transfer(lab: Lab) -> SeenValue:
    contact_id = lab.start_task("scheduled", ScheduledTime=lab.clock.now() + SCHEDULED_IN)
    answer = lab.transfer(contact_id)
    lab.stop(contact_id)
    return transferable(lab, answer)


def transferable(lab: Lab, answer: PlainAnswer) -> SeenValue:
    """Returns whether Connect accepted a transfer. Raises ``Unsettled`` if it refuses ordinary ones too."""
    seen = allowed(answer)
    if seen.value == "refused":
        lab.once(cohort)  # transfers tasks that are neither paused nor scheduled
    return seen


def allowed(answer: PlainAnswer) -> SeenValue:
    """Returns whether Connect accepted a call. Raises ``Unsettled`` for a refusal of another kind."""
    if answer.ok:
        return SeenValue(value="allowed")
    if answer.status == 400:
        return SeenValue(value="refused", remark=f"{answer.code}: {answer.message}")
    raise Unsettled(refusal(answer))
