"""Checks when a call is made, repeated, held or given up: every attempt reads the contact again first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.connect.answers import (
    Denied,
    Full,
    Reading,
    Rejected,
    Throttled,
    TooLate,
    Transferred,
    Unauthenticated,
    Unknown,
    Updated,
)
from router.decide.decision import PausesSeen
from router.execute.attempts import FRESH, UPDATE_PATIENCE, RetryPolicy
from router.execute.result import STALE, AttemptResult
from router.ledger import LedgerUnavailable, NotOpen
from router.model import SEND_BY, ActionState, ContactId, Details, HoldReason, Pause, PauseKind
from router.ports import REROUTE, TRANSFER, Grant
from tests.builders.contacts import NOW, minutes
from tests.builders.execution import URGENT

SECOND = timedelta(seconds=1)
MOVED = Transferred(contact_id=ContactId("c2"))
LOST = Unknown(code="TimedOut", message="no response")
SLOW_DOWN = Throttled(code="TooManyRequestsException")
REJECTED = Rejected(code="InvalidRequestException", message="no", status=400)
FINAL = [MOVED, REJECTED, Full(message="full"), Denied(message="no"), Unauthenticated(code="Expired", message="")]


@pytest.mark.parametrize("answer", FINAL, ids=lambda one: type(one).__name__)
def test_a_response_that_settles_is_final(bench, answer):
    effort = bench.move_effort()
    bench.connect.transfer_answers = [answer]

    assert bench.attempts.make(effort) == AttemptResult(answer=answer)
    assert bench.connect.transfers == [("c1", effort.action.target, "token")]
    assert bench.pacer.seen == ["succeeded"]
    assert bench.pacer.paused == []


@pytest.mark.parametrize(("first", "uncertain"), [(LOST, True), (SLOW_DOWN, False)])
def test_a_move_that_was_lost_or_throttled_is_repeated_with_the_same_token_after_a_new_reading(bench, first, uncertain):
    effort = bench.move_effort()
    bench.connect.transfer_answers = [first, MOVED]

    assert bench.attempts.make(effort).answer is MOVED
    assert [token for _, _, token in bench.connect.transfers] == ["token", "token"]
    assert effort.uncertain is uncertain
    assert len(bench.pacer.paused) == 1
    assert effort.action.attempts == 2


def test_an_agent_who_accepts_between_two_attempts_ends_them(bench):
    effort = bench.move_effort()
    accepted = replace(bench.connect.contacts[ContactId("c1")], connected_at=NOW)
    bench.pacer.pause = lambda seconds: bench.connect.show(accepted)
    bench.connect.transfer_answers = [SLOW_DOWN, MOVED]

    assert bench.attempts.make(effort) == AttemptResult(hold=HoldReason.PICKED_UP)
    assert len(bench.connect.transfers) == 1


@pytest.mark.parametrize("answer", [LOST, SLOW_DOWN])
def test_attempts_end_with_the_number_that_the_policy_allows(bench, answer):
    effort = bench.move_effort()
    bench.attempts.policy = RetryPolicy(attempts=3)
    bench.connect.transfer_answers = [answer] * 9

    assert bench.attempts.make(effort).answer is answer
    assert len(bench.connect.transfers) == 3


def test_pauses_are_no_longer_than_the_policy_allows(bench):
    effort = bench.move_effort()
    bench.attempts.policy = RetryPolicy(attempts=12, max_delay=timedelta(seconds=3))
    bench.connect.transfer_answers = [SLOW_DOWN] * 12

    bench.attempts.make(effort)
    assert len(bench.pacer.paused) == 11
    assert max(bench.pacer.paused) <= 3
    assert len(set(bench.pacer.paused)) > 5, "without jitter all contacts would be tried at the same instants"


def test_no_attempt_begins_after_the_next_poll(bench):
    effort = bench.move_effort()
    effort.until = bench.clock.monotonic() + 1.0
    bench.attempts.policy = RetryPolicy(attempts=50)
    bench.connect.transfer_answers = [SLOW_DOWN] * 50

    bench.attempts.make(effort)
    assert sum(bench.pacer.paused) < 1.0
    assert len(bench.connect.transfers) < 50


def test_an_update_without_a_response_is_not_repeated_because_it_has_no_token(bench):
    effort = bench.update_effort()
    bench.connect.update_answers = [LOST]

    result = bench.attempts.make(effort)

    assert (result.answer, result.again) == (LOST, False)
    assert bench.connect.updates == [("c1", URGENT)]
    assert effort.uncertain


def test_a_throttled_update_is_given_up_soon_and_left_to_the_next_cycle(bench):
    effort = bench.update_effort(until=bench.clock.monotonic() + 60)
    bench.attempts.policy = RetryPolicy(attempts=50)
    bench.connect.update_answers = [SLOW_DOWN] * 50

    assert bench.attempts.make(effort).answer is SLOW_DOWN
    assert sum(bench.pacer.paused) <= UPDATE_PATIENCE
    assert bench.pacer.seen.count("throttled") == len(bench.connect.updates) < 50


def test_an_update_that_is_accepted_after_a_throttle_is_done(bench):
    effort = bench.update_effort(until=bench.clock.monotonic() + 60)
    bench.attempts.policy = RetryPolicy(attempts=50, max_delay=timedelta(milliseconds=10))
    bench.connect.update_answers = [SLOW_DOWN, Updated()]

    assert bench.attempts.make(effort).answer == Updated()
    assert bench.pacer.seen == ["throttled", "succeeded"]


def test_an_update_of_a_contact_that_is_being_moved_makes_no_call(bench):
    effort = bench.update_effort()
    with bench.in_progress.claim(ContactId("c1")):
        assert bench.attempts.make(effort) == AttemptResult(hold=HoldReason.IN_FLIGHT)
    assert bench.connect.updates == []
    assert bench.pacer.seen == ["given back"]


@pytest.mark.parametrize(("priority", "hold"), [(5, None), (None, None), (2, "no_longer"), (4, "no_longer")])
def test_an_update_is_sent_only_while_the_contact_shows_the_old_value(bench, priority, hold):
    effort = bench.update_effort()
    bench.connect.show(replace(bench.connect.contacts[ContactId("c1")], details=Details(priority=priority)))

    result = bench.attempts.make(effort)

    assert result.hold is (HoldReason.NO_LONGER_MATCHES if hold else None)
    assert len(bench.connect.updates) == (0 if hold else 1)


def test_a_move_records_the_place_that_the_contact_had_right_before_the_call(bench):
    effort = bench.move_effort()
    bench.connect.show(replace(bench.connect.contacts[ContactId("c1")], details=Details(priority=3)))
    bench.connect.transfer_answers = [MOVED]

    bench.attempts.make(effort)
    assert effort.action.before is not None
    assert effort.action.before.priority == 3


@pytest.mark.parametrize("failure", [LOST, SLOW_DOWN, REJECTED, Denied(message="no")], ids=lambda one: one.code)
def test_a_contact_that_cannot_be_read_is_not_moved_and_its_token_is_given_back(bench, failure):
    effort = bench.move_effort()
    bench.connect.failures[ContactId("c1")] = failure

    assert bench.attempts.make(effort) == AttemptResult(unread=failure)
    assert bench.connect.transfers == []
    assert bench.pacer.seen == ["given back"]


def test_a_contact_that_connect_does_not_know_is_not_moved(bench):
    effort = bench.move_effort()
    bench.connect.contacts.clear()

    assert bench.attempts.make(effort) == AttemptResult(hold=HoldReason.NOT_FOUND)
    assert bench.pacer.seen == ["given back"]


def test_a_pause_that_only_this_reading_shows_holds(bench):
    effort = bench.move_effort(pauses=PausesSeen(resumed_at=None, assumed=True))
    paused = Details(paused_at=NOW - minutes(9), resumed_at=NOW - minutes(2))
    bench.connect.show(replace(bench.connect.contacts[ContactId("c1")], details=paused))

    assert bench.attempts.make(effort) == AttemptResult(hold=HoldReason.CONTACT_PAUSED)


def test_the_reading_is_remembered(bench):
    effort = bench.move_effort()
    read = replace(bench.connect.contacts[ContactId("c1")], details=Details(priority=3))
    bench.connect.show(read)
    bench.connect.transfer_answers = [MOVED]
    bench.attempts.make(effort)

    assert bench.details.of(read, bench.clock.now()) == read.details


def test_without_a_token_nothing_is_read_and_nothing_sent(bench):
    effort = bench.move_effort()
    bench.pacer.empty = True
    bench.connect.contacts.clear()

    assert bench.attempts.make(effort) == AttemptResult()
    assert (bench.connect.transfers, bench.pacer.seen) == ([], [])


@pytest.mark.parametrize(("effort", "operation"), [("move_effort", TRANSFER), ("update_effort", REROUTE)])
def test_the_token_is_one_of_the_operation_s_own_quota(bench, effort, operation):
    bench.connect.transfer_answers = [MOVED]
    bench.attempts.make(getattr(bench, effort)())

    assert bench.pacer.acquired == [operation]


def test_a_token_that_the_worker_has_already_serves_the_first_call_only(bench):
    effort = bench.move_effort(grant=Grant())
    bench.connect.transfer_answers = [SLOW_DOWN, MOVED]
    bench.attempts.make(effort)

    assert len(bench.connect.transfers) == 2
    assert bench.pacer.acquired == [TRANSFER]


def test_a_pause_that_an_operator_sets_now_counts_before_the_call(bench):
    effort = bench.move_effort()
    rule, until = effort.action.rule, NOW + minutes(5)
    pause = Pause(kind=PauseKind.RULE, subject=rule, name=rule, until=until, comment="", who="ann", set_at=NOW)
    bench.connect.transfer_answers = [SLOW_DOWN, MOVED]
    bench.pacer.pause = lambda seconds: bench.safety.pauses.set(pause)

    assert bench.attempts.make(effort) == AttemptResult(hold=HoldReason.OPERATOR_PAUSE)
    assert len(bench.connect.transfers) == 1


def test_a_change_of_rules_between_two_attempts_ends_them_without_another_call(bench):
    effort = bench.move_effort()
    bench.connect.transfer_answers = [SLOW_DOWN, MOVED]
    bench.pacer.pause = lambda seconds: bench.safety.terms.change()

    assert bench.attempts.make(effort) == AttemptResult()
    assert len(bench.connect.transfers) == 1
    assert bench.pacer.seen == ["throttled", "given back"]


def test_a_change_of_rules_during_the_reading_counts_before_the_call(bench):
    effort = bench.move_effort()
    describe = bench.connect.describe

    def changes(contact_id):
        bench.safety.terms.change()
        return describe(contact_id)

    bench.connect.describe = changes
    assert bench.attempts.make(effort) == AttemptResult()
    assert (bench.connect.transfers, bench.pacer.seen) == ([], ["given back"])


def test_nothing_is_sent_once_the_service_stops(bench):
    effort = bench.move_effort()
    bench.runtime.stopping.set()

    assert bench.attempts.make(effort) == AttemptResult()
    assert bench.connect.transfers == []
    assert bench.pacer.seen == ["given back"]


def test_a_stop_during_the_pause_ends_the_attempts(bench):
    effort = bench.move_effort()
    bench.connect.transfer_answers = [SLOW_DOWN] * 4
    bench.pacer.pause = lambda seconds: bench.runtime.stopping.set()

    bench.attempts.make(effort)
    assert len(bench.connect.transfers) == 1


def test_a_reading_that_took_too_long_is_made_again(bench):
    """Reads again because the process may have been stopped between the reading and the call."""
    effort = bench.move_effort()
    ages = [FRESH + 0.1, FRESH]
    describe = bench.connect.describe

    def slow(contact_id):
        reading = describe(contact_id)
        assert isinstance(reading, Reading)
        return replace(reading, answered_at=reading.answered_at - ages.pop(0))

    bench.connect.describe = slow
    bench.connect.transfer_answers = [MOVED]

    assert bench.attempts.make(effort).answer is MOVED
    assert ages == []
    assert effort.read_age == pytest.approx(FRESH)
    assert bench.pacer.seen == ["given back", "succeeded"]


def test_readings_that_are_always_too_old_move_nothing(bench):
    effort = bench.move_effort()
    describe = bench.connect.describe
    bench.connect.describe = lambda contact_id: replace(describe(contact_id), answered_at=-99.0)

    result = bench.attempts.make(effort)

    assert result.unread is not None
    assert result.unread.code == STALE
    assert bench.connect.transfers == []


def test_a_call_that_could_not_be_sent_in_time_was_not_made(bench):
    effort = bench.move_effort()
    sent_before = []

    def too_late(**asked):
        sent_before.append(asked["before"])
        raise TooLate

    bench.connect.transfer = too_late
    result = bench.attempts.make(effort)

    assert result.unread is not None
    assert result.unread.code == STALE
    assert not effort.uncertain
    assert sent_before[0] == pytest.approx(FRESH)
    assert bench.pacer.seen == ["given back"] * 4


@pytest.mark.parametrize("part", ["require_turn", "renew"])
def test_without_the_ledger_nothing_is_sent_and_the_token_is_given_back(bench, part, monkeypatch):
    effort = bench.move_effort()

    def fails(*_):
        raise LedgerUnavailable("disk full")

    monkeypatch.setattr(bench.ledger, part, fails)
    with pytest.raises(LedgerUnavailable):
        bench.attempts.make(effort)
    assert bench.connect.transfers == []
    assert bench.pacer.seen == ["given back"]


def test_an_intent_that_was_settled_elsewhere_makes_no_further_call(bench):
    effort = bench.move_effort()
    bench.connect.transfer_answers = [SLOW_DOWN, MOVED]
    bench.pacer.pause = lambda seconds: bench.settler.close(effort.action, ActionState.NEVER_SENT)

    with pytest.raises(NotOpen):
        bench.attempts.make(effort)
    assert len(bench.connect.transfers) == 1


def test_the_ledger_has_the_repeat_before_it_is_made(bench):
    effort = bench.move_effort()
    written = []
    bench.connect.transfer_answers = [SLOW_DOWN, SLOW_DOWN, MOVED]
    transfer = bench.connect.transfer

    def noted(**asked):
        [intent] = bench.ledger.open_intents()
        written.append((intent.attempts, intent.send_by))
        return transfer(**asked)

    bench.connect.transfer = noted
    bench.attempts.make(effort)

    assert [attempts for attempts, _ in written[1:]] == [2, 3]
    assert all(send_by is not None and send_by > NOW + SEND_BY / 2 for _, send_by in written)
