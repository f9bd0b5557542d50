"""Checks the reader on demand: freshness, budget, failures last, and bounded memory."""

import threading
from datetime import timedelta

import pytest

from router.connect.answers import Denied, Missing, Rejected, Throttled, Unknown
from router.lookup.background import Background, ReadFailure
from router.lookup.readings import FOREVER, OnDemandReader, Readings
from router.model import ContactId
from router.runtime import DaemonThreads
from tests.builders.contacts import NOW, minutes

SECOND = timedelta(seconds=1)
REFUSED = ReadFailure(code="Refused")
SILENT = ReadFailure(code="Silent", stops=True)


class Source:
    """Returns the length of a key, or the failure set for it."""

    def __init__(self, **failing):
        self.failing, self.keys = failing, []

    def read(self, key, now):
        self.keys.append(key)
        return self.failing.get(key, len(key))


def reader(source, *, budget=10, fresh_for=FOREVER, usable_for=FOREVER, **others):
    readings = Readings[int](usable_for=usable_for)
    return OnDemandReader(key=str, read=source.read, budget=budget, fresh_for=fresh_for, readings=readings, **others)


def test_a_value_is_read_once_while_it_is_fresh():
    source = Source()
    asked = reader(source, fresh_for=minutes(1))
    for after in (timedelta(), minutes(1) - SECOND):
        assert asked.read_all(["a", "a", "bb"], NOW + after) == {"a": 1, "bb": 2}
    assert source.keys == ["a", "bb"]
    asked.read_all(["a"], NOW + minutes(1))
    assert source.keys == ["a", "bb", "a"]


def test_a_stale_value_counts_while_it_is_usable_and_cannot_be_read_again():
    source = Source()
    asked = reader(source, fresh_for=minutes(1), usable_for=minutes(5))
    asked.read_all(["a"], NOW)
    source.failing["a"] = REFUSED
    assert asked.read_all(["a"], NOW + minutes(5) - SECOND) == {"a": 1}
    assert asked.read_all(["a"], NOW + minutes(5)) == {"a": REFUSED}


def test_the_first_are_read_up_to_the_budget_and_the_others_in_the_next_look():
    source = Source()
    asked = reader(source, budget=2)
    left_out = ReadFailure(requested=False)
    assert asked.read_all(["a", "b", "c"], NOW) == {"a": 1, "b": 1, "c": left_out}
    assert asked.read_all(["a", "b", "c"], NOW) == {"a": 1, "b": 1, "c": 1}
    assert source.keys == ["a", "b", "c"]


def test_a_look_may_have_a_budget_of_its_own():
    source = Source()
    reader(source, budget=1).read_all(["a", "b", "c"], NOW, budget=2)
    assert source.keys == ["a", "b"]


def test_keys_without_a_value_are_read_before_stale_ones_and_of_those_the_oldest_first():
    source = Source()
    asked = reader(source, fresh_for=minutes(1))
    asked.read_all(["young"], NOW + SECOND)
    asked.read_all(["old"], NOW)
    source.keys.clear()
    asked.read_all(["young", "old", "new"], NOW + minutes(2))
    assert source.keys == ["new", "old", "young"]


def test_a_key_that_failed_comes_last_and_the_one_that_failed_longest_ago_first_of_those():
    source = Source(b=REFUSED, a=REFUSED)
    asked = reader(source)
    asked.read_all(["b"], NOW)
    asked.read_all(["a"], NOW)
    source.keys.clear()
    asked.read_all(["a", "b", "c"], NOW)
    assert source.keys == ["c", "b", "a"]


def test_a_key_that_is_read_again_has_its_place_again():
    source = Source(a=REFUSED)
    asked = reader(source, fresh_for=timedelta())
    asked.read_all(["a"], NOW)
    source.failing.clear()
    asked.read_all(["a"], NOW)
    source.keys.clear()
    asked.read_all(["a", "b"], NOW)
    assert source.keys == ["b", "a"], "a has a value, b has none"


def test_a_failure_that_concerns_one_key_stops_no_other():
    assert reader(Source(a=REFUSED)).read_all(["a", "b"], NOW) == {"a": REFUSED, "b": 1}


def test_a_failure_that_stops_leaves_the_others_out_with_its_code():
    source = Source(a=SILENT)
    found = reader(source).read_all(["a", "b"], NOW)
    assert found == {"a": SILENT, "b": ReadFailure(code="Silent", stops=True, requested=False)}
    assert source.keys == ["a"]


def test_a_value_that_is_not_kept_is_returned_and_read_again():
    source = Source()
    asked = reader(source, keeps=lambda value, now: False)
    for _ in range(2):
        assert asked.read_all(["a"], NOW) == {"a": 1}
    assert source.keys == ["a", "a"]


