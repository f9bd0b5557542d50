"""Joins the stays of a history to waits, and the waits of one contact that agents put back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.history.world import Leaving, Stay
from router.model import AgentId, ContactId, QueueId

AT_ONCE = timedelta(minutes=1)
"""How soon after the end of a stay the next one of a chain begins, if it belongs to the same wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedWait:
    """Holds the stays of one wait: in its first queue, and in those that the router moved the contact to."""

    stays: tuple[Stay, ...]

    @property
    def began_at(self) -> datetime:
        return self.stays[0].enqueued_at

    @property
    def last(self) -> Stay:
        return self.stays[-1]

    @property
    def queue_id(self) -> QueueId:
        return queue_of(self.stays[0])

    @property
    def ended_at(self) -> datetime | None:
        return self.last.connected_at or self.last.left_at

    @property
    def answered_by(self) -> AgentId | None:
        return self.last.agent_id if self.last.how is Leaving.ANSWERED else None

    @property
    def worked(self) -> timedelta | None:
        """Returns the time that the agent needed; ``None`` if nobody answered, or the history does not have it."""
        return self.last.handle_time if self.answered_by is not None else None


RecordedContact = tuple[RecordedWait, ...]
"""The waits of one contact. Each after the first began because an agent put the contact back."""


def queue_of(stay: Stay) -> QueueId:
    assert stay.contact.queue_id is not None, "a stay has a queue"
    return stay.contact.queue_id


def contacts_of(stays: Iterable[Stay]) -> Iterator[RecordedContact]:
    """Yields the contacts in the order in which they began to wait.

    A transfer by an agent into a queue in which the contact has not been before begins a contact of its own.
    """
    ordered = sorted(stays, key=lambda one: one.enqueued_at)
    by_id: dict[ContactId, Stay] = {one.contact.id: one for one in ordered}
    after: dict[ContactId, list[Stay]] = defaultdict(list)
    for one in ordered:
        if one.previous is not None and one.previous in by_id:
            after[one.previous].append(one)
    begun: set[ContactId] = set()
    for one in ordered:
        if one.contact.id not in begun:
            waits = tuple(_waits(one, after))
            begun.update(stay.contact.id for wait in waits for stay in wait.stays)
            yield waits


def _waits(first: Stay, after: dict[ContactId, list[Stay]]) -> Iterator[RecordedWait]:
    stays: list[Stay] = [first]
    while True:
        last = stays[-1]
        following = next((one for one in after[last.contact.id] if one.enqueued_at >= last.enqueued_at), None)
        if following is not None and _continues(last, following):
            stays.append(following)
            continue
        yield RecordedWait(stays=tuple(stays))
        been = {queue_of(one) for one in stays}
        if following is None or last.how is not Leaving.ANSWERED or queue_of(following) not in been:
            return
        stays = [following]


def _continues(before: Stay, after: Stay) -> bool:
    gone = before.left_at
    return before.how is not Leaving.ANSWERED and gone is not None and abs(after.enqueued_at - gone) <= AT_ONCE
