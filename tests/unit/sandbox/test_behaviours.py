"""Tests every value of every switch for undocumented behaviour."""

import dataclasses
import re
from datetime import date, timedelta
from pathlib import Path

import pytest

import router.sandbox.behaviours
from router.sandbox import Behaviours, FlowOutcome, Override

pytestmark = pytest.mark.uses("threads", "sockets")

HOUR = timedelta(hours=1)
GONE = "7aff7ddd-acb9-5d08-8523-36401b239eec"


def test_every_switch_is_documented_and_shown_to_switch_something():
    source = Path(__file__).read_text()
    for field in dataclasses.fields(Behaviours):
        assert re.search(rf"{field.name}=", source), f"{field.name} has no test"
    code = Path(router.sandbox.behaviours.__file__).read_text()
    for field in dataclasses.fields(Behaviours):
        assert re.search(rf'\n    {field.name}: [^\n]+\n    """', code), f"{field.name} has no documentation"


@pytest.mark.parametrize("answer_id", ["new", "old"])
def test_the_answer_names_the_new_or_the_old_contact(make, answer_id):
    bench = make(answer_id=answer_id)
    contact = bench.world.enqueue()
    answered = bench.transfer(contact)
    assert (answered == contact) == (answer_id == "old")
    assert bench.world.queue_of(bench.world.latest(contact).id) == "General"


def test_a_transfer_may_keep_the_contact_and_change_only_its_queue(make):
    bench = make(transfer="same_contact")
    contact = bench.world.enqueue(waited=HOUR)
    assert bench.transfer(contact) == contact
    described = bench.describe(contact)
    assert described["QueueInfo"] == {"Id": bench.queue("General"), "EnqueueTimestamp": bench.clock.now}
    assert described["InitiationTimestamp"] == bench.clock.now - HOUR
    assert "DisconnectTimestamp" not in described
    for _ in range(10):
        bench.transfer(contact)
    assert refused(bench, contact) == (402, "ServiceQuotaExceededException")


def test_a_same_contact_transfer_takes_it_from_its_agent(make):
    bench = make(transfer="same_contact")
    contact = bench.world.enqueue(queue="General")
    bench.world.accept(contact, "agent.one")
    bench.transfer(contact, "Billing")
    assert bench.world.taken_from_agents[0].taken_from == "agent.one"
    assert "AgentInfo" not in bench.describe(contact)


def test_a_repeated_token_answers_again(make):
    bench = make(repeated_token="answers_again")
    contact = bench.world.enqueue()
    first = bench.transfer(contact, ClientToken="t")
    assert bench.transfer(contact, ClientToken="t") == first
    assert len(bench.world.transfers) == 1


def test_a_repeated_token_may_be_refused(make):
    bench = make(repeated_token="refused")
    contact = bench.world.enqueue()
    bench.transfer(contact, ClientToken="t")
    assert refused(bench, contact, ClientToken="t") == (409, "IdempotencyException")


def test_a_repeated_token_may_be_forgotten_and_the_call_executed_again(make):
    bench = make(repeated_token="unknown", transfer="same_contact")
    contact = bench.world.enqueue()
    bench.transfer(contact, ClientToken="t")
    bench.transfer(contact, ClientToken="t")
    assert len(bench.world.transfers) == 2


@pytest.mark.parametrize(("twelfth", "status"), [("402", 402), ("400", 400)])
def test_the_thirteenth_contact_of_a_chain_is_refused_one_way_or_the_other(make, twelfth, status):
    bench = make(twelfth_contact=twelfth)
    contact = bench.world.enqueue(waited=HOUR, chain=12)
    assert refused(bench, contact)[0] == status


@pytest.mark.parametrize("crossing", ["any", "current", "absent"])
def test_an_agent_with_an_email_is_or_is_not_offered_a_task(make, crossing):
    bench = make(cross_channel=crossing)
    bench.world.add_user("one", queues=["General"], slots={"TASK": 1, "EMAIL": 1})
    bench.world.accept(bench.world.enqueue("EMAIL", "General"), "one")
    (shown,) = bench.call("get_current_user_data", Filters={"Agents": [user_id(bench)]})["UserDataList"]
    assert shown["AvailableSlotsByChannel"]["TASK"] == (0 if crossing == "current" else 1)
    rows = bench.call("search_routing_profiles")["RoutingProfiles"]
    (again,) = bench.call("search_routing_profiles", SearchCriteria=named(rows[-1]["Name"]))["RoutingProfiles"]
    assert again == rows[-1]
    types = {one.get("CrossChannelBehavior", {}).get("BehaviorType") for one in again["MediaConcurrencies"]}
    assert types == {{"any": "ROUTE_ANY_CHANNEL", "current": "ROUTE_CURRENT_CHANNEL_ONLY"}.get(crossing)}


