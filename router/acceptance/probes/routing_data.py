"""Changes age and priority of one waiting task, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from router.acceptance.lab import Lab, refusal
from router.acceptance.probe import SeenValue, Unsettled, probe
from router.acceptance.probes.measurements import Span, lag_of
from router.acceptance.probes.transfers import NO_SEGMENT, PRIORITY, new_segment

FIRST, SECOND, THIRD, PRIORITY_NOW = 60, 30, 40, 3
SHOWS_WITHIN = timedelta(minutes=4)

Place = tuple[int | None, int | None]
"""QueuePriority and QueueTimeAdjustmentSeconds, as DescribeContact shows them."""


@dataclass(slots=True, kw_only=True)
class Updates:
    """Holds one task and the places that it had. ``delays`` are the times until an update showed."""

    contact_id: str
    places: list[Place] = field(default_factory=list)
    delays: list[Span] = field(default_factory=list)


def updates(lab: Lab) -> Updates:
    found = Updates(contact_id=lab.queued_task("routing"))
    for change in (
        {"QueueTimeAdjustmentSeconds": FIRST},
        {"QueueTimeAdjustmentSeconds": SECOND},
        {"QueuePriority": PRIORITY_NOW},
        {"QueueTimeAdjustmentSeconds": THIRD},
    ):
        _update(lab, found, change)
    return found


def _update(lab: Lab, found: Updates, change: dict[str, int]) -> None:
    """Makes the update and waits until the place is another one."""
    before = _place(lab, found.contact_id)
    lab.need("UpdateContactRoutingData", ContactId=found.contact_id, **change)
    began, seen_at = lab.clock.monotonic(), 0.0

    def look() -> Place | None:
        nonlocal seen_at
        place, at = _place(lab, found.contact_id), lab.clock.monotonic() - began
        if place != before:
            found.delays.append(Span(seen_at, at))
            return place
        seen_at = at
        return None

    place = lab.wait_until(look, within=SHOWS_WITHIN)
    if place is None:
        raise Unsettled(f"an update of {', '.join(change)} did not show within {SHOWS_WITHIN.seconds // 60} minutes")
    found.places.append(place)


def _place(lab: Lab, contact_id: str) -> Place:
    contact: Any = lab.describe(contact_id)
    return contact.get("QueuePriority"), contact.get("QueueTimeAdjustmentSeconds")


@probe("routing_delay", "How long does a routing update of a waiting task take until it shows?")
def routing_delay(lab: Lab) -> SeenValue:
    return lag_of(lab.once(updates).delays)


@probe("routing_age", "Does QueueTimeAdjustmentSeconds replace the earlier value, or is it added?")
def routing_age(lab: Lab) -> SeenValue:
    (_, first), (_, second), *_ = lab.once(updates).places
    if first != FIRST or second not in (SECOND, FIRST + SECOND):
        raise Unsettled(f"after {FIRST} and {SECOND} seconds the contact shows {first} and {second}")
    return SeenValue(value="sets" if second == SECOND else "adds")


@probe("priority_excludes_age", "Does a new priority remove the age, and a new age the priority?")
def priority_excludes_age(lab: Lab) -> SeenValue:
    _, _, (_, age), (priority, _) = lab.once(updates).places
    age_removed, priority_removed = not age, priority != PRIORITY_NOW
    if age_removed != priority_removed:
        removed, other = ("priority", "age") if age_removed else ("age", "priority")
        raise Unsettled(f"a new {removed} removes the {other}, and a new {other} leaves the {removed}")
    return SeenValue(value=age_removed)


def aged_transfer(lab: Lab) -> bool:
    """Returns whether a transferred task retains its age."""
    found = lab.once(updates)
    _, age = found.places[-1]
    answer = lab.transfer(found.contact_id)
    if not answer.ok:
        raise Unsettled(refusal(answer))
    segment = lab.successor(found.contact_id, answer.body["ContactId"])
    if segment == found.contact_id:
        raise Unsettled(NO_SEGMENT)
    lab.await_queue(segment, lab.resources.queue_b)
    after = _place(lab, segment)[1]
    if after not in (age, None, 0):
        raise Unsettled(f"the task had an age of {age} s before its transfer and {after} s after it")
    return after == age


@probe("new_segment_priority", "Does the new segment have the priority and the routing age?")
def new_segment_priority(lab: Lab) -> SeenValue:
    moved = new_segment(lab)
    after = moved.after.get("QueuePriority")
    if moved.unprioritized is not None or after not in (PRIORITY, 5, None):
        raise Unsettled(moved.unprioritized or f"the priority after the transfer is {after}")
    if lab.once(aged_transfer) != (after == PRIORITY):
        raise Unsettled("of priority and age, a transfer retains one only")
    return SeenValue(value="kept" if after == PRIORITY else "lost")
