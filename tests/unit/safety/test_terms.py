"""Checks that no call begins under earlier terms, and that a change waits for the calls under way."""

import threading

import pytest

from router.model import ContactId
from router.safety.terms import CallUnderWay, Terms

CALL = CallUnderWay("TransferContact", ContactId("c1"))


def test_a_call_begins_only_under_the_terms_in_force():
    terms = Terms()
    number = terms.number
    with terms.call(number, *CALL) as current:
        assert current
    terms.change()
    with terms.call(number, *CALL) as current:
        assert not current
    with terms.call(terms.number, *CALL) as current:
        assert current


def test_a_change_waits_for_the_calls_of_earlier_terms_and_for_no_others():
    terms = Terms()
    with terms.call(terms.number, *CALL):
        assert terms.await_calls(within=0)
        terms.change()
        assert not terms.await_calls(within=0)
        with terms.call(terms.number, *CALL):
            assert not terms.await_calls(within=0)
    assert terms.await_calls(within=0)
    with terms.call(terms.number, *CALL):
        assert terms.await_calls(within=0)


def test_a_call_that_raises_has_ended():
    terms = Terms()

    def fail():
        with terms.call(terms.number, *CALL):
            terms.change()
            assert terms.number < 1, "this call fails"

    with pytest.raises(AssertionError):
        fail()
    assert terms.await_calls(within=0)


@pytest.mark.uses("threads")
def test_a_waiting_change_is_woken_by_the_end_of_the_call():
    terms = Terms()
    began, over = threading.Event(), threading.Event()

    def call():
        with terms.call(0, *CALL):
            began.set()
            over.wait(10)

    thread = threading.Thread(target=call)
    thread.start()
    assert began.wait(10)
    terms.change()
    threading.Timer(0.05, over.set).start()
    assert terms.await_calls(within=10)
    thread.join()


def test_a_call_of_earlier_terms_is_named_until_it_has_ended():
    terms = Terms()
    with terms.call(terms.number, *CALL), terms.call(terms.number, *CALL):
        assert terms.earlier_calls() == ()
        terms.change()
        assert terms.earlier_calls() == (CALL, CALL)
    assert terms.earlier_calls() == ()
