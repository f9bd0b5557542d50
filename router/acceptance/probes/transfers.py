"""Transfers one task, and compares the contact before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from router.acceptance.lab import PREFIX, Lab, enqueued_at, refusal
from router.acceptance.probe import SeenValue, Unsettled, probe

NO_SEGMENT = "a transfer makes no new segment here"
PRIORITY = 2
SHOWS_WITHIN = timedelta(minutes=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferredTask:
    """Holds a task that was transferred: before, right after the answer, and in its new queue."""

    contact_id: str
    answered: str
    successor: str
    token: str
    before: Mapping[str, Any]
    at_once: Mapping[str, Any]
    after: Mapping[str, Any]
    unprioritized: str | None
    """Why the task did not have the test priority before its transfer, if it did not."""

    @property
    def kept(self) -> bool:
        return self.successor == self.contact_id


def one_transfer(lab: Lab) -> TransferredTask:
    contact_id = lab.queued_task("moved")
    update = lab.call("UpdateContactRoutingData", ContactId=contact_id, QueuePriority=PRIORITY)
    unprioritized = None if update.ok else refusal(update)
    if update.ok and not lab.wait_until(lambda: _has_priority(lab, contact_id), within=SHOWS_WITHIN):
        unprioritized = "a new priority did not show"
    before, token = lab.describe(contact_id), lab.name("token")
    answer = lab.transfer(contact_id, token=token)
    if not answer.ok:
        raise Unsettled(refusal(answer))
    answered = str(answer.body["ContactId"])
    at_once = lab.describe(answered)
    successor = lab.successor(contact_id, answered)
    return TransferredTask(
        contact_id=contact_id,
        answered=answered,
        successor=successor,
        token=token,
        before=before,
        at_once=at_once,
        after=lab.await_queue(successor, lab.resources.queue_b),
        unprioritized=unprioritized,
    )


def _has_priority(lab: Lab, contact_id: str) -> bool | None:
    return True if lab.describe(contact_id).get("QueuePriority") == PRIORITY else None


def new_segment(lab: Lab) -> TransferredTask:
    """Returns the transfer. Raises ``Unsettled`` if it made no new segment."""
    moved = lab.once(one_transfer)
    if moved.kept:
        raise Unsettled(NO_SEGMENT)
    return moved


@probe("transfer", "Does TransferContact end the contact and start another one?")
def transfer(lab: Lab) -> SeenValue:
    return SeenValue(value="same_contact" if lab.once(one_transfer).kept else "new_segment")


@probe("answer_id", "Which contact's id does TransferContact return?")
def answer_id(lab: Lab) -> SeenValue:
    moved = new_segment(lab)
    return SeenValue(value="old" if moved.answered == moved.contact_id else "new")


@probe("queue_info", "Is QueueInfo.Id an id or an ARN?")
def queue_info(lab: Lab) -> SeenValue:
    return SeenValue(value="arn" if lab.once(one_transfer).before["QueueInfo"]["Id"].startswith("arn:") else "id")


@probe("new_segment_initial_id", "Does the new segment name the chain's first contact?")
def new_segment_initial_id(lab: Lab) -> SeenValue:
    moved = new_segment(lab)
    return _link(moved, "InitialContactId")


@probe("new_segment_previous_id", "Does the new segment name the contact that was transferred?")
def new_segment_previous_id(lab: Lab) -> SeenValue:
    return _link(new_segment(lab), "PreviousContactId")


def _link(moved: TransferredTask, member: str) -> SeenValue:
    found = moved.after.get(member)
    if found == moved.contact_id:
        return SeenValue(value="kept")
    if found in (None, moved.successor):
        return SeenValue(value="lost")
    raise Unsettled(f"{member} names another contact than the one that was transferred")


@probe("new_segment_attributes", "Does the new segment have the attributes?")
def new_segment_attributes(lab: Lab) -> SeenValue:
    return _content(new_segment(lab), "Attributes", f"{PREFIX}run", lab.run_id)


@probe("new_segment_tags", "Does the new segment have the tags?")
def new_segment_tags(lab: Lab) -> SeenValue:
    [(key, value)] = lab.tags.items()
    if lab.untagged is not None:
        raise Unsettled(lab.untagged)
    return _content(new_segment(lab), "Tags", key, value)


def _content(moved: TransferredTask, member: str, key: str, value: str) -> SeenValue:
    if (moved.before.get(member) or {}).get(key) != value:
        raise Unsettled(f"the task did not show its {member.lower()} before the transfer")
    found = (moved.after.get(member) or {}).get(key)
    return SeenValue(value="kept" if found == value else "lost")


@probe("transfer_initiation_method", "What is the InitiationMethod of the new segment?")
def transfer_initiation_method(lab: Lab) -> SeenValue:
    return SeenValue(value=new_segment(lab).after.get("InitiationMethod"))


@probe("flow_start_delay", "How long after the call is a contact in the queue of its flow?")
def flow_start_delay(lab: Lab) -> SeenValue:
    moved = lab.once(one_transfer)
    contact = moved.before if moved.kept else moved.after
    queued = enqueued_at(contact)
    if queued is None:
        raise Unsettled("the contact shows no EnqueueTimestamp")
    seconds = max((queued - contact["InitiationTimestamp"]).total_seconds(), 0.0)
    synchronous = enqueued_at(moved.at_once) is not None and "DisconnectTimestamp" not in moved.at_once
    remark = "in the queue when the call returned" if synchronous and not moved.kept else "by Connect's own timestamps"
    return SeenValue(value=timedelta(seconds=round(seconds)), remark=remark, figures={"seconds": round(seconds, 3)})
