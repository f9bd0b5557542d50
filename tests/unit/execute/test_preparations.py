"""Checks that a warning is logged once, and before its contact is moved, whichever worker is first."""

import threading

import pytest

from router.decide.decide import decide
from router.decide.decision import Warn
from router.execute.preparations import BeforeMoves
from router.execute.result import Outcome, Result
from tests.builders.contacts import contact
from tests.builders.rules import rules
from tests.builders.snapshots import snapshot

WARNS = """
    [[rule]]
    name = "late"
    match.queue = "Billing"
    step = [{ at = "1m", warn = "late" }]
"""


def warning():
    [warn] = decide(snapshot(contact("a", waited=5)), rules(WARNS)).decisions
    assert isinstance(warn, Warn)
    return warn


def test_whoever_moves_the_contact_tells_first_what_nobody_has_told():
    warn = warning()
    before = BeforeMoves([warn])
    [result] = before.make_sure(warn.contact.id, lambda one: Result(decision=one, outcome=Outcome.DONE))
    assert result.decision is warn
    assert before.once(warn, lambda: Result(decision=warn, outcome=Outcome.DONE)) == []
    assert before.make_sure(warn.contact.id, lambda one: Result(decision=one, outcome=Outcome.DONE)) == []


@pytest.mark.uses("threads")
def test_a_warning_that_another_worker_is_telling_is_waited_for():
    warn, begun, go_on, order = warning(), threading.Event(), threading.Event(), []
    before = BeforeMoves([warn])

    def tell():
        begun.set()
        assert go_on.wait(30)
        order.append("warned")
        return Result(decision=warn, outcome=Outcome.DONE)

    def move():
        before.make_sure(warn.contact.id, lambda one: Result(decision=one, outcome=Outcome.DONE))
        order.append("moved")

    threads = [threading.Thread(target=lambda: before.once(warn, tell)), threading.Thread(target=move)]
    threads[0].start()
    assert begun.wait(30)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert order == ["warned", "moved"]


def test_other_work_is_none_of_its_business():
    warn = warning()
    assert len(BeforeMoves([]).once(warn, lambda: Result(decision=warn, outcome=Outcome.DONE))) == 1
