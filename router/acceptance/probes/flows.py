"""Transfers a task with flows of other types, and with flows that are archived or not published. Needs ``--setup``."""

from __future__ import annotations

from datetime import timedelta

from router.acceptance.lab import Lab, queue_of, refusal
from router.acceptance.probe import SeenValue, Unsettled, probe
from router.acceptance.probes.searches import waiting_task
from router.acceptance.probes.transfers import one_transfer
from router.acceptance.setup import TO_WORKING_QUEUE, make_flow
from router.connect.plain_calls import PlainAnswer

LANDS_WITHIN = timedelta(seconds=30)


def _own_flow(lab: Lab, name: str, type: str, *, status: str = "PUBLISHED") -> str:
    if not lab.resources.own:
        raise Unsettled("needs a flow of its own: --setup lets the run make it")
    return make_flow(lab, name, type, TO_WORKING_QUEUE, status=status)


@probe("archived_flow", "What becomes of a transfer with an archived flow?")
def archived_flow(lab: Lab) -> SeenValue:
    flow_id = _own_flow(lab, "archived", "QUEUE_TRANSFER")
    lab.need("UpdateContactFlowMetadata", ContactFlowId=flow_id, ContactFlowState="ARCHIVED")
    return _outcome(lab, lab.transfer(_task_in_a(lab), ContactFlowId=flow_id))


@probe("saved_flow", "What becomes of a transfer with a flow that is not published?")
def saved_flow(lab: Lab) -> SeenValue:
    flow_id = _own_flow(lab, "saved", "QUEUE_TRANSFER", status="SAVED")
    return _outcome(lab, lab.transfer(_task_in_a(lab), ContactFlowId=flow_id))


def _task_in_a(lab: Lab) -> str:
    """Returns the waiting task of earlier probes, or another one if that has left queue A."""
    waiting = lab.once(waiting_task)
    contact = lab.describe(waiting)
    gone = "DisconnectTimestamp" in contact or queue_of(contact) != lab.resources.queue_a
    return lab.queued_task("flow") if gone else waiting


def _outcome(lab: Lab, answer: PlainAnswer) -> SeenValue:
    if answer.ok:
        return SeenValue(value="runs")
    lab.once(one_transfer)  # ordinary transfers are not refused
    if answer.code == "ResourceNotFoundException":
        return SeenValue(value="not_found")
    if answer.status == 400:
        return SeenValue(value="refused", remark=f"{answer.code}: {answer.message}")
    raise Unsettled(refusal(answer))


@probe("queue_id_reaches", "Of which flows is the QueueId of TransferContact the working queue?")
def queue_id_reaches(lab: Lab) -> SeenValue:
    lab.once(one_transfer)  # lands in queue B by the working queue of the run's own transfer flow
    return SeenValue(value="every_flow" if _lands(lab, "CONTACT_FLOW") else "transfer_flows")


def _lands(lab: Lab, type: str) -> bool:
    """Returns whether a flow with nothing except "Transfer to queue" puts a contact into queue B."""
    flow_id = _own_flow(lab, f"working-{type.lower().replace('_', '-')}", type)
    contact_id = lab.queued_task(f"flow-{type.lower()}")
    answer = lab.transfer(contact_id, ContactFlowId=flow_id)
    if not answer.ok:
        raise Unsettled(refusal(answer))
    segment = answer.body["ContactId"]
    if segment == contact_id and lab.wait_until(lambda: _ended(lab, contact_id), within=timedelta(seconds=3)):
        open_ones = lab.open_of_chain(contact_id)
        if not open_ones:
            return False
        segment = open_ones[0]

    def look() -> bool | None:
        contact = lab.describe(segment)
        if "DisconnectTimestamp" in contact:
            return False
        return True if queue_of(contact) == lab.resources.queue_b else None

    landed = lab.wait_until(look, within=LANDS_WITHIN)
    if landed is None:
        raise Unsettled(f"the task was neither ended nor in queue B within {LANDS_WITHIN.seconds} s")
    return landed


def _ended(lab: Lab, contact_id: str) -> bool | None:
    return True if "DisconnectTimestamp" in lab.describe(contact_id) else None
