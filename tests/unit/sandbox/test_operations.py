"""Tests every operation over the wire. ``Bench.call`` checks each response against AWS's own model."""

from datetime import date, time, timedelta

import pytest

from router.sandbox import Identity, Override, Scenario, Working
from router.sandbox.operations import OPERATIONS

pytestmark = pytest.mark.uses("threads", "sockets")

HOUR = timedelta(hours=1)


def test_every_operation_offered_exists_in_the_model_and_is_called_in_these_tests(bench):
    from pathlib import Path

    methods = {name: method for method, name in bench.client.meta.method_to_api_mapping.items()}
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    for operation in OPERATIONS:
        assert f'"{methods[operation]}"' in text, f"{operation} is not tested"


def test_describe_instance_names_the_instance(bench):
    instance = bench.call("describe_instance")["Instance"]
    assert (instance["Id"], instance["Arn"]) == (bench.sandbox.instance_id, bench.sandbox.instance_arn)
    assert instance["InstanceStatus"] == "ACTIVE"


# Contacts


def test_describe_contact_tells_all_that_search_does_not(bench):
    contact = bench.world.enqueue(
        "EMAIL",
        waited=HOUR,
        description="please",
        attributes={"language": "fr"},
        segment_attributes={"score": 7},
        priority=2,
        from_address="ann@example.com",
        to_address="billing@example.com",
        task_template="Refund",
    )
    described = bench.describe(contact)
    assert described["Attributes"] == {"language": "fr"}
    assert described["QueuePriority"] == 2
    assert described["CustomerEndpoint"] == {"Type": "EMAIL_ADDRESS", "Address": "ann@example.com"}
    assert described["SystemEndpoint"] == {"Type": "EMAIL_ADDRESS", "Address": "billing@example.com"}
    assert described["TaskTemplateInfo"]["Name"] == "Refund"
    assert described["SegmentAttributes"]["score"] == {"ValueInteger": 7}
    assert described["LastUpdateTimestamp"] == bench.clock.now - HOUR


def test_describe_contact_shows_the_agent_who_took_it(bench):
    contact = bench.world.enqueue(queue="General")
    bench.world.accept(contact, "agent.one")
    agent = bench.describe(contact)["AgentInfo"]
    assert agent["Id"] == bench.user("agent.one")
    assert agent["AcceptedByAgentTimestamp"] == agent["ConnectedToAgentTimestamp"] == bench.clock.now


def test_a_contact_that_does_not_exist_is_not_found(bench):
    assert bench.refused("describe_contact", ContactId="nobody") == (404, "ResourceNotFoundException")
    assert bench.refused("describe_contact", ContactId="a/b c%2F\n")[0] == 404


def test_list_associated_contacts_walks_the_chain_and_what_is_related(bench):
    first = bench.world.enqueue()
    second = bench.transfer(first)
    reply = bench.call(
        "start_task_contact", Name="reply", ContactFlowId=bench.flow("Inbound tasks"), RelatedContactId=second
    )["ContactId"]
    bench.world.enqueue()
    rows = bench.call("list_associated_contacts", ContactId=second)["ContactSummaryList"]
    assert {row["ContactId"] for row in rows} == {first, second, reply}
    page = bench.call("list_associated_contacts", ContactId=first, MaxResults=2)
    rest = bench.call("list_associated_contacts", ContactId=first, MaxResults=2, NextToken=page["NextToken"])
    assert len(page["ContactSummaryList"]) == 2
    assert len(rest["ContactSummaryList"]) == 1


def test_get_contact_attributes_answers_the_user_defined_ones(bench):
    contact = bench.world.enqueue(attributes={"a": "1"})
    assert bench.call("get_contact_attributes", InitialContactId=contact)["Attributes"] == {"a": "1"}


def test_routing_data_is_priority_or_age_but_never_both_nor_neither(bench):
    contact = bench.world.enqueue()
    bench.call("update_contact_routing_data", ContactId=contact, QueuePriority=1)
    assert bench.describe(contact)["QueuePriority"] == 1
    wrong = (400, "InvalidParameterException")
    both = {"QueuePriority": 1, "QueueTimeAdjustmentSeconds": 1}
    assert bench.refused("update_contact_routing_data", ContactId=contact, **both) == wrong
    assert bench.refused("update_contact_routing_data", ContactId=contact) == wrong
    bench.world.finish(contact)
    assert bench.refused("update_contact_routing_data", ContactId=contact, QueuePriority=1)[0] == 409


