"""Checks that a search does not wait for metrics that hang, and that the log reports it."""

from threading import Event

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Unknown
from router.lookup import background
from router.lookup.background import Background
from router.lookup.live_figures import TimelyGauge
from router.model import Channel, QueueMetrics
from router.runtime import DaemonThreads
from tests.builders.instance import BILLING

ROWS = {(BILLING, Channel("TASK")): QueueMetrics(contacts_in_queue=3)}


class HangingGauge:
    """Returns the rows when ``answered`` is set, and counts the calls."""

    def __init__(self):
        self.answered, self.calls = Event(), 0

    def queue_metrics(self, queue_ids, channels):
        self.calls += 1
        assert self.answered.wait(10)
        return ROWS


@pytest.fixture
def pool():
    pool = DaemonThreads("test")
    yield pool
    assert pool.join(within=10) == 0


@pytest.mark.uses("threads")
def test_metrics_that_hang_are_a_failure_in_time_and_one_call_is_under_way(pool, monkeypatch):
    monkeypatch.setattr(background, "READ_WITHIN", 0.05)
    hanging = HangingGauge()
    gauge = TimelyGauge(gauge=hanging, background=Background(pool))
    with capture_logs() as lines:
        answers = [gauge.queue_metrics([BILLING], [Channel("TASK")]) for _ in range(3)]

    assert [type(one) for one in answers] == [Unknown] * 3
    assert [(line["event"], line["operation"]) for line in lines] == [("api.failing", "GetCurrentMetricData")]
    assert hanging.calls == 1

    hanging.answered.set()
    assert pool.join(within=10) == 0
    monkeypatch.undo()
    assert gauge.queue_metrics([BILLING], [Channel("TASK")]) == ROWS


def test_metrics_that_are_there_in_time_are_passed_on():
    hanging = HangingGauge()
    hanging.answered.set()
    assert TimelyGauge(gauge=hanging, background=Background()).queue_metrics([BILLING], [Channel("TASK")]) == ROWS
