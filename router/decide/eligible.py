"""Which destinations of a step may receive the contact now, and why the others may not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from router.decide.case import Case
from router.decide.look import Look, Need, NeedAgent, NeedMetrics
from router.model import EMPTY_QUEUE, AgentId, Contact, HoldReason, QueueId, QueueMetrics, Target
from router.rules.bound import BoundEntry
from router.rules.rule import MetricLimit

AGENT_QUEUE_LIMIT = 10
"""Connect's "Maximum contacts in an agent queue per instance" is 10 (Amazon Connect service quotas)."""

METRICS_OF_CONTACTS = ("contacts_in_queue",)
METRICS_OF_SLOTS = ("slots_available", "agents_available")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One entry of ``to``: eligible where ``refused`` is ``None``; ``why`` is for people. ``metrics`` are those of its
    queue, with what was sent there lately taken into account."""

    entry: BoundEntry
    target: Target | None
    refused: HoldReason | None = None
    why: str = "eligible"
    metrics: QueueMetrics | None = None
    need: Need | None = None

    @property
    def eligible(self) -> bool:
        return self.refused is None and self.need is None


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent to each queue and agent that the metrics do not show yet: by earlier cycles and by this one."""

    queues: dict[QueueId, int]
    agents: dict[AgentId, int]


def weigh(bound: BoundEntry, contact: Contact, case: Case, refused: frozenset[Target], look: Look, sent: Sent) -> Weighed:
    """Whether this entry may receive the contact, the cheapest and most lasting obstacles first."""
    target = bound.target
    if target is None:
        return Weighed(entry=bound, target=None, refused=HoldReason.UNRESOLVED, why="its name is not known")
    obstacle = _obstacle(bound, target, contact, case, refused, look)
    if obstacle is not None:
        return Weighed(entry=bound, target=target, refused=obstacle[0], why=obstacle[1])
    if target.agent_id is not None:
        return _weigh_agent(bound, target, target.agent_id, contact, look, sent)
    assert target.queue_id is not None, "a target is a queue or an agent"
    return _weigh_queue(bound, target, target.queue_id, contact, look, sent)


def _obstacle(
    bound: BoundEntry, target: Target, contact: Contact, case: Case, refused: frozenset[Target], look: Look
) -> tuple[HoldReason, str] | None:
    if target.flow_id in look.blocks.denied_flows:
        return HoldReason.DENIED, "the transfer with this flow was denied by IAM"
    if target.flow_id in look.blocks.suspended_flows:
        return HoldReason.FLOW_SUSPENDED, "its flow is suspended: too many contacts it moved have not landed"
    if target in refused:
        return HoldReason.FAILED_BEFORE, "Connect refused it for this contact"
    if target.queue_id is not None and target.queue_id == contact.queue_id:
        return HoldReason.NO_ELIGIBLE_DESTINATION, "the contact is in this queue"
    if target.queue_id is not None and target.queue_id in case.visited and not bound.entry.revisit:
        return HoldReason.NO_ELIGIBLE_DESTINATION, "the case has been moved out of this queue (revisit = false)"
    if target.agent_id is not None and any(
        move.target is not None and move.target.agent_id == target.agent_id for move in case.moves
    ):
        return HoldReason.NO_ELIGIBLE_DESTINATION, "the case has been sent to this agent before"
    return None


def _weigh_agent(
    bound: BoundEntry, target: Target, agent_id: AgentId, contact: Contact, look: Look, sent: Sent
) -> Weighed:
    queued = sent.agents.get(agent_id, 0)
    if queued >= AGENT_QUEUE_LIMIT:
        return _no(bound, target, f"{queued} contacts sent to this agent are not answered (limit {AGENT_QUEUE_LIMIT})")
    if not bound.entry.require_available:
        return Weighed(entry=bound, target=target)
    if agent_id not in look.metrics.agents_asked:
        return Weighed(entry=bound, target=target, need=NeedAgent(agent_id), why="the agent's state is not read yet")
    state = look.metrics.agents.get(agent_id)
    if state is None or not state.routable:
        return _no(bound, target, "the agent is not routable")
    free = state.slots_available.get(contact.channel.value, 0) - queued
    if free < 1:
        return _no(bound, target, f"the agent has no free slot for {contact.channel.value}")
    return Weighed(entry=bound, target=target, metrics=QueueMetrics(slots_available=free))


