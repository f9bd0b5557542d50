"""Checks that every store retains a notice until it is sent, and lets none be sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from router.ledger import AlreadyIntended
from router.ledger.outbox import Outbox
from router.model import ActionKind, Notice

HOUR = timedelta(hours=1)


@pytest.fixture
def outbox(ledger):
    return Outbox(ledger)


@pytest.fixture
def notice(now):
    return Notice(key="k", at=now, event="contact.warned", level="warning", subject="s", body="b", rule="r", queue="q")


def test_a_notice_waits_until_it_is_settled(outbox, notice, now):
    outbox.add([notice, notice])
    assert outbox.waiting() == (notice,)
    outbox.settle({"k": "sent"}, now + HOUR)
    assert outbox.waiting() == ()
    assert outbox.sent_since(now) == (now + HOUR,)
    assert outbox.sent_since(now + HOUR) == ()


@pytest.mark.parametrize("state", ["sent", "counted", "refused"])
def test_one_about_a_contact_never_waits_again(outbox, notice, now, state):
    outbox.add([notice])
    outbox.settle({"k": state}, now)
    outbox.add([replace(notice, at=now + timedelta(days=6))])
    assert outbox.waiting() == ()
    assert len(outbox.sent_since(now - HOUR)) == (state == "sent")


def test_one_that_repeats_waits_again_after_an_hour_with_its_new_text(outbox, notice, now):
    repeated = replace(notice, repeats=True)
    outbox.add([repeated])
    outbox.settle({"k": "sent"}, now)
    outbox.add([replace(repeated, at=now + HOUR)])
    assert outbox.waiting() == ()
    later = replace(repeated, at=now + HOUR + timedelta(seconds=1), body="again", subject="again")
    outbox.add([later])
    assert outbox.waiting() == (later,)


def test_errors_come_first_and_then_the_oldest(outbox, notice, now):
    notices = [replace(notice, key=str(number), at=now - number * HOUR) for number in range(3)]
    error = replace(notice, key="e", level="error")
    outbox.add([*notices, error])
    assert [one.key for one in outbox.waiting()] == ["e", "2", "1", "0"]


def test_what_was_settled_long_ago_is_removed_and_what_waits_is_not(outbox, notice, now):
    outbox.add([notice, replace(notice, key="w")])
    outbox.settle({"k": "sent"}, now)
    outbox.prune(now + HOUR)
    assert [one.key for one in outbox.waiting()] == ["w"]
    outbox.add([notice])
    assert {one.key for one in outbox.waiting()} == {"w", "k"}


def test_a_warning_and_its_notice_are_written_together_or_not_at_all(ledger, outbox, notice, act):
    warning = act(kind=ActionKind.WARN, target=None)
    ledger.record(warning, notice=notice)
    with pytest.raises(AlreadyIntended):
        ledger.record(warning, notice=replace(notice, key="second"))
    assert outbox.waiting() == (notice,)


def test_another_instance_has_notices_of_its_own(open_ledger, notice):
    with open_ledger("instance-1") as one:
        Outbox(one).add([notice])
    with open_ledger("instance-2") as other:
        assert Outbox(other).waiting() == ()


def test_the_next_process_finds_what_waits(open_ledger, notice):
    with open_ledger("instance-1") as one:
        Outbox(one).add([notice])
    with open_ledger("instance-1") as other:
        assert Outbox(other).waiting() == (notice,)
