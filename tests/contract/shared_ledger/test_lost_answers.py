"""Checks writes of which no response shows whether they were made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.ledger import AlreadyIntended, LedgerUnavailable
from router.model import ActionState


@pytest.fixture
def ledger(shared):
    opened = shared.router("a")
    opened.take_over()
    return opened


def test_a_write_whose_answer_is_lost_is_tried_again_and_known_for_its_own(shared, ledger, act):
    shared.proxy.lose_answers["PutItem"] = 1

    intent = ledger.intend(act())

    assert ledger.open_intents() == (intent,)
    assert len(shared.entries()) == 2
    ledger.settle(replace(intent, state=ActionState.ACTED))


def test_a_write_of_which_no_answer_ever_comes_counts_as_not_made_and_is_found_later(shared, ledger, act):
    shared.proxy.lose_answers["PutItem"] = 2

    with pytest.raises(LedgerUnavailable):
        ledger.intend(act())
    assert ledger.open_intents() == (), "nothing has changed, as far as anybody knows"

    with pytest.raises(AlreadyIntended):
        ledger.intend(act())
    (found,) = ledger.open_intents()
    assert ledger.holding
    ledger.settle(replace(found, state=ActionState.NEVER_SENT))
    assert shared.router("b").open_intents() == ()


def test_a_write_that_never_arrived_was_not_made(shared, ledger, act):
    shared.proxy.lose_requests["PutItem"] = 2

    with pytest.raises(LedgerUnavailable):
        ledger.intend(act())
    intent = ledger.intend(act())

    assert ledger.open_intents() == (intent,)
    assert len(shared.entries()) == 2


def test_a_write_that_arrives_after_the_next_one_is_refused(shared, ledger, act):
    """Delays a write on its way: the router has given it up, and written something else under its number."""
    shared.proxy.lose_requests["PutItem"] = 2
    with pytest.raises(LedgerUnavailable):
        ledger.intend(act("held-up"))
    shared.proxy.lose_requests.clear()
    second = ledger.intend(act("second"))

    status, answer = shared.proxy.send_again()

    assert (status, b"ConditionalCheckFailed" in answer) == (400, True)
    assert ledger.open_intents() == (second,)


def test_a_take_over_whose_answer_is_lost_is_one(shared, ledger):
    other = shared.router("b")
    shared.proxy.lose_answers["PutItem"] = 1

    # ... of the head, which is there: the entry is the next.
    other.take_over()

    assert other.holding
    assert other.term == 2


def test_readings_that_fail_leave_the_copy_as_it_was(shared, ledger, act, held):
    watching = shared.router("b")
    ledger.record(act("c-1"))
    watching.catch_up()
    before = held(watching)
    ledger.record(act("c-2"))
    shared.proxy.lose_answers["Query"] = 2

    with pytest.raises(LedgerUnavailable):
        watching.catch_up()
    assert held(watching) == before

    watching.catch_up()
    assert held(watching) == held(ledger)
