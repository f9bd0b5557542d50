"""Which destinations of a step may receive the contact now, and why the others may not."""

from __future__ import annotations

from dataclasses import dataclass

from router.decide.clocks import hours_of_queue
from router.decide.evaluation import Evaluation
from router.decide.guards import obstacle
from router.decide.targets import beyond, known_metrics, named_agent, no_shorter_wait, target_of
from router.model import AgentId, AgentState, HoldReason, Need, NeedKind, QueueId, QueueMetrics, Target
from router.rules.bound import BoundEntry
from router.rules.condition import Unread
from router.rules.rule import Pick, Step

AGENT_QUEUE_LIMIT = 10
"""Connect's "Maximum contacts in an agent queue per instance" is 10 (Amazon Connect service quotas)."""

BY_METRICS = (Pick.MOST_SLOTS, Pick.SHORTEST_WAIT, Pick.FEWEST_WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One entry of ``to``: eligible where ``refused`` is ``None`` and nothing has to be read first; ``why`` is for
    people. ``metrics`` are those of its queue, with what was sent there lately taken into account. An entry that was
    refused as ``UNREADABLE`` is neither eligible nor not: what it depends on was asked for in vain."""

    entry: BoundEntry
    target: Target | None
    refused: HoldReason | None = None
    why: str = "eligible"
    metrics: QueueMetrics | None = None
    need: Need | None = None

    @property
    def eligible(self) -> bool:
        return self.refused is None and self.need is None

    @property
    def unread(self) -> bool:
        return self.need is not None or self.refused is HoldReason.UNREADABLE

    @property
    def name(self) -> str:
        """The destination as the file names it."""
        entry = self.entry.entry
        return entry.queue or entry.agent or entry.agent_from or ""


def weigh(bound: BoundEntry, step: Step, evaluation: Evaluation) -> Weighed:
    """Whether this entry may receive the contact, the cheapest and most lasting obstacles first."""
    if (
        bound.entry.agent_from is not None
        and (unknown := _no_agent(bound, bound.entry.agent_from, evaluation)) is not None
    ):
        return unknown
    target = target_of(bound, evaluation.waiting)
    if target is None:
        return Weighed(entry=bound, target=None, refused=HoldReason.UNRESOLVED, why="its name is not known")
    in_the_way = obstacle(evaluation, step, target)
    if in_the_way is not None:
        return Weighed(entry=bound, target=target, refused=in_the_way.reason, why=in_the_way.why)
    if (been := _been_there(bound, target, evaluation)) is not None:
        return _no(bound, been)
    if target.agent_id is not None:
        return _weigh_agent(bound, target, target.agent_id, evaluation)
    assert target.queue_id is not None, "a target is a queue or an agent"
    return _weigh_queue(bound, target.queue_id, evaluation, by_metrics=step.pick in BY_METRICS)


def _been_there(bound: BoundEntry, target: Target, evaluation: Evaluation) -> str | None:
    wait = evaluation.waiting.wait
    if target.queue_id is not None:
        if target.queue_id == evaluation.waiting.queue_id:
            return "the contact is in this queue"
        visited = evaluation.waiting.visited
        back = not isinstance(visited, Unread) and target.queue_id in visited and not bound.entry.revisit
        return "the wait has been moved out of this queue (revisit = false)" if back else None
    sent = any(move.target is not None and move.target.agent_id == target.agent_id for move in wait.moves)
    return "the wait has been sent to this agent before" if sent else None


def _no_agent(bound: BoundEntry, attribute: str, evaluation: Evaluation) -> Weighed | None:
    """``None`` where the contact names an agent of the instance's. What it names is a customer's and not told. Whom it
    names not being known is not its naming nobody: there may be more contacts to read than one snapshot allows."""
    agent = named_agent(attribute, evaluation.waiting)
    if isinstance(agent, Unread):
        if agent.need is not None:
            return _unread(bound, agent.need, agent.why)
        return Weighed(entry=bound, target=None, refused=HoldReason.UNREADABLE, why=agent.why)
    return None if agent is not None else _no(bound, "the contact names no agent of this instance there")


def _weigh_agent(bound: BoundEntry, target: Target, agent_id: AgentId, evaluation: Evaluation) -> Weighed:
    metrics, sent = evaluation.waiting.snapshot.read.metrics, evaluation.used.agents[agent_id]
    if sent >= AGENT_QUEUE_LIMIT:
        return _no(bound, f"{sent} contacts sent to this agent are not answered (limit {AGENT_QUEUE_LIMIT})")
    if agent_id not in metrics.agents_asked:
        return _unread(bound, Need(NeedKind.AGENT, agent_id), "the agent's state is not read yet")
    state = metrics.agents.get(agent_id)
    if state is None or not state.routable:
        return _no(bound, "the agent is not routable")
    if bound.entry.agent_from is not None and (elsewhere := _serves_not(bound, state, evaluation)) is not None:
        return elsewhere
    channel = evaluation.waiting.contact.channel
    free = state.slots_available.get(channel.value, 0) - sent
    if free < 1 and bound.entry.require_available:
        return _no(bound, f"the agent has no free slot for {channel}")
    return Weighed(entry=bound, target=target, metrics=QueueMetrics(slots_available=max(free, 0)))


def _serves_not(bound: BoundEntry, state: AgentState, evaluation: Evaluation) -> Weighed | None:
    """An attribute is not the rules' to vouch for, so only agents who would be offered the contact where it is are
    eligible. ``None`` where the agent is one."""
    if state.profile_id is None:
        return _no(bound, "the agent's routing profile is not known")
    if state.profile_id not in evaluation.waiting.snapshot.read.metrics.profiles:
        return _unread(bound, Need(NeedKind.PROFILE, state.profile_id), "the agent's routing profile is not read yet")
    served = evaluation.waiting.snapshot.read.metrics.profiles[state.profile_id]
    if served is None:
        return _no(bound, "the agent's routing profile could not be read")
    here = (evaluation.waiting.queue_id, evaluation.waiting.contact.channel)
    return None if here in served else _no(bound, "the agent's routing profile does not serve the queue it is in")


def _weigh_queue(bound: BoundEntry, queue_id: QueueId, evaluation: Evaluation, *, by_metrics: bool) -> Weighed:
    snapshot, entry = evaluation.waiting.snapshot, bound.entry
    if entry.open is not None and (closed := _wrong_hours(bound, queue_id, evaluation)) is not None:
        return closed
    conditional = bool(entry.limits) or entry.shorter_wait
    if (conditional or by_metrics) and queue_id not in snapshot.read.metrics.asked:
        return _unread(bound, Need(NeedKind.METRICS, queue_id), "its metrics are not read yet")
    metrics = known_metrics(queue_id, evaluation.waiting.contact.channel, snapshot, evaluation.used.queues[queue_id])
    why = _unfit(bound, metrics, evaluation) if conditional else None
    return _no(bound, why, metrics) if why is not None else Weighed(entry=bound, target=bound.target, metrics=metrics)


def _wrong_hours(bound: BoundEntry, queue_id: QueueId, evaluation: Evaluation) -> Weighed | None:
    """``None`` where the queue's hours are as the entry wants them; hours that could not be read are neither."""
    snapshot = evaluation.waiting.snapshot
    hours = hours_of_queue(queue_id, snapshot)
    if isinstance(hours, Unread):
        need = hours.need
        return _no(bound, hours.why) if need is None else _unread(bound, need, hours.why)
    if hours.is_open(snapshot.now) is bound.entry.open:
        return None
    return _no(bound, "its hours of operation are closed" if bound.entry.open else "its hours of operation are open")


def _unfit(bound: BoundEntry, metrics: QueueMetrics | None, evaluation: Evaluation) -> str | None:
    """The first of the entry's conditions that does not hold."""
    if metrics is None:
        return "its metrics could not be read"
    broken = next((why for limit in bound.entry.limits if (why := beyond(limit, metrics)) is not None), None)
    if broken is not None or not bound.entry.shorter_wait:
        return broken
    return no_shorter_wait(metrics, evaluation.waiting.lasted)


def _no(bound: BoundEntry, why: str, metrics: QueueMetrics | None = None) -> Weighed:
    refused = HoldReason.NO_ELIGIBLE_DESTINATION
    return Weighed(entry=bound, target=bound.target, refused=refused, why=why, metrics=metrics)


def _unread(bound: BoundEntry, need: Need, why: str) -> Weighed:
    return Weighed(entry=bound, target=bound.target, need=need, why=why)