def user_id(bench):
    return next(row["Id"] for row in bench.call("list_users")["UserSummaryList"] if row["Username"] == "one")


def named(name):
    return {"StringCondition": {"FieldName": "name", "Value": name, "ComparisonType": "EXACT"}}


@pytest.mark.parametrize("paused", ["allowed", "refused"])
def test_a_paused_contact_can_or_cannot_be_transferred(make, paused):
    bench = make(paused_transfer=paused)
    contact = bench.world.enqueue()
    bench.world.pause(contact)
    if paused == "refused":
        assert refused(bench, contact) == (400, "InvalidRequestException")
    else:
        moved = bench.transfer(contact)
        assert bench.world.queue_of(moved) == "General"
        assert not bench.world.contact(moved).pause.paused


@pytest.mark.parametrize("kept", ["kept", "lost"])
def test_the_new_segment_keeps_or_loses_priority_and_age(make, kept):
    bench = make(new_segment_priority=kept)
    urgent = bench.world.enqueue(priority=1)
    aged = bench.world.enqueue(adjustment=timedelta(minutes=9))
    assert bench.describe(bench.transfer(urgent))["QueuePriority"] == (1 if kept == "kept" else 5)
    assert bench.describe(bench.transfer(aged)).get("QueueTimeAdjustmentSeconds") == (540 if kept == "kept" else None)


@pytest.mark.parametrize("kept", ["kept", "lost"])
def test_the_new_segment_keeps_or_loses_the_initial_id(make, kept):
    bench = make(new_segment_initial_id=kept)
    contact = bench.world.enqueue()
    assert bench.describe(bench.transfer(contact)).get("InitialContactId") == (contact if kept == "kept" else None)


@pytest.mark.parametrize("kept", ["kept", "lost"])
def test_the_new_segment_keeps_or_loses_the_previous_id(make, kept):
    bench = make(new_segment_previous_id=kept)
    contact = bench.world.enqueue()
    assert bench.describe(bench.transfer(contact)).get("PreviousContactId") == (contact if kept == "kept" else None)


@pytest.mark.parametrize("kept", ["kept", "lost"])
def test_the_new_segment_keeps_or_loses_the_attributes(make, kept):
    bench = make(new_segment_attributes=kept)
    contact = bench.world.enqueue(attributes={"language": "fr"})
    described = bench.describe(bench.transfer(contact))
    assert described["Attributes"] == ({"language": "fr"} if kept == "kept" else {})


@pytest.mark.parametrize("kept", ["kept", "lost"])
def test_the_new_segment_keeps_or_loses_the_tags(make, kept):
    bench = make(new_segment_tags=kept)
    moved = bench.transfer(bench.world.enqueue(tags={"team": "north"}))
    assert bench.describe(moved).get("Tags", {}).get("team") == ("north" if kept == "kept" else None)


@pytest.mark.parametrize("method", ["TRANSFER", "QUEUE_TRANSFER", "API"])
def test_the_new_segment_was_initiated_in_one_of_three_ways(make, method):
    bench = make(transfer_initiation_method=method)
    assert bench.describe(bench.transfer(bench.world.enqueue()))["InitiationMethod"] == method


