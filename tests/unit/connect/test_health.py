"""Logs failing operations when the failure begins, when the error changes and when it ends."""

import pytest
from structlog.testing import capture_logs

from router.connect.answers import NOT_SENT, Denied, Rejected, Throttled, Unauthenticated, Unknown
from router.connect.health import OperationHealth

METRICS = "GetCurrentMetricData"
DOWN = Unknown(code="InternalServiceException", message="failed")
REFUSED = Rejected(code="ResourceNotFoundException", message="not found", status=404)
ANSWER = ("an", "answer")


def reported(*notes):
    """Returns what is logged about these, each an operation with its outcome, one second after the other."""
    seconds = iter(range(1000))
    health = OperationHealth(lambda: float(next(seconds)))
    with capture_logs() as lines:
        for operation, answer, *about in notes:
            health.record_answer(operation, answer, about=about[0] if about else "")
    return [(line["event"], line["operation"], line.get("error"), line.get("about")) for line in lines]


def failing(error, operation=METRICS, about=None):
    return "api.failing", operation, error, about


def recovered(operation=METRICS, about=None):
    return "api.recovered", operation, None, about


def test_what_answers_is_not_spoken_of():
    assert reported(*[(METRICS, ANSWER)] * 3) == []


def test_a_failure_that_lasts_is_reported_once_and_so_is_its_end():
    down = [(METRICS, DOWN)] * 5
    assert reported(*down, (METRICS, ANSWER), (METRICS, ANSWER)) == [failing("InternalServiceException"), recovered()]


def test_another_error_is_reported():
    throttled = Throttled(code="ThrottlingException")
    assert reported((METRICS, DOWN), (METRICS, throttled), (METRICS, throttled)) == [
        failing("InternalServiceException"),
        failing("ThrottlingException"),
    ]


def test_how_long_it_lasted_is_reported():
    seconds = iter([10.0, 11.0, 12.5, 75.5])
    health = OperationHealth(lambda: next(seconds))
    with capture_logs() as lines:
        health.record_answer(METRICS, DOWN)
        for answer in (DOWN, DOWN, ANSWER):
            health.record_answer(METRICS, answer)
    assert lines[-1]["after_s"] == 65.5
    assert lines[-1]["log_level"] == "info"
    assert lines[0]["log_level"] == "warning"


def test_a_call_that_was_not_made_says_nothing_either_way():
    not_sent = Throttled(code=NOT_SENT)
    assert reported((METRICS, not_sent), (METRICS, DOWN), (METRICS, not_sent), (METRICS, DOWN)) == [
        failing("InternalServiceException")
    ]


@pytest.mark.parametrize(
    "answer",
    [Denied(message="no"), Unauthenticated(code="ExpiredTokenException", message="expired")],
    ids=["denied", "credentials"],
)
def test_of_a_missing_permission_only_the_end_is_reported_here(answer):
    assert reported((METRICS, answer), (METRICS, answer), (METRICS, ANSWER)) == [recovered()]


def test_of_the_search_only_the_end_is_reported_here():
    assert reported(("SearchContacts", DOWN), ("SearchContacts", None)) == [recovered("SearchContacts")]


def test_a_refusal_is_a_failure_of_what_reads_lists_and_says_nothing_of_what_reads_one_contact():
    assert reported(("ListQueues", REFUSED), *[("DescribeContact", REFUSED)] * 5) == [
        failing("ResourceNotFoundException", "ListQueues")
    ]


def test_one_contact_that_cannot_be_read_among_others_is_no_failing_operation():
    assert reported(*[("DescribeContact", DOWN), ("DescribeContact", DOWN), ("DescribeContact", ANSWER)] * 9) == []


def test_three_contacts_in_a_row_are_one():
    down = [("DescribeContact", DOWN)] * 4
    assert reported(*down, ("DescribeContact", ANSWER)) == [
        failing("InternalServiceException", "DescribeContact"),
        recovered("DescribeContact"),
    ]


def test_one_of_several_hours_of_operation_does_not_hide_what_the_others_are():
    hours = "DescribeHoursOfOperation"
    cycle = [(hours, DOWN, "one"), (hours, ANSWER, "two")]
    assert reported(*cycle * 4) == [failing("InternalServiceException", hours, "one")]
