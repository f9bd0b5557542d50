"""Checks which contact a move has led to, for every way in which Connect may show it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.connect.answers import Denied, Throttled, Unknown
from router.followup.successor import TOGETHER, LandingOutcome, outcome_of, taken
from router.model import AgentId, ContactId
from tests.builders.contacts import NOW, act, after, contact
from tests.builders.fakes import FakeClock, FakeConnect
from tests.builders.instance import OVERFLOW, to

SECOND = timedelta(seconds=1)
BEFORE = contact("c1", waited=60)
ENDED = replace(BEFORE, disconnected_at=NOW)
NEXT = after(BEFORE, "c2", initiated_at=NOW)
ACCEPTED = act(BEFORE, target=to(OVERFLOW), new_contact_id=ContactId("c2"))
UNKNOWN = replace(ACCEPTED, new_contact_id=None)
"""A move whose call had no response."""
SAME_ID = replace(ACCEPTED, new_contact_id=BEFORE.id)
"""A move of which Connect returned the id of the old contact."""
FAILURES = [Throttled(code="TooManyRequests"), Unknown(code="500", message=""), Denied(message="")]


def connect(*contacts, chain=()):
    one = FakeConnect(FakeClock(NOW), *contacts)
    one.chains[BEFORE.id] = tuple(chain)
    return one


def outcome(action, reader, *, old_too=True, overdue=False):
    return outcome_of(action, reader, old_too=old_too, overdue=overdue)


@pytest.mark.parametrize("old_too", [True, False])
def test_a_contact_whose_id_is_known_is_read_by_it(old_too):
    seen = outcome(ACCEPTED, connect(ENDED, NEXT), old_too=old_too)

    assert seen == LandingOutcome(contact=NEXT, old=ENDED if old_too else None, left=True)


@pytest.mark.parametrize("action", [UNKNOWN, SAME_ID], ids=["no id", "the old contact's id"])
def test_a_contact_whose_id_is_not_known_is_found_by_the_chain(action):
    seen = outcome(action, connect(ENDED, NEXT, chain=[ENDED, NEXT]))

    assert seen == LandingOutcome(contact=NEXT, old=ENDED, left=True)


@pytest.mark.parametrize("action", [UNKNOWN, SAME_ID], ids=["no id", "the old contact's id"])
def test_a_transfer_that_makes_no_new_contact_continues_as_the_old_one(action):
    moved = replace(BEFORE, queue_id=OVERFLOW, enqueued_at=NOW)

    assert outcome(action, connect(moved)) == LandingOutcome(contact=moved, old=moved, left=True)


def test_a_contact_that_is_still_in_its_place_has_not_left():
    assert outcome(UNKNOWN, connect(BEFORE)) == LandingOutcome(old=BEFORE)


@pytest.mark.parametrize(
    ("action", "overdue", "found"),
    [(UNKNOWN, False, True), (UNKNOWN, True, True), (SAME_ID, False, False), (SAME_ID, True, True)],
)
def test_an_agent_who_has_the_contact_in_its_old_place_kept_it_unless_the_move_may_still_show(action, overdue, found):
    with_ann = replace(BEFORE, agent_id=AgentId("ann"))
    seen = outcome(action, connect(with_ann), overdue=overdue)

    assert seen == LandingOutcome(contact=with_ann if found else None, old=with_ann)


def test_an_ended_contact_that_had_moved_on_is_the_one_that_continues():
    elsewhere = replace(ENDED, queue_id=OVERFLOW, enqueued_at=NOW)

    assert outcome(UNKNOWN, connect(elsewhere)).contact == elsewhere


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("unread", ["c1", "c2", "chain"])
def test_nothing_follows_from_what_could_not_be_read(failure, unread):
    reader = connect(ENDED, NEXT, chain=[ENDED, NEXT])
    if unread == "chain":
        reader.chains[BEFORE.id] = failure
    else:
        reader.failures[ContactId(unread)] = failure
    seen = outcome(UNKNOWN, reader, overdue=True)

    assert not seen.readable
    assert seen.contact is None


def test_a_known_contact_that_cannot_be_read_is_not_known_to_have_ended():
    reader = connect(ENDED)
    reader.failures[ContactId("c2")] = FAILURES[0]

    assert outcome(ACCEPTED, reader, overdue=True) == LandingOutcome(old=ENDED, left=True, readable=False)


def test_an_old_contact_that_cannot_be_read_does_not_hide_the_known_one():
    reader = connect(NEXT)
    reader.failures[BEFORE.id] = FAILURES[0]

    assert outcome(ACCEPTED, reader) == LandingOutcome(contact=NEXT)


def test_a_known_contact_that_connect_does_not_find_is_looked_for_in_the_chain():
    other = after(BEFORE, "c3", initiated_at=NOW)

    assert outcome(ACCEPTED, connect(ENDED, other, chain=[ENDED, other])).contact == other


@pytest.mark.parametrize(
    ("action", "overdue", "ended"),
    [(UNKNOWN, True, True), (UNKNOWN, False, False), (ACCEPTED, True, False), (SAME_ID, True, False)],
)
def test_a_contact_without_a_successor_has_ended_only_if_no_move_is_known_and_time_enough_has_passed(
    action, overdue, ended
):
    seen = outcome(action, connect(ENDED, chain=[ENDED]), overdue=overdue)

    assert (seen.contact, seen.left, seen.readable) == (ENDED if ended else None, True, True)


def test_a_contact_that_connect_no_longer_knows_has_left():
    assert outcome(UNKNOWN, connect()) == LandingOutcome(left=True)


def task(contact_id, *, previous=BEFORE.id, began=NOW):
    return contact(contact_id, previous_id=previous, initiated_at=began)


@pytest.mark.parametrize(
    ("chain", "successor"),
    {
        "the contact that names it": ([task("new")], "new"),
        "not a task that was linked to it before": (
            [task("linked", began=NOW - timedelta(minutes=9)), task("new", began=NOW + SECOND)],
            "new",
        ),
        "not a task that was linked to it later": (
            [task("linked", began=NOW + timedelta(minutes=9)), task("new")],
            "new",
        ),
        "the one that began nearest to its end": ([task("near", began=NOW + 2 * SECOND), task("nearer")], "nearer"),
        "one that names none, if it began then": ([task("other", previous=None)], "other"),
        "one that names it, before one that names none": ([task("other", previous=None), task("new")], "new"),
        "one that names it at any time, before one that names none": (
            [task("other", previous=None), task("new", began=NOW + timedelta(minutes=1))],
            "new",
        ),
        "one just within the span": ([task("other", previous=None, began=NOW + TOGETHER)], "other"),
        "none that began later and names none": (
            [task("other", previous=None, began=NOW + TOGETHER + SECOND)],
            None,
        ),
        "none that names another": ([task("other", previous=ContactId("x"))], None),
        "not itself": ([replace(ENDED, previous_id=BEFORE.id)], None),
    }.values(),
)
def test_of_a_chain_the_successor_is(chain, successor):
    seen = outcome(UNKNOWN, connect(ENDED, *[one for one in chain if one.id != BEFORE.id], chain=[ENDED, *chain]))

    assert (seen.contact.id if seen.contact else None) == successor


def test_without_the_instant_of_its_end_the_first_that_names_it_is_the_successor():
    gone = connect(task("new"), chain=[task("other", previous=None), task("new")])

    assert outcome(UNKNOWN, gone).contact == task("new")


@pytest.mark.parametrize(
    ("action", "old", "was_taken"),
    [
        (ACCEPTED, replace(ENDED, agent_id=AgentId("ann")), True),
        (ACCEPTED, replace(ENDED, connected_at=NOW), True),
        (ACCEPTED, replace(ENDED, agent_id=AgentId("ann"), queue_id=None), True),
        (ACCEPTED, ENDED, False),
        (ACCEPTED, replace(BEFORE, agent_id=AgentId("ann")), False),
        (ACCEPTED, replace(ENDED, agent_id=AgentId("ann"), enqueued_at=NOW), False),
        (UNKNOWN, replace(ENDED, agent_id=AgentId("ann")), False),
    ],
    ids=["an agent", "connected", "in no queue", "no agent", "not ended", "another wait", "no move is known"],
)
def test_a_move_took_the_contact_from_an_agent_if_the_segment_that_it_ended_shows_one(action, old, was_taken):
    assert taken(action, old) is was_taken
