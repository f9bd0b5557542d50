"""Finds out when a transferred task expires: it starts first, because it takes minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

from router.acceptance.lab import Lab, refusal
from router.acceptance.probe import SeenValue, Unsettled, Wait, probe
from router.acceptance.probes.transfers import NO_SEGMENT

LIFE = timedelta(minutes=2)
BEFORE_THE_TRANSFER = timedelta(seconds=30)
TOLERANCE = timedelta(seconds=12)


@probe("new_segment_expiry", "When does a transferred task expire: when it would have without the transfer, or later?")
def new_segment_expiry(lab: Lab) -> Wait:
    if lab.options.length == "quick":
        raise Unsettled("takes four minutes: --quick leaves it out")
    contact_id = lab.queued_task("expiry", minutes=int(LIFE.total_seconds() // 60))
    began = lab.describe(contact_id)["InitiationTimestamp"]
    lab.sleep(BEFORE_THE_TRANSFER.total_seconds())
    answer = lab.transfer(contact_id)
    if not answer.ok:
        raise Unsettled(refusal(answer))
    segment = lab.successor(contact_id, answer.body["ContactId"])
    if segment == contact_id:
        raise Unsettled(NO_SEGMENT)
    moved = lab.describe(segment)["InitiationTimestamp"]
    yield LIFE + TOLERANCE * 2
    ended: datetime | None = lab.describe(segment).get("DisconnectTimestamp")
    if ended is None:
        raise Unsettled(f"{LIFE.seconds} s after its transfer the task with this expiry has not ended")
    if abs(ended - began - LIFE) <= TOLERANCE:
        return SeenValue(value="kept")
    if abs(ended - moved - LIFE) <= TOLERANCE:
        return SeenValue(value="renewed")
    raise Unsettled(f"the task ended {(ended - began).total_seconds():.0f} s after its start, at no expected time")
