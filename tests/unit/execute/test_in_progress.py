"""Checks which calls for one contact exclude each other: a move supersedes a routing update."""

from contextlib import suppress

from router.execute.claims import InProgress
from router.model import ContactId

ONE, OTHER = ContactId("one"), ContactId("other")


def test_a_contact_has_one_move_at_a_time():
    in_progress = InProgress()
    with in_progress.claim(ONE) as first, in_progress.claim(ONE) as second, in_progress.claim(OTHER) as third:
        assert (first, second, third) == (True, False, True)
        assert in_progress.contacts == {ONE, OTHER}
    with in_progress.claim(ONE) as again:
        assert again


def test_a_contact_has_one_update_at_a_time_and_none_during_its_move():
    in_progress = InProgress()
    with in_progress.claim_update(ONE) as first, in_progress.claim_update(ONE) as second:
        assert (first, second) == (True, False)
    with in_progress.claim(ONE), in_progress.claim_update(ONE) as update:
        assert not update


def test_a_move_does_not_wait_for_an_update_and_ends_its_attempts():
    in_progress = InProgress()
    with in_progress.claim_update(ONE) as update:
        assert update
        assert in_progress.contacts == frozenset(), "the move may be decided on"
        assert not in_progress.is_moving(ONE)
        with in_progress.claim(ONE) as move:
            assert move
            assert in_progress.is_moving(ONE)


def test_a_claim_that_failed_ends_nobody_else_s():
    in_progress = InProgress()
    with in_progress.claim(ONE):
        with in_progress.claim(ONE) as second:
            assert not second
        assert in_progress.contacts == {ONE}


def test_a_claim_ends_when_its_block_raises():
    in_progress = InProgress()
    with suppress(ValueError), in_progress.claim_update(ONE):
        raise ValueError
    with in_progress.claim_update(ONE) as again:
        assert again
