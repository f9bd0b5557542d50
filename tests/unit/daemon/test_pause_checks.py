"""Checks that contacts whose reading gets no response keep no others from being read."""

from typing import Any, cast

from router.daemon.pause_checks import read_changed_pauses
from router.decide.decide import Account
from router.decide.decision import Hold
from router.lookup.details import DetailsCache
from router.model import Details, HoldReason, Standing
from router.rules.rule import Mode
from tests.builders.contacts import NOW, contact, minutes
from tests.builders.watched import SetClock


class Lookup:
    """Reads contacts, except the ``silent`` ones."""

    def __init__(self, *silent):
        self.details, self.silent, self.read = DetailsCache(), silent, []

    def read_pauses(self, one):
        self.read.append(one.id)
        if one.id in self.silent:
            self.details.remember_unanswered(one, NOW)
            return None
        return Details(paused_at=NOW - minutes(1))


def held(contact_id):
    one = contact(contact_id)
    hold = Hold(contact=one, wait=cast(Any, None), chain_id=one.id, reason=HoldReason.EXCLUDED, mode=Mode.ENFORCE)
    return Account(contact=one, standing=Standing.WAITING, decisions=(hold,))


def read(lookup, *contact_ids):
    accounts = [held(one) for one in contact_ids]
    return read_changed_pauses(accounts, cast(Any, lookup), SetClock(NOW), every=minutes(1), over=lambda: False)


def test_one_contact_that_is_not_answered_keeps_no_other_from_being_read():
    assert read(Lookup("a"), "a", "b", "c") == ["b", "c"]


def test_after_two_without_a_response_the_next_reading_begins_with_the_others():
    lookup = Lookup("a", "b")
    assert read(lookup, "a", "b", "c") == []
    assert read(lookup, "a", "b", "c") == ["c"]
    assert lookup.read == ["a", "b", "c", "a", "b"]
