"""Checks that a decision waits two seconds for its readings, however many of them hang."""

import threading
import time

import pytest

from router.connect.answers import Denied, Throttled, Unauthenticated, Unknown
from router.lookup.background import AT_ONCE, MOST, NO_ANSWER_YET, Background, ReadFailure
from router.lookup.live_figures import LATE_COUNTS_FOR, LiveFigures
from router.runtime import DaemonThreads
from tests.e2e.test_daemon import until

pytestmark = pytest.mark.uses("threads")

THROTTLED = Throttled(code="ThrottlingException")
REFUSED = Unauthenticated(code="ExpiredTokenException", message="")
KIND = "details"
PENDING = ReadFailure(code=NO_ANSWER_YET)
SILENT = Unknown(code="Timeout", message="")


class Source:
    """Returns keys in capitals; keys that begin with "slow" only when ``over`` is set, and "bad" ones never."""

    def __init__(self):
        self.over, self.keys = threading.Event(), []

    def read(self, key):
        self.keys.append(key)
        if str(key).startswith("slow"):
            self.over.wait(20)
        return ReadFailure.of(SILENT) if str(key).startswith("bad") else str(key).upper()


class Late:
    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1


@pytest.fixture
def source():
    source = Source()
    yield source
    source.over.set()


@pytest.fixture
def late():
    return Late()


@pytest.fixture
def background(source, late, monkeypatch):
    monkeypatch.setattr("router.lookup.background.READ_WITHIN", 0.3)
    pool = DaemonThreads("test")
    yield Background(pool, late)
    source.over.set()
    pool.join()


def test_the_others_are_read_though_fewer_hang_than_are_read_at_once(background, source, late):
    keys = ["slow 1", "slow 2", "slow 3", "a", "b", "c"]
    found = background.read_all(KIND, keys, source.read)
    assert found == {**dict.fromkeys(keys[:3], PENDING), "a": "A", "b": "B", "c": "C"}
    assert background.under_way(KIND) == set(keys[:3])
    assert late.times == 0
    source.over.set()
    until(lambda: late.times == 3)
    until(lambda: background.under_way(KIND) == frozenset())


def test_what_hangs_is_bounded(background, source):
    hanging = [f"slow {number}" for number in range(AT_ONCE + 1)]
    assert background.read_all(KIND, hanging, source.read) == dict.fromkeys(hanging, PENDING)
    assert background.read_all(KIND, ["a"], source.read) == {"a": PENDING}, "no place is left"
    assert len(source.keys) == AT_ONCE
    assert background.read_all("another kind", ["a"], source.read) == {"a": "A"}


def test_another_reading_takes_the_place_of_one_that_hangs_up_to_a_limit(background, source, late):
    hanging = [f"slow {number}" for number in range(MOST - 1)]
    found = background.read_all(KIND, [*hanging, "a", "b"], source.read, hangs=0.02)
    assert found == dict.fromkeys([*hanging, "a", "b"], PENDING)
    until(lambda: late.times == 2, within=5)
    assert background.under_way(KIND) == set(hanging)
    background.read_all(KIND, ["slow and one more", "c"], source.read, hangs=0.02)
    assert "c" not in source.keys


@pytest.fixture
def patient(monkeypatch):
    """Lets a look wait much longer than a test lasts on any machine."""
    monkeypatch.setattr("router.lookup.background.READ_WITHIN", 60.0)
    monkeypatch.setattr("router.lookup.background.HEAD_START", 0.0)


def test_a_look_does_not_wait_for_what_hangs_once_the_others_are_answered(background, patient, source):
    began = time.monotonic()
    found = background.read_all(KIND, ["slow", "a"], source.read, hangs=1)
    assert found == {"slow": PENDING, "a": "A"}
    assert time.monotonic() - began < 20


