from datetime import timedelta

import pytest

from router.connect.answers import Denied, InstanceIdentity, Rejected, Unknown
from router.model import AgentId, AgentState, Channel, Directory, FlowType, HoursId, QueueId, QueueMetrics

pytestmark = pytest.mark.uses("threads", "sockets")

ARN = "arn:aws:connect:us-east-1:111122223333:instance/11111111-2222-3333-4444-555555555555"


def bad(answer, status: int = 400, code: str = "InvalidRequestException"):
    return answer(status, b'{"Message": "no"}', {"x-amzn-ErrorType": code})


def queue(name: str) -> dict[str, str]:
    return {"Id": f"{name}-id", "Name": name, "QueueType": "STANDARD"}


def test_the_directory_is_read_page_by_page(canned, connection):
    canned.says(
        {"QueueSummaryList": [queue("Billing")], "NextToken": "1"},
        {"QueueSummaryList": [queue("General")]},
        {
            "ContactFlowSummaryList": [
                {"Id": "f1", "Name": "Overflow", "ContactFlowType": "QUEUE_TRANSFER", "ContactFlowState": "ACTIVE"},
                {"Id": "f2", "Name": "Old", "ContactFlowType": "AGENT_TRANSFER", "ContactFlowState": "ARCHIVED"},
                {"Id": "f3", "Name": "Draft", "ContactFlowType": "CONTACT_FLOW", "ContactFlowStatus": "SAVED"},
                {"Id": "f4", "Name": "Whisper", "ContactFlowType": "AGENT_WHISPER"},
            ]
        },
    )
    directory = connection.instance.directory(with_agents=False, with_hours=False)
    assert isinstance(directory, Directory)
    assert [one.name for one in directory.queues] == ["Billing", "General"]
    flows = {flow.name: (flow.type, flow.active, flow.published) for flow in directory.flows}
    assert flows == {
        "Overflow": (FlowType.QUEUE_TRANSFER, True, True),
        "Old": (FlowType.AGENT_TRANSFER, False, True),
        "Draft": (FlowType.INBOUND, True, False),
        "Whisper": (FlowType.OTHER, True, True),
    }
    assert len(canned.requests) == 3
    assert "queueTypes=STANDARD" in canned.requests[0].path


def test_agents_and_hours_are_read_where_asked_for_with_each_queues_own(canned, connection):
    canned.says(
        {"QueueSummaryList": [queue("Billing"), queue("General")]},
        {"ContactFlowSummaryList": []},
        {"UserSummaryList": [{"Id": "u1", "Username": "supervisor.one"}]},
        {"HoursOfOperationSummaryList": [{"Id": "h1", "Name": "Office hours"}]},
        {"Queues": [{"QueueId": "Billing-id", "Name": "Billing", "HoursOfOperationId": "h1", "Status": "DISABLED"}]},
    )
    directory = connection.instance.directory(with_agents=True, with_hours=True)
    assert isinstance(directory, Directory)
    assert [agent.name for agent in directory.agents] == ["supervisor.one"]
    assert [hours.name for hours in directory.hours] == ["Office hours"]
    billing, general = directory.queues
    assert (billing.enabled, billing.hours_id) == (False, HoursId("h1"))
    assert (general.enabled, general.hours_id) == (None, None)


def test_half_a_directory_is_none(canned, connection, answer):
    canned.says({"QueueSummaryList": [queue("Billing")], "NextToken": "1"}, bad(answer, 403, "AccessDeniedException"))
    assert isinstance(connection.instance.directory(with_agents=False, with_hours=False), Denied)
    canned.says({"QueueSummaryList": [{"Id": "q"}]})
    assert isinstance(connection.instance.directory(with_agents=False, with_hours=False), Unknown)


def test_the_instance_says_whose_it_is(canned, connection):
    canned.says({"Instance": {"Id": "i", "Arn": ARN, "InstanceAlias": "centre", "InstanceStatus": "ACTIVE"}})
    identity = connection.instance.describe_instance()
    assert isinstance(identity, InstanceIdentity)
    assert (identity.account, identity.region, identity.alias) == ("111122223333", "us-east-1", "centre")


