"""Contacts are described within a bound, and one bad contact never stops the others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from router.connect.answers import Denied, DescribeAnswer, Missing, Reading, Rejected, Throttled, Unknown
from router.decide.snapshot import Limits
from router.lookup.details import DETAILS_PER_LOOK, FRESH_FOR, DetailsCache, DetailsReader
from router.model import Contact, ContactId, Details
from router.rules.condition import Unread
from tests.builders.contacts import contact
from tests.builders.snapshots import snapshot

VIP = Details(attributes={"tier": "vip"})
MANY = tuple(contact(f"c{n:03}", waited=10) for n in range(DETAILS_PER_LOOK + 20))


@dataclass
class Described:
    """Returns the answer set for a contact, otherwise its details; records the contacts that were read."""

    bad: dict[ContactId, DescribeAnswer] = field(default_factory=dict)
    asked: list[ContactId] = field(default_factory=list)

    def describe(self, contact_id: ContactId) -> DescribeAnswer:
        self.asked.append(contact_id)
        known = next(one for one in MANY if one.id == contact_id)
        return self.bad.get(contact_id) or Reading(contact=replace(known, details=VIP), answered_at=0.0)


def read(
    descriptions: DetailsReader,
    contacts: tuple[Contact, ...] = MANY,
    *,
    after: timedelta = timedelta(),
    per_cycle: int = DETAILS_PER_LOOK // 2,
):
    seen = snapshot(*contacts, limits=Limits(per_cycle=per_cycle))
    return descriptions.details(replace(seen, now=seen.now + after), [one.id for one in contacts])


def ids(contacts):
    return [one.id for one in contacts]


def test_they_are_read_in_the_order_in_which_they_were_asked_for_up_to_the_bound():
    reader = Described()
    backwards = MANY[::-1]
    found = read(DetailsReader(reader, DetailsCache(), assume_unpaused=False), backwards)
    assert reader.asked == ids(backwards)[:DETAILS_PER_LOOK]
    assert [one for one in ids(backwards) if found[one] == VIP] == reader.asked
    left = [found[one] for one in ids(backwards)[DETAILS_PER_LOOK:]]
    assert left == [Unread("more contacts wait to be described than one look allows")] * 20


def test_where_more_may_be_moved_more_are_read():
    reader = Described()
    read(DetailsReader(reader, DetailsCache(), assume_unpaused=False), per_cycle=35)
    assert len(reader.asked) == 70


def test_those_left_out_come_first_in_the_next_look():
    reader = Described()
    descriptions = DetailsReader(reader, DetailsCache(), assume_unpaused=False)
    read(descriptions)
    reader.asked.clear()
    assert all(found == VIP for found in read(descriptions, after=FRESH_FOR / 2).values())
    assert reader.asked == ids(MANY)[DETAILS_PER_LOOK:]


@pytest.mark.parametrize(
    "answer",
    [
        Missing(contact_id=MANY[0].id),
        Rejected(code="InvalidRequestException", message="no", status=400),
        Denied(message="no"),
    ],
)
def test_a_contact_that_connect_does_not_tell_of_does_not_stop_the_others_of_the_look(answer):
    descriptions = DetailsReader(Described({MANY[0].id: answer}), DetailsCache(), assume_unpaused=False)
    found = read(descriptions, MANY[:3])
    assert isinstance(found[MANY[0].id], Unread)
    assert (found[MANY[1].id], found[MANY[2].id]) == (VIP, VIP)


@pytest.mark.parametrize("answer", [Unknown(code="UnreadableAnswer", message="no"), Throttled(code="NotSent")])
def test_where_connect_does_not_answer_the_others_wait_for_the_next_look_and_go_before_it(answer):
    reader = Described({MANY[0].id: answer})
    descriptions = DetailsReader(reader, DetailsCache(), assume_unpaused=False)
    assert all(isinstance(one, Unread) for one in read(descriptions, MANY[:3]).values())
    assert reader.asked == [MANY[0].id]
    found = read(descriptions, MANY[:3])
    assert (found[MANY[1].id], found[MANY[2].id]) == (VIP, VIP)


def test_the_reason_does_not_repeat_what_connect_said():
    answer = Rejected(code="InvalidRequestException", message="attribute tier of ann@customer.example", status=400)
    descriptions = DetailsReader(Described({MANY[0].id: answer}), DetailsCache(), assume_unpaused=False)
    (found,) = read(descriptions, MANY[:1]).values()
    assert found == Unread("DescribeContact failed (InvalidRequestException)")
