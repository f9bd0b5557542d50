"""The moves that rules could make of one contact, one after the other: circles, and paths longer than allowed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from router.problems import Problem
from router.rules.lint.finding import error, warning
from router.rules.lint.queues import RuleQueues, queue_of
from router.rules.rule import Entry, Mode, Rule, Step

MOST_MOVES = 20_000
"""Moves looked at before giving up, without a finding: rules that lead everywhere have more paths than atoms."""


@dataclass(frozen=True, slots=True)
class Move:
    """A step of a rule may take a contact from one queue to another (or to an agent, whose node is no queue's name)."""

    order: int
    rule: Rule
    step: Step
    entry: Entry
    source: str
    target: str
    last: bool
    """The rule's last ``to``: with it the rule hands over."""


def find_circles(queues: RuleQueues) -> Iterator[Problem]:
    """A circle is told once, at the move that closes it."""
    told: set[frozenset[str]] = set()
    for path in _paths(queues, longest=6):
        if path[-1].target != path[0].source:
            continue
        round_trip = frozenset(move.source for move in path)
        if round_trip in told:
            continue
        told.add(round_trip)
        shown = " -> ".join([*(move.source for move in path), path[0].source])
        if all(move.entry.revisit for move in path):
            yield error(path[-1].entry.place, f"circle: {shown}; only the transfer budget would stop it")
        else:
            stop = "each step acts once a case" if path[-1].entry.revisit else "revisit = false stops it"
            yield warning(path[-1].entry.place, f"circle: {shown}; {stop}")


def find_long_path(queues: RuleQueues, max_transfers: int) -> Iterator[Problem]:
    """The first path found of more moves than the service makes of one chain."""
    for path in _paths(queues, longest=max_transfers + 1):
        left = [move.source for move in path]
        back = any(move.target in left[: index + 1] and not move.entry.revisit for index, move in enumerate(path))
        if len(path) > max_transfers and not back:
            shown = " -> ".join([path[0].source, *(move.target for move in path)])
            message = f"the rules could move a contact {len(path)} times ({shown}); max_transfers is {max_transfers}"
            yield warning(path[-1].step.place, message)
            return


def _paths(queues: RuleQueues, *, longest: int) -> Iterator[tuple[Move, ...]]:
    """Every sequence of moves that one case could go through, as far as queues and steps tell: of each rule later steps
    only, and another rule below it only once it is finished. A sequence ends where it closes a circle."""
    by_source = _by_source(queues)
    looked_at = 0
    waiting: list[tuple[Move, ...]] = [(move,) for moves in by_source.values() for move in moves]
    waiting.reverse()
    while waiting:
        path = waiting.pop()
        looked_at += 1
        if looked_at > MOST_MOVES:
            return
        yield path
        if len(path) < longest and path[-1].target not in {move.source for move in path}:
            waiting.extend((*path, move) for move in by_source.get(path[-1].target, ()) if _may_follow(path, move))


def _may_follow(path: tuple[Move, ...], move: Move) -> bool:
    before = path[-1]
    if move.order > before.order and not before.last:
        return False
    done = [one.step.number for one in path if one.order == move.order]
    allowed = move.rule.guard.max_transfers
    return move.step.number > max(done, default=0) and (allowed is None or len(path) < allowed)


def _by_source(queues: RuleQueues) -> dict[str, list[Move]]:
    found: dict[str, list[Move]] = defaultdict(list)
    for order, rule in enumerate(queues.rules):
        if rule.mode is not Mode.ENFORCE:
            continue
        sources = set(queues.sources(rule))
        for step in rule.to_steps:
            targets = {_node(entry): entry for entry in reversed(step.entries)}
            for target, entry in targets.items():
                for source in sorted(sources - {target}):
                    last = step is rule.to_steps[-1]
                    found[source].append(Move(order, rule, step, entry, source, target, last))
            sources |= set(targets)
    return found


def _node(entry: Entry) -> str:
    return queue_of(entry) or f"agent {entry.agent or entry.agent_from}"
