"""A ledger that cannot be written: nothing moves, and the log, ``status`` and the metrics show why."""

import sqlite3
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from router.daemon.status import status_of
from router.rules.rule import Mode
from tests.e2e.centre import LATE_RULE
from tests.e2e.test_daemon import running, until
from tests.e2e.test_metrics import router, scraped

HOUR = timedelta(hours=1)
CONTACTS = 5
WARNING = LATE_RULE.replace('to = [{ queue = "Billing Overflow" }]', 'warn = "late"')
BUMPING = LATE_RULE.replace('to = [{ queue = "Billing Overflow" }]', "routing = { priority = 1 }")


def named(events, event):
    return [line for line in events if line["event"] == event]


@contextmanager
def full(app):
    """Lets every write fail, as on a full disk; reading works."""
    connection = app.ledger._connection
    connection.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        connection.execute("PRAGMA query_only = OFF")


@pytest.fixture
def late(centre):
    for _ in range(CONTACTS):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    return centre


BOTH = LATE_RULE.replace("[[rule.step]]", '[[rule.step]]\nat = "50%"\nrouting = { priority = 1 }\n[[rule.step]]')
ALL = BOTH.replace("[[rule.step]]", '[[rule.step]]\nat = "40%"\nwarn = "late soon"\n[[rule.step]]', 1)


@pytest.mark.parametrize(("rules", "steps"), [(BOTH, 2), (ALL, 3)])
@pytest.mark.parametrize("unlanded", [1, 10])
def test_each_step_of_a_contact_is_held_for_the_ledger_and_for_nothing_else(late, events, rules, steps, unlanded):
    app = late.router(rules, **{"guard.unlanded": unlanded})
    with full(app):
        app.cycle.run(until=time.monotonic() + 20)
    held = {(line["contact_id"], line["step"]): line["reason"] for line in named(events, "contact.held")}
    assert set(held.values()) == {"ledger"}
    assert len({contact for contact, _ in held}) == CONTACTS


@pytest.mark.parametrize("rules", [LATE_RULE, WARNING, BUMPING])
def test_every_due_contact_is_held_for_the_ledger_and_one_line_a_cycle_reports_it(late, events, rules):
    app = router(late, rules)
    with full(app):
        for _ in range(2):
            report = app.cycle.run(until=None)
            assert report.held == {"ledger": CONTACTS}
    assert not late.world.transfers
    assert [line["log_level"] for line in named(events, "ledger.failed")] == ["error"] * 2
    held = named(events, "contact.held")
    assert {line["reason"] for line in held} == {"ledger"}
    assert len({line["contact_id"] for line in held}) == len(held) == CONTACTS
    assert app.cycle.run(until=None).held == {}


def test_no_limit_is_the_reason_for_a_hold_while_nothing_can_be_recorded(late, events):
    app = router(late, **{"guard.per_cycle": 2})
    with full(app):
        assert [app.cycle.run(until=None).held for _ in range(2)] == [{"ledger": CONTACTS}] * 2
    assert app.cycle.run(until=None).transferred == 2


def test_a_locked_ledger_is_the_reason_for_each_contact_for_which_it_left_no_time(late, events, tmp_path):
    app = router(late, **{"execute.workers": 1})
    app.ledger._connection.execute("PRAGMA busy_timeout = 600")
    other = sqlite3.connect(app.settings.ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        report = app.cycle.run(until=time.monotonic() + 0.5)
        assert report.held == {"ledger": CONTACTS}
    other.close()
    assert {line["reason"] for line in named(events, "contact.held")} == {"ledger"}
    assert app.cycle.run(until=None).transferred == CONTACTS


def test_status_and_metrics_are_unhealthy_until_the_ledger_can_be_written(late, events):
    app = router(late)
    app.vital.cycled(app.cycle.run(until=None))
    assert status_of(app)["healthy"]
    with full(app):
        app.vital.cycled(app.cycle.run(until=None))
        status = status_of(app)
        assert not status["healthy"]
        assert "readonly" in status["ledger"]["error"]
        read = scraped(app)
        assert (read["ledger_up",], read["healthy",]) == (0, 0)
    for _ in range(2):
        app.vital.cycled(app.cycle.run(until=None))
    assert status_of(app)["healthy"]
    assert scraped(app)["ledger_up",] == 1


def test_a_ledger_that_cannot_be_written_shows_before_anything_is_due(centre, events):
    app = router(centre)
    with full(app):
        app.vital.cycled(app.cycle.run(until=None))
        assert status_of(app)["ledger"]["error"] is not None
    assert len(named(events, "ledger.failed")) == 1


def test_a_router_that_only_observes_needs_no_room(late, events):
    app = late.router(mode=Mode.OBSERVE)
    with full(app):
        report = app.cycle.run(until=None)
    assert report.would_transfer == CONTACTS


def test_landings_that_cannot_be_written_are_logged_once_a_cycle(late, events):
    app = late.router(**{"poll.every": "2s"})
    late.disown(app)
    with running(app):
        until(lambda: len(named(events, "contact.transferred")) == CONTACTS)
        with full(app):
            cycle = app.cycle.number
            until(lambda: app.cycle.number > cycle + 1)
            cycles = app.cycle.number - cycle + 1
        assert 1 <= len(named(events, "ledger.failed")) <= cycles


def test_a_file_that_may_not_grow_is_no_longer_healthy_although_its_pages_can_be_written(late, events):
    app = late.router()
    app.cycle.run(until=None)
    connection = app.ledger._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(300):
        late.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app.cycle.run(until=None)
    assert named(events, "ledger.failed")[-1]["message"].endswith("database or disk is full")
    app.safety.ledger.begin_cycle()
    assert status_of(app)["ledger"]["error"].endswith("database or disk is full")
