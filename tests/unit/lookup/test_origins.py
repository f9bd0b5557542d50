"""Checks that chains began when their first contacts did, and how those are read."""

from datetime import datetime

from router.connect.answers import Rejected, Throttled
from router.lookup.chain import ORIGINS_PER_LOOK, ChainReader
from router.model import Contact, Need, NeedKind
from router.rules.condition import Unread
from tests.builders.contacts import NOW, contact, minutes
from tests.builders.describing import Describing
from tests.builders.snapshots import snapshot

FIRST = contact("c1", initiated_at=NOW - minutes(90))
SECOND = contact("c2", initiated_at=NOW - minutes(5), initial_id="c1", previous_id="c1")
REFUSED = Rejected(code="InvalidRequestException", message="", status=400)


def read(reader: Describing, *contacts: Contact, origins: ChainReader | None = None) -> dict[str, datetime | Unread]:
    asking = origins or ChainReader(reader)
    found = asking.origins(snapshot(*contacts), [Need(NeedKind.ORIGIN, one.id, one.chain_id) for one in contacts])
    return {str(contact_id): began for contact_id, began in found.items()}


def test_the_first_contact_tells_when_the_chain_began():
    reader = Describing.of([FIRST, SECOND])
    assert read(reader, SECOND) == {"c2": NOW - minutes(90)}
    assert reader.asked == ["c1"]


def test_it_is_read_once_for_all_contacts_of_the_chain():
    third = contact("c3", initial_id="c1", previous_id="c2")
    reader = Describing.of([FIRST])
    origins = ChainReader(reader)
    read(reader, SECOND, origins=origins)
    assert read(reader, SECOND, third, origins=origins)["c3"] == NOW - minutes(90)
    assert reader.asked == ["c1"]


def test_a_schedule_that_may_yet_be_changed_is_read_again():
    scheduled = contact("c1", initiated_at=NOW - minutes(90), scheduled_at=NOW + minutes(30))
    reader = Describing.of([scheduled])
    origins = ChainReader(reader)
    assert read(reader, SECOND, origins=origins) == {"c2": NOW + minutes(30)}
    reader.contacts["c1"] = FIRST
    assert read(reader, SECOND, origins=origins) == {"c2": NOW - minutes(90)}


def test_where_the_ids_name_no_first_contact_those_before_are_followed():
    third = contact("c3", previous_id="c2")
    reader = Describing.of([FIRST, contact("c2", previous_id="c1"), third])
    assert read(reader, third) == {"c3": NOW - minutes(90)}
    assert reader.asked == ["c3", "c2", "c1"]


def test_ids_that_lead_round_in_a_circle_end():
    one, two = contact("c1", previous_id="c2", initiated_at=NOW - minutes(9)), contact("c2", previous_id="c1")
    assert set(read(Describing.of([one, two]), one)) == {"c1"}


def test_a_first_contact_that_connect_does_not_know_any_more_leaves_the_earliest_it_does_know():
    assert read(Describing.of([SECOND]), SECOND) == {"c2": NOW - minutes(5)}
    third = contact("c3", previous_id="c2", initiated_at=NOW)
    kept = contact("c2", previous_id="c1", initiated_at=NOW - minutes(5))
    assert read(Describing.of([kept, third]), third) == {"c3": NOW - minutes(5)}


def test_what_cannot_be_read_is_told_and_asked_again():
    reader = Describing.of([FIRST], c1=Throttled(code="ThrottlingException"))
    origins = ChainReader(reader)
    assert isinstance(read(reader, SECOND, origins=origins)["c2"], Unread)
    reader.failing.clear()
    assert read(reader, SECOND, origins=origins) == {"c2": NOW - minutes(90)}


def test_where_connect_is_silent_about_one_chain_it_is_not_asked_about_the_others():
    other = contact("d2", initial_id="d1", previous_id="d1")
    reader = Describing.of([contact("d1")], c1=Throttled(code="ThrottlingException"))
    assert all(isinstance(one, Unread) for one in read(reader, SECOND, other).values())
    assert reader.asked == ["c1"]


def test_a_chain_that_connect_refuses_to_tell_of_keeps_no_other_waiting():
    other = contact("d2", initial_id="d1", previous_id="d1")
    found = read(Describing.of([contact("d1", initiated_at=NOW - minutes(7))], c1=REFUSED), SECOND, other)
    assert isinstance(found["c2"], Unread)
    assert found["d2"] == NOW - minutes(7)


def test_so_many_are_read_in_one_look_and_the_others_in_the_next():
    waiting = [contact(f"s{n}", initial_id=f"f{n}", previous_id=f"f{n}") for n in range(ORIGINS_PER_LOOK + 5)]
    reader = Describing.of([contact(f"f{n}") for n in range(ORIGINS_PER_LOOK + 5)])
    origins = ChainReader(reader)
    found = read(reader, *waiting, origins=origins)
    assert sum(isinstance(one, Unread) for one in found.values()) == 5
    assert not any(isinstance(one, Unread) for one in read(reader, *waiting, origins=origins).values())
    assert len(reader.asked) == ORIGINS_PER_LOOK + 5
