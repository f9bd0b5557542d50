"""Checks every row of the settlement table, their precedence, and that no end of an attempt falls through."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.connect.answers import (
    Denied,
    Full,
    Rejected,
    Skewed,
    Throttled,
    Transferred,
    Unauthenticated,
    Unknown,
    Updated,
)
from router.execute.recheck import GONE
from router.execute.result import STALE, AttemptResult, Outcome
from router.execute.settlement import NO_ANSWER, UNKNOWN_YET, _denial, settle
from router.model import ActionKind, ActionState, ContactId, HoldReason
from router.safety.breakers import BreakerSignal

TRANSFER, ROUTING, RESTORE = ActionKind.TRANSFER, ActionKind.ROUTING, ActionKind.RESTORE_PLACE
ACTED, INTENDED = ActionState.ACTED, ActionState.INTENDED
REFUSED, NEVER_SENT = ActionState.REFUSED, ActionState.NEVER_SENT

MOVED = Transferred(contact_id=ContactId("after"))
UPDATED = Updated()
REJECTED = Rejected(code="InvalidRequestException", message="no", status=400)
FULL = Full(message="full")
DENIED = Denied(message="no permission")
BAD_KEYS = Unauthenticated(code="ExpiredTokenException", message="expired")
WRONG_TIME = Skewed(code="InvalidSignatureException", message="Signature expired")
LOST = Unknown(code="TimedOut", message="no answer")
SLOW_DOWN = Throttled(code="TooManyRequestsException")
OLD_READING = Unknown(code=STALE, message="too old")
ANSWERS = [None, MOVED, UPDATED, REJECTED, FULL, DENIED, BAD_KEYS, WRONG_TIME, LOST, SLOW_DOWN]
UNREAD = [DENIED, BAD_KEYS, WRONG_TIME, LOST, SLOW_DOWN, REJECTED, OLD_READING]


def ended(answer=None, **fields):
    return AttemptResult(answer=answer, **fields)


CERTAIN = [
    (TRANSFER, ended(MOVED), (ACTED, Outcome.DONE, "contact.transferred", BreakerSignal.ACCEPTED, None, None)),
    (ROUTING, ended(UPDATED), (ACTED, Outcome.DONE, "contact.reprioritized", BreakerSignal.NONE, None, None)),
    (
        TRANSFER,
        ended(REJECTED),
        (REFUSED, Outcome.REFUSED, "contact.failed", BreakerSignal.PERMITTED, None, REJECTED.code),
    ),
    (ROUTING, ended(REJECTED), (REFUSED, Outcome.REFUSED, "contact.failed", BreakerSignal.NONE, None, REJECTED.code)),
    *(
        (
            kind,
            attempt,
            (NEVER_SENT, Outcome.HELD, None, BreakerSignal.NONE, HoldReason.CLOCK_SKEW, WRONG_TIME.code),
        )
        for kind in (TRANSFER, ROUTING)
        for attempt in (ended(WRONG_TIME), ended(unread=WRONG_TIME))
    ),
    (
        TRANSFER,
        ended(FULL),
        (NEVER_SENT, Outcome.HELD, None, BreakerSignal.INSTANCE_FULL, HoldReason.INSTANCE_FULL, FULL.code),
    ),
    (
        TRANSFER,
        ended(DENIED),
        (NEVER_SENT, Outcome.HELD, None, BreakerSignal.FLOW_DENIED, HoldReason.DENIED, DENIED.code),
    ),
    (
        TRANSFER,
        ended(unread=DENIED),
        (NEVER_SENT, Outcome.HELD, None, BreakerSignal.READING_DENIED, HoldReason.DENIED, DENIED.code),
    ),
    (
        ROUTING,
        ended(DENIED),
        (NEVER_SENT, Outcome.HELD, None, BreakerSignal.ROUTING_DENIED, HoldReason.DENIED, DENIED.code),
    ),
    (
        ROUTING,
        ended(unread=DENIED),
        (NEVER_SENT, Outcome.HELD, None, BreakerSignal.ROUTING_UNREADABLE, HoldReason.DENIED, DENIED.code),
    ),
    *(
        (
            kind,
            attempt,
            (NEVER_SENT, Outcome.HELD, None, BreakerSignal.CREDENTIALS_REFUSED, HoldReason.DENIED, BAD_KEYS.code),
        )
        for kind in (TRANSFER, ROUTING)
        for attempt in (ended(BAD_KEYS), ended(unread=BAD_KEYS))
    ),
    *(
        (kind, ended(hold=hold), (NEVER_SENT, Outcome.HELD, None, BreakerSignal.NONE, hold, hold.value))
        for kind in (TRANSFER, ROUTING)
        for hold in HoldReason
    ),
    *(
        (kind, ended(LOST), (INTENDED, Outcome.UNSETTLED, "contact.failed", BreakerSignal.NONE, None, LOST.code))
        for kind in (TRANSFER, ROUTING)
    ),
    *(
        (kind, attempt, (NEVER_SENT, Outcome.NOT_SENT, "contact.failed", BreakerSignal.NONE, None, code))
        for kind in (TRANSFER, ROUTING)
        for attempt, code in [
            (ended(SLOW_DOWN), SLOW_DOWN.code),
            (ended(unread=LOST), LOST.code),
            (ended(unread=SLOW_DOWN), SLOW_DOWN.code),
            (ended(unread=OLD_READING), STALE),
        ]
    ),
    *(
        (kind, ended(), (NEVER_SENT, Outcome.NOT_SENT, None, BreakerSignal.NONE, None, None))
        for kind in (TRANSFER, ROUTING)
    ),
]

FOLLOW_UP = [
    (ended(UPDATED), (ACTED, Outcome.DONE, BreakerSignal.NONE, None, None)),
    (ended(REJECTED), (REFUSED, Outcome.REFUSED, BreakerSignal.NONE, None, REJECTED.code)),
    (ended(DENIED), (REFUSED, Outcome.REFUSED, BreakerSignal.ROUTING_DENIED, None, DENIED.code)),
    (ended(BAD_KEYS), (INTENDED, Outcome.NOT_SENT, BreakerSignal.CREDENTIALS_REFUSED, None, BAD_KEYS.code)),
    (ended(SLOW_DOWN), (INTENDED, Outcome.NOT_SENT, BreakerSignal.NONE, None, SLOW_DOWN.code)),
    (ended(LOST), (INTENDED, Outcome.UNSETTLED, BreakerSignal.NONE, None, LOST.code)),
    (
        ended(hold=HoldReason.LEFT_QUEUE),
        (NEVER_SENT, Outcome.HELD, BreakerSignal.NONE, HoldReason.LEFT_QUEUE, "left_queue"),
    ),
]


@pytest.mark.parametrize(("attempt", "expected"), FOLLOW_UP)
def test_each_end_of_giving_a_place_back_has_its_row(attempt, expected):
    one = settle(RESTORE, attempt, uncertain=False)

    assert (one.state, one.outcome, one.breaker, one.reason, one.error) == expected


def test_a_place_whose_contact_has_left_after_a_call_is_over():
    one = settle(RESTORE, ended(hold=HoldReason.LEFT_QUEUE), uncertain=True)

    assert (one.state, one.outcome) == (ACTED, Outcome.DONE)


@pytest.mark.parametrize(("kind", "attempt", "expected"), CERTAIN)
def test_each_end_of_an_attempt_has_its_row(kind, attempt, expected):
    one = settle(kind, attempt, uncertain=False)

    assert (one.state, one.outcome, one.event, one.breaker, one.reason, one.error) == expected


def test_a_full_chain_is_refused_for_good_and_leaves_the_instance_alone():
    one = settle(TRANSFER, ended(FULL), uncertain=False, chain_full=True)

    assert (one.state, one.outcome, one.event) == (REFUSED, Outcome.REFUSED, "contact.failed")
    assert (one.breaker, one.error) == (BreakerSignal.CHAIN_FULL, FULL.code)


@pytest.mark.parametrize("kind", [TRANSFER, ROUTING])
@pytest.mark.parametrize("hold", sorted(GONE))
def test_a_contact_that_is_gone_after_a_call_without_an_answer_has_been_acted_on(kind, hold):
    one = settle(kind, ended(hold=hold), uncertain=True)

    assert (one.state, one.outcome, one.event) == (ACTED, Outcome.DONE, "contact.recovered")


@pytest.mark.parametrize("chain_full", [True, False])
@pytest.mark.parametrize(
    ("attempt", "breaker"),
    [
        (ended(REJECTED), BreakerSignal.NONE),
        (ended(FULL), BreakerSignal.NONE),
        (ended(DENIED), BreakerSignal.FLOW_DENIED),
        (ended(unread=DENIED), BreakerSignal.READING_DENIED),
        (ended(BAD_KEYS), BreakerSignal.CREDENTIALS_REFUSED),
        (ended(SLOW_DOWN), BreakerSignal.NONE),
        (ended(LOST), BreakerSignal.NONE),
        (ended(unread=LOST), BreakerSignal.NONE),
        (ended(), BreakerSignal.NONE),
        *((ended(hold=hold), BreakerSignal.NONE) for hold in HoldReason if hold not in GONE),
    ],
)
def test_nothing_but_an_answer_or_an_absent_contact_settles_a_transfer_that_may_have_been_made(
    attempt, breaker, chain_full
):
    one = settle(TRANSFER, attempt, uncertain=True, chain_full=chain_full)

    assert (one.state, one.outcome, one.event) == (INTENDED, Outcome.UNSETTLED, "contact.failed")
    assert (one.breaker, one.message) == (breaker, UNKNOWN_YET)
    assert one.error == (attempt.failure.code if attempt.failure is not None else NO_ANSWER)


def test_an_answer_settles_what_may_have_been_made_before():
    assert settle(TRANSFER, ended(MOVED), uncertain=True).state is ACTED
    assert settle(ROUTING, ended(UPDATED), uncertain=True).state is ACTED


def test_a_repeated_update_that_is_refused_is_over_because_the_contact_still_showed_the_old_value():
    assert settle(ROUTING, ended(REJECTED), uncertain=True).state is REFUSED


def test_only_what_was_not_sent_is_logged_when_it_is_news():
    assert settle(TRANSFER, ended(SLOW_DOWN), uncertain=False).only_news
    assert not settle(TRANSFER, ended(REJECTED), uncertain=False).only_news
    assert not settle(TRANSFER, ended(LOST), uncertain=False).only_news


ATTEMPTS = st.one_of(
    st.builds(AttemptResult, answer=st.sampled_from(ANSWERS), repeatable=st.booleans()),
    st.builds(AttemptResult, hold=st.sampled_from(HoldReason)),
    st.builds(AttemptResult, unread=st.sampled_from(UNREAD)),
)
KINDS = st.sampled_from([kind for kind in ActionKind if kind is not ActionKind.WARN])


@given(kind=KINDS, attempt=ATTEMPTS, uncertain=st.booleans(), chain_full=st.booleans())
def test_no_combination_falls_through(kind, attempt, uncertain, chain_full):
    one = settle(kind, attempt, uncertain=uncertain, chain_full=chain_full)

    assert (one.reason is not None) == (one.outcome is Outcome.HELD), "a hold has a reason, and nothing else has one"
    assert one.event is None or one.event.startswith("contact.")
    assert (one.event == "contact.failed") <= (one.error is not None)
    accepted = isinstance(attempt.answer, Transferred | Updated)
    assert (one.state is ACTED) == (accepted or (uncertain and attempt.hold in GONE))
    if isinstance(attempt.answer, Unknown):
        assert one.state is INTENDED, "a call without an answer is never settled by guessing"
    if uncertain and kind is TRANSFER and not accepted and attempt.hold not in GONE:
        assert one.state is INTENDED, "what may have moved the contact stays open"
    if attempt.failure is not None and isinstance(attempt.failure, Denied | Unauthenticated):
        assert one.breaker is not BreakerSignal.NONE, "a denial always reaches the breakers"


def test_a_denial_of_every_kind_of_call_reaches_the_breakers():
    for kind in ActionKind:
        if kind is not ActionKind.WARN:
            assert _denial(kind, AttemptResult(answer=Denied(message="no"))) is not BreakerSignal.NONE


def test_the_table_is_tried_with_every_answer_that_connect_gives():
    from router.connect.answers import TransferAnswer, UpdateAnswer

    kinds = {*get_args(TransferAnswer), *get_args(UpdateAnswer)}
    assert kinds == {type(answer) for answer in ANSWERS if answer is not None}