def test_the_index_may_be_behind(make):
    bench = make(index_lag=timedelta(seconds=20))
    old = bench.world.enqueue(waited=HOUR)
    fresh = bench.world.enqueue()
    assert bench.found() == [old], "what came in the last seconds is not in it yet"
    bench.clock.move(seconds=20)
    assert sorted(bench.found()) == sorted([old, fresh])
    moved = bench.transfer(old)
    (row,) = [row for row in bench.search()["Contacts"] if row["Id"] == old]
    assert "DisconnectTimestamp" not in row, "still looks queued"
    assert row["QueueInfo"]["Id"] == bench.queue("Billing")
    bench.clock.move(seconds=20)
    rows = {row["Id"]: row for row in bench.search()["Contacts"]}
    assert "DisconnectTimestamp" in rows[old]
    assert rows[moved]["QueueInfo"]["Id"] == bench.queue("General")


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(seconds=10)])
def test_the_segment_that_a_transfer_ended_may_look_queued_when_the_new_one_does_too(make, behind):
    bench = make(old_segment_lag=timedelta(minutes=1), index_lag=behind)
    live = {"TimestampCondition": {"Type": "DISCONNECT_TIMESTAMP", "ConditionType": "NOT_EXISTS"}}
    waiting = {"AdditionalTimeRange": {"MatchType": "MATCH_ALL", "Criteria": [live]}}
    old, answered = bench.world.enqueue(waited=HOUR), bench.world.enqueue(waited=HOUR)
    bench.clock.move(seconds=30)
    new = bench.transfer(old)
    bench.world.finish(answered)
    bench.clock.move(seconds=behind.total_seconds() + 59)
    assert sorted(bench.found(SearchCriteria=waiting)) == sorted([old, new]), "what a transfer did not end is as it is"
    rows = {row["Id"]: row["QueueInfo"]["Id"] for row in bench.search()["Contacts"] if row["Id"] in (old, new)}
    assert rows == {old: bench.queue("Billing"), new: bench.queue("General")}
    assert "DisconnectTimestamp" in bench.describe(old), "the index alone is behind"
    bench.clock.move(seconds=1)
    assert bench.found(SearchCriteria=waiting) == [new]


@pytest.mark.parametrize("answer", ["honoured", "ignored", "refused"])
def test_not_exists_filters_or_does_nothing_or_is_refused(make, answer):
    bench = make(not_exists=answer)
    waiting, ended = bench.world.enqueue(waited=HOUR), bench.world.enqueue(waited=HOUR)
    bench.world.finish(ended)
    condition = {"TimestampCondition": {"Type": "DISCONNECT_TIMESTAMP", "ConditionType": "NOT_EXISTS"}}
    criteria = {"AdditionalTimeRange": {"MatchType": "MATCH_ALL", "Criteria": [condition]}}
    if answer == "refused":
        span = {"Type": "ENQUEUE_TIMESTAMP", "StartTime": bench.clock.now - HOUR, "EndTime": bench.clock.now}
        refusal = bench.refused("search_contacts", TimeRange=span, SearchCriteria=criteria)
        assert refusal == (400, "InvalidParameterException")
    else:
        expected = [waiting] if answer == "honoured" else [waiting, ended]
        assert sorted(bench.found(SearchCriteria=criteria)) == sorted(expected)


@pytest.mark.parametrize("pages", ["snapshot", "live"])
def test_the_pages_of_a_search_show_one_moment_or_each_its_own(make, pages):
    bench = make(search_pages=pages)
    contacts = [bench.world.enqueue(waited=timedelta(minutes=9 - n)) for n in range(4)]
    asked = {
        "TimeRange": {"Type": "ENQUEUE_TIMESTAMP", "StartTime": bench.clock.now - HOUR, "EndTime": bench.clock.now},
        "SearchCriteria": {"QueueIds": [bench.queue("Billing")]},
        "Sort": {"FieldName": "INITIATION_TIMESTAMP", "Order": "ASCENDING"},
        "MaxResults": 2,
    }
    first = bench.call("search_contacts", **asked)
    bench.clock.move(seconds=1)
    bench.world.change(contacts[0], queue_id=bench.queue("General"))
    second = bench.call("search_contacts", NextToken=first["NextToken"], **asked)
    rest = [row["Id"] for row in second["Contacts"]]
    assert rest == (contacts[2:] if pages == "snapshot" else contacts[3:])


@pytest.mark.parametrize("form", ["id", "arn"])
def test_queue_info_holds_an_id_or_an_arn(make, form):
    bench = make(queue_info=form)
    contact = bench.world.enqueue()
    queue_id = bench.queue("Billing")
    expected = queue_id if form == "id" else f"{bench.sandbox.instance_arn}/queue/{queue_id}"
    assert bench.describe(contact)["QueueInfo"]["Id"] == expected
    assert bench.search(SearchCriteria={"QueueIds": [queue_id]})["Contacts"][0]["QueueInfo"]["Id"] == expected


