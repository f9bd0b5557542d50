"""Tests SearchContacts: time ranges, criteria, order, pages."""

from datetime import timedelta

import pytest

pytestmark = pytest.mark.uses("threads", "sockets")

HOUR = timedelta(hours=1)


def test_a_row_has_what_the_summary_has_and_nothing_that_only_describe_contact_knows(bench):
    bench.world.enqueue(
        "EMAIL",
        waited=HOUR,
        name="Invoice",
        attributes={"secret": "x"},
        tags={"team": "a"},
        segment_attributes={"tier": "gold", "score": 7},
        from_address="a@example.com",
        priority=2,
    )
    (row,) = bench.search()["Contacts"]
    assert set(row) == {
        "Arn",
        "Id",
        "InitiationMethod",
        "Channel",
        "QueueInfo",
        "InitiationTimestamp",
        "SegmentAttributes",
        "Name",
        "Tags",
    }
    assert row["SegmentAttributes"] == {
        "connect:Subtype": {"ValueString": "connect:Email"},
        "tier": {"ValueString": "gold"},
    }
    assert row["QueueInfo"]["EnqueueTimestamp"] == bench.clock.now - HOUR


def test_a_contact_that_lacks_the_timestamp_is_not_in_the_result(bench):
    queued = bench.world.enqueue()
    scheduled = bench.world.schedule("TASK", "Billing", start_in=HOUR)
    assert bench.found(kind="ENQUEUE_TIMESTAMP") == [queued]
    assert bench.found(kind="SCHEDULED_TIMESTAMP") == [scheduled]
    assert bench.found(kind="CONNECTED_TO_AGENT_TIMESTAMP") == []
    assert bench.found(kind="DISCONNECT_TIMESTAMP") == []
    assert sorted(bench.found(kind="INITIATION_TIMESTAMP")) == sorted([queued, scheduled])


def test_agents_and_ends_have_their_own_time_ranges(bench):
    accepted, ended = bench.world.enqueue(queue="General"), bench.world.enqueue()
    bench.world.accept(accepted, "agent.one")
    bench.world.finish(ended)
    assert bench.found(kind="CONNECTED_TO_AGENT_TIMESTAMP") == [accepted]
    assert bench.found(kind="DISCONNECT_TIMESTAMP") == [ended]
    (row,) = bench.search(kind="CONNECTED_TO_AGENT_TIMESTAMP")["Contacts"]
    assert row["AgentInfo"] == {"Id": bench.user("agent.one"), "ConnectedToAgentTimestamp": bench.clock.now}


def test_the_end_of_the_range_filters_by_age(bench):
    old = bench.world.enqueue(waited=3 * HOUR)
    bench.world.enqueue(waited=HOUR)
    span = {
        "Type": "ENQUEUE_TIMESTAMP",
        "StartTime": bench.clock.now - timedelta(days=9),
        "EndTime": bench.clock.now - 2 * HOUR,
    }
    assert [row["Id"] for row in bench.call("search_contacts", TimeRange=span)["Contacts"]] == [old]


def test_more_than_eight_weeks_at_once_is_answered_with_500(bench):
    span = {"Type": "ENQUEUE_TIMESTAMP", "StartTime": bench.clock.now - timedelta(days=57), "EndTime": bench.clock.now}
    assert bench.refused("search_contacts", TimeRange=span) == (500, "InternalServiceException")
    span["StartTime"] = bench.clock.now - timedelta(days=56)
    assert bench.call("search_contacts", TimeRange=span)["TotalCount"] == 0


def test_a_range_that_ends_before_it_starts_is_refused(bench):
    span = {"Type": "ENQUEUE_TIMESTAMP", "StartTime": bench.clock.now, "EndTime": bench.clock.now - HOUR}
    assert bench.refused("search_contacts", TimeRange=span) == (400, "InvalidParameterException")


def test_criteria_narrow_by_channel_queue_agent_method_name_tag_and_segment_attribute(bench):
    task = bench.world.enqueue("TASK", "Billing", name="Refund for Ann", tags={"team": "a"})
    email = bench.world.enqueue("EMAIL", "General", name="Invoice", segment_attributes={"tier": "gold"})
    bench.world.accept(email, "agent.one")
    assert bench.found(SearchCriteria={"Channels": ["EMAIL"]}) == [email]
    assert bench.found(SearchCriteria={"QueueIds": [bench.queue("Billing")]}) == [task]
    assert bench.found(SearchCriteria={"AgentIds": [bench.user("agent.one")]}) == [email]
    assert bench.found(SearchCriteria={"InitiationMethods": ["INBOUND"]}) == [email]
    assert bench.found(SearchCriteria={"Name": {"SearchText": ["refund", "ann"], "MatchType": "MATCH_ALL"}}) == [task]
    assert bench.found(SearchCriteria={"Name": {"SearchText": ["Refund"], "MatchType": "MATCH_EXACT"}}) == []
    assert bench.found(SearchCriteria={"Name": {"SearchText": ["refund"], "MatchType": "MATCH_NONE"}}) == [email]
    assert bench.found(SearchCriteria={"ContactTags": {"TagCondition": {"TagKey": "team", "TagValue": "a"}}}) == [task]
    segment = {"Criteria": [{"Key": "tier", "Values": ["gold", "silver"]}], "MatchType": "MATCH_ANY"}
    assert bench.found(SearchCriteria={"SearchableSegmentAttributes": segment}) == [email]
    assert bench.found(SearchCriteria={"Channels": ["EMAIL"], "QueueIds": [bench.queue("Billing")]}) == []