def _weigh_queue(
    bound: BoundEntry, target: Target, queue_id: QueueId, contact: Contact, look: Look, sent: Sent
) -> Weighed:
    if not _asks_metrics(bound):
        return Weighed(entry=bound, target=target, metrics=known_metrics(queue_id, contact, look, sent))
    if queue_id not in look.metrics.asked:
        return Weighed(entry=bound, target=target, need=NeedMetrics(queue_id), why="its metrics are not read yet")
    metrics = known_metrics(queue_id, contact, look, sent)
    if metrics is None:
        return _no(bound, target, "its metrics could not be read")
    for limit in bound.entry.limits:
        if (why := _breaks(limit, metrics)) is not None:
            return _no(bound, target, why, metrics)
    if bound.entry.shorter_wait and (why := _not_shorter(metrics, contact.waited(look.now))) is not None:
        return _no(bound, target, why, metrics)
    return Weighed(entry=bound, target=target, metrics=metrics)


def _no(bound: BoundEntry, target: Target, why: str, metrics: QueueMetrics | None = None) -> Weighed:
    return Weighed(
        entry=bound, target=target, refused=HoldReason.NO_ELIGIBLE_DESTINATION, why=why, metrics=metrics
    )


def _asks_metrics(bound: BoundEntry) -> bool:
    return bool(bound.entry.limits) or bound.entry.shorter_wait


def known_metrics(queue_id: QueueId, contact: Contact, look: Look, sent: Sent) -> QueueMetrics | None:
    """The queue's metrics for the contact's channel, less what was sent there lately; ``None`` where not known.

    In a complete answer a queue without a row is empty and unstaffed, unless contacts of that channel were seen there
    or no queue had a row for the channel: then Connect may be silent about it, and silence is not zero.
    """
    live = look.metrics
    if queue_id not in live.asked or queue_id in live.failed:
        return None
    row = live.rows.get((queue_id, contact.channel))
    if row is None:
        silent = not any(channel is contact.channel for _, channel in live.rows)
        seen = any(one.queue_id == queue_id and one.channel is contact.channel for one in look.contacts)
        row = QueueMetrics() if silent or seen else EMPTY_QUEUE
    return _less(row, sent.queues.get(queue_id, 0))


def _less(row: QueueMetrics, sent: int) -> QueueMetrics:
    if not sent:
        return row
    return QueueMetrics(
        slots_available=_minus(row.slots_available, sent),
        agents_available=_minus(row.agents_available, sent),
        agents_staffed=row.agents_staffed,
        agents_online=row.agents_online,
        contacts_in_queue=None if row.contacts_in_queue is None else row.contacts_in_queue + sent,
        oldest_contact_age=row.oldest_contact_age,
        estimated_wait_time=row.estimated_wait_time,
    )


def _minus(value: int | None, sent: int) -> int | None:
    return None if value is None else max(value - sent, 0)


def _breaks(limit: MetricLimit, metrics: QueueMetrics) -> str | None:
    value: int | timedelta | None = getattr(metrics, limit.metric)
    if value is None:
        return f"{limit.metric} is not known"
    if limit.min is not None and value < limit.min:  # type: ignore[operator]
        return f"{limit.metric} is {value}, below {limit.min}"
    if limit.max is not None and value > limit.max:  # type: ignore[operator]
        return f"{limit.metric} is {value}, above {limit.max}"
    return None


def _not_shorter(metrics: QueueMetrics, waited: timedelta) -> str | None:
    oldest = metrics.oldest_contact_age
    if oldest is None:
        return "oldest_contact_age is not known"
    return None if oldest < waited else f"its oldest contact waits {oldest}, not less than this one ({waited})"
