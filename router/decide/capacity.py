"""What is used up: places in queues and at agents, and the moves that the limits allow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from router.decide.snapshot import Snapshot
from router.decide.waiting_contact import WaitingContact
from router.model import Action, ActionKind, AgentId, ContactId, QueueId, Target

# What a queue had to give within the hour: the whole of which ``percent_of_queue`` is a share.
#
# Were the share taken of what is left, it would shrink with every move, and the limit with it. So what the router has
# moved out within the hour still belongs to the whole: it changes only as contacts arrive, are answered or end.


def given_within_the_hour(waits: Iterable[WaitingContact], moves: Iterable[Action]) -> Counter[QueueId]:
    """By queue: what waits there, and the contacts that any rule moved out of it. A chain that is there again, or still
    (its move is not made yet, or only observed), counts as waiting."""
    chains_of: dict[QueueId, list[ContactId]] = defaultdict(list)
    for waiting in waits:
        chains_of[waiting.queue_id].append(waiting.wait.chain_id)
    found = Counter({queue: len(chains) for queue, chains in chains_of.items()})
    here = {queue: set(chains) for queue, chains in chains_of.items()}
    left = {(move.queue_id, move.contact_id) for move in moves if move.chain_id not in here.get(move.queue_id, ())}
    found.update(queue for queue, _ in left)
    return found


def share_of(percent: int, whole: int) -> int:
    """Rounded up: of a queue with any contact at least one may be moved."""
    return -(-percent * whole // 100)


HOUR = timedelta(hours=1)
METRICS_LAG = timedelta(seconds=30)
"""How long a move is counted against its queue though the metrics may show it already: real-time metrics refresh
every 15 s in Connect's own pages; for the API no figure is documented."""


@dataclass(slots=True)
class CapacityUsed:
    """By earlier cycles, as far as the metrics may not show it yet, and by what this one has decided so far.

    ``queues`` and ``agents`` count contacts sent there; ``chains`` are those with a contact that is to be moved;
    ``last`` is where each step moved its last contact; ``hour`` and ``cycle`` count moves by rule, ``left`` those
    of the hour by rule and the queue they led out of. ``given`` is what each queue had to give within the hour:
    used up, never changed, by what is decided.
    """

    queues: Counter[QueueId] = field(default_factory=Counter)
    agents: Counter[AgentId] = field(default_factory=Counter)
    chains: set[ContactId] = field(default_factory=set)
    last: dict[tuple[str, timedelta], Target] = field(default_factory=dict)
    hour: Counter[str] = field(default_factory=Counter)
    cycle: Counter[str] = field(default_factory=Counter)
    left: Counter[tuple[str, QueueId]] = field(default_factory=Counter)
    given: Counter[QueueId] = field(default_factory=Counter)

    @classmethod
    def before(cls, snapshot: Snapshot, waits: Iterable[WaitingContact], *, observed: bool) -> CapacityUsed:
        """``observed`` moves count by themselves, so that watching a rule never takes from those that act."""
        moves = _observed_moves(snapshot) if observed else snapshot.moves.recent
        hour, gone = (_within_the_hour(some, snapshot) for some in (moves, snapshot.moves.recent))
        would = sorted(_observed_moves(snapshot), key=lambda move: move.decided_at) if observed else []
        lately = [
            move.target for move in would if move.target is not None and move.decided_at > snapshot.now - METRICS_LAG
        ]
        last = {(move.rule, move.at): move.target for move in would if move.target is not None}
        return cls(
            queues=Counter(snapshot.moves.sent_to_queues)
            + Counter(one.queue_id for one in lately if one.queue_id is not None),
            agents=Counter(snapshot.moves.sent_to_agents)
            + Counter(one.agent_id for one in lately if one.agent_id is not None),
            last={**snapshot.moves.last_targets, **last},
            hour=Counter(move.rule for move in hour),
            cycle=Counter(move.rule for move in moves if move.cycle == snapshot.cycle),
            left=Counter((move.rule, move.queue_id) for move in hour),
            given=given_within_the_hour(waits, (*hour, *gone)) + Counter(snapshot.unseen),
        )

    def add(self, rule: str, at: timedelta, target: Target, waiting: WaitingContact) -> None:
        self.hour[rule] += 1
        self.left[rule, waiting.queue_id] += 1
        self.cycle[rule] += 1
        self.chains.add(waiting.wait.chain_id)
        self.last[rule, at] = target
        if target.queue_id is not None:
            self.queues[target.queue_id] += 1
        if target.agent_id is not None:
            self.agents[target.agent_id] += 1


def _within_the_hour(moves: Iterable[Action], snapshot: Snapshot) -> tuple[Action, ...]:
    return tuple(move for move in moves if move.decided_at > snapshot.now - HOUR)


def _observed_moves(snapshot: Snapshot) -> Iterable[Action]:
    """Each once, though every contact of its chain has it in its history."""
    observed = (action for history in snapshot.moves.histories.values() for action in history if action.observed)
    moves = (action for action in observed if action.kind is ActionKind.TRANSFER)
    return {(move.wait, move.rule, move.at): move for move in moves}.values()
