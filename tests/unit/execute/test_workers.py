"""Checks that workers take work in order, at most so many at a time, and that one failure stops nothing else."""

import threading
import time

import pytest

from router.execute.claims import InProgress
from router.execute.workers import PacedWork, perform_all, perform_paced
from router.model import ContactId
from router.runtime import DaemonThreads

pytestmark = pytest.mark.uses("threads")


@pytest.fixture
def pool():
    return DaemonThreads("test")


def test_one_worker_does_the_work_in_the_order_given(pool):
    assert perform_all([3, 1, 2], lambda one: one * 10, pool=pool, workers=1) == [30, 10, 20]


def test_no_more_workers_than_allowed_are_at_work_at_a_time(pool):
    at_work, most, lock = set(), [], threading.Lock()

    def work(one):
        with lock:
            at_work.add(one)
            most.append(len(at_work))
        time.sleep(0.01)
        with lock:
            at_work.discard(one)

    perform_all(range(20), work, pool=pool, workers=3)
    assert max(most) == 3


def test_an_exception_in_one_piece_of_work_loses_none_of_the_others_and_is_raised_at_the_end(pool):
    done = []

    def work(one):
        if one == 0:
            raise ValueError("a bug")
        time.sleep(0.01)
        done.append(one)

    with pytest.raises(ValueError, match="a bug"):
        perform_all(range(10), work, pool=pool, workers=1)
    assert done == list(range(1, 10))


def test_nothing_to_do_is_done_at_once(pool):
    assert perform_all([], lambda one: one, pool=pool, workers=4) == []


def test_a_thread_that_hangs_is_left_behind_when_the_time_is_up(pool):
    over = threading.Event()
    pool.submit(over.wait)
    pool.submit(lambda: None)
    began = time.monotonic()
    assert pool.join(within=0.1) == 1
    assert time.monotonic() - began < 5
    over.set()
    assert pool.join(within=10) == 0


def test_what_is_raised_on_a_thread_is_the_future_s(pool):
    def work():
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        pool.submit(work).result(timeout=10)


def test_a_contact_belongs_to_one_at_a_time():
    busy, contact = InProgress(), ContactId("a")
    with busy.claim(contact) as mine:
        with busy.claim(contact) as theirs:
            assert (mine, theirs) == (True, False)
        assert busy.contacts == {contact}
    assert busy.contacts == frozenset()


def test_a_contact_is_free_again_after_an_exception():
    busy, contact = InProgress(), ContactId("a")
    with pytest.raises(ValueError, match="a bug"), busy.claim(contact):
        raise ValueError("a bug")
    with busy.claim(contact) as mine:
        assert mine


class Tokens:
    """Gives out ``count`` tokens, and none after that."""

    def __init__(self, count):
        self.left, self.back, self._lock = count, 0, threading.Lock()

    def acquire(self):
        with self._lock:
            self.left -= 1
            return self.left >= 0

    def give_back(self):
        with self._lock:
            self.back += 1


def test_work_that_needs_tokens_is_taken_up_only_with_one_and_the_rest_says_that_it_had_none(pool):
    tokens = Tokens(2)
    paced = PacedWork(["a", "b", "c", "d"], tokens.acquire, tokens.give_back)
    done = perform_paced([], paced, lambda one, grant: (one, grant is not None and grant.use()), pool=pool, workers=1)
    assert done == [("a", True), ("b", True), ("c", False), ("d", False)]
    assert tokens.back == 0


def test_a_token_that_the_work_did_not_use_goes_back(pool):
    tokens = Tokens(10)
    perform_paced([], PacedWork(["a", "b"], tokens.acquire, tokens.give_back), lambda *_: None, pool=pool, workers=1)
    assert tokens.back == 2


def test_a_worker_that_waits_for_a_token_holds_no_work_so_the_free_work_goes_on(pool):
    free_done = threading.Event()

    def work(one, _grant):
        if one == "free":
            free_done.set()
        return one

    paced = PacedWork(["paced"], lambda: free_done.wait(30), lambda: None)
    assert sorted(perform_paced(["free"], paced, work, pool=pool, workers=2)) == ["free", "paced"]


def test_spare_work_is_done_after_work_with_tokens_by_a_single_worker(pool):
    paced = PacedWork(["a", "b"], lambda: True, lambda: None, spare=["spare"])
    done = perform_paced(["free"], paced, lambda one, _grant: one, pool=pool, workers=1)
    assert done == ["a", "b", "free", "spare"]


def test_spare_work_fills_the_time_in_which_the_other_worker_waits_for_a_token(pool):
    spare_done = threading.Event()

    def work(one, _grant):
        if one == "spare":
            spare_done.set()
        return one

    paced = PacedWork(["paced"], lambda: spare_done.wait(30), lambda: None, spare=["spare"])
    assert sorted(perform_paced([], paced, work, pool=pool, workers=2)) == ["paced", "spare"]


def test_no_worker_takes_spare_work_while_work_with_tokens_lacks_a_worker(pool):
    first_begun, second_begun, order = threading.Event(), threading.Event(), []

    def work(one, _grant):
        order.append(one)
        if one == "a":
            first_begun.set()
            assert second_begun.wait(30)
        elif one == "free":
            assert first_begun.wait(30)
        elif one == "b":
            second_begun.set()

    paced = PacedWork(["a", "b"], lambda: True, lambda: None, spare=["spare"])
    perform_paced(["free"], paced, work, pool=pool, workers=2)
    assert order.index("b") < order.index("spare")