def test_routing_data_moves_a_contact_forward_in_its_queue_but_not_its_waiting_time(bench):
    old, young = bench.world.enqueue(waited=HOUR), bench.world.enqueue()
    bench.call("update_contact_routing_data", ContactId=young, QueueTimeAdjustmentSeconds=7200)
    assert [contact.id for contact in bench.world.waiting("Billing")] == [young, old]
    bench.call("update_contact_routing_data", ContactId=old, QueuePriority=1)
    assert [contact.id for contact in bench.world.waiting("Billing")] == [old, young]
    assert bench.describe(young)["QueueInfo"]["EnqueueTimestamp"] == bench.clock.now


# Tasks


def test_a_task_can_be_started_and_lands_in_the_queue_that_its_attribute_names(bench):
    asked = {
        "Name": "Call back",
        "ContactFlowId": bench.flow("Inbound tasks"),
        "Attributes": {"queue": "Billing"},
        "ClientToken": "once",
    }
    contact = bench.call("start_task_contact", **asked)["ContactId"]
    assert bench.call("start_task_contact", **asked)["ContactId"] == contact, "the token makes it one task"
    assert bench.world.queue_of(contact) == "Billing"
    assert bench.describe(contact)["InitiationMethod"] == "API"


def test_a_task_can_be_started_for_later(bench):
    contact = bench.call(
        "start_task_contact",
        Name="Later",
        ContactFlowId=bench.flow("Inbound tasks"),
        Attributes={"queue": "Billing"},
        ScheduledTime=bench.clock.now + HOUR,
    )["ContactId"]
    assert "QueueInfo" not in bench.describe(contact)
    assert bench.describe(contact)["ScheduledTimestamp"] == bench.clock.now + HOUR
    bench.clock.move(hours=1)
    assert bench.world.queue_of(contact) == "Billing"


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"ContactFlowId": "none"}, (404, "ResourceNotFoundException")),
        ({"QuickConnectId": "q"}, (400, "InvalidRequestException")),
        ({"PreviousContactId": "none"}, (404, "ResourceNotFoundException")),
        ({"SegmentAttributes": {"a": {"ValueList": []}}}, (400, "InvalidRequestException")),
    ],
    ids=str,
)
def test_a_task_that_cannot_be_started_is_refused(bench, change, refusal):
    asked = {"Name": "x", "ContactFlowId": bench.flow("Inbound tasks"), **change}
    assert bench.refused("start_task_contact", **asked) == refusal


def test_a_task_cannot_be_linked_to_a_chain_of_twelve(bench):
    full = bench.world.enqueue(waited=HOUR, chain=12)
    asked = {"Name": "x", "ContactFlowId": bench.flow("Inbound tasks"), "PreviousContactId": full}
    assert bench.refused("start_task_contact", **asked) == (402, "ServiceQuotaExceededException")


def test_a_related_task_copies_the_attributes(bench):
    first = bench.world.enqueue(attributes={"language": "fr", "tier": "1"})
    second = bench.call(
        "start_task_contact",
        Name="x",
        ContactFlowId=bench.flow("Inbound tasks"),
        RelatedContactId=first,
        Attributes={"tier": "2"},
    )["ContactId"]
    assert bench.describe(second)["Attributes"] == {"language": "fr", "tier": "2"}
    assert bench.describe(second)["RelatedContactId"] == first


def test_a_stopped_contact_has_ended_and_cannot_be_stopped_again(bench):
    contact = bench.world.enqueue()
    bench.call("stop_contact", ContactId=contact)
    assert bench.describe(contact)["DisconnectReason"] == "API"
    assert bench.refused("stop_contact", ContactId=contact) == (410, "ContactNotFoundException")


def test_pausing_and_resuming_have_their_limits(bench):
    contact, chat = bench.world.enqueue(), bench.world.enqueue("CHAT")
    assert bench.refused("resume_contact", ContactId=contact) == (409, "ConflictException")
    assert bench.refused("pause_contact", ContactId=chat) == (400, "InvalidRequestException")
    for _ in range(10):
        bench.call("pause_contact", ContactId=contact)
        assert bench.refused("pause_contact", ContactId=contact)[0] in (409, 429)
        bench.call("resume_contact", ContactId=contact)
    assert bench.refused("pause_contact", ContactId=contact) == (429, "LimitExceededException")


# Directory


def test_queues_are_listed_with_the_agents_own_ones_unless_asked_otherwise(bench):
    rows = bench.call("list_queues")["QueueSummaryList"]
    assert {(row.get("Name"), row["QueueType"]) for row in rows} == {
        ("Billing", "STANDARD"),
        ("General", "STANDARD"),
        (None, "AGENT"),
    }
    standard = bench.call("list_queues", QueueTypes=["STANDARD"], MaxResults=1)
    more = bench.call("list_queues", QueueTypes=["STANDARD"], MaxResults=1, NextToken=standard["NextToken"])
    assert [row["Name"] for page in (standard, more) for row in page["QueueSummaryList"]] == ["Billing", "General"]
    assert "NextToken" not in more


