"""Weighs the destinations of a step: which may receive the contact now, and why the others may not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from router.decide.clocks import hours_of_queue
from router.decide.evaluation import Evaluation
from router.decide.guards import obstacle
from router.decide.queue_figures import QueueFigures, known_figures, no_shorter_wait
from router.decide.targets import named_agent, not_in_instance, target_of
from router.model import AgentId, AgentState, HoldReason, Need, NeedKind, QueueId, QueueMetrics, Target
from router.rules.bound import BoundEntry
from router.rules.condition import Unread
from router.rules.rule import Pick, Step

AGENT_QUEUE_LIMIT = 10
"""Connect's quota "Maximum contacts in an agent queue per instance" is 10 (Amazon Connect service quotas)."""

BY_METRICS = (Pick.MOST_SLOTS, Pick.SHORTEST_WAIT, Pick.FEWEST_WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Records the result for one entry of ``to``: eligible if ``refused`` and ``need`` are ``None``; ``why`` is for
    people.

    ``metrics`` are those of its queue, less the contacts sent there recently. An entry refused as ``UNREADABLE`` is
    neither eligible nor not: reading what it depends on failed.
    """

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
        """Returns the destination as the file names it."""
        return self.entry.name


def weigh(bound: BoundEntry, step: Step, evaluation: Evaluation) -> Weighed:
    """Decides whether this entry may receive the contact; the cheapest and most lasting obstacles come first."""
    if (
        bound.entry.agent_from is not None
        and (unknown := _no_agent(bound, bound.entry.agent_from, evaluation)) is not None
    ):
        return unknown
    target = target_of(bound, evaluation.waiting)
    missing = not_in_instance(bound, evaluation.waiting)
    if target is None or missing is not None:
        why = missing or "its name is not known"
        return Weighed(entry=bound, target=target, refused=HoldReason.UNRESOLVED, why=why)
    in_the_way = obstacle(evaluation, step, target)
    if in_the_way is not None:
        return Weighed(entry=bound, target=target, refused=in_the_way.reason, why=in_the_way.why)
    if (been := _visited_before(bound, target, evaluation)) is not None:
        return _refused(bound, been)
    if target.agent_id is not None:
        return _weigh_agent(bound, target, target.agent_id, evaluation)
    assert target.queue_id is not None, "a target is a queue or an agent"
    return _weigh_queue(bound, target.queue_id, evaluation, by_metrics=step.pick in BY_METRICS)


def _visited_before(bound: BoundEntry, target: Target, evaluation: Evaluation) -> str | None:
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
    """Refuses an entry whose contact attribute names no agent of the instance; ``None`` if it names one.

    The value is a customer's and is never shown. If the attribute is not read, the entry is unread, because the contact
    may still name an agent.
    """
    agent = named_agent(attribute, evaluation.waiting)
    if isinstance(agent, Unread):
        if agent.need is not None:
            return _unread_entry(bound, agent.need, agent.why)
        return Weighed(entry=bound, target=None, refused=HoldReason.UNREADABLE, why=agent.why)
    return None if agent is not None else _refused(bound, "the contact names no agent of this instance there")


def _weigh_agent(bound: BoundEntry, target: Target, agent_id: AgentId, evaluation: Evaluation) -> Weighed:
    metrics, sent = evaluation.snapshot.read.metrics, evaluation.capacity.sent_to_agents[agent_id]
    if sent >= AGENT_QUEUE_LIMIT:
        return _refused(bound, f"{sent} contacts sent to this agent are not answered (limit {AGENT_QUEUE_LIMIT})")
    if agent_id not in metrics.agents_read:
        return _unread_entry(bound, Need(NeedKind.AGENT, agent_id), "the agent's state is not read yet")
    state = metrics.agents.get(agent_id)
    if state is None or not state.routable:
        return _refused(bound, "the agent is not routable")
    if bound.entry.agent_from is not None and (elsewhere := _not_served(bound, state, evaluation)) is not None:
        return elsewhere
    channel = evaluation.contact.channel
    free = state.slots_available.get(channel.value, 0) - sent
    if free < 1 and bound.entry.require_available:
        sent_there = f" ({free + sent} free, less {sent} just sent there)" if sent else ""
        return _refused(bound, f"the agent has no free slot for {channel}{sent_there}")
    return Weighed(entry=bound, target=target, metrics=QueueMetrics(slots_available=max(free, 0)))


def _not_served(bound: BoundEntry, state: AgentState, evaluation: Evaluation) -> Weighed | None:
    """Refuses an agent whose routing profile does not serve the queue that the contact is in; ``None`` if it does.

    The rule file cannot vouch for a contact attribute, therefore only agents who could be offered the contact are
    eligible.
    """
    if state.profile_id is None:
        return _refused(bound, "the agent's routing profile is not known")
    if state.profile_id not in evaluation.snapshot.read.metrics.profiles:
        return _unread_entry(
            bound, Need(NeedKind.PROFILE, state.profile_id), "the agent's routing profile is not read yet"
        )
    served = evaluation.snapshot.read.metrics.profiles[state.profile_id]
    if served is None:
        return _refused(bound, "the agent's routing profile could not be read")
    here = (evaluation.waiting.queue_id, evaluation.contact.channel)
    return None if here in served else _refused(bound, "the agent's routing profile does not serve the queue it is in")


def _weigh_queue(bound: BoundEntry, queue_id: QueueId, evaluation: Evaluation, *, by_metrics: bool) -> Weighed:
    snapshot, entry = evaluation.snapshot, bound.entry
    if entry.open is not None and (closed := _wrong_hours(bound, queue_id, evaluation)) is not None:
        return closed
    conditional = bool(entry.limits) or entry.shorter_wait
    if (conditional or by_metrics) and (unread := _queue_to_read(queue_id, evaluation)) is not None:
        return _unread_entry(bound, Need(NeedKind.METRICS, unread), "its metrics are not read yet")
    channel = evaluation.contact.channel
    profiles = snapshot.read.routing_profiles
    sent = evaluation.capacity.sent_to(queue_id, channel, profiles)
    figures = known_figures(queue_id, channel, snapshot, sent)
    metrics = figures.metrics if figures is not None else None
    why = _unfit(bound, figures, evaluation) if conditional else None
    if why is not None and profiles is None and sent.unsure and figures is not None:
        at_best = replace(figures, sent=sent.without_unsure)
        if _unfit(bound, at_best, evaluation) is None:  # otherwise they change nothing, and are not read
            return _unread_entry(bound, Need(NeedKind.CHANNELS, queue_id), "its routing profiles are not read yet")
    return (
        _refused(bound, why, metrics) if why is not None else Weighed(entry=bound, target=bound.target, metrics=metrics)
    )


def _queue_to_read(queue_id: QueueId, evaluation: Evaluation) -> QueueId | None:
    """Returns the queue whose metrics must be read before those of the destination are known; ``None`` if they are.

    Connect may have no metrics for a channel. The queue that the contact waits in shows whether it has: otherwise
    nobody knows whether a destination without a row is empty.
    """
    live, own = evaluation.snapshot.read.metrics, evaluation.waiting.queue_id
    if queue_id not in live.queues_read:
        return queue_id
    if evaluation.contact.channel in live.channels or queue_id in live.queues_failed or own in live.queues_read:
        return None
    return own if evaluation.waiting.in_listed_queue else None


def _wrong_hours(bound: BoundEntry, queue_id: QueueId, evaluation: Evaluation) -> Weighed | None:
    """Refuses a queue whose hours are not as the entry wants them; ``None`` if they are. Failed readings refuse it,
    too."""
    snapshot = evaluation.snapshot
    hours = hours_of_queue(queue_id, snapshot)
    if isinstance(hours, Unread):
        need = hours.need
        return _refused(bound, hours.why) if need is None else _unread_entry(bound, need, hours.why)
    if hours.is_open(snapshot.now) is bound.entry.open:
        return None
    return _refused(
        bound, "its hours of operation are closed" if bound.entry.open else "its hours of operation are open"
    )


def _unfit(bound: BoundEntry, figures: QueueFigures | None, evaluation: Evaluation) -> str | None:
    """Returns the first condition of the entry that does not hold, for people; ``None`` if all hold."""
    if figures is None:
        return "its metrics could not be read"
    broken = next((why for limit in bound.entry.limits if (why := figures.broken_limit(limit)) is not None), None)
    if broken is not None or not bound.entry.shorter_wait:
        return broken
    return no_shorter_wait(figures.metrics, evaluation.waiting.lasted)


def _refused(bound: BoundEntry, why: str, metrics: QueueMetrics | None = None) -> Weighed:
    refused = HoldReason.NO_ELIGIBLE_DESTINATION
    return Weighed(entry=bound, target=bound.target, refused=refused, why=why, metrics=metrics)


def _unread_entry(bound: BoundEntry, need: Need, why: str) -> Weighed:
    return Weighed(entry=bound, target=bound.target, need=need, why=why)