@pytest.mark.parametrize("form", ["user_id", "own_id", "arn"])
def test_an_agents_queue_has_the_users_id_or_its_own_or_shows_an_arn(make, form):
    bench = make(agent_queue_id=form)
    user = bench.user("agent.one")
    moved = bench.world.transfer(bench.world.enqueue(), flow="Escalate to agent", agent="agent.one")
    shown = bench.describe(moved)["QueueInfo"]["Id"]
    if form == "arn":
        assert shown == f"{bench.sandbox.instance_arn}/queue/agent/{user}"
    else:
        assert (shown == user) == (form == "user_id")
    (agent_queue,) = bench.call("list_queues", QueueTypes=["AGENT"])["QueueSummaryList"]
    assert shown in (agent_queue["Id"], agent_queue["Arn"])
    assert bench.found(SearchCriteria={"QueueIds": [shown]}) == [moved]


@pytest.mark.parametrize("answer", ["yes", "no_rows", "refused"])
def test_metrics_know_email_or_are_silent_or_refuse_it(make, answer):
    bench = make(email_in_metrics=answer)
    bench.world.enqueue("EMAIL")
    params = {
        "Filters": {"Queues": [bench.queue("Billing")], "Channels": ["TASK", "EMAIL"]},
        "Groupings": ["QUEUE", "CHANNEL"],
        "CurrentMetrics": [{"Name": "CONTACTS_IN_QUEUE", "Unit": "COUNT"}],
    }
    if answer == "refused":
        assert bench.refused("get_current_metric_data", **params) == (400, "InvalidParameterException")
    else:
        rows = bench.call("get_current_metric_data", **params)["MetricResults"]
        assert [row["Dimensions"]["Channel"] for row in rows] == (["EMAIL"] if answer == "yes" else [])


def test_metrics_may_be_behind(make):
    bench = make(metrics_lag=timedelta(seconds=30))
    params = {
        "Filters": {"Queues": [bench.queue("Billing")]},
        "Groupings": ["QUEUE"],
        "CurrentMetrics": [{"Name": "CONTACTS_IN_QUEUE"}],
    }
    bench.world.enqueue()
    assert bench.call("get_current_metric_data", **params)["MetricResults"] == []
    bench.clock.move(seconds=30)
    (row,) = bench.call("get_current_metric_data", **params)["MetricResults"]
    assert row["Collections"][0]["Value"] == 1


@pytest.mark.parametrize("looks", [True, False])
def test_a_paused_contact_keeps_or_loses_its_queue_info(make, looks):
    bench = make(paused_looks_queued=looks)
    contact = bench.world.enqueue()
    bench.call("pause_contact", ContactId=contact)
    assert ("QueueInfo" in bench.describe(contact)) == looks
    assert bench.describe(contact)["LastPausedTimestamp"] == bench.clock.now
    assert bench.world.waiting("Billing") == (), "it was dequeued in truth"


@pytest.mark.parametrize("paused", ["allowed", "refused"])
def test_an_email_can_or_cannot_be_paused(make, paused):
    bench = make(email_pause=paused)
    email, task = bench.world.enqueue("EMAIL"), bench.world.enqueue("TASK")
    bench.call("pause_contact", ContactId=task)
    if paused == "allowed":
        bench.call("pause_contact", ContactId=email)
        assert bench.describe(email)["TotalPauseCount"] == 1
    else:
        assert bench.refused("pause_contact", ContactId=email) == (400, "InvalidRequestException")
        assert "TotalPauseCount" not in bench.describe(email)


@pytest.mark.parametrize("resumed", ["keeps_time", "renews_time", "stays_out"])
def test_a_resumed_contact_is_queued_with_its_old_or_a_new_time_or_not_at_all(make, resumed):
    bench = make(resume=resumed)
    contact = bench.world.enqueue(waited=HOUR)
    queued = bench.clock.now - HOUR
    bench.call("pause_contact", ContactId=contact)
    bench.clock.move(minutes=10)
    bench.call("resume_contact", ContactId=contact)
    described = bench.describe(contact)
    expected = {"keeps_time": queued, "renews_time": bench.clock.now, "stays_out": None}[resumed]
    assert described.get("QueueInfo", {}).get("EnqueueTimestamp") == expected
    assert (described["TotalPauseCount"], described["TotalPauseDurationInSeconds"]) == (1, 600)
    assert bench.world.queue_of(contact) == (None if resumed == "stays_out" else "Billing")


