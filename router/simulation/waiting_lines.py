"""Holds the contacts that wait in each queue, in the order in which agents take them."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from itertools import count

from router.model import Channel, QueueId
from router.simulation.centre import Seconds
from router.simulation.wait_record import SimulatedContact

Place = tuple[int, Seconds, int, int, SimulatedContact]
"""Priority, the instant that its age counts from, a running number, and the contact's ``place`` when it took it."""


class WaitingLines:
    """Orders contacts by priority, then by age. The entry of a contact that has left is dropped when it is the
    first."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[QueueId, Channel]] = Counter()
        self.by_queue: Counter[QueueId] = Counter()
        self._lines: dict[tuple[QueueId, Channel], list[Place]] = {}
        self._order = count()

    def add(self, contact: SimulatedContact) -> None:
        self.counts[contact.queue_id, contact.seen.channel] += 1
        self.by_queue[contact.queue_id] += 1
        self.place(contact)

    def place(self, contact: SimulatedContact) -> None:
        """Gives the contact its place by its present priority and age; an earlier place no longer counts."""
        contact.place += 1
        line = self._lines.setdefault((contact.queue_id, contact.seen.channel), [])
        heappush(line, (contact.priority, contact.since, next(self._order), contact.place, contact))

    def remove(self, contact: SimulatedContact) -> None:
        contact.place += 1
        self.counts[contact.queue_id, contact.seen.channel] -= 1
        self.by_queue[contact.queue_id] -= 1

    def first(self, queue_id: QueueId, channel: Channel) -> Place | None:
        """Returns the place of the contact that is next; ``None`` if none waits."""
        line = self._lines.get((queue_id, channel))
        if not line:
            return None
        while line and line[0][3] != line[0][4].place:
            heappop(line)
        return line[0] if line else None

    def oldest(self, queue_id: QueueId, channel: Channel) -> Seconds | None:
        """Returns when the contact that waits longest was queued; ``None`` if none waits."""
        line = self._lines.get((queue_id, channel), ())
        return min((one.enqueued_at for *_, place, one in line if place == one.place), default=None)