def test_a_queue_is_described_with_its_hours_and_status(bench):
    bench.world.add_hours("Office hours", week={"MONDAY": [(time(9), time(17))]})
    bench.world.add_queue(
        "Shut", enabled=False, hours="Office hours", capacity=5, description="closed", tags={"a": "b"}
    )
    queue = bench.call("describe_queue", QueueId=bench.queue("Shut"))["Queue"]
    assert (queue["Status"], queue["MaxContacts"], queue["Tags"]) == ("DISABLED", 5, {"a": "b"})
    (hours,) = [
        row
        for row in bench.call("list_hours_of_operations")["HoursOfOperationSummaryList"]
        if row["Name"] == "Office hours"
    ]
    assert queue["HoursOfOperationId"] == hours["Id"]
    assert bench.refused("describe_queue", QueueId="none")[0] == 404
    assert bench.refused("describe_queue", QueueId=bench.user("agent.one"))[0] == 400


def test_queues_and_users_can_be_searched(bench):
    contains = {"StringCondition": {"FieldName": "name", "Value": "bill", "ComparisonType": "CONTAINS"}}
    exact = {"StringCondition": {"FieldName": "name", "Value": "GENERAL", "ComparisonType": "EXACT"}}

    def names(criteria):
        return [queue["Name"] for queue in bench.call("search_queues", SearchCriteria=criteria)["Queues"]]

    assert names(contains) == ["Billing"]
    assert names({"OrConditions": [contains, exact]}) == ["Billing", "General"]
    assert names({"AndConditions": [contains, exact]}) == []
    starts = {"StringCondition": {"FieldName": "Username", "Value": "agent", "ComparisonType": "STARTS_WITH"}}
    users = bench.call("search_users", SearchCriteria=starts)
    assert [user["Username"] for user in users["Users"]] == ["agent.one"]
    wrong = {"StringCondition": {"FieldName": "colour", "Value": "x", "ComparisonType": "EXACT"}}
    assert bench.refused("search_users", SearchCriteria=wrong) == (400, "InvalidParameterException")


def test_flows_are_listed_with_type_state_and_status(bench):
    bench.world.add_flow("Old", type="QUEUE_TRANSFER", state="ARCHIVED")
    bench.world.add_flow("Draft", type="QUEUE_TRANSFER", status="SAVED")
    rows = bench.call("list_contact_flows", ContactFlowTypes=["QUEUE_TRANSFER"])["ContactFlowSummaryList"]
    states = {row["Name"]: (row["ContactFlowState"], row["ContactFlowStatus"]) for row in rows}
    assert states["Old"] == ("ARCHIVED", "PUBLISHED")
    assert states["Draft"] == ("ACTIVE", "SAVED")
    assert "Escalate to agent" not in states
    flow = bench.call("describe_contact_flow", ContactFlowId=bench.flow("Old"))["ContactFlow"]
    assert (flow["State"], flow["Type"]) == ("ARCHIVED", "QUEUE_TRANSFER")
    refusal = bench.refused("describe_contact_flow", ContactFlowId=bench.flow("Draft"))
    assert refusal[1] == "ContactFlowNotPublishedException"


def test_users_have_profiles_and_profiles_queues(bench):
    (row,) = bench.call("list_users")["UserSummaryList"]
    user = bench.call("describe_user", UserId=row["Id"])["User"]
    profile = bench.call("describe_routing_profile", RoutingProfileId=user["RoutingProfileId"])["RoutingProfile"]
    assert profile["MediaConcurrencies"] == [
        {"Channel": "TASK", "Concurrency": 2, "CrossChannelBehavior": {"BehaviorType": "ROUTE_ANY_CHANNEL"}},
        {"Channel": "EMAIL", "Concurrency": 1, "CrossChannelBehavior": {"BehaviorType": "ROUTE_ANY_CHANNEL"}},
    ]
    served = bench.call("list_routing_profile_queues", RoutingProfileId=profile["RoutingProfileId"])
    rows = served["RoutingProfileQueueConfigSummaryList"]
    assert {(each["QueueName"], each["Channel"]) for each in rows} == {("General", "TASK"), ("General", "EMAIL")}


