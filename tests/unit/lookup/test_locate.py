"""Checks that any id of a chain leads to its last contact, by Connect's ids and by the router's own moves."""

from dataclasses import replace

import pytest

from router.connect.answers import Denied, Throttled, Unknown
from router.ledger import SqliteLedger
from router.lookup.locate import MOST_SEGMENTS, Located, locate
from router.model import ContactId
from tests.builders.contacts import NOW, after, contact, move
from tests.builders.fakes import FakeClock, FakeConnect

FIRST = contact("c1", waited=60, disconnected_at=NOW)
SECOND = after(FIRST, "c2")


@pytest.fixture
def ledger():
    ledger = SqliteLedger.in_memory("instance-1")
    yield ledger
    ledger.close()


def connect(*contacts, chain=()):
    one = FakeConnect(FakeClock(NOW), *contacts)
    one.chains = {ContactId("c1"): tuple(chain), ContactId("c2"): tuple(chain)}
    return one


@pytest.mark.parametrize(("contact_id", "ids"), [("c1", ("c1", "c2")), ("c2", ("c2", "c1"))])
def test_each_id_of_a_chain_leads_to_its_last_contact(ledger, contact_id, ids):
    found = locate(ContactId(contact_id), reader=connect(FIRST, SECOND, chain=[FIRST, SECOND]), ledger=ledger)

    assert found == Located(contact=SECOND, ids=ids)


def test_a_move_of_the_router_s_leads_on_where_connect_s_ids_do_not(ledger):
    unlinked = contact("c2")
    ledger.record(move(FIRST, unlinked))

    assert locate(ContactId("c1"), reader=connect(FIRST, unlinked), ledger=ledger).contact == unlinked


def test_a_segment_that_connect_has_deleted_is_passed_by_the_router_s_move(ledger):
    ledger.record(move(FIRST, SECOND))

    assert locate(ContactId("c1"), reader=connect(SECOND), ledger=ledger).contact == SECOND


def test_an_ended_contact_without_a_successor_is_the_last(ledger):
    assert locate(ContactId("c1"), reader=connect(FIRST, chain=[FIRST]), ledger=ledger).contact == FIRST


def test_an_id_that_nobody_knows_leads_nowhere(ledger):
    assert locate(ContactId("x"), reader=connect(), ledger=ledger) == Located(ids=(ContactId("x"),))


@pytest.mark.parametrize(
    "failure", [Throttled(code="TooManyRequests"), Unknown(code="500", message=""), Denied(message="")]
)
def test_what_cannot_be_read_is_not_taken_for_unknown(ledger, failure):
    reader = connect(FIRST, SECOND, chain=[FIRST, SECOND])
    reader.failures[SECOND.id] = failure

    found = locate(ContactId("c1"), reader=reader, ledger=ledger)

    assert (found.contact, found.failure) == (FIRST, failure)


def test_ids_that_lead_in_a_circle_end_the_walk(ledger):
    back = replace(SECOND, disconnected_at=NOW)
    first = replace(FIRST, previous_id=SECOND.id)
    reader = connect(first, back)
    reader.chains = {ContactId("c1"): (back,), ContactId("c2"): (first,)}
    calls = []
    describe = reader.describe

    def counted(contact_id):
        calls.append(contact_id)
        return describe(contact_id)

    reader.describe = counted
    locate(ContactId("c1"), reader=reader, ledger=ledger)
    assert len(calls) <= MOST_SEGMENTS


@pytest.mark.parametrize(("known", "recorded"), [("c1", "c1"), (None, None)])
def test_the_ledger_s_id_is_the_first_that_it_has_actions_of(ledger, known, recorded):
    if known:
        ledger.record(move(FIRST, contact("elsewhere")))

    assert Located(ids=(ContactId("x"), ContactId("c1"))).recorded_id(ledger) == recorded
