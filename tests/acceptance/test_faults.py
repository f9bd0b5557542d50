"""Runs the suite while Connect fails, denies or throttles, and while the run itself is ended."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from router.acceptance.lab import Lab
from router.acceptance.marker import LIFE
from router.acceptance.permissions import acceptance_policy
from router.acceptance.probes import probes
from router.acceptance.safeguards import SuiteRefused
from router.connect.iam import InstanceArn
from router.sandbox import Behaviours
from router.sandbox.faults import Refusal
from tests.acceptance import worlds

UNKNOWN = InstanceArn(instance_id="i")
USUAL = {name: getattr(Behaviours(), name) for name in worlds.AXES}


@pytest.fixture
def bench(bench):
    bench.read_timeout_s = 0.3
    return bench


def unsettled(run):
    return {result.name: result.unsettled for result in run.results if result.unsettled is not None}


def wrong(run):
    return [line for line in worlds.differences(USUAL, run) if ": unsettled" not in line]


@pytest.mark.parametrize(
    "operation",
    [
        "DescribeInstance",
        "DescribeContact",
        "StopContact",
        "SearchContacts",
        "ListQueues",
        "DeleteQueue",
        "DescribeQueue",
    ],
)
def test_credentials_that_could_not_clean_up_are_refused_before_anything_is_made(bench, operation):
    bench.sandbox.world.faults.add("access_denied", operation)
    with pytest.raises(SuiteRefused, match=f"IAM denies .*connect:{operation}"):
        bench.perform()
    assert bench.sandbox.count("StartTaskContact") == bench.sandbox.count("CreateQueue") == 0


@pytest.mark.parametrize("operation", ["CreateHoursOfOperation", "CreateQueue", "CreateContactFlow"])
def test_a_denied_setup_is_reported_and_what_it_has_made_is_removed(bench, operation):
    bench.sandbox.world.faults.add("access_denied", operation)
    with pytest.raises(SuiteRefused, match=f"IAM denies connect:{operation}"):
        bench.perform()
    assert bench.remains() == []


@pytest.mark.parametrize(
    ("operation", "question"),
    [
        ("TransferContact", "answer_id"),
        ("PauseContact", "resume"),
        ("TagContact", "new_segment_tags"),
        ("CreateHoursOfOperationOverride", "closed_date"),
    ],
)
def test_a_denied_call_leaves_its_questions_unsettled_with_the_permission_that_is_missing(bench, operation, question):
    bench.sandbox.world.faults.add("access_denied", operation)
    run = bench.perform()
    assert unsettled(run)[question] == f"IAM denies connect:{operation}"
    assert wrong(run) == []
    assert bench.remains() == run.left == []


CALLS_OF_PROBES = (
    "AssociateContactWithUser",
    "CreateHoursOfOperationOverride",
    "GetContactMetrics",
    "GetCurrentMetricData",
    "GetEffectiveHoursOfOperations",
    "PauseContact",
    "ResumeContact",
    "SearchRoutingProfiles",
    "StartEmailContact",
    "StartTaskContact",
    "TagContact",
    "TransferContact",
    "UpdateContactFlowMetadata",
    "UpdateContactRoutingData",
)


@pytest.mark.parametrize("operation", CALLS_OF_PROBES)
def test_a_call_that_connect_refuses_leaves_its_questions_unsettled_and_no_value_wrong(bench, operation):
    bench.sandbox.world.faults.add("error", operation, code="InvalidRequestException", message="not today")
    run = bench.perform()
    assert len(run.results) == len(probes())
    reason = f"Connect refused {operation} (InvalidRequestException: not today)"
    if operation == "GetContactMetrics":  # that it is refused is a value
        assert wrong(run) == ["contact_metrics: refused instead of yes"]
    else:
        assert wrong(run) == []
        assert reason in unsettled(run).values()
    assert bench.remains() == run.left == []


@pytest.mark.parametrize(
    ("operation", "member"),
    [("DescribeContact", "InitiationTimestamp"), ("DescribeContact", "QueueInfo"), ("SearchContacts", "Contacts")],
)
def test_an_answer_without_an_expected_member_makes_no_value_wrong(bench, monkeypatch, operation, member):
    original = Lab.call

    def call(lab, called, **parameters):
        answer = original(lab, called, **parameters)
        body = {"Contact": {**answer.body["Contact"]}} if answer.ok and "Contact" in answer.body else {**answer.body}
        if called == operation:
            body.get("Contact", body).pop(member, None)
        return replace(answer, body=body)

    monkeypatch.setattr(Lab, "call", call)
    run = bench.perform()
    assert len(run.results) == len(probes())
    assert wrong(run) == []
    assert bench.remains() == run.left == []


def test_searches_end_now_if_connect_refuses_an_end_in_the_future(bench):
    refused = []

    def refuse(parameters):
        if parameters["TimeRange"]["EndTime"] > bench.clock.now() + timedelta(seconds=1):
            refused.append(parameters)
            raise Refusal("InvalidParameterException", "EndTime is in the future")

    bench.sandbox.before("SearchContacts", refuse)
    run = bench.perform()
    assert len(refused) == 1
    assert unsettled(run)["search_pages"].startswith("Connect refuses a search that ends in the future")
    assert unsettled(run).keys() - {"search_pages"} == {
        "new_segment_expiry",
        "token_memory",
        "place_after_decline",
        "put_back",
    }
    assert wrong(run) == []
    assert bench.remains() == run.left == []


@pytest.mark.parametrize("kind", ["throttle", "error_500", "error_503", "garbage", "reset_after", "cut_after"])
def test_calls_that_fail_by_chance_make_no_value_wrong_and_leave_nothing_behind(bench, kind):
    bench.sandbox.world.faults.add(kind, probability=0.1)
    run = bench.perform()
    assert wrong(run) == []
    assert bench.remains() == run.left == []


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after"])
def test_calls_without_an_answer_make_no_value_wrong_and_leave_nothing_behind(bench, kind):
    for operation in ("StartTaskContact", "TransferContact", "StopContact"):
        bench.sandbox.world.faults.add(kind, operation, count=2, skip=3, delay=timedelta(seconds=0.4))
    run = bench.perform()
    assert wrong(run) == []
    assert bench.remains() == run.left == []


class Killed(BaseException):
    """Represents the end of the process: no call is made after it."""


def die_at(bench, monkeypatch, number, death, *, once):
    """Lets a call raise ``death``, and every later one too unless ``once``."""
    made, original = [0], Lab.call

    def call(lab, operation, **parameters):
        made[0] += 1
        if made[0] == number or (made[0] > number and not once):
            raise death
        return original(lab, operation, **parameters)

    monkeypatch.setattr(Lab, "call", call)


POINTS = random.Random(7).sample(range(12, 330), 6)


@pytest.mark.parametrize("number", POINTS)
def test_what_a_killed_run_has_left_is_removed_by_the_next(bench, monkeypatch, number):
    with monkeypatch.context() as patched:
        die_at(bench, patched, number, Killed(), once=False)
        with pytest.raises(Killed):
            bench.perform()
    assert bench.remains() != []
    bench.clock.sleep(LIFE.total_seconds() + 1.0)
    run = bench.perform()
    assert bench.remains() == run.left == []


@pytest.mark.parametrize("number", POINTS[:3])
def test_ctrl_c_removes_what_was_made(bench, monkeypatch, number):
    die_at(bench, monkeypatch, number, KeyboardInterrupt(), once=True)
    with pytest.raises(KeyboardInterrupt):
        bench.perform()
    assert bench.remains() == []
    assert bench.run.left == []


def test_a_second_ctrl_c_ends_the_removal_with_a_line_and_the_next_run_removes_the_rest(bench, monkeypatch):
    with monkeypatch.context() as patched:
        die_at(bench, patched, POINTS[0], KeyboardInterrupt(), once=False)
        with pytest.raises(KeyboardInterrupt):
            bench.perform()
    assert bench.run.left == ["the removal was interrupted: the next run removes the rest"]
    assert bench.remains() != []
    bench.clock.sleep(LIFE.total_seconds() + 1.0)
    bench.perform()
    assert bench.remains() == bench.run.left == []


def test_contacts_that_cannot_be_stopped_are_named(bench):
    bench.sandbox.world.faults.add("error_500", "StopContact", skip=40)
    run = bench.perform()
    assert any("was not stopped, and expires by itself: StopContact failed" in line for line in run.left)
    assert len(run.left) >= len(bench.remains()) > 0
    assert not run.passed


def test_an_instance_without_the_tag_is_refused_with_the_command_that_tags_it(bench):
    bench.sandbox.scenario.identity.tags.clear()
    with pytest.raises(SuiteRefused, match=r"aws connect tag-resource --resource-arn arn:.*acceptance=allowed"):
        bench.perform()
    assert bench.sandbox.count("StartTaskContact") == 0


def test_no_run_starts_more_than_forty_tasks_or_touches_a_customers_contact(bench):
    before = bench.sandbox.world.contact(bench.customer)
    bench.perform(length="default")
    assert bench.sandbox.count("StartTaskContact") <= 40
    assert bench.sandbox.world.contact(bench.customer) == before


def test_named_queues_and_flows_are_used_and_stay(bench):
    world = bench.sandbox.world
    for queue in ("Test A", "Test B"):
        world.add_queue(queue)
    world.add_flow("Test in", type="CONTACT_FLOW", outcome="elsewhere", elsewhere="Test A")
    names = {"queues": ("Test A", "Test B"), "flows": ("Test in", "Overflow to queue")}
    run = bench.perform(setup=False, **names)
    assert wrong(run) == []
    assert {"closed_date", "archived_flow"} <= unsettled(run).keys()
    assert bench.remains() == run.left == []
    with pytest.raises(SuiteRefused, match='the instance has no queue "Test C"'):
        bench.perform(setup=False, **names | {"queues": ("Test A", "Test C")})


def test_the_policy_of_the_suite_has_every_operation_of_a_run(bench):
    bench.perform(length="default")
    allowed = {
        action.removeprefix("connect:") for each in acceptance_policy(UNKNOWN).statements for action in each.actions
    }
    assert {call.operation for call in bench.sandbox.calls} <= allowed
    of_other_worlds = {"DescribeRoutingProfile", "ListAssociatedContacts", "TagResource"}
    assert allowed - of_other_worlds <= {call.operation for call in bench.sandbox.calls}