@pytest.mark.parametrize("body", [{}, {"Instance": {"Arn": "i"}}, {"Instance": {"Arn": 7}}])
def test_an_instance_without_an_arn_is_no_answer(canned, connection, body):
    canned.says(body)
    assert isinstance(connection.instance.describe_instance(), Unknown)


def row(name: str, channel: str, **values: float | None) -> dict[str, object]:
    collections = [{"Metric": {"Name": metric, "Unit": "COUNT"}, "Value": value} for metric, value in values.items()]
    return {"Dimensions": {"Queue": {"Id": name}, "Channel": channel}, "Collections": collections}


CHANNELS = (Channel.TASK, Channel.EMAIL)


def test_metrics_are_those_of_each_queue_and_channel(canned, connection):
    canned.says(
        {
            "MetricResults": [row("q1", "TASK", SLOTS_AVAILABLE=2.0, OLDEST_CONTACT_AGE=24.0)],
            "NextToken": "1",
        },
        {"MetricResults": [row("q2", "TASK", CONTACTS_IN_QUEUE=0.0, ESTIMATED_WAIT_TIME=None)]},
    )
    metrics = connection.instance.queue_metrics([QueueId("q2"), QueueId("q1")], CHANNELS)
    assert metrics == {
        (QueueId("q1"), Channel.TASK): QueueMetrics(slots_available=2, oldest_contact_age=timedelta(seconds=24)),
        (QueueId("q2"), Channel.TASK): QueueMetrics(contacts_in_queue=0),
    }
    body = canned.requests[0].body
    assert body["Filters"] == {"Queues": ["q1", "q2"], "Channels": ["EMAIL", "TASK"]}
    assert body["Groupings"] == ["QUEUE", "CHANNEL"], "ages are in seconds only where grouped"
    assert canned.requests[1].body["NextToken"] == "1"


def test_a_queue_may_be_named_by_its_arn_alone(canned, connection):
    canned.says({"MetricResults": [{"Dimensions": {"Queue": {"Arn": f"{ARN}/queue/q1"}, "Channel": "TASK"}}]})
    assert connection.instance.queue_metrics([QueueId("q1")], CHANNELS) == {("q1", Channel.TASK): QueueMetrics()}


def test_more_than_a_hundred_queues_take_several_calls(canned, connection):
    canned.says(*[{"MetricResults": []}] * 3)
    assert connection.instance.queue_metrics([QueueId(f"q{number}") for number in range(250)], CHANNELS) == {}
    assert [len(request.body["Filters"]["Queues"]) for request in canned.requests] == [100, 100, 50]


def test_no_queues_and_no_agents_cost_no_call(canned, connection):
    assert connection.instance.queue_metrics([], CHANNELS) == {}
    assert connection.instance.agent_states([]) == {}
    assert canned.requests == []


def test_email_refused_leaves_the_other_channel_and_is_remembered(canned, connection, answer):
    canned.says(bad(answer), {"MetricResults": [row("q1", "TASK")]}, {"MetricResults": []})
    metrics = connection.instance.queue_metrics([QueueId("q1")], CHANNELS)
    assert list(metrics) == [("q1", Channel.TASK)]
    connection.instance.queue_metrics([QueueId("q1")], CHANNELS)
    asked = [request.body["Filters"]["Channels"] for request in canned.requests]
    assert asked == [["EMAIL", "TASK"], ["TASK"], ["TASK"]]


def test_email_is_asked_for_again_after_an_hour(canned, connection, answer, time):
    empty: dict[str, list[object]] = {"MetricResults": []}
    canned.says(bad(answer), empty, empty, empty)
    connection.instance.queue_metrics([QueueId("q1")], CHANNELS)
    time.pause(3_599)
    connection.instance.queue_metrics([QueueId("q1")], CHANNELS)
    time.pause(1)
    connection.instance.queue_metrics([QueueId("q1")], CHANNELS)
    asked = [request.body["Filters"]["Channels"] for request in canned.requests]
    assert asked == [["EMAIL", "TASK"], ["TASK"], ["TASK"], ["EMAIL", "TASK"]]


def test_a_token_that_has_expired_is_no_refusal_of_email_and_the_list_is_read_once_more(canned, connection, answer):
    first = {"MetricResults": [row("q1", "TASK")], "NextToken": "1"}
    canned.says(first, bad(answer), first, {"MetricResults": [row("q2", "EMAIL")]})
    metrics = connection.instance.queue_metrics([QueueId("q1"), QueueId("q2")], CHANNELS)
    assert set(metrics) == {("q1", Channel.TASK), ("q2", Channel.EMAIL)}
    assert [request.body.get("NextToken") for request in canned.requests] == [None, "1", None, "1"]


