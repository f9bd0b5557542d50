"""Reads lists of ids of which Connect refuses some, in whichever form it refuses them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from router.connect.answers import Failure, Rejected, Throttled
from router.connect.missing_ids import MOST_REFUSED, BatchParts, MissingIds
from router.model import Queue, QueueId

IDS = [QueueId(f"q{number:03}") for number in range(100)]
NOT_FOUND = Rejected(code="ResourceNotFoundException", message="Queue not found", status=404)
INVALID = Rejected(code="InvalidParameterException", message="Queue is not valid", status=400)
REFUSALS = st.sampled_from([NOT_FOUND, INVALID])


class ListingConnect:
    """Answers for a list of ids unless one of them is gone; counts the calls."""

    def __init__(self, gone, refusal: Failure = NOT_FOUND) -> None:
        self.gone = set(gone)
        self.refusal = refusal
        self.calls: list[tuple[QueueId, ...]] = []

    def ask(self, ids: tuple[QueueId, ...]) -> set[QueueId] | Failure:
        self.calls.append(ids)
        return self.refusal if self.gone & set(ids) else set(ids)


def missing_ids(at=lambda: 0.0) -> MissingIds[QueueId]:
    return MissingIds("queue", at)


def read(centre: ListingConnect, missing: MissingIds[QueueId], ids=IDS, *, size: int = 100) -> set[QueueId] | Failure:
    found: set[QueueId] = set()
    for batch in missing.batches(ids, size):
        parts = BatchParts(missing, batch)
        for part in parts:
            answer = centre.ask(part)
            if isinstance(answer, set):
                parts.answered(part)
                found |= answer
            elif not parts.refused(part, answer):
                return answer
    return found


@given(st.sets(st.sampled_from(IDS), max_size=MOST_REFUSED - 1), REFUSALS)
def test_only_what_is_gone_is_not_read_and_it_costs_calls_only_once(gone, refusal):
    centre, missing = ListingConnect(gone, refusal), missing_ids()
    missing.directory_read([Queue(id=one, name=one) for one in IDS if one not in gone])
    assert read(centre, missing) == set(IDS) - gone
    assert missing.known == gone
    assert len(centre.calls) <= 1 + 2 * 7 * len(gone)
    before = len(centre.calls)
    assert read(centre, missing) == set(IDS) - gone
    assert len(centre.calls) == before + 1


@given(st.sets(st.sampled_from(IDS), min_size=1, max_size=40), REFUSALS)
def test_however_many_are_gone_the_others_are_read_after_some_readings(gone, refusal):
    centre, missing = ListingConnect(gone, refusal), missing_ids()
    missing.directory_read([Queue(id=one, name=one) for one in IDS if one not in gone])
    for _ in range(2 + len(gone) // MOST_REFUSED):
        found = read(centre, missing)
    assert found == set(IDS) - gone


@given(st.integers(0, 99), REFUSALS)
def test_one_deleted_queue_is_found_although_the_directory_still_lists_it(at, refusal):
    centre, missing = ListingConnect({IDS[at]}, refusal), missing_ids()
    missing.directory_read([Queue(id=one, name=one) for one in IDS])
    assert read(centre, missing) == set(IDS) - {IDS[at]}


@pytest.mark.parametrize("refusal", [NOT_FOUND, INVALID], ids=["404", "400"])
def test_it_is_logged_once_with_its_name_and_requested_again_after_each_directory(refusal):
    centre, missing = ListingConnect({IDS[7]}, refusal), missing_ids()
    listed = [Queue(id=one, name=f"Queue {one}") for one in IDS]
    missing.directory_read(listed)
    with capture_logs() as lines:
        for _ in range(3):
            read(centre, missing)
            missing.directory_read(listed)
            assert read(centre, missing) == set(IDS) - {IDS[7]}
    assert lines == [
        {"event": "directory.missing", "log_level": "error", "kind": "queue", "id": "q007", "name": "Queue q007"}
    ]
    assert centre.calls[-1] == (IDS[7],)
    centre.gone.clear()
    missing.directory_read(listed)
    assert read(centre, missing) == set(IDS)
    assert missing.known == frozenset()


def test_a_request_that_is_refused_whatever_its_ids_are_is_split_once_in_five_minutes():
    now = [0.0]
    centre, missing = ListingConnect(IDS, INVALID), missing_ids(lambda: now[0])
    missing.directory_read([Queue(id=one, name=one) for one in IDS])
    assert read(centre, missing) == INVALID
    split = len(centre.calls)
    assert split <= 12
    assert read(centre, missing) == INVALID
    assert len(centre.calls) == split + 1
    assert missing.known == frozenset()
    now[0] = 300.0
    read(centre, missing)
    assert len(centre.calls) == 2 * split + 1


@pytest.mark.parametrize("failure", [Throttled(code="ThrottlingException"), NOT_FOUND])
def test_a_failure_that_is_not_about_ids_leaves_nothing_out(failure):
    """Refuses one listed queue alone, which may be a passing fault of Connect."""
    centre, missing = ListingConnect(IDS, failure), missing_ids()
    missing.directory_read([Queue(id=one, name=one) for one in IDS])
    ids = IDS[:1] if failure is NOT_FOUND else IDS
    assert read(centre, missing, ids) == failure
    assert (len(centre.calls), missing.known) == (1, frozenset())