def test_a_reading_that_waits_for_a_token_does_not_hang(source, monkeypatch):
    monkeypatch.setattr("router.lookup.background.READ_WITHIN", 0.3)
    pool = DaemonThreads("test")
    background = Background(pool, awaits_token=lambda thread: thread != 0)
    began = time.monotonic()
    assert background.read_all(KIND, ["slow"], source.read, hangs=0.02) == {"slow": PENDING}
    assert time.monotonic() - began >= 0.3, "the look waits for its whole time"
    source.over.set()
    pool.join()


def test_what_was_not_answered_is_read_one_at_a_time_and_no_look_waits_for_it(background, patient, source):
    hanging = ["slow 1", "slow 2", "slow 3"]
    began = time.monotonic()
    found = background.read_all(KIND, [*hanging, "a"], source.read, behind=hanging)
    assert found == {**dict.fromkeys(hanging, PENDING), "a": "A"}
    assert time.monotonic() - began < 20
    until(lambda: len(source.keys) == 2)
    assert background.read_all(KIND, ["slow 4"], source.read, behind=["slow 4"]) == {"slow 4": PENDING}
    assert source.keys == ["a", "slow 1"], "one is tried at a time"


def test_once_one_of_these_is_answered_the_others_are_read_together(background, source, late):
    behind = [f"late {number}" for number in range(20)]
    first, at_once, most = threading.Event(), set(), []

    def read(key):
        if key == "late 0":
            first.wait(20)
        at_once.add(key)
        most.append(len(at_once))
        source.over.wait(20 if len(most) == 2 else 0)
        at_once.discard(key)
        return key

    background.read_all(KIND, behind, read, behind=behind)
    first.set()
    until(lambda: len(most) == len(behind))
    assert max(most) > 1
    source.over.set()
    until(lambda: late.times == len(behind))


def test_as_many_quick_failures_as_are_read_at_a_time_end_the_reading_and_hanging_ones_do_not(background, source):
    keys = [f"bad {number}" for number in range(2 * AT_ONCE)]
    background.read_all(KIND, keys, source.read)
    assert AT_ONCE <= len(source.keys) < 2 * AT_ONCE
    source.keys.clear()

    def fail_slowly(key):
        source.keys.append(key)
        time.sleep(0.02)
        return ReadFailure.of(SILENT)

    background.read_all("another kind", keys, fail_slowly, hangs=0.01)
    until(lambda: sorted(source.keys) == sorted(keys))


def test_a_denied_operation_is_called_once_in_a_look(background, source):
    def denied(key):
        source.keys.append(key)
        return ReadFailure.of(Denied(code="AccessDeniedException", message=""))

    found = background.read_all(KIND, ["a", "b", "c", "d", "e"], denied)
    assert source.keys == ["a"]
    assert {key: (one.code, one.requested) for key, one in found.items()} == {
        "a": ("AccessDeniedException", True),
        **dict.fromkeys("bcde", ("AccessDeniedException", False)),
    }


def test_all_readings_of_a_look_have_one_time_limit(background, source):
    began = time.monotonic()
    with background.look():
        for number in range(5):
            background.read_all(number, [f"slow {number}"], source.read)
    assert time.monotonic() - began < 1.2, "five times the limit is 1.5 s"


def test_a_failure_that_comes_late_is_no_reason_to_decide_again(background, source, late):
    def fail(key):
        source.over.wait(20)
        return ReadFailure.of(SILENT)

    assert background.read_all(KIND, ["a"], fail) == {"a": PENDING}
    source.over.set()
    until(lambda: background.under_way(KIND) == frozenset())
    assert late.times == 0


def test_a_bug_in_a_reading_is_raised_if_it_comes_in_time(background):
    def broken(key):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        background.read_all(KIND, ["a"], broken)
    assert background.under_way(KIND) == frozenset()


