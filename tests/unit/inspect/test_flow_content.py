"""Holds what is found in the content of a flow to the ways that a moved contact can take through it."""

import json

import pytest

from router.inspect.flow_content import FlowFinding, FlowUnreadableError, flow_template, read_flow

QUEUE = "arn:aws:connect:eu-west-1:123456789012:instance/i/queue/q"


def block(identifier, kind, following=None, *, errors=None, conditions=(), **parameters):
    return {
        "Identifier": identifier,
        "Type": kind,
        "Parameters": parameters,
        "Transitions": {
            "NextAction": following,
            "Errors": [{"ErrorType": error, "NextAction": way} for error, way in (errors or {}).items()],
            "Conditions": [{"NextAction": way} for way in conditions],
        },
    }


FALLBACK = (
    block("set", "UpdateContactTargetQueue", "again", QueueId=QUEUE, errors={"NoMatchingError": "bye"}),
    block("again", "TransferContactToQueue", errors={"QueueAtCapacity": "bye", "NoMatchingError": "bye"}),
    block("bye", "DisconnectParticipant"),
)
GOOD = block("go", "TransferContactToQueue", errors={"QueueAtCapacity": "set", "NoMatchingError": "set"})


def findings(*blocks, start=None):
    first = start or blocks[0]["Identifier"]
    content = {"Version": "2019-10-30", "StartAction": first, "Actions": [*blocks, *FALLBACK]}
    return [f"{each.severity}: {each.text}" for each in read_flow(json.dumps(content)).findings()]


@pytest.mark.parametrize("kind", ["queue", "agent"])
def test_the_flow_that_the_product_prints_has_nothing_wrong(kind):
    assert read_flow(json.dumps(flow_template(kind, QUEUE))).findings() == ()


def test_a_flow_that_transfers_and_falls_back_has_nothing_wrong():
    assert findings(GOOD) == []


def test_a_flow_without_a_transfer_that_can_be_reached_is_an_error():
    assert findings(block("start", "MessageParticipant", "bye"), GOOD) == [
        'error: "Disconnect" can be reached before the contact is in a queue: the contact ends',
        'error: no "Transfer to queue" block can be reached: the contact gets into no queue',
    ]


def test_a_flow_that_stops_without_a_block_is_an_error():
    assert findings(block("start", "MessageParticipant")) == [
        "error: the flow can end before the contact is in a queue, and Connect then ends the contact",
        'error: no "Transfer to queue" block can be reached: the contact gets into no queue',
    ]


def test_a_fixed_queue_before_the_transfer_ignores_the_destination():
    assert findings(block("first", "UpdateContactTargetQueue", "go", QueueId=QUEUE), GOOD) == [
        'error: "Set working queue" sets a fixed queue: the destination of the rule is ignored'
    ]


def test_a_queue_that_is_set_dynamically_is_no_fixed_queue():
    assert findings(block("start", "UpdateContactTargetQueue", "go", QueueId="$.Queue.ARN"), GOOD) == []


def test_a_fixed_queue_on_one_of_two_ways_is_a_warning():
    start = block("start", "Compare", "go", conditions=["fix"])
    assert findings(start, block("fix", "UpdateContactTargetQueue", "go", AgentId="someone"), GOOD) == [
        'warning: "Set working queue" sets a fixed queue on some ways: there the rule\'s destination is ignored'
    ]


@pytest.mark.parametrize("way_out", ["bye", "nowhere"])
@pytest.mark.parametrize(("error", "branch"), [("QueueAtCapacity", "At capacity"), ("NoMatchingError", "Error")])
def test_a_branch_that_ends_the_contact_is_an_error(error, branch, way_out):
    errors = {"QueueAtCapacity": "set", "NoMatchingError": "set", error: way_out}
    assert findings(block("go", "TransferContactToQueue", errors=errors)) == [
        f'error: the branch {branch} of "Transfer to queue" ends the contact: lead it to a fallback queue'
    ]


def test_a_transfer_without_branches_is_an_error_for_each():
    assert findings(block("go", "TransferContactToQueue")) == [
        f'error: the branch {branch} of "Transfer to queue" leads nowhere, and Connect ends the contact'
        for branch in ("At capacity", "Error")
    ]


def test_the_branch_error_serves_a_full_queue_too():
    assert findings(block("go", "TransferContactToQueue", errors={"NoMatchingError": "set"})) == []


def test_trying_the_same_queue_again_is_a_warning():
    assert findings(block("go", "TransferContactToQueue", errors={"NoMatchingError": "go"})) == [
        f'warning: the branch {branch} of "Transfer to queue" tries the same queue again: name a fallback queue'
        for branch in ("At capacity", "Error")
    ]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("Wait", 'warning: "Wait" precedes "Transfer to queue": the contact lands late, or counts as stray'),
        (
            "InvokeLambdaFunction",
            'warning: an "AWS Lambda function" precedes "Transfer to queue": the move fails with the function',
        ),
        ("InvokeFlowModule", 'warning: "Invoke module" leads out of this flow: what happens there was not checked'),
        (
            "TransferContactToAgent",
            'error: "Transfer to agent" is for voice only, and tasks take its branch Error: use "Transfer to queue"',
        ),
    ],
)
def test_a_block_on_the_way_is_named(kind, found):
    assert findings(block("start", kind, "go"), GOOD) == [found]


def test_the_default_flow_that_disconnects_outside_hours_is_an_error():
    closed = block("start", "CheckHoursOfOperation", "go", conditions=["bye"])
    assert findings(closed, GOOD) == [
        'error: "Disconnect" can be reached before the contact is in a queue: the contact ends'
    ]


def test_a_flow_with_a_loop_is_read_to_its_end():
    assert findings(block("start", "Compare", "start", conditions=["go"]), GOOD) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"StartAction": "a", "Actions": [1]}', "null"])
def test_a_content_that_is_no_flow_is_refused_by_one_sentence(content):
    with pytest.raises(FlowUnreadableError, match=r"^its content is not in the Amazon Connect Flow language$"):
        read_flow(content)


def test_another_version_of_the_language_is_refused():
    with pytest.raises(FlowUnreadableError, match="version '2031-01-01'; only '2019-10-30' is known"):
        read_flow('{"Version": "2031-01-01", "StartAction": "a", "Actions": []}')


def test_errors_come_first():
    content = {"Version": "2019-10-30", "StartAction": "start", "Actions": [block("start", "Wait", "bye"), *FALLBACK]}
    found = read_flow(json.dumps(content)).findings()
    assert [each.severity for each in found] == ["error", "error", "warning"]
    assert isinstance(found[0], FlowFinding)
