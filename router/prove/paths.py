"""Lists the moves that rules could make of one contact, and which could follow which: never too few."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from router.prove.idle_destinations import admits_nothing
from router.prove.implication import is_id
from router.prove.lint_queues import RuleQueues, queue_of
from router.rules.condition import tests_of
from router.rules.match_keys import ChangedBy, match_key
from router.rules.queue_index import could_match, must_match
from router.rules.rule import DestinationEntry, Mode, OnHold, Rule, Step

MOST_MOVES = 20_000
"""How many paths are looked at before giving up: rules that lead everywhere have endless paths."""
CHANNELS = ("TASK", "EMAIL")


@dataclass(frozen=True, slots=True)
class Move:
    """Describes one move that a step of a rule may make: a channel's contact, from one queue to another or to an agent.

    An agent's node is no queue's name.
    """

    order: int
    rule: Rule
    step: Step
    entry: DestinationEntry
    channel: str
    source: str
    target: str

    @property
    def gives_way(self) -> bool:
        """Returns whether a rule below may govern next: this one is finished, may no longer match, or gives way.

        Values that only a move changes do not count, because the rule sees them as they were before its move.
        """
        keys = (match_key(test.key) for test in tests_of(self.rule.condition))
        lasting = self.rule.until_at is None and not any(key.changed_by is ChangedBy.ANYTHING for key in keys)
        return self.step is self.rule.to_steps[-1] or not lasting or self.rule.on_hold is OnHold.NEXT


Path = tuple[Move, ...]
Node = tuple[str, str]
"""A channel, and a queue or an agent."""
Moves = Mapping[Node, list[Move]]
"""By channel and source."""


def paths(moves: Moves, *, longest: int) -> Iterator[Path | None]:
    """Yields every sequence of moves that one wait could pass through, as far as queues and steps show.

    A rule acts with later steps only, and another rule below it only once it gives way. A sequence ends if it returns
    to a queue. ``None`` is the last item if there are more paths than are looked at. ``longest`` counts moves.
    """
    looked_at = 0
    waiting: list[Path] = [(move,) for some in moves.values() for move in some]
    waiting.reverse()
    while waiting:
        path = waiting.pop()
        looked_at += 1
        if looked_at > MOST_MOVES:
            yield None
            return
        yield path
        if len(path) < longest and path[-1].target not in {move.source for move in path}:
            following = moves.get((path[-1].channel, path[-1].target), ())
            waiting.extend((*path, move) for move in following if _may_follow(path, move))


def part_of_paths(moves: Moves, length: int) -> Moves:
    """Returns the moves without those that are part of no sequence of ``length`` moves, as queues alone show."""
    edges = {(source, (move.channel, move.target)) for source, some in moves.items() for move in some}
    after = _longest_walks(edges, length - 1)
    before = _longest_walks({(target, source) for source, target in edges}, length - 1)
    kept = {
        source: [one for one in some if before[source] + 1 + after[one.channel, one.target] >= length]
        for source, some in moves.items()
    }
    return {source: some for source, some in kept.items() if some}


def _longest_walks(edges: Collection[tuple[Node, Node]], most: int) -> Counter[Node]:
    """Returns of how many edges the longest walk from each node is, up to ``most``."""
    found: Counter[Node] = Counter()
    for number in range(1, most + 1):
        found.update(dict.fromkeys({source for source, target in edges if found[target] == number - 1}, 1))
    return found


def _may_follow(path: Path, move: Move) -> bool:
    before = path[-1]
    if move.order > before.order and not before.gives_way:
        return False
    done = [one.step.number for one in path if one.order == move.order]
    allowed = move.rule.guard.max_transfers
    return move.step.number > max(done, default=0) and (allowed is None or len(path) < allowed)


def moves_of(queues: RuleQueues) -> Moves:
    """Returns the moves that any rule that enforces may make: no exclusion rule above matches, and metrics could
    allow it."""
    found: dict[tuple[str, str], list[Move]] = defaultdict(list)
    exclusions: list[Rule] = []
    channels = CHANNELS if any(_names_channels(rule) for rule in queues.rules) else CHANNELS[:1]
    for order, rule in enumerate(queues.rules):
        if rule.mode is not Mode.ENFORCE:
            continue
        if rule.excludes and rule.from_at is rule.until_at is rule.guard.enqueued_after is None:
            exclusions.append(rule)
        for move in _moves_of(order, rule, queues, channels):
            if not _excluded(move, exclusions):
                found[move.channel, move.source].append(move)
    return found


def _names_channels(rule: Rule) -> bool:
    return any(test.key == "channel" for test in tests_of(rule.condition))


def _moves_of(order: int, rule: Rule, queues: RuleQueues, channels: tuple[str, ...]) -> Iterator[Move]:
    sources = set(queues.sources(rule)) if rule.to_steps else set()
    for channel in channels:
        reached = {source for source in sources if _meets(rule, source, channel)}
        if not reached:
            continue
        for step in rule.to_steps:
            targets = _targets(step)
            for target, entry in targets.items():
                for source in sorted(reached - {target}):
                    yield Move(order, rule, step, entry, channel, source, target)
            reached |= set(targets)


def _targets(step: Step) -> dict[str, DestinationEntry]:
    """Returns the entries by node; of several entries for one queue, one with ``revisit``."""
    entries = [entry for entry in step.entries if admits_nothing(entry) is None]
    return {node(entry): entry for entry in sorted(entries, key=lambda entry: entry.revisit)}


def _meets(rule: Rule, source: str, channel: str) -> bool:
    """Returns whether the rule could match there; a name and an id cannot be compared, then only the channel counts."""
    if is_id(source):
        return any(could_match(rule.condition, (name,), channel) for name in (source, "")) or _named_by_id(rule, source)
    return could_match(rule.condition, (source,), channel)


def _named_by_id(rule: Rule, source: str) -> bool:
    return any(source in test.references for test in tests_of(rule.condition))


def _excluded(move: Move, exclusions: list[Rule]) -> bool:
    return any(
        not is_id(move.source)
        and not any(is_id(name) for test in tests_of(excludes.condition) for name in test.references)
        and must_match(excludes.condition, (move.source,), move.channel)
        for excludes in exclusions
    )


def node(entry: DestinationEntry) -> str:
    return queue_of(entry) or f"agent {entry.agent or entry.agent_from}"
