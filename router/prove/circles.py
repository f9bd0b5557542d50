"""Finds circles of queues in which rules could move a contact, and paths longer than the service allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from router.problems import Problem
from router.prove.idle_destinations import idle_destinations
from router.prove.implication import is_id
from router.prove.lint_queues import RuleQueues, error, queue_of, warning
from router.prove.paths import Move, Moves, Path, part_of_paths, paths
from router.rules.condition import AllOf, Condition, Test, tests_of
from router.rules.match_keys import ChangedBy, Source, match_key
from router.rules.queue_index import could_match
from router.rules.rule import Mode, Rule
from router.rules.value_test import Form, RangeForm, TextForm


def goes_round(path: Path, queues: RuleQueues) -> bool:
    """Returns whether some contact can certainly move round the circle; if that is not plain, no.

    Every destination lets the contact return, no rule above governs it, every step can be reached, and one contact can
    match the conditions of all rules.
    """
    rules = {move.order: move.rule for move in path}
    return (
        all(move.entry.revisit for move in path)
        and not any(is_id(move.source) for move in path)
        and all(rule.from_at is rule.until_at is None for rule in rules.values())
        and not any(_idle(move, queues) or _behind_another(move) for move in path)
        and _nobody_before(path, queues)
        and _one_contact_fits([rule.condition for rule in rules.values()])
    )


def _idle(move: Move, queues: RuleQueues) -> bool:
    place = move.entry.place
    found = {(one.file, one.line, one.column) for one in idle_destinations(move.rule, queues)}
    return (place.file, place.line, place.column) in found


def _behind_another(move: Move) -> bool:
    """Returns whether a destination that is always eligible, except for visited queues, may be picked first."""
    entries = move.step.entries
    before = entries[: entries.index(move.entry)]
    return any(entry.unconditional and queue_of(entry) != move.source for entry in before)


def _nobody_before(path: Path, queues: RuleQueues) -> bool:
    """Returns whether all rules above that could govern have finished with the contact at every move."""
    done: dict[int, int] = {}
    for move in path:
        if any(_in_the_way(order, rule, move, done) for order, rule in enumerate(queues.rules[: move.order])):
            return False
        if move.order not in done and not _meets(move.rule, move):
            return False  # it matches there only what it has moved
        done[move.order] = move.step.number
    return True


def _in_the_way(order: int, rule: Rule, move: Move, done: dict[int, int]) -> bool:
    if rule.mode is not Mode.ENFORCE or not (rule.excludes or rule.to_steps):
        return False
    if order in done:
        return done[order] < rule.to_steps[-1].number
    return _ids_in(rule) or _meets(rule, move)


def _meets(rule: Rule, move: Move) -> bool:
    return could_match(rule.condition, (move.source,), move.channel)


def _ids_in(rule: Rule) -> bool:
    return any(is_id(name) for test in tests_of(rule.condition) for name in test.references)


def _one_contact_fits(conditions: Iterable[Condition]) -> bool:
    forms: dict[str, list[Form | None]] = defaultdict(list)
    for condition in conditions:
        for part in condition.children if isinstance(condition, AllOf) else (condition,):
            if not isinstance(part, Test) or _may_change(part.key):
                return False
            if part.key != "queue":
                forms[part.key].append(part.form)
    return all(_one_value_fits(some) for some in forms.values())


def _may_change(key: str) -> bool:
    """Returns whether a move, or the hours, may change the value between one rule of the circle and the next.

    A time that has passed only grows; ``_one_value_fits`` looks at those.
    """
    known = match_key(key)
    return known.source is Source.HOURS or (known.changed_by is ChangedBy.MOVE and not known.timed)


def _one_value_fits(forms: list[Form | None]) -> bool:
    """Returns whether one of the named values fits all forms; a time that is only a minimum passes by itself."""
    if any(form is None for form in forms):
        return False
    ranges = [form for form in forms if isinstance(form, RangeForm)]
    if ranges:
        return len(ranges) == len(forms) and all(form.max is None for form in ranges)
    if all(form == forms[0] for form in forms):
        return True
    named = [text for form in forms if isinstance(form, TextForm) and not form.negated for text in form.literals]
    return any(all(form is not None and form(text) for form in forms) for text in named)


def find_circles(queues: RuleQueues, all_moves: Moves) -> Iterator[Problem]:
    """Yields each circle once, at the move that closes it: an error if a contact can be shown to move round it."""
    found: dict[frozenset[str], tuple[Path, bool]] = {}
    for moves in _knots(all_moves):
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
    yield from (_finding(path, surely) for path, surely in found.values())


def _finding(path: Path, surely: bool) -> Problem:
    shown = " -> ".join([*(move.source for move in path), path[0].source])
    place = path[-1].entry.place
    if surely:
        return error(place, f"circle: {shown}; only the transfer budget would stop it")
    if not all(move.entry.revisit for move in path):
        stop = "each step acts once a wait" if path[-1].entry.revisit else "revisit = false stops it"
    else:
        stop = "conditions, or rules above, may stop it"
    return warning(place, f"circle: {shown}; {stop}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _knots(moves: Moves) -> list[Moves]:
    """Returns the moves from which a path leads back; only these can be part of a circle."""
    left = {source: {move.target for move in some} for source, some in moves.items()}
    knot_of = _components({source: {(source[0], target) for target in targets} for source, targets in left.items()})
    knots: dict[int, dict[tuple[str, str], list[Move]]] = {}
    for source, some in moves.items():
        inside = [move for move in some if knot_of.get((move.channel, move.target)) == knot_of[source]]
        if inside:
            knots.setdefault(knot_of[source], {})[source] = inside
    return list(knots.values())


def _components(leads_to: dict[tuple[str, str], set[tuple[str, str]]]) -> dict[tuple[str, str], int]:
    """Numbers each node that leads anywhere by its strongly connected component (Tarjan's algorithm, no recursion)."""
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


def find_long_path(moves: Moves, max_transfers: int) -> Iterator[Problem]:
    """Yields the first path with more moves than the service makes of one chain."""
    most = max_transfers + 1
    for path in paths(part_of_paths(moves, most), longest=most):
        if path is None or len(path) <= max_transfers:
            continue
        left = [move.source for move in path]
        if any(move.target in left[: index + 1] and not move.entry.revisit for index, move in enumerate(path)):
            continue
        shown = " -> ".join([path[0].source, *(move.target for move in path)])
        message = f"the rules could move a contact {len(path)} times ({shown}); max_transfers is {max_transfers}"
        yield warning(path[-1].step.place, message)
        return
