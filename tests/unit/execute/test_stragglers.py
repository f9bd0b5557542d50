"""Checks that work which outlasts its round holds up no other work, and that its result is not lost."""

import threading
import time
from typing import Any

import pytest

from router.execute.stragglers import SLOW_FOR, Stragglers
from router.execute.workers import PacedWork, perform_paced
from router.runtime import DaemonThreads
from tests.builders.contacts import contact
from tests.e2e.test_daemon import until

pytestmark = pytest.mark.uses("threads")


class Left:
    """Records what a round leaves behind. ``pressing`` and ``waiting`` are what it shows the round."""

    def __init__(self, room=99):
        self.bound = room
        self.tasks: list[int] = []
        self.results: list[tuple[int, int]] = []
        self.slow: list[int] = []
        self.pressing = False
        self.waiting: set[int] = set()

    @property
    def room(self):
        return self.bound - len(self.tasks) + len(self.results)

    def presses(self):
        return self.pressing

    def awaits_token(self, thread):
        return thread in self.waiting

    def leave(self, task):
        self.tasks.append(task)

    def end(self, task, result):
        self.results.append((task, result))

    def took(self, task, seconds):
        if seconds > 1:
            self.slow.append(task)


NONE: PacedWork[int] = PacedWork((), lambda: False, lambda: None)


@pytest.fixture
def pool():
    pool = DaemonThreads("test")
    yield pool
    pool.join()


@pytest.fixture
def over():
    over = threading.Event()
    yield over
    over.set()


@pytest.fixture
def patience(monkeypatch):
    """Returns a function that sets how long work is waited for."""

    def set_to(seconds, brief=None):
        monkeypatch.setattr("router.execute.workers.PATIENCE", seconds)
        monkeypatch.setattr("router.execute.workers.BRIEF_PATIENCE", seconds if brief is None else brief)

    return set_to


@pytest.mark.parametrize("hanging", [1, 2, 3, 9])
def test_the_other_tasks_are_done_however_many_hang(pool, over, patience, hanging):
    patience(0.1)
    late = Left()

    def work(task, grant):
        if task < hanging:
            over.wait(20)
        return task

    done = perform_paced(range(20), NONE, work, pool=pool, workers=3, late=late)
    assert sorted(done) == list(range(hanging, 20))
    assert sorted(late.tasks) == list(range(hanging))
    assert late.results == []
    over.set()
    until(lambda: len(late.results) == hanging)
    assert sorted(late.results) == [(task, task) for task in range(hanging)]


def test_no_more_threads_act_than_there_is_room_for(pool, over, patience):
    patience(0.05)
    late = Left(room=4)
    begun: list[int] = []

    def work(task, grant):
        begun.append(task)
        over.wait(0.5 if task == 0 else 20)
        return task

    ended = pool.submit(perform_paced, range(9), NONE, work, pool=pool, workers=2, late=late)
    until(lambda: len(late.tasks) == 4)
    threading.Event().wait(0.2)
    assert len(begun) == 6, "two workers, and four in place of those that hang"
    over.set()
    done = ended.result(20)
    until(lambda: len(done) + len(late.results) == 9)


def test_a_round_ends_soon_after_something_else_is_due(pool, over, patience):
    patience(60, brief=0.05)
    late = Left()

    def work(task, grant):
        if late.pressing:
            return "not begun"
        over.wait(20)
        return task

    round_ = pool.submit(perform_paced, range(2), NONE, work, pool=pool, workers=2, late=late)
    threading.Event().wait(0.2)
    assert not round_.done(), "nothing else is due"
    late.pressing = True
    assert round_.result(10) == []
    assert sorted(late.tasks) == [0, 1]
    assert perform_paced(range(2, 5), NONE, work, pool=pool, workers=2, late=late) == ["not begun"] * 3


def test_work_that_waits_for_a_worker_soon_takes_the_place_of_work_that_hangs(pool, over, patience):
    patience(60, brief=0.05)
    late = Left()

    def work(task, grant):
        if task < 3:
            over.wait(20)
        return task

    round_ = pool.submit(perform_paced, range(4), NONE, work, pool=pool, workers=1, late=late)
    until(lambda: late.tasks == [0, 1, 2])
    assert round_.result(10) == [3]


def test_a_worker_that_waits_for_a_token_does_not_hang(pool, over, patience):
    patience(0.1)
    late = Left()

    def work(task, grant):
        late.waiting.add(threading.get_ident())
        over.wait(20)
        late.waiting.clear()
        return task

    round_ = pool.submit(perform_paced, [1], NONE, work, pool=pool, workers=1, late=late)
    threading.Event().wait(0.5)
    assert late.tasks == []
    over.set()
    assert round_.result(10) == [1]
    assert late.slow == []


def test_workers_that_wait_for_a_token_look_again_when_something_else_is_due(pool, over, patience):
    patience(60)
    late, given_up = Left(), threading.Event()
    paced = PacedWork(["move"], lambda: not given_up.wait(20), lambda: None, given_up.set)
    late.pressing = True
    assert perform_paced([], paced, lambda task, grant: grant, pool=pool, workers=1, late=late) == [None]


def test_a_contact_is_a_straggler_until_its_work_has_ended():
    class Decision:
        contact = contact("c1")

    stragglers: Any = Stragglers()
    stragglers.leave(Decision)
    stragglers.leave(Decision)
    stragglers.end(Decision, ["one"])
    assert (stragglers.contacts, stragglers.count) == ({"c1"}, 1)
    assert stragglers.ended
    stragglers.end(Decision, ["two"])
    assert stragglers.contacts == frozenset()
    assert stragglers.take() == ["one", "two"]
    assert not stragglers.ended


def test_a_contact_that_took_long_is_behind_the_others_for_a_while(monkeypatch):
    class Decision:
        contact = contact("c1")

    stragglers: Any = Stragglers()
    assert not stragglers.is_slow(Decision)
    stragglers.took(Decision, 2.0)
    stragglers.took(Decision, 0.0)
    assert stragglers.is_slow(Decision), "a round in which there was no landing slot proves nothing"
    monkeypatch.setattr("router.execute.stragglers.monotonic", lambda: time.monotonic() + SLOW_FOR)
    assert not stragglers.is_slow(Decision)
