"""Holds the sandbox to the blocks of a flow: a contact ends up where they lead it."""

import json

import pytest

from router.sandbox.flow_blocks import FlowBlocks

pytestmark = pytest.mark.uses("threads", "sockets")

BYE = {"Identifier": "bye", "Type": "DisconnectParticipant"}


def block(identifier, kind, following=None, *, full=None, error=None, condition=None, **parameters):
    errors = {"QueueAtCapacity": full, "NoMatchingError": error}
    transitions = {
        "NextAction": following,
        "Errors": [{"ErrorType": name, "NextAction": way} for name, way in errors.items() if way],
        "Conditions": [{"NextAction": condition, "Condition": {}}] if condition else [],
    }
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters, "Transitions": transitions}


GO = block("go", "TransferContactToQueue", full="set", error="set")
FALL_BACK = (
    block("set", "UpdateContactTargetQueue", "again", error="bye", QueueId="General"),
    block("again", "TransferContactToQueue", full="bye", error="bye"),
    BYE,
)


def content(*blocks):
    return json.dumps({"Version": "2019-10-30", "StartAction": blocks[0]["Identifier"], "Actions": blocks})


@pytest.fixture
def moved(bench):
    """Moves a contact to "Overflow" by a flow of these blocks, and returns its last segment."""
    bench.world.add_queue("Overflow")
    bench.world.add_queue("Full", capacity=0)

    def move(*blocks, to="Overflow", **contact):
        bench.world.set_flow("Overflow to queue", content=FlowBlocks.parse(content(*blocks)))
        return bench.transfer(bench.world.enqueue(**contact), to)

    return move


def place(bench, contact_id):
    return bench.world.queue_of(contact_id) or bench.world.contact(contact_id).life.disconnect_reason


ENDED = "CONTACT_FLOW_DISCONNECT"
FLOWS = {
    "to its destination": ((GO, *FALL_BACK), "Overflow"),
    "to a fixed queue": (
        (block("fix", "UpdateContactTargetQueue", "go", QueueId="General"), GO, *FALL_BACK),
        "General",
    ),
    "to the queue of an attribute": (
        (block("a", "UpdateContactTargetQueue", "go", error="bye", QueueId="$.Attributes.to"), GO, *FALL_BACK),
        "General",
    ),
    "no such queue": ((block("a", "UpdateContactTargetQueue", "go", error="bye", QueueId="x"), GO, *FALL_BACK), ENDED),
    "to an agent": ((block("a", "UpdateContactTargetQueue", "go", AgentId="agent.one"), GO, *FALL_BACK), "agent.one"),
    "disconnect": ((BYE,), ENDED),
    "end": ((block("end", "EndFlowExecution"),), ENDED),
    "a way to no block": ((block("log", "UpdateFlowLoggingBehavior", "nowhere"),), ENDED),
    "a circle": ((block("log", "UpdateFlowLoggingBehavior", "log"),), ENDED),
    "a function": ((block("f", "InvokeLambdaFunction", "go", error="bye"), GO, *FALL_BACK), ENDED),
    "to agent is for voice": ((block("f", "TransferContactToAgent", error="go"), GO, *FALL_BACK), "Overflow"),
    "nobody staffed": (
        (block("m", "CheckMetricData", "bye", condition="go", MetricType="NumberOfAgentsStaffed"), GO, *FALL_BACK),
        ENDED,
    ),
}


@pytest.mark.parametrize(("blocks", "expected"), FLOWS.values(), ids=FLOWS)
def test_a_contact_ends_up_where_the_blocks_lead_it(bench, moved, blocks, expected):
    assert place(bench, moved(*blocks, attributes={"to": "General"})) == expected


@pytest.mark.parametrize(("full", "expected"), [("set", "General"), ("bye", ENDED), (None, ENDED)])
def test_a_full_destination_takes_the_branch_at_capacity(bench, moved, full, expected):
    go = block("go", "TransferContactToQueue", full=full)
    assert place(bench, moved(go, *FALL_BACK, to="Full")) == expected


def test_a_wait_takes_its_time_and_a_pause_stops_the_flow(bench, moved):
    one = moved(block("w", "Wait", condition="go", TimeoutSeconds="60"), GO, *FALL_BACK)
    bench.clock.move(seconds=59)
    assert place(bench, one) is None
    bench.world.pause(one)
    bench.clock.move(seconds=5)
    assert place(bench, one) is None
    bench.world.resume(one)
    assert place(bench, one) == "Overflow"


def test_the_content_is_returned_by_describe_contact_flow_and_that_of_an_outcome_too(bench, moved):
    moved(GO, *FALL_BACK)
    described = bench.call("describe_contact_flow", ContactFlowId=bench.flow())["ContactFlow"]
    assert described["Content"] == content(GO, *FALL_BACK)
    default = bench.call("describe_contact_flow", ContactFlowId=bench.flow("Default queue transfer"))["ContactFlow"]
    assert [each["Type"] for each in json.loads(default["Content"])["Actions"]] == [
        "CheckMetricData", "TransferContactToQueue", "Wait", "DisconnectParticipant"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no flow in the Amazon Connect Flow language"),
        ("[]", "no flow in the Amazon Connect Flow language"),
        (content(GO).replace("2019", "2031"), "the flow has version '2031-10-30'"),
        (content(block("w", "Wait", TimeoutSeconds="$.External.time")), "with a value that the sandbox cannot read"),
        (content(block("l", "Loop")), "the sandbox does not run the block Loop"),
    ],
)
def test_what_the_sandbox_cannot_run_is_refused(text, message):
    with pytest.raises(ValueError, match=message.replace("'", ".")):
        FlowBlocks.parse(text)