def test_without_a_pool_each_reading_is_waited_for_and_a_failure_that_stops_leaves_the_others_out(source):
    found = Background().read_all(KIND, ["a", "bad", "b"], source.read)
    assert (found["a"], found["bad"].code) == ("A", "Timeout")
    assert (found["b"].code, found["b"].requested) == ("Timeout", False)
    assert source.keys == ["a", "bad"]


class Calls:
    """Answers calls about queues: with a row for each, or with a failure."""

    def __init__(self):
        self.over, self.asked, self.fails = threading.Event(), [], False

    def __call__(self, ids):
        self.asked.append(ids)
        self.over.wait(20)
        return SILENT if self.fails else {one: f"row of {one}" for one in ids}


BOTH = frozenset({"one", "two"})


@pytest.fixture
def calls():
    calls = Calls()
    yield calls
    calls.over.set()


@pytest.fixture
def figures(background, calls):
    return LiveFigures(background, calls)


def test_figures_that_are_there_in_time_are_read_again_by_the_next_look(figures, calls):
    calls.over.set()
    for _ in range(2):
        found = figures.read(BOTH)
        assert (found.rows["one"], found.known, found.failed) == ("row of one", BOTH, frozenset())
    assert calls.asked == [BOTH, BOTH]


def test_figures_that_come_late_are_those_of_the_next_look_and_no_second_call_is_made_meanwhile(figures, calls, late):
    for _ in range(2):
        found = figures.read(BOTH)
        assert (found.known, found.failed) == (frozenset(), frozenset()), "nothing may be concluded"
    calls.over.set()
    until(lambda: late.times == 1)
    assert figures.read(frozenset({"two"})).rows["two"] == "row of two"
    assert calls.asked == [BOTH]


def test_a_call_that_fails_late_has_failed_for_the_next_look(figures, calls, late):
    calls.fails = True
    figures.read(BOTH)
    calls.over.set()
    until(lambda: late.times == 1)
    assert figures.read(BOTH).failed == BOTH


def test_late_figures_do_not_count_for_long(figures, calls, late, monkeypatch):
    figures.read(BOTH)
    calls.over.set()
    until(lambda: late.times == 1)
    monkeypatch.setattr("router.lookup.live_figures.LATE_COUNTS_FOR", 0.0)
    figures.read(BOTH)
    assert calls.asked == [BOTH, BOTH]


@pytest.mark.parametrize("answer", [THROTTLED, REFUSED])
def test_a_throttled_or_refused_reading_ends_all_readers_of_its_kind(background, answer):
    called = []

    def refused(key):
        called.append(key)
        return ReadFailure.of(answer)

    found = background.read_all(KIND, ["a", "b", "c", "d"], refused)
    assert called == ["a"]
    assert {one.code for one in found.values()} == {answer.code}


def test_refused_credentials_end_the_readings_of_every_kind_in_a_look(background):
    called = []

    def refused(key):
        called.append(key)
        return ReadFailure.of(REFUSED)

    with background.look():
        background.read_all("one kind", ["a"], refused)
        found = background.read_all("another kind", ["b"], refused)
    assert (called, found["b"].code, found["b"].requested) == (["a"], REFUSED.code, False)
    with background.look():
        background.read_all("another kind", ["b"], refused)
    assert called == ["a", "b"], "the next look tries again"


def test_refused_credentials_end_the_readings_of_figures_too(background, calls):
    with background.look():
        background.read_all(KIND, ["a"], lambda key: ReadFailure.of(REFUSED))
        found = LiveFigures(background, calls).read(BOTH)
    assert (found.failed, calls.asked) == (BOTH, [])


def test_the_age_of_a_late_answer_is_measured_by_the_clock_that_is_given(calls):
    now = [0.0]
    figures = LiveFigures(Background(monotonic=lambda: now[0]), calls)
    calls.over.set()
    figures._read(BOTH)
    now[0] = LATE_COUNTS_FOR
    assert figures._late_answers(BOTH).known == BOTH
    now[0] += 0.1
    assert figures._late_answers(BOTH).known == frozenset()
