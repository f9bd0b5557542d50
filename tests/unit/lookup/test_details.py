"""Checks what the details cache remembers, and for how long."""

from dataclasses import replace
from datetime import timedelta

from router.lookup.details import USABLE_FOR, DetailsCache
from router.model import Details
from tests.builders.contacts import NOW, contact, minutes

ONE, TWO = (contact(name, waited=10) for name in ("c1", "c2"))
VIP = Details(attributes={"tier": "vip"})


def known(*contacts, at=NOW):
    details = DetailsCache()
    for one in contacts:
        details.remember(replace(one, details=VIP), at)
    return details


def test_a_reading_counts_for_one_wait_of_the_contact_only():
    details = known(ONE)
    assert details.of(ONE, NOW) == VIP
    assert details.of(TWO, NOW) is None
    queued_again = replace(ONE, enqueued_at=NOW - minutes(1))
    assert details.of(queued_again, NOW) is None


def test_a_reading_is_usable_for_a_quarter_of_an_hour():
    details = known(ONE)
    assert details.of(ONE, NOW + USABLE_FOR - timedelta(seconds=1)) == VIP
    assert details.of(ONE, NOW + USABLE_FOR) is None


def test_readings_of_moved_contacts_are_dropped_when_they_are_too_old():
    """Holds although each move reads its contact, and no search shows which contacts are gone."""
    details = DetailsCache()
    for number in range(100):
        details.remember(contact(f"moved-{number}", waited=10), NOW + number * USABLE_FOR / 10)
    assert len(details) == 11