def test_a_remembered_value_that_does_not_fit_the_item_is_read_again():
    source = Source()
    asked = reader(source, fits=lambda item, value: False)
    asked.read_all(["a"], NOW)
    assert asked.read_all(["a"], NOW) == {"a": 1}
    assert source.keys == ["a", "a"]


@pytest.mark.parametrize(
    ("answer", "code", "stops"),
    [
        (Missing(contact_id=ContactId("c")), "Missing", False),
        (Rejected(code="InvalidRequestException", message="", status=400), "InvalidRequestException", False),
        (Denied(message=""), "AccessDeniedException", True),
        (Throttled(code="TooManyRequestsException"), "TooManyRequestsException", True),
        (Unknown(code="Timeout", message=""), "Timeout", True),
    ],
)
def test_a_failure_stops_the_look_unless_it_concerns_one_id(answer, code, stops):
    failure = ReadFailure.of(answer)
    assert (failure.code, failure.stops, failure.answer) == (code, stops, answer)


def test_a_failure_ends_a_sentence_with_its_code():
    assert (REFUSED.suffix, ReadFailure().suffix) == (" (Refused)", "")


def test_readings_are_bounded_and_the_oldest_goes_first():
    readings = Readings[str](kept=2)
    for number in range(3):
        readings.put(number, "value", NOW)
    assert (len(readings), readings.get(0, NOW), readings.get(2, NOW)) == (2, None, ("value", timedelta()))


def test_a_reading_that_is_repeated_is_kept_and_older_ones_are_dropped():
    readings = Readings[int](usable_for=minutes(15))
    readings.put("a", 1, NOW)
    readings.put("b", 1, NOW)
    readings.put("a", 2, NOW + minutes(15))
    readings.put("c", 1, NOW + minutes(15) + SECOND)
    assert len(readings) == 2
    assert readings.get("a", NOW + minutes(16)) == (2, minutes(1))


def test_after_the_clock_was_set_back_a_reading_does_not_count():
    readings = Readings[int]()
    readings.put("a", 1, NOW)
    assert readings.get("a", NOW - SECOND) is None


def test_a_clock_that_was_set_back_leaves_nothing_behind_that_is_never_dropped():
    readings = Readings[int](usable_for=minutes(15))
    readings.put("a", 1, NOW + timedelta(days=365))
    readings.put("b", 1, NOW)
    assert (len(readings), readings.get("b", NOW)) == (1, (1, timedelta()))


def test_a_reading_of_a_moment_ago_drops_none_that_another_thread_made_since():
    readings = Readings[int](usable_for=minutes(15))
    readings.put("a", 1, NOW)
    readings.put("b", 1, NOW - minutes(1))
    assert readings.get("a", NOW) == (1, timedelta())


@pytest.mark.uses("threads")
def test_a_reading_that_hangs_is_left_behind_and_remembered_when_it_ends(monkeypatch):
    monkeypatch.setattr("router.lookup.background.READ_WITHIN", 0.05)
    over, calls = threading.Event(), []

    def read(item, now):
        calls.append(item)
        if item == "stuck":
            over.wait(20)
        return item.upper()

    pool = DaemonThreads("test")
    reader = OnDemandReader(key=str, read=read, budget=10, background=Background(pool))
    first = reader.read_all(["stuck", "other"], NOW)
    assert (first["stuck"].code, first["other"]) == ("NoAnswerYet", "OTHER")
    assert reader.read_all(["stuck"], NOW)["stuck"].code == "NoAnswerYet"
    over.set()
    pool.join()
    assert reader.read_all(["stuck"], NOW)["stuck"] == "STUCK"
    assert calls == ["stuck", "other"]


@pytest.mark.uses("threads")
def test_an_item_that_was_not_answered_is_read_again_behind_the_others_and_not_waited_for(monkeypatch):
    over, calls = threading.Event(), []

    def read(item, now):
        calls.append(item)
        if item == "stuck" and len(calls) == 1:
            return ReadFailure(code="Timeout", stops=True)
        if item == "stuck":
            over.wait(20)
        return item.upper()

    pool = DaemonThreads("test")
    reader = OnDemandReader(key=str, read=read, budget=10, background=Background(pool))
    assert reader.read_all(["stuck"], NOW)["stuck"].code == "Timeout"
    found = reader.read_all(["stuck", "one", "two"], NOW)
    assert (found["stuck"].code, found["one"], found["two"]) == ("NoAnswerYet", "ONE", "TWO")
    over.set()
    pool.join()
    assert sorted(calls[1:3]) == ["one", "two"]
    assert reader.read_all(["stuck"], NOW)["stuck"] == "STUCK"