@pytest.mark.parametrize("linked", ["share_initial_id", "own_initial_id"])
def test_a_linked_task_shares_the_initial_id_or_has_its_own(make, linked):
    bench = make(linked_tasks=linked)
    first = bench.world.enqueue()
    second = bench.call(
        "start_task_contact", Name="more", ContactFlowId=bench.flow("Inbound tasks"), PreviousContactId=first
    )["ContactId"]
    described = bench.describe(second)
    assert described["PreviousContactId"] == first
    assert described.get("InitialContactId") == (first if linked == "share_initial_id" else None)


@pytest.mark.parametrize("how", ["new_segment", "same_contact"])
def test_what_an_agent_puts_back_is_a_new_segment_or_the_same_contact(make, how):
    bench = make(put_back=how)
    contact = bench.world.enqueue(queue="General", waited=HOUR)
    bench.world.accept(contact, "agent.one")
    after = bench.world.put_back(contact)
    assert (after == contact) == (how == "same_contact")
    described = bench.describe(after)
    assert described["QueueInfo"]["EnqueueTimestamp"] == bench.clock.now
    assert "AgentInfo" not in described
    assert bench.world.queue_of(after) == "General"


@pytest.mark.parametrize(("age", "seconds"), [("sets", 60), ("adds", 160)])
def test_routing_age_is_set_or_added_to(make, age, seconds):
    bench = make(routing_age=age)
    contact = bench.world.enqueue()
    for adjustment in (100, 60):
        bench.call("update_contact_routing_data", ContactId=contact, QueueTimeAdjustmentSeconds=adjustment)
    assert bench.describe(contact)["QueueTimeAdjustmentSeconds"] == seconds


def test_a_routing_update_of_a_contact_that_waits_may_show_and_count_later(make):
    bench = make(routing_delay=timedelta(seconds=60))
    first, second = bench.world.enqueue(), bench.world.enqueue(waited=timedelta(0))
    [ahead, behind] = [contact.id for contact in bench.world.waiting("Billing")]
    assert {ahead, behind} == {first, second}
    bench.call("update_contact_routing_data", ContactId=behind, QueuePriority=2)
    bench.clock.move(seconds=59)
    assert bench.describe(behind)["QueuePriority"] == 5
    assert [contact.id for contact in bench.world.waiting("Billing")] == [ahead, behind]
    bench.clock.move(seconds=1)
    assert bench.describe(behind)["QueuePriority"] == 2
    assert [contact.id for contact in bench.world.waiting("Billing")] == [behind, ahead]


def test_ages_that_take_effect_late_are_added_to_what_the_contact_has_then(make):
    bench = make(routing_delay=timedelta(seconds=60), routing_age="adds")
    contact = bench.world.enqueue()
    for adjustment in (100, 60):
        bench.call("update_contact_routing_data", ContactId=contact, QueueTimeAdjustmentSeconds=adjustment)
    bench.clock.move(seconds=60)
    assert bench.describe(contact)["QueueTimeAdjustmentSeconds"] == 160


def test_a_routing_update_of_a_contact_that_ends_meanwhile_changes_nothing(make):
    bench = make(routing_delay=timedelta(seconds=60))
    contact = bench.world.enqueue()
    bench.call("update_contact_routing_data", ContactId=contact, QueuePriority=2)
    bench.world.finish(contact)
    ended = bench.describe(contact)
    bench.clock.move(seconds=120)
    assert bench.describe(contact) == ended


@pytest.mark.parametrize("excludes", [True, False])
def test_priority_takes_the_age_off_or_not(make, excludes):
    bench = make(priority_excludes_age=excludes)
    contact = bench.world.enqueue()
    bench.call("update_contact_routing_data", ContactId=contact, QueueTimeAdjustmentSeconds=60)
    bench.call("update_contact_routing_data", ContactId=contact, QueuePriority=2)
    described = bench.describe(contact)
    assert described["QueuePriority"] == 2
    assert described.get("QueueTimeAdjustmentSeconds") == (None if excludes else 60)


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException"])
def test_a_throttled_call_gets_one_of_two_names(make, code):
    bench = make(throttle_code=code)
    bench.world.faults.add("throttle", "DescribeInstance")
    assert bench.refused("describe_instance") == (429, code)