def test_the_query_for_what_still_waits_finds_it_and_nothing_else(bench):
    waiting = bench.world.enqueue("EMAIL", waited=HOUR)
    taken, ended = bench.world.enqueue(queue="General"), bench.world.enqueue()
    bench.world.accept(taken, "agent.one")
    bench.world.finish(ended)
    conditions = [
        {"TimestampCondition": {"Type": kind, "ConditionType": "NOT_EXISTS"}}
        for kind in ("DISCONNECT_TIMESTAMP", "CONNECTED_TO_AGENT_TIMESTAMP")
    ]
    criteria = {
        "Channels": ["TASK", "EMAIL"],
        "AdditionalTimeRange": {"MatchType": "MATCH_ALL", "Criteria": conditions},
    }
    assert bench.found(SearchCriteria=criteria) == [waiting]


def test_an_additional_range_may_be_one_of_several(bench):
    early, late = bench.world.enqueue(waited=5 * HOUR), bench.world.enqueue(waited=HOUR)
    ranges = [
        {"TimeRange": {"Type": "INITIATION_TIMESTAMP", "StartTime": start, "EndTime": start + HOUR / 2}}
        for start in (bench.clock.now - 5 * HOUR, bench.clock.now - 9 * HOUR)
    ]

    def match(how):
        return bench.found(SearchCriteria={"AdditionalTimeRange": {"MatchType": how, "Criteria": ranges}})

    assert (match("MATCH_ANY"), match("MATCH_ALL"), match("MATCH_NONE")) == ([early], [], [late])


def test_what_the_sandbox_does_not_offer_is_refused_by_name(bench):
    span = {"Type": "ENQUEUE_TIMESTAMP", "StartTime": bench.clock.now - HOUR, "EndTime": bench.clock.now}
    criteria = {"ActiveRegions": ["us-east-1"]}
    refusal = bench.refused("search_contacts", TimeRange=span, SearchCriteria=criteria)
    assert refusal == (400, "InvalidParameterException")


@pytest.mark.parametrize("order", ["ASCENDING", "DESCENDING"])
def test_rows_are_sorted_and_ties_have_an_order(bench, order):
    waits = [3, 1, 2, 2]
    contacts = [(hours, bench.world.enqueue(waited=hours * HOUR)) for hours in waits]
    found = bench.found(Sort={"FieldName": "INITIATION_TIMESTAMP", "Order": order})
    by_id = {contact: hours for hours, contact in contacts}
    assert [by_id[contact] for contact in found] == sorted(waits, reverse=order == "ASCENDING")


@pytest.mark.parametrize("field", ["CHANNEL", "INITIATION_METHOD", "EXPIRY_TIMESTAMP", "DISCONNECT_TIMESTAMP"])
def test_every_sort_field_is_offered(bench, field):
    contacts = [bench.world.enqueue(channel) for channel in ("TASK", "EMAIL", "CHAT")]
    assert sorted(bench.found(Sort={"FieldName": field, "Order": "ASCENDING"})) == sorted(contacts)


def test_pages_follow_one_another_without_gaps_and_count_the_whole(bench):
    contacts = {bench.world.enqueue(waited=timedelta(minutes=n)) for n in range(7)}
    pages = list(
        bench.client.get_paginator("search_contacts").paginate(
            InstanceId=bench.sandbox.instance_id,
            TimeRange={
                "Type": "ENQUEUE_TIMESTAMP",
                "StartTime": bench.clock.now - HOUR,
                "EndTime": bench.clock.now,
            },
            MaxResults=3,
        )
    )
    assert [len(page["Contacts"]) for page in pages] == [3, 3, 1]
    assert {row["Id"] for page in pages for row in page["Contacts"]} == contacts
    assert {page["TotalCount"] for page in pages} == {7}


def test_a_token_expires_belongs_to_one_search_and_cannot_be_made_up(bench):
    for _ in range(3):
        bench.world.enqueue()
    span = {"Type": "ENQUEUE_TIMESTAMP", "StartTime": bench.clock.now - HOUR, "EndTime": bench.clock.now}
    asked = {"TimeRange": span, "MaxResults": 1}
    token = bench.call("search_contacts", **asked)["NextToken"]
    wrong = (400, "InvalidParameterException")
    assert bench.refused("search_contacts", **asked, NextToken="nonsense") == wrong
    other = {"Channels": ["EMAIL"]}
    assert bench.refused("search_contacts", **asked, NextToken=token, SearchCriteria=other) == wrong
    bench.clock.move(minutes=5)
    assert len(bench.call("search_contacts", **asked, NextToken=token)["Contacts"]) == 1
    bench.clock.move(seconds=1)
    assert bench.refused("search_contacts", **asked, NextToken=token) == wrong


def test_a_call_that_waits_is_not_visible_and_a_chat_is(bench):
    bench.world.enqueue("VOICE")
    chat = bench.world.enqueue("CHAT")
    assert bench.found() == [chat]


@pytest.mark.parametrize(
    "name",
    ["line\nbreak\r\x00\x1b[31m", "x" * 1024, "🦀" * 500, '"}],"Contacts":[', "", "../../etc/passwd", "%2F%00"],
    ids=["control", "huge", "astral", "json", "empty", "path", "quoted"],
)
def test_a_hostile_name_comes_back_as_it_was(bench, name):
    contact = bench.world.enqueue(name=name, attributes={"k": name}, tags={"t": name[:200]})
    (row,) = bench.search()["Contacts"]
    assert row["Name"] == name
    described = bench.describe(contact)
    assert (described["Name"], described["Attributes"]) == (name, {"k": name})
