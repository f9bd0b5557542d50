"""Checks which breaches the ledger knows, and for how long."""

from datetime import timedelta

from router.ledger.breach_records import BreachRecords
from router.model import ContactId, WaitKey

SECOND = timedelta(seconds=1)


def test_a_breach_is_known_for_its_wait_and_rule_alone(open_ledger, now):
    wait = WaitKey(ContactId("c-1"), now)
    with open_ledger() as ledger:
        BreachRecords(ledger).record([(wait, "late"), (wait, "late")], now)
    with open_ledger() as ledger:
        records = BreachRecords(ledger)
        assert records.is_known(wait, "late")
        assert records.is_known(WaitKey(wait.wait_id, now + SECOND), "late")
        assert not records.is_known(wait, "other")
        assert not records.is_known(WaitKey(ContactId("c-2"), now), "late")
        assert not records.is_known(WaitKey(wait.wait_id, now + 2 * SECOND), "late")


def test_an_old_breach_is_removed_but_not_because_the_clock_has_jumped(open_ledger, now):
    old, new = WaitKey(ContactId("c-1"), now), WaitKey(ContactId("c-2"), now)
    with open_ledger() as ledger:
        records, year = BreachRecords(ledger), timedelta(days=365)
        records.record([(old, "late")], now)
        ledger.prune(now + year)
        assert records.is_known(old, "late")
        records.record([(new, "late")], now + year)
        ledger.prune(now + year)
        assert not records.is_known(old, "late")
        assert records.is_known(new, "late")
