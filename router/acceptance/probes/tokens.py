"""Repeats a transfer with its ClientToken: at once, after five minutes, and after an hour."""

from __future__ import annotations

from datetime import timedelta

from router.acceptance.lab import Lab, enqueued_at, refusal
from router.acceptance.probe import SeenValue, Unsettled, Wait, probe
from router.acceptance.probes.transfers import TransferredTask, one_transfer

AFTER = timedelta(minutes=5)
LATE = timedelta(minutes=62)


def first_repeat(lab: Lab) -> str:
    moved = lab.once(one_transfer)
    lab.sleep(1.0)
    return repeated(lab, moved)


def repeated(lab: Lab, moved: TransferredTask) -> str:
    """Makes the call again with its token, and returns the value of the switch that this shows."""
    before = lab.describe(moved.successor)
    answer = lab.transfer(moved.contact_id, token=moved.token)
    if answer.code == "IdempotencyException":
        return "refused"
    if answer.ok:
        lab.sleep(1.0)
        untouched = enqueued_at(lab.describe(moved.successor)) == enqueued_at(before) is not None
        return "answers_again" if untouched and answer.body["ContactId"] == moved.answered else "unknown"
    if not moved.kept:
        fresh = lab.transfer(moved.contact_id)
        if not fresh.ok and (fresh.code, fresh.status) == (answer.code, answer.status):
            return "unknown"
    raise Unsettled(refusal(answer))


@probe("repeated_token", "What is the answer to a second call with the same ClientToken?")
def repeated_token(lab: Lab) -> SeenValue:
    return SeenValue(value=lab.once(first_repeat), remark="after 1 s")


@probe("token_memory", "How long does Connect remember a ClientToken?")
def token_memory(lab: Lab) -> Wait:
    if lab.options.length == "quick":
        raise Unsettled("takes five minutes, with --full an hour: --quick leaves it out")
    if lab.once(first_repeat) == "unknown":
        raise Unsettled("a token is not remembered for one second")
    moved, began = lab.once(one_transfer), lab.clock.monotonic()
    yield AFTER
    minutes = (lab.clock.monotonic() - began) / 60
    if repeated(lab, moved) == "unknown":
        return SeenValue(value="seconds", remark=f"forgotten after {minutes:.0f} minutes")
    if lab.options.length != "full":
        raise Unsettled(f"remembered after {minutes:.0f} minutes: --full repeats the call after an hour")
    yield LATE - AFTER
    return SeenValue(value="minutes" if repeated(lab, moved) == "unknown" else "hours")
