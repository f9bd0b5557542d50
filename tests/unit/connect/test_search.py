from datetime import UTC, datetime, timedelta

import pytest

from router.connect.answers import NOT_SENT, Denied, Rejected, Throttled, Unknown
from router.connect.missing_ids import MissingIds
from router.connect.quotas import Rate
from router.connect.search import queries
from router.model import ContactId, QueueId

pytestmark = pytest.mark.uses("threads", "sockets")

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def rows(*ids: str) -> list[dict[str, object]]:
    return [
        {
            "Id": one,
            "Channel": "TASK",
            "QueueInfo": {"Id": "q", "EnqueueTimestamp": NOW.timestamp()},
            "InitiationTimestamp": NOW.timestamp(),
        }
        for one in ids
    ]


def search(connection, days: int = 10, queue_ids=None):
    found = connection.reader.search(queue_ids=queue_ids, since=NOW - timedelta(days=days), until=NOW)
    return list(found)


def ids(pages) -> list[str]:
    return [contact.id for page in pages for contact in page.contacts]


def bad(answer, code: str = "InvalidRequestException", status: int = 400):
    return answer(status, b'{"Message": "no"}', {"x-amzn-ErrorType": code})


def test_ninety_days_are_searched_in_two_spans_newest_first(canned, connection):
    canned.says({"Contacts": rows("new")}, {"Contacts": rows("old")})
    pages = search(connection, days=90)
    assert ids(pages) == ["new", "old"]
    spans = [(page.span_start, page.span_end) for page in pages]
    assert spans == [
        (NOW - timedelta(days=55), NOW),
        (NOW - timedelta(days=90), NOW - timedelta(days=55)),
    ]
    asked = [request.body["TimeRange"] for request in canned.requests]
    assert [one["Type"] for one in asked] == ["ENQUEUE_TIMESTAMP"] * 2
    assert [one["EndTime"] for one in asked] == [NOW.timestamp(), (NOW - timedelta(days=55)).timestamp()]


def test_a_query_asks_for_what_still_waits_oldest_first_a_hundred_at_a_time(canned, connection):
    canned.says({"Contacts": []})
    search(connection, queue_ids=[QueueId("b"), QueueId("a")])
    body = canned.requests[0].body
    assert body["SearchCriteria"]["QueueIds"] == ["a", "b"]
    assert body["SearchCriteria"]["Channels"] == ["EMAIL", "TASK"]
    conditions = body["SearchCriteria"]["AdditionalTimeRange"]
    assert conditions["MatchType"] == "MATCH_ALL"
    assert [one["TimestampCondition"] for one in conditions["Criteria"]] == [
        {"Type": "DISCONNECT_TIMESTAMP", "ConditionType": "NOT_EXISTS"},
        {"Type": "CONNECTED_TO_AGENT_TIMESTAMP", "ConditionType": "NOT_EXISTS"},
    ]
    assert (body["MaxResults"], body["Sort"]) == (100, {"FieldName": "INITIATION_TIMESTAMP", "Order": "ASCENDING"})


def test_more_than_a_hundred_queues_are_asked_for_in_turns():
    names = [QueueId(f"q{number:03}") for number in range(250)]
    none: MissingIds[QueueId] = MissingIds("queue", lambda: 0.0)
    asked = list(queries(names, since=NOW - timedelta(days=1), until=NOW, missing=none))
    assert [len(query.queue_ids or ()) for query in asked] == [100, 100, 50]
    assert sorted(one for query in asked for one in query.queue_ids or ()) == names


@pytest.mark.parametrize(("queue_ids", "days"), [((), 10), (None, 0), (None, -1)])
def test_nothing_to_search_costs_no_call(canned, connection, queue_ids, days):
    assert search(connection, days=days, queue_ids=queue_ids) == []
    assert canned.requests == []


def test_pages_come_one_by_one_as_they_are_read(canned, connection):
    canned.says({"Contacts": rows("a"), "NextToken": "1", "TotalCount": 2}, {"Contacts": rows("b")})
    found = connection.reader.search(queue_ids=None, since=NOW - timedelta(days=1), until=NOW)
    first = next(found)
    assert (ids([first]), first.total, len(canned.requests)) == (["a"], 2, 1)
    assert ids(found) == ["b"]
    assert canned.requests[1].body["NextToken"] == "1"


def test_a_contact_on_two_pages_is_one(canned, connection):
    canned.says({"Contacts": rows("a", "b"), "NextToken": "1"}, {"Contacts": rows("b", "c")})
    assert ids(search(connection)) == ["a", "b", "c"]


def test_every_page_is_one_http_call(canned, connection):
    canned.says(*({"Contacts": rows(f"c{number}"), "NextToken": f"t{number}"} for number in range(9)), {"Contacts": []})
    search(connection)
    assert len(canned.requests) == connection.calls()["SearchContacts"] == 10


def test_the_filter_that_is_refused_is_left_out_from_then_on_and_said_to_be(canned, connection, answer):
    canned.says(bad(answer), {"Contacts": rows("a")}, {"Contacts": rows("b")})
    first = search(connection)
    assert ids(first) == ["a"]
    assert first[0].degraded is not None
    assert first[0].failure is None
    assert search(connection)[0].degraded is not None
    assert ["AdditionalTimeRange" in request.body["SearchCriteria"] for request in canned.requests] == [
        True,
        False,
        False,
    ]


