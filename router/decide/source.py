"""What a queue had to give within the hour: the whole of which ``percent_of_queue`` is a share.

Were the share taken of what is left, it would shrink with every move, and the limit with it. So what the router has
moved out within the hour still belongs to the whole: it changes only as contacts arrive, are answered or end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from router.decide.wait import Wait
from router.model import Action, ContactId, QueueId


def given_within_the_hour(waits: Iterable[Wait], moves: Iterable[Action]) -> Counter[QueueId]:
    """By queue: what waits there, and the contacts that any rule moved out of it. A chain that is there again, or still
    (its move is not made yet, or only observed), counts as waiting."""
    waiting: dict[QueueId, list[ContactId]] = defaultdict(list)
    for wait in waits:
        waiting[wait.queue_id].append(wait.case.chain_id)
    found = Counter({queue: len(chains) for queue, chains in waiting.items()})
    here = {queue: set(chains) for queue, chains in waiting.items()}
    left = {(move.queue_id, move.contact_id) for move in moves if move.chain_id not in here.get(move.queue_id, ())}
    found.update(queue for queue, _ in left)
    return found


def share_of(percent: int, whole: int) -> int:
    """Rounded up: of a queue with any contact at least one may be moved."""
    return -(-percent * whole // 100)