@pytest.mark.parametrize("bodies", ["json", "empty", "not_json"])
def test_an_error_may_have_a_body_that_says_nothing(make, bodies):
    bench = make(error_bodies=bodies)
    assert bench.refused("describe_contact", ContactId="nobody") == (404, "ResourceNotFoundException")


def refused(bench, contact, **more):
    return bench.refused(
        "transfer_contact",
        ContactId=contact,
        QueueId=bench.queue("General"),
        ContactFlowId=bench.flow(),
        **more,
    )


def test_a_paused_contact_that_is_moved_as_the_same_contact_is_paused_no_more(make):
    bench = make(transfer="same_contact")
    contact = bench.world.enqueue()
    bench.world.pause(contact)
    bench.clock.move(seconds=5)
    bench.transfer(contact)
    described = bench.describe(contact)
    assert described["LastResumedTimestamp"] > described["LastPausedTimestamp"]
    assert bench.world.queue_of(contact) == "General"


def test_a_flow_goes_on_with_a_contact_that_was_paused_in_it_when_it_is_resumed(make):
    bench = make()
    bench.world.set_flow("Overflow to queue", outcome=FlowOutcome(after=timedelta(seconds=30)))
    moved = bench.transfer(bench.world.enqueue())
    bench.world.pause(moved)
    bench.clock.move(minutes=5)
    assert bench.world.queue_of(moved) is None
    bench.world.resume(moved)
    assert bench.world.queue_of(moved) == "General"


@pytest.mark.parametrize(
    ("form", "listed", "overridden"), [("empty_list", [[]], 1), ("override_only", [], 1), ("left_out", [], 0)]
)
def test_a_date_that_an_override_closes_has_one_of_three_forms(make, form, listed, overridden):
    bench = make(closed_date=form)
    day = date(2026, 12, 25)
    hours = bench.world.add_hours("Office", overrides=(Override(name="Holiday", first=day, last=day),))
    found = bench.call(
        "get_effective_hours_of_operations",
        HoursOfOperationId=hours.id,
        FromDate=day.isoformat(),
        ToDate=day.isoformat(),
    )
    assert [row["OperationalHours"] for row in found["EffectiveHoursOfOperationList"]] == listed
    assert len(found["EffectiveOverrideHoursList"]) == overridden


@pytest.mark.parametrize(
    ("form", "code"),
    [("not_found", "ResourceNotFoundException"), ("invalid", "InvalidParameterException"), ("left_out", None)],
)
def test_an_unknown_id_in_a_list_refuses_the_call_or_is_left_out(make, form, code):
    bench = make(unknown_id=form)
    ids, metric = [bench.queue("Billing"), GONE], {"Name": "CONTACTS_IN_QUEUE", "Unit": "COUNT"}
    now = bench.clock.now
    calls: dict[str, dict[str, object]] = {
        "get_current_metric_data": {"Filters": {"Queues": ids}, "Groupings": ["QUEUE"], "CurrentMetrics": [metric]},
        "get_current_user_data": {"Filters": {"Agents": [GONE]}},
        "search_contacts": {
            "TimeRange": {"Type": "ENQUEUE_TIMESTAMP", "StartTime": now - HOUR, "EndTime": now},
            "SearchCriteria": {"QueueIds": ids},
        },
    }
    for operation, parameters in calls.items():
        if code is None:
            bench.call(operation, **parameters)
        else:
            assert bench.refused(operation, **parameters)[1] == code


@pytest.mark.parametrize(("token_memory", "minutes"), [("seconds", 2), ("minutes", 31)])
def test_a_token_may_be_forgotten_after_a_time(make, token_memory, minutes):
    bench = make(token_memory=token_memory, transfer="same_contact")
    contact = bench.world.enqueue()
    bench.transfer(contact, ClientToken="t")
    bench.clock.move(seconds=50)
    bench.transfer(contact, ClientToken="t")
    assert len(bench.world.transfers) == 1
    bench.clock.move(minutes=minutes)
    bench.transfer(contact, ClientToken="t")
    assert len(bench.world.transfers) == 2


def test_a_token_may_be_remembered_for_hours(make):
    bench = make(token_memory="hours", transfer="same_contact")
    contact = bench.world.enqueue()
    bench.transfer(contact, ClientToken="t")
    bench.clock.move(hours=5)
    bench.transfer(contact, ClientToken="t")
    assert len(bench.world.transfers) == 1