def test_the_filter_is_tried_again_after_an_hour(canned, connection, answer, time):
    canned.says(bad(answer), *({"Contacts": rows(name)} for name in "abc"))
    search(connection)
    search(connection)
    time.pause(3_600)
    assert search(connection)[0].degraded is None
    filtered = ["AdditionalTimeRange" in request.body["SearchCriteria"] for request in canned.requests]
    assert filtered == [True, False, False, True]


def test_a_search_refused_with_and_without_the_filter_was_refused_for_something_else(canned, connection, answer):
    canned.says(bad(answer), bad(answer, "InvalidParameterException"), {"Contacts": rows("a")})
    (last,) = search(connection)
    assert isinstance(last.failure, Rejected)
    assert last.degraded is None
    assert search(connection)[0].degraded is None
    assert "AdditionalTimeRange" in canned.requests[2].body["SearchCriteria"]


@pytest.mark.parametrize("token", ["1", "2"])
def test_a_page_that_repeats_ends_the_query_as_incomplete(canned, connection, answer, token):
    page = {"Contacts": rows("a"), "NextToken": "1"}
    canned.says(page, {**page, "NextToken": token})
    canned.otherwise = answer(500)
    pages = search(connection)
    assert ids(pages) == ["a"]
    assert isinstance(pages[-1].failure, Unknown)
    assert pages[-1].failure.code == "RepeatedPage"
    assert len(canned.requests) == 2


def test_what_stands_on_a_page_whose_token_repeats_is_not_lost(canned, connection):
    canned.says({"Contacts": rows("a"), "NextToken": "1"}, {"Contacts": rows("b"), "NextToken": "1"})
    assert ids(search(connection)) == ["a", "b"]


def test_a_token_that_expired_is_asked_for_anew_once(canned, connection, answer):
    canned.says(
        {"Contacts": rows("a"), "NextToken": "1"},
        bad(answer),
        {"Contacts": rows("a"), "NextToken": "2"},
        {"Contacts": rows("b")},
    )
    pages = search(connection)
    assert ids(pages) == ["a", "b"]
    assert all(page.failure is None for page in pages)


def test_tokens_that_always_expire_end_the_query(canned, connection, answer):
    page = {"Contacts": rows("a"), "NextToken": "1"}
    canned.says(page, bad(answer), page, bad(answer))
    pages = search(connection)
    assert ids(pages) == ["a"]
    assert isinstance(pages[-1].failure, Rejected)
    assert len(canned.requests) == 4


def test_a_throttle_is_waited_out_and_slows_the_process_down(canned, connection, answer, time):
    canned.says(bad(answer, "ThrottlingException", 429), {"Contacts": rows("a")})
    pages = search(connection)
    assert ids(pages) == ["a"]
    assert pages[-1].failure is None
    assert connection.quotas.snapshot()["SearchContacts"].throttles == 1
    assert connection.quotas.snapshot()["SearchContacts"].rate < 10_000


def test_a_span_that_cannot_be_read_does_not_stop_the_others(canned, connection, answer):
    canned.says(*[answer(500)] * 5, {"Contacts": rows("old")})
    pages = search(connection, days=90)
    assert ids(pages) == ["old"]
    assert isinstance(pages[-1].failure, Unknown)
    assert [page.failure is None for page in pages[:-1]] == [True]


def test_two_spans_that_fail_in_a_row_end_the_search(canned, connection, answer):
    canned.otherwise = answer(503)
    (last,) = search(connection, days=300)
    assert isinstance(last.failure, Unknown)
    assert len(canned.requests) == 10


@pytest.mark.parametrize(("code", "kind"), [("AccessDeniedException", Denied), ("ThrottlingException", Throttled)])
def test_what_will_not_get_better_by_asking_ends_the_search_with_what_was_returned(
    canned, connection, answer, code, kind
):
    canned.says({"Contacts": rows("a"), "NextToken": "1"})
    canned.otherwise = bad(answer, code, 403 if kind is Denied else 429)
    pages = search(connection, days=300)
    assert ids(pages) == ["a"]
    assert isinstance(pages[-1].failure, kind)


def test_rows_that_cannot_be_read_are_reported_on_their_page(canned, connection):
    broken = {"Id": "bad", "Channel": "TASK", "DisconnectTimestamp": "yesterday"}
    canned.says({"Contacts": [broken, None, *rows("a")]})
    (page,) = search(connection)
    assert ids([page]) == ["a"]
    assert [one.contact_id for one in page.problems] == [ContactId("bad"), None]


def test_a_search_cut_off_at_the_cap_says_so(canned, connection):
    for number in range(100):
        page = {"Contacts": rows(*(f"c{number}-{row}" for row in range(100))), "TotalCount": 12_000}
        canned.says({**page, "NextToken": f"t{number}"} if number < 99 else page)
    pages = search(connection)
    assert len(ids(pages)) == 10_000
    assert isinstance(pages[-1].failure, Unknown)
    assert pages[-1].failure.code == "ResultCap"


def test_a_stopped_process_sends_no_further_page(canned, connection):
    canned.says({"Contacts": rows("a"), "NextToken": "1"})
    found = connection.reader.search(queue_ids=None, since=NOW - timedelta(days=1), until=NOW)
    next(found)
    connection.stop()
    last = list(found)[-1]
    assert last.failure == Throttled(code=NOT_SENT)
    assert len(canned.requests) == 1


def test_pages_are_paced(canned, opened, time):
    connection = opened(rates={"SearchContacts": Rate(0.5, 1)})
    canned.says(*({"Contacts": rows(f"c{number}"), "NextToken": f"t{number}"} for number in range(4)), {"Contacts": []})
    began = time.seconds
    search(connection)
    assert time.seconds - began == pytest.approx(4 / 0.5)