def test_a_thousand_agents_come_in_pages(bench):
    for number in range(250):
        bench.world.add_user(f"user.{number}")
    pages = bench.client.get_paginator("list_users").paginate(InstanceId=bench.sandbox.instance_id)
    names = {row["Username"] for page in pages for row in page["UserSummaryList"]}
    assert len(names) == 251


# Hours


def test_hours_are_described_by_their_week_and_in_effect_with_overrides(bench):
    bench.world.add_hours(
        "Office hours",
        zone="Europe/London",
        week={"TUESDAY": [(time(9), time(12)), (time(13), time(0))]},
        overrides=[
            Override(name="Fair", first=date(2026, 3, 17), last=date(2026, 3, 17), windows=((time(10), time(11)),)),
            Override(name="Holiday", first=date(2026, 3, 24), last=date(2026, 3, 25)),
        ],
    )
    rows = bench.call("list_hours_of_operations")["HoursOfOperationSummaryList"]
    hours_id = next(row["Id"] for row in rows if row["Name"] == "Office hours")
    hours = bench.call("describe_hours_of_operation", HoursOfOperationId=hours_id)["HoursOfOperation"]
    assert hours["TimeZone"] == "Europe/London"
    assert [each["EndTime"]["Hours"] for each in hours["Config"]] == [12, 0]
    effective = bench.call(
        "get_effective_hours_of_operations", HoursOfOperationId=hours_id, FromDate="2026-03-10", ToDate="2026-03-24"
    )
    by_day = {each["Date"]: each["OperationalHours"] for each in effective["EffectiveHoursOfOperationList"]}
    assert len(by_day) == 15
    assert len(by_day["2026-03-10"]) == 2
    assert [each["Start"]["Hours"] for each in by_day["2026-03-17"]] == [10]
    assert by_day["2026-03-24"] == by_day["2026-03-11"] == []
    overrides = {each["Date"]: each["OverrideHours"][0] for each in effective["EffectiveOverrideHoursList"]}
    assert overrides["2026-03-24"]["OperationalStatus"] == "CLOSED"
    assert overrides["2026-03-17"]["OverrideName"] == "Fair"
    wrong = {"HoursOfOperationId": hours_id, "FromDate": "2026-03-10", "ToDate": "2026-03-09"}
    assert bench.refused("get_effective_hours_of_operations", **wrong) == (400, "InvalidParameterException")


# Metrics and agents in real time


def metrics(bench, *names, queues=("Billing", "General"), channels=("TASK", "EMAIL"), groupings=("QUEUE", "CHANNEL")):
    answer = bench.call(
        "get_current_metric_data",
        Filters={"Queues": [bench.queue(name) for name in queues], "Channels": list(channels)},
        Groupings=list(groupings),
        CurrentMetrics=[{"Name": name} for name in names],
    )
    queues_by_id = {bench.queue(name): name for name in queues}
    return {
        (
            queues_by_id.get(row.get("Dimensions", {}).get("Queue", {}).get("Id")),
            row.get("Dimensions", {}).get("Channel"),
        ): [each.get("Value") for each in row["Collections"]]
        for row in answer["MetricResults"]
    }


def test_metrics_count_what_waits_and_who_is_there(bench):
    bench.world.enqueue("TASK", "General", waited=HOUR)
    bench.world.enqueue("EMAIL", "General")
    bench.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    names = ("CONTACTS_IN_QUEUE", "OLDEST_CONTACT_AGE", "AGENTS_STAFFED", "SLOTS_AVAILABLE")
    assert metrics(bench, *names) == {
        ("General", "TASK"): [1, 3600, 1, 2],
        ("General", "EMAIL"): [1, 0, 1, 1],
        ("Billing", "TASK"): [1, 7200, 0, 0],
    }, "a queue and channel with nobody waiting and nobody there has no row"


def test_a_slot_in_use_is_not_available_and_the_agent_neither(bench):
    contact = bench.world.enqueue(queue="General")
    bench.world.accept(contact, "agent.one")
    names = ("SLOTS_AVAILABLE", "SLOTS_ACTIVE", "AGENTS_AVAILABLE", "AGENTS_ON_CONTACT", "CONTACTS_IN_QUEUE")
    assert metrics(bench, *names, queues=["General"], channels=["TASK"]) == {("General", "TASK"): [1, 1, 0, 1, 0]}


def test_an_agent_on_a_break_is_online_but_has_no_slots(bench):
    bench.world.set_status("agent.one", "Break")
    names = ("AGENTS_ONLINE", "AGENTS_STAFFED", "AGENTS_NON_PRODUCTIVE", "SLOTS_AVAILABLE")
    assert metrics(bench, *names, queues=["General"], channels=["TASK"]) == {("General", "TASK"): [1, 0, 1, 0]}
    bench.world.set_status("agent.one", "Offline")
    assert metrics(bench, *names, queues=["General"], channels=["TASK"]) == {}


