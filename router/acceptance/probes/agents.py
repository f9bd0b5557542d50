"""Sends tasks to a test agent, and links tasks."""

from __future__ import annotations

from datetime import timedelta

from router.acceptance.lab import Lab, refusal
from router.acceptance.probe import SeenValue, Unsettled, probe
from router.acceptance.probes.transfers import one_transfer, queue_info
from router.acceptance.setup import TO_WORKING_QUEUE, make_flow
from router.model import bare_id

OFFERED_WITHIN = timedelta(seconds=30)
NEEDS_A_PERSON = "needs an agent who {}: no call of the API does this"


@probe("linked_tasks", "Does a task that continues another one share its InitialContactId?")
def linked_tasks(lab: Lab) -> SeenValue:
    previous = lab.once(one_transfer)
    first = previous.before.get("InitialContactId") or previous.contact_id
    contact = lab.describe(lab.start_task("linked", PreviousContactId=previous.contact_id))
    initial = contact.get("InitialContactId")
    if initial == first:
        return SeenValue(value="share_initial_id")
    if initial in (None, contact["Id"]):
        return SeenValue(value="own_initial_id")
    raise Unsettled("InitialContactId names a third contact")


@probe("agent_queue_id", "What is QueueInfo.Id of an agent's own queue?")
def agent_queue_id(lab: Lab) -> SeenValue:
    agent = lab.agent_id()
    if not lab.resources.own:
        raise Unsettled("needs a flow to agents: --setup lets the run make it")
    flow_id = make_flow(lab, "to-agent", "AGENT_TRANSFER", TO_WORKING_QUEUE)
    contact_id = lab.queued_task("to-agent")
    answer = lab.transfer(contact_id, ContactFlowId=flow_id, UserId=agent)
    if not answer.ok:
        raise Unsettled(refusal(answer))
    segment = lab.successor(contact_id, answer.body["ContactId"])

    def look() -> str | None:
        reference = (lab.describe(segment).get("QueueInfo") or {}).get("Id")
        return reference if reference and bare_id(reference) != lab.resources.queue_a else None

    reference = lab.wait_until(look, within=OFFERED_WITHIN)
    if reference is None:
        raise Unsettled("the task did not get into the queue of the agent")
    if reference.rpartition("/")[2] != agent:
        return SeenValue(value="own_id")
    if not reference.startswith("arn:"):
        return SeenValue(value="user_id")
    seen = queue_info(lab)
    if isinstance(seen, SeenValue) and seen.value == "arn":
        raise Unsettled("QueueInfo.Id is an ARN for every queue: two values look the same")
    return SeenValue(value="arn")


@probe("associated_segment", "Does AssociateContactWithUser keep the contact?")
def associated_segment(lab: Lab) -> SeenValue:
    agent = lab.agent_id()
    contact_id = lab.queued_task("associated")
    answer = lab.call("AssociateContactWithUser", ContactId=contact_id, UserId=agent)
    if not answer.ok:
        raise Unsettled(refusal(answer))

    def look() -> str | None:
        contact = lab.describe(contact_id)
        if "DisconnectTimestamp" in contact:
            return "new_segment"
        return "same_contact" if contact.get("AgentInfo") else None

    value = lab.wait_until(look, within=OFFERED_WITHIN)
    if value is None:
        raise Unsettled("the agent was not connected to the task in time: the agent must be available and accept")
    remark = "a new contact counts as a transfer" if value == "new_segment" else "no contact is added to the chain"
    if value == "new_segment":
        lab.successor(contact_id, contact_id)
    return SeenValue(value=value, remark=remark)


@probe("place_after_decline", "Does a task retain its place if an agent declines it?")
def place_after_decline(lab: Lab) -> SeenValue:
    raise Unsettled(NEEDS_A_PERSON.format("declines"))


@probe("put_back", "Which contact waits after an agent put one back?")
def put_back(lab: Lab) -> SeenValue:
    raise Unsettled(NEEDS_A_PERSON.format("puts a task back"))
