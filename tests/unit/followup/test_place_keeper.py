"""Checks that a place is given back once, whatever Connect responds, and that its follow-up ends in the right state."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Denied, Rejected, Throttled, Unauthenticated, Unknown
from router.model import ActionState, Pause, PauseKind, RoutingData

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
LOST = Unknown(code="TimedOut", message="no answer")


def test_the_time_that_the_wait_had_waited_is_given_back_once(bench):
    new, _ = bench.moved()

    bench.look()
    bench.look()

    assert bench.connect.updates == [(new.id, RoutingData(age=HOUR))]
    one = bench.only()
    assert (one.state, one.request_id, one.attempts) == (ActionState.ACTED, "request", 1)
    assert not bench.keeper.pending


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Rejected(code="InvalidRequestException", message="no", status=400), ActionState.REFUSED),
        (Denied(message="no permission"), ActionState.REFUSED),
    ],
)
def test_a_refusal_ends_it(bench, answer, state):
    bench.moved()
    bench.connect.update_answers = [answer]

    bench.look()
    bench.clock.travel(10 * MINUTE)
    bench.look()

    assert (bench.only().state, bench.only().error) == (state, answer.code)
    assert len(bench.connect.updates) == 1
    assert bench.safety.routing_stopped() is False, "after ten minutes"


@pytest.mark.parametrize("answer", [Throttled(code="TooManyRequestsException"), Unauthenticated(code="X", message="")])
def test_what_was_not_accepted_or_refused_is_due_again(bench, answer):
    bench.moved()
    bench.connect.update_answers = [answer]

    bench.look()

    assert (bench.only().open, bench.only().sent_at) == (True, None)
    bench.clock.travel(6 * MINUTE)
    bench.look()
    assert bench.only().state is ActionState.ACTED
    assert len(bench.connect.updates) == 2


def test_a_call_without_an_answer_is_not_repeated_while_connect_may_still_apply_it(bench):
    bench.moved()
    bench.connect.update_answers = [LOST]

    for _ in range(30):
        bench.look()
        bench.clock.travel(SECOND)
    assert len(bench.connect.updates) == 1
    assert bench.only().sent_at is not None

    bench.clock.travel(MINUTE)
    bench.look()
    assert len(bench.connect.updates) == 2, "the contact still shows the old value"
    assert bench.only().state is ActionState.ACTED


def test_a_call_without_an_answer_that_took_effect_is_settled_by_reading(bench):
    new, _ = bench.moved()
    bench.connect.update_answers = [LOST]
    bench.look()
    assert new.details is not None
    bench.connect.show(replace(new, details=replace(new.details, queue_time_adjustment=HOUR)))

    bench.clock.travel(2 * MINUTE)
    bench.look()

    assert len(bench.connect.updates) == 1
    assert bench.only().state is ActionState.ACTED


@pytest.mark.parametrize(("sent", "state"), [(False, ActionState.NEVER_SENT), (True, ActionState.ACTED)])
def test_a_contact_that_was_answered_is_given_nothing(bench, sent, state):
    new, _ = bench.moved()
    if sent:
        bench.connect.update_answers = [LOST]
        bench.look()
    bench.connect.show(replace(new, connected_at=bench.clock.now()))

    bench.clock.travel(2 * MINUTE)
    with capture_logs() as lines:
        bench.look()

    assert lines == []
    assert len(bench.connect.updates) == int(sent)
    assert bench.only().state is state


def test_nothing_is_tried_after_ten_minutes(bench):
    bench.moved()
    bench.pacer.empty = True
    bench.look()
    assert bench.only().open

    bench.pacer.empty = False
    bench.clock.travel(11 * MINUTE)
    bench.look()

    assert bench.connect.updates == []
    assert (bench.only().state, bench.only().error) == (ActionState.REFUSED, "NoAnswer")


def test_a_pause_that_is_set_while_the_contact_is_read_comes_before_the_call(bench):
    bench.moved()
    describe, until = bench.connect.describe, bench.clock.now() + MINUTE
    pause = Pause(kind=PauseKind.ALL, subject="", name="", until=until, comment="", who="ann", set_at=until - MINUTE)

    def paused_meanwhile(contact_id):
        bench.safety.pauses.set(pause)
        bench.safety.terms.change()
        return describe(contact_id)

    bench.connect.describe = paused_meanwhile
    bench.look()
    assert bench.connect.updates == []
    assert (bench.only().open, bench.only().sent_at) == (True, None)

    bench.connect.describe = describe
    bench.clock.travel(2 * MINUTE)
    bench.look()
    assert len(bench.connect.updates) == 1


def test_a_change_is_not_reported_before_a_call_under_way_has_ended(bench):
    bench.moved()
    ended: list[bool] = []
    reroute = bench.connect.reroute

    def changed_meanwhile(**call):
        bench.safety.terms.change()
        ended.append(bench.safety.terms.await_calls(within=0))
        return reroute(**call)

    bench.connect.reroute = changed_meanwhile
    bench.look()
    assert ended == [False]
    assert bench.safety.terms.await_calls(within=0)


def test_the_next_process_takes_up_what_is_open(bench):
    _, due = bench.moved()
    another = replace(bench.keeper, _open={})
    another.resume(bench.ledger.open_follow_ups())

    assert another.pending
    bench.look(another)
    assert len(bench.connect.updates) == 1
    assert bench.only().id == due.id


@pytest.mark.parametrize("abandons", [True, False])
def test_a_process_that_keeps_no_places_closes_those_that_are_open_or_leaves_them(bench, abandons):
    bench.moved()
    another = replace(bench.keeper, enabled=False, abandons=abandons, _open={})

    another.resume(bench.ledger.open_follow_ups())
    bench.look(another)

    assert bench.connect.updates == []
    assert bench.only().state is (ActionState.NEVER_SENT if abandons else ActionState.INTENDED)


def test_a_contact_that_could_not_be_read_is_left_for_the_next_look(bench):
    new, _ = bench.moved()
    bench.connect.failures[new.id] = LOST
    bench.look()
    assert bench.connect.updates == []

    bench.connect.failures.clear()
    bench.look()
    assert len(bench.connect.updates) == 1


def test_of_two_follow_ups_of_a_contact_the_earlier_is_settled_without_a_token_of_the_quota(bench):
    _, earlier = bench.moved()
    bench.keeper.watch([replace(earlier, id=earlier.id + 1)])
    bench.pacer.empty = True

    bench.look()

    assert (bench.only().state, bench.only().token) == (ActionState.NEVER_SENT, None)
    assert bench.connect.updates == []
