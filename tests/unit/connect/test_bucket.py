import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.connect.bucket import FLOOR, RECOVERY_S, Bucket

rates = st.floats(0.01, 50)
bursts = st.floats(0.1, 50)
gaps = st.lists(st.tuples(st.floats(0, 30), st.sampled_from(["take", "take", "take", "throttled", "succeeded"])))


@given(rates, bursts, gaps)
def test_no_window_ever_holds_more_than_burst_and_rate_allow(rate, burst, gaps):
    bucket = Bucket(rate=rate, burst=burst, now=0.0)
    now, taken = 0.0, []
    for gap, what in gaps:
        now += gap
        if what == "take":
            while bucket.take(now):
                taken.append(now)
        else:
            getattr(bucket, what)(now)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            allowed = max(burst, 1.0) + rate * (taken[last] - start)
            assert last - first + 1 <= allowed + 1e-6


@given(rates, gaps)
def test_the_rate_stays_between_its_floor_and_the_full_one(rate, gaps):
    bucket = Bucket(rate=rate, burst=1, now=0.0)
    now = 0.0
    for gap, what in gaps:
        now += gap
        getattr(bucket, what)(now)
        assert rate * FLOOR - 1e-12 <= bucket.rate(now) <= rate + 1e-12


@given(rates, bursts, gaps)
def test_waiting_as_long_as_told_is_enough(rate, burst, gaps):
    bucket = Bucket(rate=rate, burst=burst, now=0.0)
    now = 0.0
    for gap, what in gaps:
        now += gap
        getattr(bucket, what)(now)
    assert bucket.take(now + bucket.seconds_to_token(now))


def test_it_starts_with_one_token_so_that_restarting_in_a_loop_gains_no_burst():
    bucket = Bucket(rate=2, burst=5, now=0.0)
    assert bucket.take(0.0)
    assert not bucket.take(0.0)


def test_an_idle_bucket_fills_up_to_its_burst_and_no_further():
    bucket = Bucket(rate=2, burst=5, now=0.0)
    assert [bucket.take(1000.0) for _ in range(6)] == [True] * 5 + [False]


def test_a_burst_below_one_still_lets_a_call_through():
    assert Bucket(rate=0.4, burst=0.8, now=0.0).take(0.0)


def test_a_throttle_empties_the_bucket_and_halves_the_rate():
    bucket = Bucket(rate=8, burst=10, now=0.0)
    bucket.tokens(100.0)
    assert bucket.throttled(100.0)
    assert bucket.tokens(100.0) == 0
    assert bucket.rate(100.0) == 4
    assert bucket.seconds_to_token(100.0) == pytest.approx(0.25)


def test_throttles_of_one_moment_halve_once():
    bucket = Bucket(rate=8, burst=10, now=0.0)
    assert [bucket.throttled(1.0 + at / 100) for at in range(5)] == [True, False, False, False, False]
    assert bucket.rate(2.0) == 4
    assert bucket.throttles == 5


def test_the_lowered_rate_stays_until_a_call_succeeds_and_then_climbs_back_in_a_straight_line():
    bucket = Bucket(rate=8, burst=10, now=0.0)
    bucket.throttled(10.0)
    assert bucket.rate(500.0) == 4
    bucket.succeeded(500.0)
    assert bucket.rate(500.0 + RECOVERY_S / 4) == pytest.approx(6)
    assert bucket.rate(500.0 + RECOVERY_S / 2) == pytest.approx(8)
    assert bucket.rate(5000.0) == 8


def test_a_throttle_while_climbing_halves_what_was_reached():
    bucket = Bucket(rate=8, burst=10, now=0.0)
    bucket.throttled(10.0)
    bucket.succeeded(20.0)
    bucket.throttled(20.0 + RECOVERY_S / 4)
    assert bucket.rate(40.0) == pytest.approx(3)


def test_tokens_that_came_while_climbing_are_those_of_the_line():
    bucket = Bucket(rate=8, burst=1000, now=0.0)
    bucket.throttled(0.0)
    bucket.succeeded(0.0)
    assert bucket.tokens(RECOVERY_S / 2) == pytest.approx((4 + 8) / 2 * 30)
    late = Bucket(rate=8, burst=1000, now=0.0)
    late.throttled(0.0)
    late.succeeded(0.0)
    assert late.tokens(40.0) == pytest.approx((4 + 8) / 2 * 30 + 8 * 10)