def test_the_oldest_age_is_in_milliseconds_where_nothing_is_grouped_whatever_the_unit_says(bench):
    bench.world.enqueue(waited=HOUR)
    assert metrics(bench, "OLDEST_CONTACT_AGE", groupings=["QUEUE"])["Billing", None] == [3600]
    assert metrics(bench, "OLDEST_CONTACT_AGE", groupings=[])[None, None] == [3_600_000]
    assert metrics(bench, "OLDEST_CONTACT_AGE", groupings=["CHANNEL"])[None, "TASK"] == [3600]


def test_the_estimated_wait_is_null_where_nobody_works_and_needs_both_groupings(bench):
    bench.world.enqueue()
    assert metrics(bench, "ESTIMATED_WAIT_TIME")["Billing", "TASK"] == [None]
    refusal = bench.refused(
        "get_current_metric_data",
        Filters={"Queues": [bench.queue("Billing")]},
        Groupings=["QUEUE"],
        CurrentMetrics=[{"Name": "ESTIMATED_WAIT_TIME"}],
    )
    assert refusal == (400, "InvalidParameterException")


def test_every_metric_of_the_model_is_offered(bench):
    from router.sandbox.operations.metric_calls import METRICS
    from router.sandbox.wire.model import service_model

    assert set(METRICS) == set(service_model().shape_for("CurrentMetricName").metadata["enum"])
    bench.world.enqueue(queue="General")
    values = metrics(bench, *METRICS, queues=["General"], channels=["TASK"])["General", "TASK"]
    assert None not in values


def test_metrics_by_routing_profile_count_its_agents(bench):
    profile = bench.call("describe_user", UserId=bench.user("agent.one"))["User"]["RoutingProfileId"]
    (row,) = bench.call(
        "get_current_metric_data",
        Filters={"RoutingProfiles": [profile]},
        Groupings=["ROUTING_PROFILE"],
        CurrentMetrics=[{"Name": "AGENTS_ONLINE"}],
    )["MetricResults"]
    assert row["Dimensions"]["RoutingProfile"]["Id"] == profile
    assert row["Collections"][0]["Value"] == 1


def test_a_unit_that_is_not_the_metrics_own_is_refused(bench):
    refusal = bench.refused(
        "get_current_metric_data",
        Filters={"Queues": [bench.queue("Billing")]},
        CurrentMetrics=[{"Name": "CONTACTS_IN_QUEUE", "Unit": "SECONDS"}],
    )
    assert refusal == (400, "InvalidParameterException")


def test_user_data_shows_status_slots_and_what_the_agent_has(bench):
    contact = bench.world.enqueue(queue="General")
    bench.world.accept(contact, "agent.one")
    (row,) = bench.call("get_current_user_data", Filters={"Agents": [bench.user("agent.one")]})["UserDataList"]
    assert row["Status"]["StatusName"] == "Available"
    assert row["AvailableSlotsByChannel"] == {"VOICE": 0, "CHAT": 0, "TASK": 1, "EMAIL": 1}
    assert row["ActiveSlotsByChannel"]["TASK"] == 1
    assert [(each["ContactId"], each["AgentContactState"]) for each in row["Contacts"]] == [(contact, "CONNECTED")]


def test_an_agent_who_is_offline_has_no_user_data_and_one_on_a_break_no_free_slots(bench):
    filters = {"Queues": [bench.queue("General")]}
    bench.world.set_status("agent.one", "Break")
    (row,) = bench.call("get_current_user_data", Filters=filters)["UserDataList"]
    assert row["Status"]["StatusName"] == "Break"
    assert set(row["AvailableSlotsByChannel"].values()) == {0}
    bench.world.set_status("agent.one", "Offline")
    assert bench.call("get_current_user_data", Filters=filters)["UserDataList"] == []


def test_user_data_wants_exactly_one_kind_of_filter(bench):
    wrong = (400, "InvalidParameterException")
    both = {"Agents": [bench.user("agent.one")], "Queues": [bench.queue("General")]}
    assert bench.refused("get_current_user_data", Filters=both) == wrong
    assert bench.refused("get_current_user_data", Filters={}) == wrong


# Agents at work


