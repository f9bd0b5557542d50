"""Checks that work which outlasts its round holds up no other work, and that its result is not lost."""

import threading
from typing import Any

import pytest

from router.execute.stragglers import Stragglers
from router.execute.workers import PacedWork, perform_paced
from router.runtime import DaemonThreads
from tests.builders.contacts import contact
from tests.e2e.test_daemon import until

pytestmark = pytest.mark.uses("threads")


class Left:
    def __init__(self):
        self.tasks: list[int] = []
        self.results: list[tuple[int, int]] = []

    def leave(self, task):
        self.tasks.append(task)

    def end(self, task, result):
        self.results.append((task, result))


@pytest.mark.parametrize("hanging", [1, 2, 3])
def test_the_other_tasks_are_done_although_as_many_hang_as_there_are_workers(hanging):
    over, late, pool = threading.Event(), Left(), DaemonThreads("test")

    def work(task, grant):
        if task < hanging:
            over.wait(20)
        return task

    none: PacedWork[int] = PacedWork((), lambda: False, lambda: None)
    done = perform_paced(range(20), none, work, pool=pool, workers=3, patience=0.1, late=late)
    assert sorted(done) == list(range(hanging, 20))
    assert sorted(late.tasks) == list(range(hanging))
    assert late.results == []
    over.set()
    until(lambda: len(late.results) == hanging)
    assert sorted(late.results) == [(task, task) for task in range(hanging)]
    pool.join()


def test_a_contact_is_a_straggler_until_its_work_has_ended():
    class Decision:
        contact = contact("c1")

    stragglers: Any = Stragglers()
    stragglers.leave(Decision)
    stragglers.leave(Decision)
    stragglers.end(Decision, ["one"])
    assert stragglers.contacts == {"c1"}
    assert stragglers.ended
    stragglers.end(Decision, ["two"])
    assert stragglers.contacts == frozenset()
    assert stragglers.take() == ["one", "two"]
    assert not stragglers.ended
