"""Checks how the contacts that waiting ones came from are read, and the pauses of tasks."""

from dataclasses import replace
from typing import Any

from router.connect.answers import Denied, Rejected, Throttled
from router.decide.snapshot import Limits
from router.lookup.chain import PASTS_PER_LOOK, ChainReader
from router.lookup.details import DETAILS_PER_LOOK, DetailsCache, DetailsReader
from router.model import Contact, Details
from router.rules.condition import Unread
from tests.builders.contacts import NOW, contact, minutes, move
from tests.builders.describing import Describing
from tests.builders.snapshots import snapshot

THROTTLED = Throttled(code="ThrottlingException")
REFUSED = Rejected(code="InvalidRequestException", message="", status=400)
ENDED: dict[str, Any] = {
    "disconnected_at": NOW - minutes(5),
    "details": Details(attributes={"language": "de"}, pauses=1),
}
FIRST = contact("c1", waited=90, name="A customer's words", tags={"customer": "vip"}, **ENDED)
SECOND = contact("c2", waited=60, previous_id="c1", initial_id="c1", **ENDED)
THIRD = contact("c3", waited=5, previous_id="c2", initial_id="c1")


def pasts_of(reader: Describing) -> ChainReader:
    return ChainReader(reader)


def pauses_of(reader: Describing) -> DetailsReader:
    return DetailsReader(reader, DetailsCache(), assume_unpaused=False)


def ids(found: object) -> list[str]:
    assert isinstance(found, tuple)
    return [one.id for one in found]


def past(asked: ChainReader, one: Contact, history=()) -> tuple[Contact, ...] | Unread:
    return asked.pasts(snapshot(one, history=tuple(history)), [one.id])[one.id]


def test_those_it_came_from_are_read_newest_first_and_once():
    reader = Describing.of([FIRST, SECOND])
    asked = pasts_of(reader)
    assert ids(past(asked, THIRD)) == ["c2", "c1"]
    assert ids(past(asked, THIRD)) == ["c2", "c1"]
    assert reader.asked == ["c2", "c1"]


def test_of_what_has_ended_nothing_is_kept_that_tells_of_a_customer():
    asked = pasts_of(Describing.of([FIRST, SECOND]))
    past(asked, THIRD)
    found = past(asked, THIRD)
    assert isinstance(found, tuple)
    assert [(one.name, one.tags, one.details) for one in found] == [(None, {}, Details(pauses=1))] * 2


def test_one_that_has_not_ended_is_read_again():
    """Covers a task linked to another that has not ended."""
    reader = Describing.of([replace(FIRST, disconnected_at=None)])
    asked = pasts_of(reader)
    linked = contact("c2", previous_id="c1")
    past(asked, linked)
    past(asked, linked)
    assert reader.asked == ["c1", "c1"]


def test_the_routers_own_moves_lead_back_where_connects_ids_do_not():
    lost = replace(THIRD, previous_id=None, initial_id=None)
    reader = Describing.of([FIRST, SECOND])
    assert ids(past(pasts_of(reader), lost, [move(SECOND, lost)])) == ["c2", "c1"]
    assert ids(past(pasts_of(reader), lost)) == []


def test_where_only_the_first_contact_is_named_it_is_read():
    assert ids(past(pasts_of(Describing.of([FIRST, SECOND])), replace(THIRD, previous_id=None))) == ["c1"]


def test_it_goes_back_as_far_as_connect_knows():
    assert ids(past(pasts_of(Describing.of([SECOND])), THIRD)) == ["c2"]


def test_ids_that_lead_round_in_a_circle_end():
    circle = contact("c1", previous_id="c3", **ENDED)
    assert ids(past(pasts_of(Describing.of([circle, SECOND])), THIRD)) == ["c2", "c1"]


def test_a_past_that_cannot_be_read_is_told_and_others_are_not_asked_for():
    reader = Describing.of([FIRST, SECOND, contact("d1", **ENDED)], c1=THROTTLED)
    other = contact("d2", previous_id="d1", initial_id="d1")
    asked = pasts_of(reader)
    found = asked.pasts(snapshot(THIRD, other), [THIRD.id, other.id])
    assert all(isinstance(one, Unread) for one in found.values())
    assert reader.asked == ["c2", "c1"]
    reader.failing["c1"] = REFUSED
    found = asked.pasts(snapshot(THIRD, other), [THIRD.id, other.id])
    assert (isinstance(found[THIRD.id], Unread), ids(found[other.id])) == (True, ["d1"])


def test_so_many_pasts_are_read_in_one_look():
    waiting = [contact(f"s{n}", previous_id=f"f{n}") for n in range(PASTS_PER_LOOK + 3)]
    reader = Describing.of([contact(f"f{n}", **ENDED) for n in range(PASTS_PER_LOOK + 3)])
    found = pasts_of(reader).pasts(snapshot(*waiting), [one.id for one in waiting])
    assert [one for one, told in found.items() if isinstance(told, Unread)] == [
        f"s{PASTS_PER_LOOK + n}" for n in range(3)
    ]


def pauses(asked: DetailsReader, *contacts: Contact, **others) -> dict[str, Details | Unread]:
    found = asked.pauses(snapshot(*contacts, **others), [one.id for one in contacts])
    return {str(contact_id): told for contact_id, told in found.items()}


PAUSED = replace(THIRD, details=Details(pauses=2, paused_for=minutes(7)))


def test_pauses_are_read_once_in_a_quarter_of_an_hour():
    reader = Describing.of([PAUSED])
    asked = pauses_of(reader)
    assert pauses(asked, THIRD)["c3"] == PAUSED.details
    assert pauses(asked, THIRD, now=NOW + minutes(14))["c3"] == PAUSED.details
    assert reader.asked == ["c3"]
    pauses(asked, THIRD, now=NOW + minutes(16))
    assert reader.asked == ["c3", "c3"]


def test_a_contact_that_is_gone_has_no_pauses():
    assert pauses(pauses_of(Describing.of([])), THIRD) == {"c3": Details()}


def test_a_contact_that_is_elsewhere_by_now_is_told_all_the_same():
    elsewhere = replace(PAUSED, enqueued_at=None, queue_id=None)
    assert pauses(pauses_of(Describing.of([elsewhere])), THIRD) == {"c3": PAUSED.details}


def test_pauses_that_cannot_be_read_are_told_and_others_are_not_asked_for():
    other = contact("d1")
    reader = Describing.of([other], c3=THROTTLED)
    assert all(isinstance(one, Unread) for one in pauses(pauses_of(reader), THIRD, other).values())
    assert reader.asked == ["c3"]
    reader.failing["c3"] = REFUSED
    found = pauses(pauses_of(reader), THIRD, other)
    assert (isinstance(found["c3"], Unread), isinstance(found["d1"], Unread)) == (True, False)


def test_what_iam_denies_is_left_to_be_told_right_before_the_move():
    reader = Describing.of([], c3=Denied(message=""))
    assert pauses(pauses_of(reader), THIRD, contact("d1")) == {"c3": Details(), "d1": Details()}
    assert reader.asked == ["c3"]


def test_twice_as_many_as_may_be_moved_are_read_in_one_look():
    waiting = [contact(f"s{n}") for n in range(200)]
    for per_cycle, expected in ((1, DETAILS_PER_LOOK), (80, 160)):
        reader = Describing.of(waiting)
        found = pauses(pauses_of(reader), *waiting, limits=Limits(per_cycle=per_cycle))
        assert len(reader.asked) == expected
        assert sum(isinstance(one, Unread) for one in found.values()) == 200 - expected
