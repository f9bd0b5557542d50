import threading

import pytest
import structlog

from router.connect.quotas import GENERAL_RATE, Quotas, Rate


@pytest.fixture
def quotas(time):
    return Quotas({"Op": Rate(2, 3)}, share=0.5, monotonic=time.monotonic, wait=time.wait)


def test_the_share_is_taken_of_the_rate_and_of_the_burst(quotas, time):
    quotas.acquire("Op")
    time.seconds += 1000
    assert [quotas.acquire("Op", until=time.seconds) for _ in range(2)] == [True, False]
    before = time.seconds
    assert quotas.acquire("Op")
    assert time.seconds - before == pytest.approx(0.5)


def test_a_wait_that_would_be_too_long_takes_no_token(quotas, time):
    assert quotas.acquire("Op")
    until = time.seconds + 0.6
    assert not quotas.acquire("Op", until=until)
    assert time.seconds == pytest.approx(until)
    assert quotas.acquire("Op", until=until + 0.4)


def test_an_operation_without_a_rate_of_its_own_has_the_general_one(time):
    quotas = Quotas(share=1.0, monotonic=time.monotonic, wait=time.wait)
    quotas.acquire("DescribeSomethingNew")
    state = quotas.snapshot()["DescribeSomethingNew"]
    assert state.full_rate == GENERAL_RATE.rate


def test_a_lowered_rate_is_looked_at_again_before_long_because_it_climbs(quotas, time):
    for _ in range(8):
        time.seconds += 2
        quotas.throttled("Op")
    assert quotas.acquire("Op")
    assert len(time.waits) > 10
    assert max(time.waits) <= 1.0


def test_a_throttle_is_reported_once_a_moment_with_the_new_rate(quotas, time):
    with structlog.testing.capture_logs() as logs:
        quotas.throttled("Op")
        quotas.throttled("Op")
        time.seconds += 2
        quotas.throttled("Op")
    reported = [(line["event"], line["log_level"], line["operation"], line["rate"]) for line in logs]
    assert reported == [("api.throttled", "warning", "Op", 0.93), ("api.throttled", "warning", "Op", 0.8649)]


def test_the_snapshot_tells_rate_tokens_calls_and_throttles(quotas):
    quotas.acquire("Op")
    quotas.called("Op")
    quotas.called("Op")
    quotas.throttled("Op")
    state = quotas.snapshot()["Op"]
    assert state.rate == pytest.approx(0.93)
    assert (state.full_rate, state.tokens, state.calls, state.throttles) == (1.0, 0.0, 2, 1)
    assert quotas.calls() == {"Op": 2}


@pytest.mark.uses("threads")
def test_waiting_threads_are_served_in_the_order_in_which_they_came():
    quotas = Quotas({"Op": Rate(200, 1)}, share=1.0)
    served: list[int] = []
    threads = []
    assert quotas.acquire("Op")
    with quotas._lane("Op").condition:
        pass
    quotas.throttled("Op")  # empties the bucket, so that all have to wait

    def take(number: int) -> None:
        if quotas.acquire("Op"):
            served.append(number)

    for number in range(10):
        thread = threading.Thread(target=take, args=(number,))
        thread.start()
        threads.append(thread)
        wait_until(lambda number=number: len(served) + quotas.snapshot()["Op"].waiting == number + 1)
    for thread in threads:
        thread.join(10)
    assert served == list(range(10))


@pytest.mark.uses("threads")
def test_one_who_gives_up_does_not_hold_up_those_behind():
    quotas = Quotas({"Op": Rate(20, 1)}, share=1.0)
    assert quotas.acquire("Op")
    results: dict[str, bool] = {}
    import time as clock

    first = threading.Thread(target=lambda: results.update(first=quotas.acquire("Op", until=clock.monotonic() + 0.001)))
    first.start()
    second = threading.Thread(target=lambda: results.update(second=quotas.acquire("Op")))
    second.start()
    first.join(10)
    second.join(10)
    assert results == {"first": False, "second": True}


