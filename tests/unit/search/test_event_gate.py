"""Checks which queues are searched while events arrive."""

from datetime import timedelta

import pytest

from router.model import QueueMetrics
from router.search.event_gate import Agreement, compare
from tests.builders.contacts import NOW, minutes


def metrics(count, oldest=None):
    age = None if oldest is None else timedelta(minutes=oldest)
    return QueueMetrics(contacts_in_queue=count, oldest_contact_age=age)


def known(*waited):
    return sorted(NOW - minutes(one) for one in waited)


@pytest.mark.parametrize(
    ("row", "waiting", "changing", "found"),
    [
        (None, (1,), 0, Agreement.UNSURE),
        (QueueMetrics(), (1,), 0, Agreement.UNSURE),
        (metrics(0), (), 0, Agreement.AGREES),
        (metrics(2, 5), (5, 1), 0, Agreement.AGREES),
        (metrics(3, 5), (5, 1), 0, Agreement.LACKS),
        (metrics(1, 5), (5, 1), 0, Agreement.HAS_MORE),
        (metrics(3, 5), (5, 1), 1, Agreement.UNSURE),
        (metrics(1, 5), (5, 1), 1, Agreement.UNSURE),
        (metrics(2, 9), (5, 1), 0, Agreement.LACKS),
        (metrics(2, 9), (5, 1), 9, Agreement.LACKS),
        (metrics(2, 5), (9, 5), 0, Agreement.UNSURE),
        (metrics(2), (9, 5), 0, Agreement.AGREES),
        (metrics(1, 9), (), 1, Agreement.UNSURE),
    ],
)
def test_the_list_is_compared_by_count_and_by_the_oldest(row, waiting, changing, found):
    assert compare(row, known(*waiting), changing=changing, now=NOW) is found