def test_agents_take_the_oldest_first_work_and_finish(make):
    bench = make()
    old = bench.world.enqueue(queue="General", waited=2 * HOUR)
    young = bench.world.enqueue(queue="General", waited=HOUR)
    bench.world.add_user("busy", queues=["General"], slots={"TASK": 1}, working=Working(handling=timedelta(minutes=4)))
    assert "AgentInfo" in bench.describe(old)
    assert "AgentInfo" not in bench.describe(young)
    bench.clock.move(hours=9)
    first, second = bench.world.contact(old), bench.world.contact(young)
    assert first.life.disconnect_reason == second.life.disconnect_reason == "AGENT_COMPLETED"
    assert second.connected_at == first.life.disconnected_at, "at its own instant, not when somebody looked"


def test_an_agent_who_puts_work_back_does_not_take_it_again(make):
    bench = make()
    working = Working(handling=timedelta(minutes=1), put_back=1.0)
    bench.world.add_user("sender", queues=["General"], slots={"TASK": 1}, working=working)
    contact = bench.world.enqueue(queue="General")
    bench.clock.move(hours=2)
    after = bench.world.latest(contact)
    assert after.id != contact
    assert bench.world.queue_of(after.id) == "General"
    assert after.chain.previous_id == contact


def test_agents_on_a_break_take_nothing_until_they_are_back(make):
    bench = make()
    working = Working(handling=timedelta(minutes=1))
    bench.world.add_user("late", queues=["General"], slots={"TASK": 1}, working=working, status="Break")
    contact = bench.world.enqueue(queue="General")
    bench.clock.move(hours=1)
    assert bench.world.queue_of(contact) == "General"
    bench.world.set_status("late", "Available")
    assert bench.world.contact(contact).connected_at == bench.clock.now


def test_an_agents_own_queue_comes_first(make):
    bench = make()
    bench.world.enqueue(queue="General", waited=HOUR)
    bench.world.add_user("own", queues=["General"], slots={"TASK": 1}, status="Break", working=Working(handling=HOUR))
    mine = bench.world.transfer(bench.world.enqueue(), flow="Escalate to agent", agent="own")
    bench.world.set_status("own", "Available")
    assert bench.world.contact(mine).connected_at is not None


def test_a_contact_expires_when_its_time_is_over(bench):
    short = bench.world.enqueue(segment_attributes={"connect:ContactExpiry": 60})
    bench.clock.move(minutes=61)
    assert bench.describe(short)["DisconnectReason"] == "EXPIRED"


def test_a_transfer_does_not_make_a_contact_live_longer(bench):
    moved = bench.transfer(bench.world.enqueue(segment_attributes={"connect:ContactExpiry": 60}))
    bench.clock.move(minutes=61)
    assert bench.describe(moved)["DisconnectReason"] == "EXPIRED"


def test_the_same_seed_makes_the_same_day(make):
    def day(bench):
        working = Working(handling=timedelta(minutes=5), put_back=0.3)
        bench.world.add_user("busy", queues=["Billing"], slots={"TASK": 2}, working=working)
        for minute in range(60):
            bench.world.enqueue(waited=timedelta(minutes=minute))
        bench.clock.move(hours=3)
        return [
            (each.id, each.connected_at, each.life.disconnected_at)
            for each in bench.world.state.contacts.all_at(bench.world.now)
        ]

    assert day(make()) == day(make())


def test_metrics_are_sorted_by_agents_online_or_by_what_is_asked_for(bench):
    bench.world.enqueue(queue="Billing")

    def order(**more):
        answer = bench.call(
            "get_current_metric_data",
            Filters={"Queues": [bench.queue("Billing"), bench.queue("General")]},
            Groupings=["QUEUE"],
            CurrentMetrics=[{"Name": "CONTACTS_IN_QUEUE"}, {"Name": "AGENTS_ONLINE"}],
            **more,
        )
        return [row["Dimensions"]["Queue"]["Id"] for row in answer["MetricResults"]]

    assert order() == [bench.queue("General"), bench.queue("Billing")]
    by_length = [{"SortByMetric": "CONTACTS_IN_QUEUE", "SortOrder": "DESCENDING"}]
    assert order(SortCriteria=by_length) == [bench.queue("Billing"), bench.queue("General")]
    with pytest.raises(bench.client.exceptions.InvalidParameterException):
        order(SortCriteria=[{"SortByMetric": "SLOTS_AVAILABLE", "SortOrder": "DESCENDING"}])


def test_a_search_filter_is_refused_rather_than_ignored(bench):
    tags = {"TagFilter": {"TagCondition": {"TagKey": "a", "TagValue": "b"}}}
    for operation in ("search_queues", "search_users"):
        assert bench.refused(operation, SearchFilter=tags) == (400, "InvalidParameterException")


