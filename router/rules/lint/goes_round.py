"""Whether it is certain that some contact can go round a circle: an error must be provable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from router.rules.condition import AllOf, Condition, Test, tests_of
from router.rules.form import Form, RangeForm, TextForm
from router.rules.lint.compare import is_id
from router.rules.lint.destinations import idle_destinations
from router.rules.lint.moves import Move, Path
from router.rules.lint.queues import RuleQueues, queue_of
from router.rules.reach import could_match
from router.rules.rule import Mode, Rule

CHANGING = frozenset({"transfers", "priority", "initiation_method", "hours"})
"""What moves, or time, may change between one rule of the circle and the next."""


def goes_round(path: Path, queues: RuleQueues) -> bool:
    """Every destination lets the contact come back, no rule above has it first, every step can be reached, and one
    contact can fit the conditions of all. Where that is not plain, no."""
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
    told = {(one.file, one.line, one.column) for one in idle_destinations(move.rule, queues)}
    return (place.file, place.line, place.column) in told


def _behind_another(move: Move) -> bool:
    """Whether a destination that is always eligible, but for where the contact has been, may take it first."""
    entries = move.step.entries
    before = entries[: entries.index(move.entry)]
    return any(entry.unconditional and queue_of(entry) != move.source for entry in before)


def _nobody_before(path: Path, queues: RuleQueues) -> bool:
    """At every move all rules above that could have the contact have done all they do."""
    done: dict[int, int] = {}
    for move in path:
        if any(_in_the_way(order, rule, move, done) for order, rule in enumerate(queues.rules[: move.order])):
            return False
        if move.order not in done and not _meets(move.rule, move):
            return False  # it matches there only what it has moved
        done[move.order] = move.step.number
    return True


def _in_the_way(order: int, rule: Rule, move: Move, done: dict[int, int]) -> bool:
    if rule.mode is not Mode.ENFORCE or not (rule.shield or rule.to_steps):
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
            if not isinstance(part, Test) or part.key in CHANGING:
                return False
            if part.key != "queue":
                forms[part.key].append(part.form)
    return all(_one_value_fits(some) for some in forms.values())


def _one_value_fits(forms: list[Form | None]) -> bool:
    """Some value that one of them names; a time that is only a minimum comes by itself."""
    if any(form is None for form in forms):
        return False
    ranges = [form for form in forms if isinstance(form, RangeForm)]
    if ranges:
        return len(ranges) == len(forms) and all(form.max is None for form in ranges)
    if all(form == forms[0] for form in forms):
        return True
    named = [text for form in forms if isinstance(form, TextForm) and not form.negated for text in form.literals]
    return any(all(form is not None and form(text) for form in forms) for text in named)