def test_a_scheduled_task_may_be_transferable_and_starts_then(make):
    bench = make(scheduled_transfer="allowed")
    contact = bench.world.schedule(start_in=HOUR)
    moved = bench.transfer(contact)
    assert bench.world.queue_of(moved) == "General"
    bench.clock.move(hours=2)
    assert bench.world.queue_of(moved) == "General"


def test_a_scheduled_task_may_not_be_transferable(make):
    bench = make(scheduled_transfer="refused")
    assert refused(bench, bench.world.schedule(start_in=HOUR)) == (400, "InvalidRequestException")


@pytest.mark.parametrize("switch", ["archived_flow", "saved_flow"])
@pytest.mark.parametrize(
    ("value", "refusal"),
    [("refused", (400, "InvalidRequestException")), ("not_found", (404, "ResourceNotFoundException")), ("runs", None)],
)
def test_a_flow_that_is_archived_or_not_published_is_refused_unknown_or_runs(make, switch, value, refusal):
    bench = make(archived_flow=value) if switch == "archived_flow" else make(saved_flow=value)
    states = {"archived_flow": {"state": "ARCHIVED"}, "saved_flow": {"status": "SAVED"}}
    bench.world.set_flow("Overflow to queue", **states[switch])
    contact = bench.world.enqueue()
    if refusal is None:
        assert bench.world.queue_of(bench.transfer(contact)) == "General"
    else:
        assert refused(bench, contact) == refusal


@pytest.mark.parametrize("queue_id_reaches", ["every_flow", "transfer_flows"])
def test_the_queue_of_the_call_may_not_reach_an_inbound_flow(make, queue_id_reaches):
    bench = make(queue_id_reaches=queue_id_reaches)
    bench.world.add_flow("Plain inbound", type="CONTACT_FLOW")
    assert bench.world.queue_of(bench.transfer(bench.world.enqueue())) == "General"
    moved = bench.transfer(bench.world.enqueue(), flow="Plain inbound")
    assert bench.world.queue_of(moved) == ("General" if queue_id_reaches == "every_flow" else None)


def test_a_flow_may_begin_later_than_its_call(make):
    bench = make(flow_start_delay=timedelta(seconds=3))
    moved = bench.transfer(bench.world.enqueue())
    assert bench.world.queue_of(moved) is None
    bench.clock.move(seconds=3)
    assert bench.world.queue_of(moved) == "General"


@pytest.mark.parametrize(("new_segment_expiry", "minutes"), [("kept", 60), ("renewed", 90)])
def test_a_new_segment_expires_with_the_old_one_or_after_a_life_of_its_own(make, new_segment_expiry, minutes):
    bench = make(new_segment_expiry=new_segment_expiry)
    contact = bench.world.enqueue(segment_attributes={"connect:ContactExpiry": 60})
    bench.clock.move(minutes=30)
    moved = bench.transfer(contact)
    bench.clock.move(minutes=minutes - 31)
    assert bench.world.queue_of(moved) == "General"
    bench.clock.move(minutes=2)
    assert bench.describe(moved)["DisconnectReason"] == "EXPIRED"


@pytest.mark.parametrize("associated_segment", ["same_contact", "new_segment"])
def test_an_agent_has_the_associated_contact_or_a_new_segment(make, associated_segment):
    bench = make(associated_segment=associated_segment)
    contact = bench.world.enqueue(queue="General")
    bench.call("associate_contact_with_user", ContactId=contact, UserId=bench.user("agent.one"))
    held = bench.world.latest(contact)
    assert held.agent_id == bench.user("agent.one")
    assert (held.id == contact) == (associated_segment == "same_contact")


@pytest.mark.parametrize("contact_metrics", ["yes", "no_value", "refused"])
def test_a_contact_may_have_a_position_in_its_queue(make, contact_metrics):
    bench = make(contact_metrics=contact_metrics)
    contact = bench.world.enqueue()
    wanted = {"ContactId": contact, "Metrics": [{"Name": "POSITION_IN_QUEUE"}]}
    if contact_metrics == "refused":
        assert bench.refused("get_contact_metrics", **wanted) == (400, "InvalidRequestException")
        return
    found = [row["Value"]["Number"] for row in bench.call("get_contact_metrics", **wanted)["MetricResults"]]
    assert found == ([1.0] if contact_metrics == "yes" else [])