def test_a_queue_that_is_renamed_keeps_its_id_and_one_that_is_removed_is_gone(bench):
    contact = bench.world.enqueue("TASK", "General")
    before = bench.queue("Billing")
    bench.world.set_queue("Billing", name="Accounts")
    assert bench.call("describe_queue", QueueId=before)["Queue"]["Name"] == "Accounts"
    with pytest.raises(ValueError, match="still has contacts"):
        bench.world.remove("General")
    bench.world.finish(contact)
    bench.world.remove("General")
    assert bench.describe(contact)["QueueInfo"]["Id"], "what it was stays on record"
    assert len(bench.call("list_queues", QueueTypes=["STANDARD"])["QueueSummaryList"]) == 1


def test_agents_are_in_statuses_of_which_only_available_takes_contacts(bench):
    bench.world.set_status("agent.one", "Lunch")
    listed = bench.call("list_agent_statuses")["AgentStatusSummaryList"]
    assert [(one["Name"], one["Type"]) for one in listed] == [
        ("Available", "ROUTABLE"),
        ("Offline", "OFFLINE"),
        ("Lunch", "CUSTOM"),
    ]
    (routable,) = bench.call("list_agent_statuses", AgentStatusTypes=["ROUTABLE"])["AgentStatusSummaryList"]
    bench.world.set_status("agent.one", "Available")
    (row,) = bench.call("get_current_user_data", Filters={"Agents": [bench.user("agent.one")]})["UserDataList"]
    assert row["Status"]["StatusArn"] == routable["Arn"]


# Parts of the instance that the API makes and deletes


def made_queue(bench, **more):
    hours = bench.call(
        "create_hours_of_operation",
        Name="Test hours",
        TimeZone="UTC",
        Config=[{"Day": "MONDAY", "StartTime": {"Hours": 9, "Minutes": 0}, "EndTime": {"Hours": 17, "Minutes": 0}}],
        Tags={"run": "1"},
    )["HoursOfOperationId"]
    queue = bench.call("create_queue", Name="Test queue", HoursOfOperationId=hours, Tags={"run": "1"}, **more)
    return hours, queue["QueueId"]


def test_a_queue_and_its_hours_can_be_made_and_deleted(bench):
    hours, queue = made_queue(bench, MaxContacts=2)
    assert bench.call("describe_queue", QueueId=queue)["Queue"]["Tags"] == {"run": "1"}
    described = bench.call("describe_hours_of_operation", HoursOfOperationId=hours)["HoursOfOperation"]
    assert (described["Tags"], described["Config"][0]["Day"]) == ({"run": "1"}, "MONDAY")
    again = bench.refused("create_queue", Name="Test queue", HoursOfOperationId=hours)
    assert again == (409, "DuplicateResourceException")
    in_use = bench.refused("delete_hours_of_operation", HoursOfOperationId=hours)
    assert in_use == (400, "InvalidRequestException")
    contact = bench.world.enqueue(queue="Test queue")
    assert bench.refused("delete_queue", QueueId=queue) == (409, "ResourceInUseException")
    bench.world.finish(contact)
    bench.call("delete_queue", QueueId=queue)
    bench.call("delete_hours_of_operation", HoursOfOperationId=hours)
    assert bench.refused("describe_queue", QueueId=queue) == (404, "ResourceNotFoundException")


def test_an_override_without_windows_closes_its_days(bench):
    hours, _ = made_queue(bench)
    day = {"EffectiveFrom": "2026-03-16", "EffectiveTill": "2026-03-16"}
    bench.call("create_hours_of_operation_override", HoursOfOperationId=hours, Name="Closed", Config=[], **day)
    span = {"FromDate": "2026-03-16", "ToDate": "2026-03-23"}
    answer = bench.call("get_effective_hours_of_operations", HoursOfOperationId=hours, **span)
    found = {row["Date"]: len(row["OperationalHours"]) for row in answer["EffectiveHoursOfOperationList"]}
    assert (found["2026-03-16"], found["2026-03-23"]) == (0, 1)
    wrong = {"EffectiveFrom": "2026-02-30", "EffectiveTill": "2026-02-30"}
    refused = bench.refused(
        "create_hours_of_operation_override", HoursOfOperationId=hours, Name="No", Config=[], **wrong
    )
    assert refused == (400, "InvalidParameterException")


