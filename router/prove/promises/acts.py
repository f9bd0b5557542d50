"""States as formulas which acts the rules do to a contact at an instant, each with its content, in one world."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

import z3

from router.prove.idle_destinations import admits_nothing
from router.prove.promises.governance import Stand, target_of
from router.prove.promises.logic import Formula, all_of, any_of, negation
from router.prove.promises.scene import View
from router.rules.rule import DestinationEntry, OnHold, Rule, Step

Act = tuple[Hashable, ...]
"""The content of an act, without the names of rules and without places in files."""


@dataclass(frozen=True)
class ActOfRule:
    """Holds one act, who does it, and when that is so."""

    act: Act
    rule: Rule
    step: Step
    done: Formula


@dataclass
class SharedWorld:
    """Holds, by its content, whether each destination is eligible: the same for all rule sets that are compared."""

    eligible: dict[Hashable, Formula] = field(default_factory=dict)
    entries: dict[Hashable, DestinationEntry] = field(default_factory=dict)

    def takes(self, entry: DestinationEntry, stand: Stand) -> Formula:
        if target_of(entry) == stand.queue or admits_nothing(entry) is not None:
            return False
        if entry.queue is not None and entry.unconditional:
            return True
        key = content(entry)
        if key not in self.eligible:
            self.eligible[key] = z3.FreshBool("eligible")
            self.entries[key] = entry
        named = entry.agent_from is None or stand.scene.names_agent(entry.agent_from)
        return all_of((self.eligible[key], named))


def content(value: Any) -> Hashable:
    """Returns what a part of a rule means, as a value to compare."""
    if hasattr(value, "__dataclass_fields__"):
        left_out = ("place", "label", "number", "description", "fingerprint", "name")
        return tuple((one.name, content(getattr(value, one.name))) for one in fields(value) if one.name not in left_out)
    return tuple(map(content, value)) if isinstance(value, tuple) else value


def acts_at(rules: tuple[Rule, ...], stand: Stand, world: SharedWorld) -> Iterator[ActOfRule]:
    """Yields every act that the rules may do to a contact on which no rule has acted."""
    scene, instant, view = stand.scene, stand.instant, stand.scene.first_view(stand.instant)
    governed, reached = True, True
    for rule in rules:
        matches = scene.matches(rule, view, 0, instant)
        if rule.excludes:
            governed, reached = all_of((governed, negation(matches))), all_of((reached, negation(matches)))
            continue
        before = governed if rule.to_steps else reached
        active = all_of((before, matches, scene.may_act(rule, view, instant)))
        yield from _of_rule(rule, stand, view, active, world)
        if rule.to_steps:
            governed = all_of((governed, any_of((negation(matches), _gives_way(rule, stand, view, world)))))


def _of_rule(rule: Rule, stand: Stand, view: View, active: Formula, world: SharedWorld) -> Iterator[ActOfRule]:
    scene, instant = stand.scene, stand.instant
    for kind in ("warn", "routing", "to"):
        later: list[Formula] = []
        for step in reversed([step for step in rule.steps if getattr(step, kind)]):
            due = scene.due(step, rule, view, instant)
            taken = any_of(world.takes(entry, stand) for entry in step.entries) if kind == "to" else True
            acts = all_of((due, taken))
            if acts is not False:
                what = (kind, content(getattr(step, kind)))
                more = (step.pick, content(rule.guard)) if kind == "to" else _counted_from(rule, step)
                yield ActOfRule((*what, *more), rule, step, all_of((active, acts, negation(any_of(later)))))
            later.append(acts)


def _counted_from(rule: Rule, step: Step) -> tuple[Hashable, ...]:
    """Returns what ``{late}`` in a warning shows when the step falls due; nothing for a text without it."""
    late = step.at - (rule.sla.target or step.at)
    return (late,) if step.warn is not None and "{late}" in step.warn else ()


def one_routing(acts: Iterable[ActOfRule]) -> Iterator[ActOfRule]:
    """Yields the acts, of which a decision makes one routing update: that of the governing rule, else of the first
    rule."""
    earlier: list[Formula] = []
    for one in sorted(acts, key=lambda act: not act.rule.to_steps):
        if one.act[0] != "routing":
            yield one
            continue
        yield replace(one, done=all_of((one.done, negation(any_of(earlier)))))
        earlier.append(one.done)


def _gives_way(rule: Rule, stand: Stand, view: View, world: SharedWorld) -> Formula:
    if rule.on_hold is not OnHold.NEXT:
        return False
    scene, instant = stand.scene, stand.instant
    anything = any_of(scene.due(step, rule, view, instant) for step in rule.steps)
    moves = any_of(scene.due(step, rule, view, instant) for step in rule.to_steps)
    taken = any_of(
        all_of((scene.due(step, rule, view, instant), world.takes(entry, stand)))
        for step in rule.to_steps
        for entry in step.entries
    )
    closed = negation(scene.may_act(rule, view, instant))
    return all_of((anything, any_of((closed, all_of((moves, negation(taken)))))))
