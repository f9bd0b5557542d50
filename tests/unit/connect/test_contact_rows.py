from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.connect.contact_rows import contact_of, contacts_of, described
from router.connect.fields import Unreadable
from router.model import Channel, Standing

AT = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
UNSET = datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)
QUEUE_ARN = "arn:aws:connect:us-east-1:111122223333:instance/i/queue/billing"

ROW = {
    "Id": "c1",
    "InitialContactId": "c0",
    "PreviousContactId": "c0",
    "InitiationMethod": "TRANSFER",
    "Channel": "TASK",
    "QueueInfo": {"Id": "billing", "EnqueueTimestamp": AT},
    "InitiationTimestamp": AT - timedelta(hours=1),
    "Name": "Refund",
    "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:Task"}},
    "Tags": {"team": "north"},
}


def test_a_row_of_the_search_is_a_contact_that_waits():
    contact = contact_of(ROW)
    assert contact.standing(AT) is Standing.WAITING
    assert (contact.id, contact.chain_id, contact.previous_id, contact.queue_id) == ("c1", "c0", "c0", "billing")
    assert (contact.enqueued_at, contact.initiated_at) == (AT, AT - timedelta(hours=1))
    assert (contact.name, contact.tags) == ("Refund", {"team": "north"})
    assert contact.segment_attributes == {"connect:Subtype": "connect:Task"}
    assert contact.details is None


@pytest.mark.parametrize("given", ["billing", QUEUE_ARN])
def test_a_queue_may_be_given_as_id_or_arn(given):
    assert contact_of({**ROW, "QueueInfo": {"Id": given, "EnqueueTimestamp": AT}}).queue_id == "billing"


def test_an_agents_own_queue_keeps_its_two_parts():
    queue = {"Id": "arn:aws:connect:us-east-1:111122223333:instance/i/queue/agent/u1", "EnqueueTimestamp": AT}
    assert contact_of({**ROW, "QueueInfo": queue}).queue_id == "agent/u1"


def test_times_that_stand_for_no_value_neither_disconnect_nor_connect():
    row = {**ROW, "DisconnectTimestamp": UNSET, "AgentInfo": {"ConnectedToAgentTimestamp": UNSET}}
    assert contact_of(row).standing(AT) is Standing.WAITING
    paused = described({**row, "LastPausedTimestamp": UNSET, "LastResumedTimestamp": UNSET})
    assert paused.standing(AT) is Standing.WAITING


@pytest.mark.parametrize("agent", [{"Id": "u1"}, {"ConnectedToAgentTimestamp": AT}, {"AcceptedByAgentTimestamp": AT}])
def test_any_sign_of_an_agent_is_one(agent):
    assert described({**ROW, "AgentInfo": agent}).standing(AT) is Standing.WITH_AGENT


def test_a_channel_of_the_future_is_not_moved():
    assert contact_of({**ROW, "Channel": "HOLOGRAM"}).channel is Channel.OTHER
    assert contact_of({**ROW, "Channel": None}).standing(AT) is Standing.NOT_MOVABLE


@pytest.mark.parametrize("member", ["ValueMap", "ValueList"])
def test_a_segment_attribute_of_the_wrong_kind_is_no_bug(member):
    for wrong in (1, "text", True):
        try:
            contact = contact_of({**ROW, "SegmentAttributes": {"Id": {member: wrong}}})
        except Unreadable:
            continue
        assert contact.segment_attributes == {}


def test_segment_attributes_of_every_kind_come_out_flat():
    attributes = {
        "text": {"ValueString": "a"},
        "number": {"ValueInteger": 7},
        "arn": {"ValueArn": "arn:x"},
        "map": {"ValueMap": {"inner": {"ValueString": "b"}, "deep": {"ValueMap": {"er": {"ValueInteger": 0}}}}},
        "list": {"ValueList": [{"ValueString": "x"}, {"ValueString": "y"}]},
        "empty": {},
    }
    assert contact_of({**ROW, "SegmentAttributes": attributes}).segment_attributes == {
        "text": "a",
        "number": "7",
        "arn": "arn:x",
        "map.inner": "b",
        "map.deep.er": "0",
        "list.0": "x",
        "list.1": "y",
    }