def test_hours_of_operation_can_be_changed_except_for_their_name(bench):
    hours, _ = made_queue(bench)
    bench.call("update_hours_of_operation", HoursOfOperationId=hours, Description="Run 1")
    one = {"Day": "SUNDAY", "StartTime": {"Hours": 1, "Minutes": 0}, "EndTime": {"Hours": 2, "Minutes": 0}}
    bench.call("update_hours_of_operation", HoursOfOperationId=hours, TimeZone="Europe/Paris", Config=[one])
    found = bench.call("describe_hours_of_operation", HoursOfOperationId=hours)["HoursOfOperation"]
    assert (found["Description"], found["TimeZone"], found["Config"]) == ("Run 1", "Europe/Paris", [one])
    refused = bench.refused("update_hours_of_operation", HoursOfOperationId=hours, Name="Other")
    assert refused == (400, "InvalidRequestException")


def test_the_e_mail_addresses_of_the_instance_can_be_searched(make):
    bench = make(Scenario(identity=Identity(email_addresses=("a@example.com", "b@example.com"))))
    found = bench.call("search_email_addresses", MaxResults=1)
    more = bench.call("search_email_addresses", MaxResults=1, NextToken=found["NextToken"])
    rows = [*found["EmailAddresses"], *more["EmailAddresses"]]
    assert [row["EmailAddress"] for row in rows] == ["a@example.com", "b@example.com"]


def test_a_flow_can_be_made_archived_and_deleted(bench):
    content = bench.call("describe_contact_flow", ContactFlowId=bench.flow())["ContactFlow"]["Content"]
    kind = {"Type": "QUEUE_TRANSFER", "Content": content, "Tags": {"run": "1"}}
    flow = bench.call("create_contact_flow", Name="Test flow", **kind)["ContactFlowId"]
    assert bench.world.queue_of(bench.transfer(bench.world.enqueue(), flow="Test flow")) == "General"
    bench.call("update_contact_flow_metadata", ContactFlowId=flow, ContactFlowState="ARCHIVED")
    described = bench.call("describe_contact_flow", ContactFlowId=flow)["ContactFlow"]
    assert (described["State"], described["Tags"]) == ("ARCHIVED", {"run": "1"})
    bench.call("delete_contact_flow", ContactFlowId=flow)
    assert bench.refused("delete_contact_flow", ContactFlowId=flow) == (404, "ResourceNotFoundException")


def test_the_content_of_a_saved_flow_has_an_alias(bench):
    content = bench.call("describe_contact_flow", ContactFlowId=bench.flow())["ContactFlow"]["Content"]
    kind = {"Type": "QUEUE_TRANSFER", "Status": "SAVED", "Content": content}
    flow = bench.call("create_contact_flow", Name="Draft", **kind)["ContactFlowId"]
    assert bench.refused("describe_contact_flow", ContactFlowId=flow)[1] == "ContactFlowNotPublishedException"
    assert bench.call("describe_contact_flow", ContactFlowId=f"{flow}:$SAVED")["ContactFlow"]["Status"] == "SAVED"
    wrong = {**kind, "Content": "{}"}
    assert bench.refused("create_contact_flow", Name="No flow", **wrong) == (400, "InvalidRequestException")


def test_a_contact_can_be_tagged(bench):
    contact = bench.world.enqueue(tags={"team": "a"})
    bench.call("tag_contact", ContactId=contact, Tags={"run": "1"})
    assert bench.describe(contact)["Tags"] == {"team": "a", "run": "1"}


def test_an_email_can_be_started_once_for_each_token(bench):
    message = {"MessageSourceType": "RAW", "RawMessage": {"Subject": "s", "Body": "b", "ContentType": "text/plain"}}
    email = {
        "FromEmailAddress": {"EmailAddress": "ann@example.com"},
        "DestinationEmailAddress": "billing@example.com",
        "EmailMessage": message,
        "ContactFlowId": bench.flow("Inbound tasks"),
        "Attributes": {"queue": "Billing"},
        "ClientToken": "t",
    }
    contact = bench.call("start_email_contact", **email)["ContactId"]
    assert bench.call("start_email_contact", **email)["ContactId"] == contact
    described = bench.describe(contact)
    assert (described["Channel"], bench.world.queue_of(contact)) == ("EMAIL", "Billing")
    assert described["CustomerEndpoint"]["Address"] == "ann@example.com"


def test_a_contact_that_does_not_wait_cannot_be_associated_and_has_no_position(bench):
    contact = bench.world.enqueue(queue="General")
    bench.world.accept(contact, "agent.one")
    agent = bench.user("agent.one")
    refusal = bench.refused("associate_contact_with_user", ContactId=contact, UserId=agent)
    assert refusal == (400, "InvalidRequestException")
    metrics = [{"Name": "POSITION_IN_QUEUE"}]
    assert bench.call("get_contact_metrics", ContactId=contact, Metrics=metrics)["MetricResults"] == []