@pytest.mark.uses("threads")
def test_stopping_ends_every_wait_at_once_and_gives_no_token_any_more():
    quotas = Quotas({"Op": Rate(0.001, 1)}, share=1.0)
    assert quotas.acquire("Op")
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(quotas.acquire("Op"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_until(lambda: quotas.snapshot()["Op"].waiting == 5)
    quotas.stop()
    for thread in threads:
        thread.join(10)
    assert answers == [False] * 5
    assert not quotas.acquire("Other")


@pytest.mark.uses("threads")
def test_many_threads_together_never_take_more_than_the_rate_allows():
    import time as clock

    quotas = Quotas({"Op": Rate(200, 5)}, share=1.0)
    taken: list[float] = []
    until = clock.monotonic() + 0.3

    def work() -> None:
        while quotas.acquire("Op", until=until):
            taken.append(clock.monotonic())

    threads = [threading.Thread(target=work) for _ in range(8)]
    began = clock.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert 10 <= len(taken) <= 5 + 200 * (max(taken) - began) + 1


def wait_until(condition) -> None:
    """Waits for the other thread's state; the event only saves this thread from spinning."""
    pause = threading.Event()
    for _ in range(5000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError("it never came to be")


def test_a_token_that_was_not_used_is_there_for_the_next():
    quotas = Quotas({"TransferContact": Rate(0.001, 1)}, monotonic=lambda: 100.0)
    assert quotas.acquire("TransferContact", until=100.0)
    assert not quotas.acquire("TransferContact", until=100.0)
    quotas.give_back("TransferContact")
    assert quotas.acquire("TransferContact", until=100.0)


def test_giving_back_never_fills_a_bucket_beyond_its_burst():
    quotas = Quotas({"TransferContact": Rate(0.001, 1)}, monotonic=lambda: 100.0)
    quotas.give_back("TransferContact")
    assert quotas.acquire("TransferContact", until=100.0)
    assert not quotas.acquire("TransferContact", until=100.0)


@pytest.mark.uses("threads")
def test_who_is_urgent_is_served_before_those_who_came_earlier_and_can_wait():
    quotas = Quotas({"Op": Rate(3, 1)}, share=1.0)
    assert quotas.acquire("Op")
    quotas.throttled("Op")
    served: list[str] = []

    def take(name: str, urgent: bool) -> None:
        if quotas.acquire("Op", urgent=urgent):
            served.append(name)

    threads = []
    for number, (name, urgent) in enumerate([("patient", False), ("later", False), ("urgent", True)]):
        threads.append(threading.Thread(target=take, args=(name, urgent)))
        threads[-1].start()
        wait_until(lambda number=number: len(served) + quotas.snapshot()["Op"].waiting > number)
    for thread in threads:
        thread.join(10)
    assert served == ["urgent", "patient", "later"]


def test_readings_that_can_wait_leave_tokens_for_those_right_before_a_move(time):
    quotas = Quotas({"DescribeContact": Rate(0.001, 5)}, monotonic=time.monotonic, wait=time.wait)
    assert quotas.acquire("DescribeContact")
    time.seconds += 100_000
    now = time.seconds
    taken = [quotas.acquire("DescribeContact", until=now, urgent=False) for _ in range(5)]
    assert taken == [True, True, True, False, False]
    assert [quotas.acquire("DescribeContact", until=now) for _ in range(3)] == [True, True, False]


@pytest.mark.uses("threads")
def test_a_wait_that_is_called_off_ends_at_the_nudge_without_a_token():
    quotas = Quotas({"Op": Rate(0.001, 1)}, share=1.0)
    assert quotas.acquire("Op")
    off, answers = threading.Event(), []
    thread = threading.Thread(target=lambda: answers.append(quotas.acquire("Op", cancelled=off.is_set)))
    thread.start()
    wait_until(lambda: quotas.snapshot()["Op"].waiting == 1)
    off.set()
    quotas.nudge("Op")
    thread.join(10)
    assert answers == [False]


def test_how_long_somebody_would_wait_for_a_token_is_reported_at_the_present_rate(quotas):
    assert quotas.acquire("Op")
    assert quotas.seconds_to_token("Op") == pytest.approx(1.0)


def test_a_part_of_the_share_counts_for_operations_used_before_and_later(quotas):
    quotas.acquire("Op")
    quotas.use_part(0.25)
    quotas.acquire("Other")
    lowered = [quotas.snapshot()[name].full_rate for name in ("Op", "Other")]
    quotas.use_part(1.0)

    assert lowered == [2 * 0.5 * 0.25, GENERAL_RATE.rate * 0.5 * 0.25]
    assert quotas.snapshot()["Op"].full_rate == 1


def test_a_thread_awaits_a_token_only_while_it_waits_for_its_turn(time):
    seen = []

    def wait(condition, seconds):
        seen.append(limited.awaits_token(threading.get_ident()))
        return time.wait(condition, seconds)

    limited = Quotas({"Op": Rate(1, 1)}, monotonic=time.monotonic, wait=wait)
    for _ in range(2):
        assert limited.acquire("Op")
    assert seen == [True]
    assert not limited.awaits_token(threading.get_ident())