def test_a_description_has_the_details():
    details = described(
        {
            **ROW,
            "Attributes": {"tier": "gold"},
            "QueuePriority": 3,
            "QueueTimeAdjustmentSeconds": -60,
            "TaskTemplateInfo": {"Name": "Refund", "Arn": "arn:x"},
            "LastPausedTimestamp": AT,
            "TotalPauseDurationInSeconds": 90,
        }
    ).details
    assert details is not None
    assert (details.attributes, details.priority, details.task_template) == ({"tier": "gold"}, 3, "Refund")
    assert details.queue_time_adjustment == timedelta(seconds=-60)
    assert (details.paused_at, details.resumed_at, details.paused_for) == (AT, None, timedelta(seconds=90))


@pytest.mark.parametrize(
    ("method", "to_address", "from_address"),
    [
        ("INBOUND", "help@us", "jane@them"),
        ("AGENT_REPLY", "jane@them", "help@us"),
        ("OUTBOUND", "jane@them", "help@us"),
    ],
)
def test_the_addresses_of_an_email_follow_the_way_it_goes(method, to_address, from_address):
    row = {
        **ROW,
        "InitiationMethod": method,
        "CustomerEndpoint": {"Type": "EMAIL_ADDRESS", "Address": "jane@them"},
        "SystemEndpoint": {"Type": "EMAIL_ADDRESS", "Address": "help@us"},
    }
    details = described(row).details
    assert details is not None
    assert (details.to_address, details.from_address) == (to_address, from_address)


def test_a_telephone_number_is_no_address():
    details = described({**ROW, "CustomerEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+1555"}}).details
    assert details is not None
    assert details.from_address is None


@pytest.mark.parametrize(
    ("member", "value", "problem"),
    [
        ("Id", None, "Id is missing"),
        ("Id", "", "Id is missing"),
        ("Id", 7, "Id is no text"),
        ("DisconnectTimestamp", "jane@them", "DisconnectTimestamp is no time"),
        ("QueueInfo", "billing", "QueueInfo is no structure"),
        ("Name", ["jane@them"], "Name is no text"),
    ],
)
def test_one_row_that_cannot_be_read_is_a_problem_and_the_others_stand(member, value, problem):
    broken = {**ROW, "Id": "bad", member: value}
    contacts, problems = contacts_of([ROW, broken, {**ROW, "Id": "c2"}])
    assert [contact.id for contact in contacts] == ["c1", "c2"]
    assert [one.problem for one in problems] == [problem]
    assert problems[0].contact_id == (None if member == "Id" else "bad")


def test_a_row_that_is_nothing_at_all_is_a_problem_too():
    broken: list[object] = [None, 7, "c1"]
    contacts, problems = contacts_of([*broken, ROW])  # type: ignore[list-item]
    assert (len(contacts), len(problems)) == (1, 3)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(AT),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ROW, "ValueMap", "ValueList"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*ROW, "AgentInfo", "Attributes", "QueuePriority", "CustomerEndpoint"]), junk))
def test_whatever_stands_in_a_row_it_is_a_contact_or_unreadable(row):
    try:
        contact = described({"Id": "c1", **row})
    except Unreadable:
        return
    assert contact.details is not None
    hash((contact.id, contact.queue_id, contact.enqueued_at, contact.disconnected_at, contact.agent_id))


@pytest.mark.parametrize(
    ("template", "name", "template_id"),
    [
        ({"Arn": "arn:aws:connect:us-east-1:111122223333:instance/i/task-template/t", "Name": "Refund"}, "Refund", "t"),
        ({"Arn": "arn:aws:connect:us-east-1:111122223333:instance/i/task-template/t"}, None, "t"),
        ({"Name": "Refund"}, "Refund", None),
        ({}, None, None),
    ],
)
def test_a_template_is_known_by_its_name_and_by_its_id(template, name, template_id):
    details = described({**ROW, "TaskTemplateInfo": template}).details
    assert details is not None
    assert (details.task_template, details.task_template_id) == (name, template_id)
