import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.connect.token_bucket import CUT, FLOOR, QUIET_S, Bucket

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
        assert rate * FLOOR - 1e-12 <= bucket.rate <= rate + 1e-12


@given(rates, bursts, gaps)
def test_waiting_as_long_as_reported_is_enough(rate, burst, gaps):
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


def test_a_throttle_empties_the_bucket_and_lowers_the_rate_a_little():
    bucket = Bucket(rate=8, burst=10, now=0.0)
    bucket.tokens(100.0)
    assert bucket.throttled(100.0)
    assert bucket.tokens(100.0) == 0
    assert bucket.rate == pytest.approx(8 * (1 - CUT))
    assert bucket.seconds_to_token(100.0) == pytest.approx(1 / bucket.rate)


def test_throttles_of_one_moment_count_as_one():
    bucket = Bucket(rate=8, burst=10, now=0.0)
    assert [bucket.throttled(1.0 + at / 100) for at in range(5)] == [True, False, False, False, False]
    assert bucket.rate == pytest.approx(8 * (1 - CUT))
    assert bucket.throttles == 5


def test_throttles_without_a_success_in_between_halve_the_rate_down_to_its_floor():
    bucket = Bucket(rate=8, burst=10, now=0.0)
    rates = []
    for number in range(10):
        bucket.throttled(2.0 * number)
        rates.append(bucket.rate)
    assert rates[2] == pytest.approx(rates[1] / 2)
    assert rates[3] == pytest.approx(rates[2] / 2)
    assert rates[-1] == 8 * FLOOR


def test_a_success_in_between_makes_a_throttle_stand_alone_again():
    bucket = Bucket(rate=8, burst=10, now=0.0)
    for number in range(10):
        bucket.throttled(10.0 * number)
        bucket.succeeded(10.0 * number + 5)
    assert bucket.rate > 8 * (1 - CUT) ** 10


def test_the_lowered_rate_stays_until_a_call_succeeds():
    bucket = Bucket(rate=8, burst=10, now=0.0)
    bucket.throttled(10.0)
    low = bucket.rate
    bucket.tokens(5000.0)
    assert bucket.rate == low
    bucket.succeeded(5000.0)
    assert bucket.rate > low


@pytest.mark.parametrize(("throttles", "within"), [(4, 300.0), (20, 400.0)])
def test_the_full_rate_is_back_within_minutes_when_what_took_the_quota_has_gone(throttles, within):
    bucket = Bucket(rate=1.6, burst=4, now=0.0)
    now = 0.0
    for number in range(throttles):
        now = 2.0 * number
        bucket.throttled(now)
    ended = now
    while bucket.rate < bucket.full_rate:
        now += bucket.seconds_to_token(now)
        assert bucket.take(now)
        bucket.succeeded(now)
        assert now - ended < within + QUIET_S
    assert now - ended <= within


@given(rates, st.floats(1, 50), st.floats(0, 5), gaps)
def test_who_is_not_urgent_leaves_the_reserve(rate, burst, leave, gaps):
    bucket = Bucket(rate=rate, burst=burst, now=0.0)
    now = 0.0
    for gap, what in gaps:
        now += gap
        if what == "take":
            if bucket.take(now, leave=leave):
                assert bucket.tokens(now) >= min(leave, burst - 1) - 1e-6
        else:
            getattr(bucket, what)(now)


def test_beside_a_neighbour_with_half_the_quota_most_of_the_other_half_is_used_and_little_is_throttled():
    """Shares the account's own bucket (2 a second, burst 5) with a neighbour.

    The neighbour has Poisson arrivals of 1 a second and never repeats. This process has a share of 0.8 and more to do
    than it may.
    """
    used, throttled, kept = zip(*(beside_a_neighbour(seed) for seed in range(6)), strict=True)
    assert sum(used) / len(used) >= 0.77
    assert sum(throttled) / len(throttled) <= 0.03
    assert sum(kept) / len(kept) >= 0.94


def beside_a_neighbour(seed):
    chance, bucket = random.Random(seed), Bucket(rate=1.6, burst=4, now=0.0)
    account, now, step = 5.0, 0.0, 0.02
    ours, theirs, next_at = [0, 0], [0, 0], chance.expovariate(1.0)
    while now < 1200:
        now += step
        account = min(account + 2 * step, 5.0)
        counted = now > 60
        while next_at <= now:
            next_at += chance.expovariate(1.0)
            got = account >= 1
            account -= got
            theirs[0] += counted
            theirs[1] += counted and got
        if bucket.take(now):
            got = account >= 1
            account -= got
            ours[0] += counted
            ours[1] += counted and got
            (bucket.succeeded if got else bucket.throttled)(now)
    left = 2 * (1200 - 60) - theirs[0]
    return ours[1] / left, 1 - ours[1] / ours[0], theirs[1] / theirs[0]


def test_a_quota_that_turns_out_another_keeps_a_lowered_rate_as_low_in_proportion():
    bucket = Bucket(rate=2, burst=5, now=0.0)
    bucket.tokens(100.0)
    bucket.throttled(100.0)
    low = bucket.rate / 2
    bucket.resize(rate=10, burst=3, now=101.0)
    assert bucket.rate == pytest.approx(10 * low)
    assert (bucket.full_rate, bucket.burst) == (10, 3)
    assert bucket.tokens(1000.0) == 3