def test_a_token_that_expires_again_and_again_ends_the_list(canned, connection, answer):
    first = {"MetricResults": [row("q1", "TASK")], "NextToken": "1"}
    canned.says(first, bad(answer), first, bad(answer))
    failure = connection.instance.queue_metrics([QueueId("q1")], CHANNELS)
    assert isinstance(failure, Unknown)
    assert failure.code == "TokenRefused"
    assert len(canned.requests) == 4


def test_metrics_refused_with_and_without_email_were_refused_for_something_else(canned, connection, answer):
    canned.says(bad(answer), bad(answer), {"MetricResults": []})
    assert isinstance(connection.instance.queue_metrics([QueueId("q1")], CHANNELS), Rejected)
    connection.instance.queue_metrics([QueueId("q1")], CHANNELS)
    assert canned.requests[2].body["Filters"]["Channels"] == ["EMAIL", "TASK"]


def test_email_alone_refused_is_a_failure(canned, connection, answer):
    canned.says(bad(answer))
    assert isinstance(connection.instance.queue_metrics([QueueId("q1")], [Channel.EMAIL]), Rejected)


def user(name: str, status: str, slots: int, next_status: str | None = None) -> dict[str, object]:
    return {
        "User": {"Id": name},
        "Status": {"StatusArn": f"{ARN}/agent-state/{status}", "StatusName": status},
        "AvailableSlotsByChannel": {"TASK": slots},
        **({"NextStatus": next_status} if next_status else {}),
    }


ROUTABLE = {"AgentStatusSummaryList": [{"Id": "Bereit", "Name": "Bereit", "Type": "ROUTABLE"}]}


def test_agents_are_routable_by_the_type_of_their_status_whatever_its_name(canned, connection):
    users = [user("a", "Bereit", 1), user("b", "Pause", 1), user("c", "Bereit", 1, next_status="Lunch")]
    canned.says({"UserDataList": users}, ROUTABLE, {"UserDataList": users})
    states = connection.instance.agent_states([AgentId("a"), AgentId("b"), AgentId("c"), AgentId("gone")])
    assert states == {
        "a": AgentState(routable=True, slots_available={"TASK": 1}),
        "b": AgentState(routable=False, slots_available={"TASK": 1}),
        "c": AgentState(routable=False, slots_available={"TASK": 1}),
    }
    connection.instance.agent_states([AgentId("a")])
    assert connection.calls() == {"GetCurrentUserData": 2, "ListAgentStatuses": 1}


def test_where_statuses_may_not_be_listed_the_default_ones_name_decides(canned, connection, answer):
    users = {"UserDataList": [user("a", "Available", 1), user("b", "Offline", 1)]}
    canned.says(users, bad(answer, 403, "AccessDeniedException"), users)
    for _ in range(2):
        states = connection.instance.agent_states([AgentId("a"), AgentId("b")])
        assert {name: state.routable for name, state in states.items()} == {"a": True, "b": False}
    assert connection.calls()["ListAgentStatuses"] == 1


def test_statuses_that_could_not_be_listed_are_asked_for_again_after_five_minutes(canned, connection, answer, time):
    users = {"UserDataList": [user("a", "Bereit", 1)]}
    canned.says(users, bad(answer, 403, "ExpiredTokenException"), users, users, ROUTABLE)
    states = [connection.instance.agent_states([AgentId("a")])["a"].routable]
    time.pause(299)
    states.append(connection.instance.agent_states([AgentId("a")])["a"].routable)
    time.pause(1)
    states.append(connection.instance.agent_states([AgentId("a")])["a"].routable)
    assert states == [False, False, True]


def test_agent_states_that_cannot_be_read_are_a_failure(canned, connection, answer):
    canned.says(bad(answer))
    assert isinstance(connection.instance.agent_states([AgentId("a")]), Rejected)
    canned.says({"UserDataList": [{"User": {"Id": 7}}]}, ROUTABLE)
    assert isinstance(connection.instance.agent_states([AgentId("a")]), Unknown)
