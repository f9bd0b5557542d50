"""Circles of queues that rules could pass a contact round in, and paths longer than the service allows."""

from __future__ import annotations

from collections.abc import Iterator

from router.problems import Problem
from router.rules.lint.finding import error, warning
from router.rules.lint.goes_round import goes_round
from router.rules.lint.moves import Move, Moves, Path, moves_of, paths
from router.rules.lint.queues import RuleQueues


def find_circles(queues: RuleQueues) -> Iterator[Problem]:
    """A circle is told once, at the move that closes it: an error where a contact can be shown that goes round."""
    found: dict[frozenset[str], tuple[Path, bool]] = {}
    for moves in _knots(moves_of(queues)):
        sources = {source for _, source in moves}
        for path in paths(moves, longest=len(sources)):
            if path is None:
                place = next(iter(moves.values()))[0].entry.place
                yield warning(place, f"circles: more ways than can be looked at lead round {_some(sorted(sources))}")
            elif path[-1].target == path[0].source:
                queues_of_it = frozenset(move.source for move in path)
                if queues_of_it not in found or not found[queues_of_it][1]:
                    surely = goes_round(path, queues)
                    if surely or queues_of_it not in found:
                        found[queues_of_it] = path, surely
    yield from (_told(path, surely) for path, surely in found.values())


def _told(path: Path, surely: bool) -> Problem:
    shown = " -> ".join([*(move.source for move in path), path[0].source])
    place = path[-1].entry.place
    if surely:
        return error(place, f"circle: {shown}; only the transfer budget would stop it")
    if not all(move.entry.revisit for move in path):
        stop = "each step acts once a case" if path[-1].entry.revisit else "revisit = false stops it"
    else:
        stop = "conditions, or rules above, may stop it"
    return warning(place, f"circle: {shown}; {stop}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _knots(moves: Moves) -> list[Moves]:
    """The moves from which the way leads back: only these can be part of a circle."""
    left = {source: {move.target for move in some} for source, some in moves.items()}
    knot_of = _components({source: {(source[0], target) for target in targets} for source, targets in left.items()})
    knots: dict[int, dict[tuple[str, str], list[Move]]] = {}
    for source, some in moves.items():
        inside = [move for move in some if knot_of.get((move.channel, move.target)) == knot_of[source]]
        if inside:
            knots.setdefault(knot_of[source], {})[source] = inside
    return list(knots.values())


def _components(leads_to: dict[tuple[str, str], set[tuple[str, str]]]) -> dict[tuple[str, str], int]:
    """Tarjan's strongly connected components, without recursion: a number for each node that leads anywhere."""
    number: dict[tuple[str, str], int] = {}
    low: dict[tuple[str, str], int] = {}
    component: dict[tuple[str, str], int] = {}
    stack: list[tuple[str, str]] = []
    for root in leads_to:
        if root in number:
            continue
        work = [(root, iter(sorted(leads_to[root])))]
        number[root] = low[root] = len(number)
        stack.append(root)
        while work:
            here, onward = work[-1]
            for there in onward:
                if there not in leads_to:
                    continue
                if there not in number:
                    number[there] = low[there] = len(number)
                    stack.append(there)
                    work.append((there, iter(sorted(leads_to[there]))))
                    break
                if there not in component:
                    low[here] = min(low[here], number[there])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == number[here]:
                    while here not in component:
                        component[stack.pop()] = number[here]
    return component


def find_long_path(queues: RuleQueues, max_transfers: int) -> Iterator[Problem]:
    """The first path found of more moves than the service makes of one chain."""
    for path in paths(moves_of(queues), longest=max_transfers + 1):
        if path is None or len(path) <= max_transfers:
            continue
        left = [move.source for move in path]
        if any(move.target in left[: index + 1] and not move.entry.revisit for index, move in enumerate(path)):
            continue
        shown = " -> ".join([path[0].source, *(move.target for move in path)])
        message = f"the rules could move a contact {len(path)} times ({shown}); max_transfers is {max_transfers}"
        yield warning(path[-1].step.place, message)
        return
