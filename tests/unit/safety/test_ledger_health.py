"""Checks that a ledger which fails is reported once a cycle, until a whole cycle passes without a failure."""

import pytest
from structlog.testing import capture_logs

from router.ledger import LedgerUnavailable
from router.safety.ledger_health import LedgerHealth

FULL = LedgerUnavailable("ledger.db: disk full")


class FakeLedger:
    """Proves that it can be written, unless it is ``full``."""

    full = False

    def prove_writable(self):
        if self.full:
            raise FULL


@pytest.fixture
def ledger():
    return FakeLedger()


@pytest.fixture
def health(ledger):
    return LedgerHealth(ledger)


def events(call):
    with capture_logs() as lines:
        call()
    return [line["event"] for line in lines]


def test_a_ledger_that_can_be_written_has_no_problem(health):
    assert events(health.begin_cycle) == []
    assert health.problem is None


def test_each_cycle_that_cannot_write_is_one_line_however_many_contacts_fail(health, ledger):
    ledger.full = True
    for _ in range(2):
        assert events(health.begin_cycle) == ["ledger.failed"]
        assert events(lambda: health.report(FULL, contact_id="c1")) == []
    assert health.problem == str(FULL)


def test_a_failure_within_a_cycle_is_a_line_with_its_contact(health):
    health.begin_cycle()
    with capture_logs() as lines:
        health.report(FULL, contact_id="c1")
        health.report(FULL, contact_id="c2")

    assert [(line["event"], line["contact_id"]) for line in lines] == [("ledger.failed", "c1")]
    assert health.problem == str(FULL)


def test_the_problem_ends_after_a_whole_cycle_without_a_failure(health):
    """Retains it for a cycle, because a page that is written again may have room where a new record has none."""
    health.begin_cycle()
    health.report(FULL)
    health.begin_cycle()
    assert health.problem == str(FULL)

    health.begin_cycle()
    assert health.problem is None
