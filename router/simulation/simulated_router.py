"""Replaces the router: takes snapshots of the simulated centre, and decides on them with the real ``decide()``."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from router.cycle_context import CycleContext
from router.decide.capacity import METRICS_LAG
from router.decide.decide import Decided, decide
from router.decide.decision import RoutingUpdate, RuleDecision, Transfer
from router.decide.snapshot import ReadValues, RecordedMoves, Snapshot
from router.execute.intent import record_of
from router.model import (
    Action,
    AgentId,
    Channel,
    ContactId,
    Landing,
    Need,
    NeedKind,
    QueueId,
    QueueMetrics,
    RoutingData,
    Target,
)
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode
from router.simulation.centre import Seconds, SimulatedCentre
from router.simulation.staff import Staff
from router.simulation.wait_record import SimulatedContact

ROUNDS = 4
"""How often a decision is made again because it needs more: metrics, then agents, then profiles."""
HOUR = timedelta(hours=1)

QueueFiguresOf = Callable[[QueueId, Channel], QueueMetrics]


class SimulatedRouter:
    """Decides, and remembers its own moves as the ledger does.

    ``waiting`` counts the contacts of each queue, ``figures`` returns the metrics of a queue and channel.
    """

    def __init__(
        self,
        centre: SimulatedCentre,
        rules: BoundRuleSet,
        staff: Staff,
        waiting: Mapping[QueueId, int],
        figures: QueueFiguresOf,
    ) -> None:
        self.centre = centre
        self.rules = rules
        self._staff = staff
        self._waiting = waiting
        self._figures = figures
        self._recent: deque[Action] = deque()
        self._arriving: deque[tuple[datetime, Action]] = deque()
        self._under_way: Counter[tuple[QueueId, Channel | None]] = Counter()
        self._at_agents: Counter[AgentId] = Counter()
        self._last_targets: dict[tuple[str, timedelta], Target] = {}
        self._channels = tuple(dict.fromkeys(channel for team in centre.teams for channel in team.slots))
        self._profiles = staff.profiles()

    def decide(self, contacts: Sequence[SimulatedContact], now: Seconds) -> Decided:
        """Decides on waiting contacts, and reads what the decisions need, as the service does."""
        look = self._snapshot(contacts, now)
        decided = decide(look, self.rules)
        for _ in range(ROUNDS):
            if not decided.needs:
                break
            look = replace(look, read=self._read(look, decided.needs))
            decided = decide(look, self.rules)
        return decided

    def first_look(self, contacts: Sequence[SimulatedContact], now: Seconds) -> Decided:
        """Decides without reading anything: what needs more is held."""
        return decide(self._snapshot(contacts, now), self.rules)

    def sent_to(self, queue_id: QueueId, channel: Channel, now: Seconds) -> int:
        """Returns how many moved contacts the metrics of a queue may not show yet."""
        self._forget_before(self.centre.instant(now))
        return self._under_way[queue_id, channel]

    def _snapshot(self, contacts: Sequence[SimulatedContact], now: Seconds) -> Snapshot:
        instant = self.centre.instant(now)
        self._forget_before(instant)
        counted = Counter(one.queue_id for one in contacts)
        moved = [one for one in contacts if one.number]
        return Snapshot(
            now=instant,
            mode=Mode.ENFORCE,
            contacts=tuple(one.seen for one in contacts),
            directory=self.centre.directory,
            cycle=int(now // self.centre.poll_every),
            moves=RecordedMoves(
                histories={one.seen.id: one.actions for one in contacts if one.actions},
                recent=tuple(self._recent),
                sent_to_queues=self._under_way,
                sent_to_agents=self._at_agents,
                last_targets=self._last_targets,
            ),
            read=ReadValues(
                transfers={one.seen.id: one.number for one in moved},
                origins={one.seen.id: one.wait.arrival.contact.began_at or instant for one in moved},
                pasts={one.seen.id: () for one in moved},
                hours=self.centre.hours,
            ),
            limits=self.centre.limits,
            unseen={queue: count - counted[queue] for queue, count in self._waiting.items() if count > counted[queue]},
        )

    def _read(self, look: Snapshot, needs: Collection[Need]) -> ReadValues:
        """Returns what was read so far, and what is needed in addition."""
        ids, kinds = {need.id for need in needs}, {need.kind for need in needs}
        read, metrics = look.read, look.read.metrics
        queues = {queue.id for queue in self.centre.directory.queues if queue.id in ids}
        if NeedKind.METRICS in kinds:
            rows = {(queue, channel): self._figures(queue, channel) for queue in queues for channel in self._channels}
            metrics = replace(metrics, rows={**metrics.rows, **rows}, queues_read=metrics.queues_read | queues)
        if NeedKind.AGENT in kinds:
            agents = dict(self._staff.agent_states())
            metrics = replace(metrics, agents=agents, agents_read=frozenset(agents) | {AgentId(one) for one in ids})
        if NeedKind.PROFILE in kinds:
            metrics = replace(metrics, profiles=self._staff.served_by_profile())
        profiles = self._profiles if NeedKind.CHANNELS in kinds else read.routing_profiles
        return replace(read, metrics=metrics, routing_profiles=profiles)

    def _forget_before(self, now: datetime) -> None:
        """Forgets the moves that no limit counts any longer, and those that the metrics show already."""
        while self._recent and self._recent[0].decided_at <= now - HOUR:
            self._recent.popleft()
        while self._arriving and self._arriving[0][0] <= now - METRICS_LAG:
            _, action = self._arriving.popleft()
            assert action.target is not None and action.target.queue_id is not None, "a queue was its destination"
            self._under_way[action.target.queue_id, action.channel] -= 1

    def record(self, contact: SimulatedContact, decision: RuleDecision, now: Seconds) -> Action:
        """Records an act of a rule; an observed one counts for the rule alone."""
        context = CycleContext(
            cycle=int(now // self.centre.poll_every), rules=self.rules, directory=self.centre.directory
        )
        observed = decision.mode is Mode.OBSERVE
        action = record_of(decision, context, now=self.centre.instant(now), observed=observed)
        contact.actions = (*contact.actions, action)
        return action

    def record_move(self, contact: SimulatedContact, decision: Transfer, now: Seconds) -> None:
        action = self.record(contact, decision, now)
        contact.actions = (*contact.actions[:-1], replace(action, landing=Landing.PENDING))
        self._recent.append(action)
        self._last_targets[decision.rule, decision.at] = decision.target
        if decision.target.queue_id is not None:
            self._under_way[decision.target.queue_id, action.channel] += 1
        if decision.target.agent_id is not None:
            self._at_agents[decision.target.agent_id] += 1

    def record_routing(
        self,
        contact: SimulatedContact,
        decision: RoutingUpdate,
        update: RoutingData | None,
        before: RoutingData,
        now: Seconds,
    ) -> None:
        action = self.record(contact, decision, now)
        contact.actions = (*contact.actions[:-1], replace(action, routing=update, before=before))

    def record_landing(self, contact: SimulatedContact, new_id: ContactId, queue_id: QueueId, now: Seconds) -> None:
        """Completes the record of a move whose contact has reached its queue."""
        instant = self.centre.instant(now)
        action = contact.actions[-1]
        landed = replace(
            action,
            landing=Landing.QUEUED,
            landed_at=instant,
            new_contact_id=new_id,
            landed_queue_id=queue_id,
            landed_enqueued_at=instant,
        )
        contact.actions = (*contact.actions[:-1], landed)
        if action.target is not None and action.target.queue_id is not None:
            self._arriving.append((instant, action))

    def record_loss(self, contact: SimulatedContact, now: Seconds) -> None:
        """Counts a moved contact that ended before it landed as arrived."""
        target, action = contact.actions[-1].target, contact.actions[-1]
        if target is not None and target.queue_id is not None:
            self._arriving.append((self.centre.instant(now), action))
        elif target is not None and target.agent_id is not None:
            self.record_departure(target.agent_id)

    def record_departure(self, agent_id: str) -> None:
        """Counts a contact that was sent to an agent as no longer waiting there."""
        self._at_agents[AgentId(agent_id)] -= 1
