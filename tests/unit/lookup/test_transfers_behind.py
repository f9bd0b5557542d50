"""Checks how many transfers a contact has behind it, by the contacts of its chain."""

from datetime import timedelta

import pytest

from router.model import ContactId, transfers_behind
from tests.builders.contacts import NOW, contact


def segments(count, *, initial=True, previous=True):
    """Builds contacts c1 to cN, a minute apart, with or without the ids of the first and the previous contact."""
    return tuple(
        contact(
            f"c{number}",
            initiated_at=NOW + timedelta(minutes=number),
            initial_id="c1" if initial and number > 1 else None,
            previous_id=f"c{number - 1}" if previous and number > 1 else None,
        )
        for number in range(1, count + 1)
    )


@pytest.mark.parametrize("ids", [{}, {"initial": False}, {"previous": False}], ids=["both", "previous", "initial"])
@pytest.mark.parametrize("count", [1, 2, 12])
def test_they_are_counted_whichever_ids_a_transfer_hands_on(count, ids):
    assert transfers_behind(ContactId(f"c{count}"), segments(count, **ids)) == count - 1


def test_a_contact_without_either_id_is_taken_for_the_first_of_its_chain():
    assert transfers_behind(ContactId("c3"), segments(3, initial=False, previous=False)) == 0


def test_later_ones_do_not_count():
    assert transfers_behind(ContactId("c2"), segments(5)) == 1
    assert transfers_behind(ContactId("c2"), segments(5, previous=False)) == 1


def test_where_a_link_is_missing_what_began_before_counts_and_at_least_the_one_it_names():
    chain = segments(4)
    assert transfers_behind(ContactId("c4"), (chain[0], *chain[2:])) == 2
    assert transfers_behind(ContactId("c4"), chain[3:]) == 1


def test_a_tree_of_linked_tasks_is_wider_than_the_chain():
    chain = segments(3)
    aside = contact("linked", initiated_at=NOW, initial_id="c1", previous_id="c1")
    assert transfers_behind(ContactId("c3"), (*chain, aside)) == 2


def test_links_in_a_circle_end_the_walk():
    one, other = contact("c1", previous_id="c2"), contact("c2", previous_id="c1")
    assert transfers_behind(ContactId("c1"), (one, other)) == 2


def test_a_contact_that_is_not_in_the_answer_has_all_of_it_behind_it():
    assert transfers_behind(ContactId("c9"), segments(3)) == 3
