"""Hours of operation as deciding meets them: those a rule counts by and those of a queue, as far as they are read."""

from __future__ import annotations

from router.decide.look import Look, NeedHours
from router.model import FirstAct, HoursId, QueueId
from router.rules.bound import BoundRule
from router.rules.clock import Calendar
from router.rules.condition import Unread
from router.rules.form import QUEUES_OWN


def calendar_of(rule: BoundRule, queue_id: QueueId, first: FirstAct | None, look: Look) -> Calendar | Unread | None:
    """The hours that the rule's clock counts; ``None``: around the clock. ``queue_id`` is the queue the contact is in
    and ``first`` what the rule first saw of it: ``"queue"`` means the queue where the clock started."""
    name = rule.rule.sla.hours
    if name is None:
        return None
    if name == QUEUES_OWN:
        return hours_of_queue(first.queue_id if first is not None else queue_id, look)
    if rule.hours_id is None:
        return Unread(f'hours of operation "{name}" are not known')
    return hours_as_read(HoursId(rule.hours_id), look)


def hours_of_queue(queue_id: QueueId, look: Look) -> Calendar | Unread:
    queue = look.directory.queue(queue_id)
    if queue is None or queue.hours_id is None:
        return Unread("which hours the queue has is not known")
    return hours_as_read(queue.hours_id, look)


def hours_as_read(hours_id: HoursId, look: Look) -> Calendar | Unread:
    return look.hours.get(hours_id, Unread("these hours have not been read yet", NeedHours(hours_id)))
