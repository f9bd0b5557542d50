"""What DescribeContact told, kept as long as it can be trusted."""

from dataclasses import replace
from datetime import timedelta

from router.lookup.details import FRESH_FOR, USABLE_FOR, DetailsCache
from router.model import Details
from tests.builders.contacts import NOW, contact, minutes

ONE, TWO, THREE = (contact(name, waited=10) for name in ("c1", "c2", "c3"))
VIP = Details(attributes={"tier": "vip"})


def known(*contacts, at=NOW):
    details = DetailsCache()
    for one in contacts:
        details.remember(replace(one, details=VIP), at)
    return details


def test_what_was_read_is_known_for_that_wait_of_the_contact_only():
    details = known(ONE)
    assert details.of(ONE, NOW) == VIP
    assert details.of(TWO, NOW) is None
    queued_again = replace(ONE, enqueued_at=NOW - minutes(1))
    assert details.of(queued_again, NOW) is None


def test_after_a_while_it_counts_no_more():
    details = known(ONE)
    assert details.of(ONE, NOW + USABLE_FOR) == VIP
    assert details.of(ONE, NOW + USABLE_FOR + timedelta(seconds=1)) is None


def test_a_clock_that_was_set_back_makes_it_old():
    assert known(ONE).of(ONE, NOW - minutes(10)) is None


def test_the_unknown_are_read_first_in_their_order_and_then_the_oldest_of_those_that_are_not_fresh():
    details = known(ONE, at=NOW - 2 * FRESH_FOR)
    details.remember(replace(TWO, details=VIP), NOW - 3 * FRESH_FOR)
    four = contact("c4", waited=10)
    assert details.in_need([ONE, THREE, TWO, four], NOW) == [THREE, four, TWO, ONE]


def test_what_is_fresh_is_not_read_again():
    assert known(ONE).in_need([ONE], NOW + FRESH_FOR) == []


def test_contacts_that_are_gone_are_forgotten():
    details = known(ONE, TWO)
    details.forget_all_but({TWO.id})
    assert (details.of(ONE, NOW), details.of(TWO, NOW), len(details)) == (None, VIP, 1)


def test_what_is_too_old_to_be_used_is_dropped_as_others_are_read():
    """Each move reads its contact, and a rule that asks for nothing of it never says which are gone."""
    details = DetailsCache()
    for number in range(100):
        details.remember(contact(f"moved-{number}", waited=10), NOW + number * USABLE_FOR / 10)
    assert len(details) == 11


def test_one_that_is_read_again_is_kept_and_what_was_read_before_it_is_dropped():
    details = known(ONE, TWO)
    details.remember(replace(ONE, details=VIP), NOW + USABLE_FOR)
    details.remember(THREE, NOW + USABLE_FOR + timedelta(seconds=1))
    assert (details.of(ONE, NOW + USABLE_FOR), details.of(TWO, NOW), len(details)) == (VIP, None, 2)


def test_a_clock_that_was_set_back_leaves_nothing_behind_that_is_never_dropped():
    details = known(ONE, TWO, at=NOW + timedelta(days=365))
    details.remember(replace(THREE, details=VIP), NOW)
    assert (details.of(THREE, NOW), len(details)) == (VIP, 1)


def test_a_reading_that_a_look_of_a_moment_ago_brings_costs_none_that_was_made_since():
    details = known(ONE, at=NOW)
    details.remember(replace(TWO, details=VIP), NOW - minutes(1))
    assert (details.of(ONE, NOW), details.of(TWO, NOW)) == (VIP, VIP)
