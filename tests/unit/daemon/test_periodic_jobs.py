"""Checks the service's jobs under clocks that jump: no missed run is repeated, and none is lost."""

from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.job import Job
from apscheduler.schedulers.background import BackgroundScheduler

from router.daemon.scheduling import PeriodicTrigger

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
YEAR = timedelta(days=365)


def test_the_first_run_is_at_once_and_the_others_an_interval_apart():
    trigger = PeriodicTrigger(15 * SECOND)

    assert trigger.get_next_fire_time(None, NOON) == NOON
    assert trigger.get_next_fire_time(NOON, NOON) == NOON + 15 * SECOND
    assert trigger.get_next_fire_time(NOON, NOON + 14 * SECOND) == NOON + 15 * SECOND


@pytest.mark.parametrize("late", [15 * SECOND, timedelta(minutes=10), YEAR])
def test_after_a_jump_forward_there_is_one_run_and_the_next_an_interval_later(late):
    scheduler = BackgroundScheduler(timezone=UTC)
    trigger = PeriodicTrigger(15 * SECOND)
    job = Job(scheduler, id="poll", func=print, trigger=trigger, executor="default", args=(), kwargs={}, name="poll",
              misfire_grace_time=None, coalesce=True, max_instances=1, next_run_time=NOON)  # fmt: skip

    assert job._get_run_times(NOON + late) == [NOON]
    assert trigger.get_next_fire_time(NOON, NOON + late) == NOON + late + 15 * SECOND
