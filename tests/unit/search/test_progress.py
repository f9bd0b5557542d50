"""Checks when a search counts as complete, and what is left of one."""

from datetime import timedelta

import pytest

from router.connect.answers import Unknown
from router.search.progress import SearchCursor, SearchProgress
from tests.builders.contacts import NOW

FAILURE = Unknown(code="Broken", message="a test")


@pytest.mark.parametrize(
    ("progress", "complete"),
    [
        (SearchProgress(), False),
        (SearchProgress(begun=True), True),
        (SearchProgress(begun=True, going_on=True), True),
        (SearchProgress(begun=True, unseen=1), False),
        (SearchProgress(begun=True, failure=FAILURE), False),
    ],
)
def test_a_search_is_complete_once_everything_was_searched_without_a_failure(progress, complete):
    assert progress.complete is complete


@pytest.mark.parametrize(("total", "returned", "left"), [(0, 0, 0), (5, 3, 2), (5, 7, 0)])
def test_what_is_left_is_never_less_than_nothing(total, returned, left):
    cursor = SearchCursor(
        pages=iter(()),
        queue_ids=None,
        since=NOW - timedelta(days=1),
        began_at=NOW,
        whole=True,
        total=total,
        returned=returned,
    )
    assert cursor.left == left
