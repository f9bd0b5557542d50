"""Counts the capacity that earlier moves and decisions have used up: places at destinations, and moves that the limits
allow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from router.decide.queue_figures import Sent, takes_slots
from router.decide.snapshot import Snapshot
from router.decide.waiting_contact import WaitingContact
from router.model import Action, ActionKind, AgentId, Channel, ContactId, QueueId, RoutingProfile, Target


def queue_totals(waits: Iterable[WaitingContact], moves: Iterable[Action]) -> Counter[QueueId]:
    """Returns by queue how many contacts wait there or were moved out of it by any rule within the hour.

    ``percent_of_queue`` takes its share of this total, because a share of the rest would shrink with every move. A
    chain counts once as waiting if it is back in the queue or still there: its move is not made yet, or only observed.
    """
    chains_of: dict[QueueId, list[ContactId]] = defaultdict(list)
    for waiting in waits:
        chains_of[waiting.queue_id].append(waiting.wait.chain_id)
    found = Counter({queue: len(chains) for queue, chains in chains_of.items()})
    here = {queue: set(chains) for queue, chains in chains_of.items()}
    gone = {(move.queue_id, move.contact_id) for move in moves if move.chain_id not in here.get(move.queue_id, ())}
    found.update(queue for queue, _ in gone)
    return found


def share_of(percent: int, whole: int) -> int:
    """Returns the share of a queue, rounded up, so that at least one contact of a queue that is not empty may
    be moved."""
    return -(-percent * whole // 100)


HOUR = timedelta(hours=1)
METRICS_LAG = timedelta(seconds=30)
"""How long a move counts against its queue although the metrics may show it already. Real-time metrics refresh every 15
s in Connect's own pages; no figure is documented for the API."""


@dataclass(slots=True)
class CapacityUsed:
    """Counts the capacity used by earlier cycles, unless the metrics show it already, and by the decisions of this one.

    ``last_targets`` has the last destination of each step, by rule and time on the clock. ``moves_in_hour`` and
    ``moves_in_cycle`` count moves by rule; ``moved_out`` counts those of the hour by rule and source queue.
    ``moved_chains`` has the contact that is to be moved, by chain. ``updated`` are the contacts whose routing is to be
    updated. ``queue_totals`` never changes while decisions are made.
    """

    sent_to_queues: Counter[tuple[QueueId, Channel | None]] = field(default_factory=Counter)
    sent_to_agents: Counter[AgentId] = field(default_factory=Counter)
    moved_chains: dict[ContactId, ContactId] = field(default_factory=dict)
    updated: set[ContactId] = field(default_factory=set)
    last_targets: dict[tuple[str, timedelta], Target] = field(default_factory=dict)
    moves_in_hour: Counter[str] = field(default_factory=Counter)
    moves_in_cycle: Counter[str] = field(default_factory=Counter)
    moved_out: Counter[tuple[str, QueueId]] = field(default_factory=Counter)
    queue_totals: Counter[QueueId] = field(default_factory=Counter)

    @classmethod
    def before(cls, snapshot: Snapshot, waits: Iterable[WaitingContact], *, observed: bool) -> CapacityUsed:
        """Counts the capacity that is used before the first decision of this snapshot.

        ``observed`` moves are counted apart, so that a rule that only observes takes nothing from the rules that act.
        """
        made = snapshot.moves
        imagined = sorted(_observed_moves(snapshot), key=lambda move: move.decided_at) if observed else []
        targets = [(move, move.target) for move in imagined if move.target is not None]
        latest = [(to, move.channel) for move, to in targets if move.decided_at > snapshot.now - METRICS_LAG]
        counted = imagined if observed else made.recent
        if not (counted or made.recent or made.sent_to_queues or made.sent_to_agents):
            last_targets, totals = dict(made.last_targets), queue_totals(waits, ())
            totals.update(snapshot.unseen)
            return cls(last_targets=last_targets, queue_totals=totals)
        in_hour, left = (_within_the_hour(moves, snapshot) for moves in (counted, made.recent))
        to_queues = Counter((to.queue_id, channel) for to, channel in latest if to.queue_id is not None)
        to_agents = Counter(to.agent_id for to, _ in latest if to.agent_id is not None)
        return cls(
            sent_to_queues=Counter(made.sent_to_queues) + to_queues,
            sent_to_agents=Counter(made.sent_to_agents) + to_agents,
            last_targets={**made.last_targets, **{(move.rule, move.at): target for move, target in targets}},
            moves_in_hour=Counter(move.rule for move in in_hour),
            moves_in_cycle=Counter(move.rule for move in counted if move.cycle == snapshot.cycle),
            moved_out=Counter((move.rule, move.queue_id) for move in in_hour),
            queue_totals=queue_totals(waits, (*in_hour, *left)) + Counter(snapshot.unseen),
        )

    def sent_to(self, queue_id: QueueId, channel: Channel, profiles: tuple[RoutingProfile, ...] | None) -> Sent:
        """Returns how many contacts of this channel, and of others that take its slots, were sent to the queue."""
        of_queue = {of: count for (queue, of), count in self.sent_to_queues.items() if queue == queue_id}
        own, unknown = of_queue.pop(channel, 0), of_queue.pop(None, 0)
        taken = {of: takes_slots(of, channel, queue_id, profiles) for of in of_queue if of is not None and of_queue[of]}
        other = sum(of_queue[of] for of, takes in taken.items() if takes is not False)
        return Sent(own, unknown, other, unsure=sum(of_queue[of] for of, takes in taken.items() if takes is None))

    def add(self, rule: str, at: timedelta, target: Target, waiting: WaitingContact) -> None:
        """Counts one decided move."""
        self.moves_in_hour[rule] += 1
        self.moved_out[rule, waiting.queue_id] += 1
        self.moves_in_cycle[rule] += 1
        self.moved_chains[waiting.wait.chain_id] = waiting.contact.id
        self.last_targets[rule, at] = target
        if target.queue_id is not None:
            self.sent_to_queues[target.queue_id, waiting.contact.channel] += 1
        if target.agent_id is not None:
            self.sent_to_agents[target.agent_id] += 1


def _within_the_hour(moves: Iterable[Action], snapshot: Snapshot) -> tuple[Action, ...]:
    return tuple(move for move in moves if move.decided_at > snapshot.now - HOUR)


def _observed_moves(snapshot: Snapshot) -> Iterable[Action]:
    """Yields each observed move once, although every contact of its chain has it in its history."""
    observed = (action for history in snapshot.moves.histories.values() for action in history if action.observed)
    moves = (action for action in observed if action.kind is ActionKind.TRANSFER)
    return {(move.wait, move.rule, move.at): move for move in moves}.values()
