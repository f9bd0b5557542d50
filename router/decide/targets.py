"""Resolves an entry of ``to`` for one contact, and compares a queue's metrics with the entry's conditions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from router.decide.snapshot import Snapshot
from router.decide.waiting_contact import WaitingContact
from router.durations import format_duration
from router.model import EMPTY_QUEUE, METRICS, Agent, Channel, QueueId, QueueMetrics, Target
from router.rules.bound import BoundEntry
from router.rules.condition import ReliedOnValue, Test, Truth, Unread
from router.rules.rule import MetricLimit
from router.rules.value_test import TextForm


def known_metrics(queue_id: QueueId, channel: Channel, snapshot: Snapshot, sent: int) -> QueueMetrics | None:
    """Returns a queue's metrics for a channel, corrected by ``sent`` contacts that they do not show; ``None`` if not
    known.

    If all metrics were read, a queue without a row is empty and unstaffed, except if contacts of that channel were seen
    there or no queue had a row for the channel: then Connect may leave it out, and a missing row is not zero.
    """
    live = snapshot.read.metrics
    if queue_id not in live.queues_read or queue_id in live.queues_failed:
        return None
    row = live.rows.get((queue_id, channel))
    if row is None:
        silent = channel not in live.channels or (queue_id, channel) in snapshot.occupied
        row = QueueMetrics() if silent else EMPTY_QUEUE
    return _with_sent(row, sent) if sent else row


def broken_limit(limit: MetricLimit, metrics: QueueMetrics) -> str | None:
    """Returns why the metrics are not within the limit, for people; ``None`` if they are."""
    value: int | timedelta | None = getattr(metrics, limit.metric)
    if value is None:
        return f"{limit.metric} is not known"
    if limit.min is not None and value < limit.min:  # type: ignore[operator]
        return f"{limit.metric} is {_shown(value)}, below {_shown(limit.min)}"
    if limit.max is not None and value > limit.max:  # type: ignore[operator]
        return f"{limit.metric} is {_shown(value)}, above {_shown(limit.max)}"
    return None


def no_shorter_wait(metrics: QueueMetrics, waited: timedelta) -> str | None:
    """Returns why the queue's oldest contact does not wait less than ``waited``, for people; ``None`` if it does."""
    oldest = metrics.oldest_contact_age
    if oldest is None:
        return "oldest_contact_age is not known"
    if oldest < waited:
        return None
    return f"its oldest contact waits {_shown(oldest)}, not less than this wait ({_shown(waited)})"


def _with_sent(row: QueueMetrics, sent: int) -> QueueMetrics:
    changed: dict[str, Any] = {}
    for metric in METRICS:
        value = getattr(row, metric.name)
        if metric.by_a_move is not None and value is not None:
            changed[metric.name] = max(value + sent * metric.by_a_move, 0)
    return replace(row, **changed)


def _shown(value: int | timedelta) -> str:
    return format_duration(value) if isinstance(value, timedelta) else str(value)


def not_in_instance(bound: BoundEntry, waiting: WaitingContact) -> str | None:
    """Returns why a destination does not exist in the instance, for people; ``None`` if it may exist."""
    target, directory, missing = bound.target, waiting.snapshot.directory, waiting.snapshot.read.metrics.missing
    if bound.entry.agent_from is not None:
        return "its flow does not exist" if bound.flow_id is None else None
    if target is None:
        return "its name is not known"
    if target.queue_id is not None and (target.queue_id in missing or directory.queue(target.queue_id) is None):
        return "the queue no longer exists"
    unlisted = bool(directory.agents) and directory.agent(target.agent_id or "") is None
    if target.agent_id is not None and (target.agent_id in missing or unlisted):
        return "the agent no longer exists"
    return None


def target_of(bound: BoundEntry, waiting: WaitingContact) -> Target | None:
    """Returns the target; ``None`` if the instance lacks a name, or if the contact names no agent for
    ``agent_from``."""
    if bound.entry.agent_from is None:
        return bound.target
    agent = named_agent(bound.entry.agent_from, waiting)
    if not isinstance(agent, Agent) or bound.flow_id is None:
        return None
    return Target(flow_id=bound.flow_id, agent_id=agent.id)


def named_agent(attribute: str, waiting: WaitingContact) -> Agent | Unread | None:
    """Returns the agent whose user name or id a contact attribute holds; ``None`` if it holds none of the instance."""
    details = waiting.details
    if isinstance(details, Unread):
        return details
    name = details.attributes.get(attribute)
    return waiting.snapshot.directory.agent(name) if name else None


def condition_on_agent(attribute: str, waiting: WaitingContact) -> ReliedOnValue | None:
    """Returns a condition that holds while a contact's attribute names the same agent; ``None`` if it was not read."""
    details = waiting.details
    if isinstance(details, Unread):
        return None
    named = details.attributes.get(attribute)
    same = TextForm(present=False) if named is None else TextForm(literals=(named,))
    key = f"attributes.{attribute}"
    return ReliedOnValue(Test(key, f'agent_from = "{key}"', same, costs_a_call=True), Truth.YES, named)
