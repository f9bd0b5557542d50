"""Finds contacts that one rule holds while another rule, which could move them, cannot govern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from router.problems import Problem
from router.prove.implication import Prover
from router.prove.lint_queues import RuleQueues, warning
from router.prove.overlap import common_contact, shown
from router.prove.rule_scopes import RuleScopes
from router.prove.unreachable_rules import always_before
from router.rules.condition import AllOf, Condition, Test
from router.rules.rule import Mode, OnHold, Rule, Step
from router.rules.value_test import HoursForm

MOST_REPORTED = 20
MOST_PAIRS = 50_000
GIVE_WAY = 'on_hold = "next" lets it govern'


def starved_rules(queues: RuleQueues, prover: Prover, scopes: RuleScopes) -> Iterator[Problem]:
    """Warns about rules without a last resort before another rule for the same contacts, once for each such rule.

    Names the first rule behind it. Of many such rules only the first are reported, and the number of the others.
    """
    finder = _Finder(queues, prover)
    found: list[tuple[Rule, Rule, str]] = []
    for position, rule in enumerate(queues.rules):
        if moves(rule) and rule.on_hold is OnHold.WAIT and not _has_last_resort(rule):
            found += finder.first_starved(rule, scopes.overlapping(position, after=True))
    for rule, starved, which in found[:MOST_REPORTED]:
        why = f"holds contacts when no destination is eligible, and '{starved.name}' cannot govern {which}"
        yield warning(rule.place, f"rule '{rule.name}' {why} ({starved.place}): {GIVE_WAY}")
    if left := found[MOST_REPORTED:]:
        why = "more rules hold contacts when no destination is eligible, and later rules cannot govern these"
        yield warning(left[0][0].place, f"{len(left)} {why}: {GIVE_WAY}")
    if finder.pairs_left < 0:
        why = f"more than {MOST_PAIRS} pairs of rules may match the same contacts: not all of them are compared"
        yield warning(queues.rules[0].place, why)


@dataclass(slots=True)
class _Finder:
    """Finds rules that another rule starves. Compares at most ``MOST_PAIRS`` pairs."""

    queues: RuleQueues
    prover: Prover
    pairs_left: int = MOST_PAIRS

    def first_starved(self, rule: Rule, behind: Iterable[Rule]) -> Iterator[tuple[Rule, Rule, str]]:
        """Yields at most once: the rule, the first rule that it starves, and which contacts both match, in words."""
        for one in behind:
            self.pairs_left -= moves(one)
            if self.pairs_left < 0:
                return
            if moves(one) and not _apart(rule, one) and not always_before(rule, one, self.queues, self.prover):
                which = self._same_contacts(rule.condition, one.condition)
                if which is not None:
                    yield rule, one, which
                    return

    def _same_contacts(self, one: Condition, other: Condition) -> str | None:
        if self.prover.implies(one, other) or self.prover.implies(other, one):
            return "them"
        found = common_contact(one, other, self.queues.known)
        return f"those that both match, such as {shown(found)}" if found is not None else None


def moves(rule: Rule) -> bool:
    """Returns whether the rule moves contacts, and does not only observe."""
    return rule.mode is Mode.ENFORCE and bool(rule.to_steps)


def _has_last_resort(rule: Rule) -> bool:
    """Returns whether a step has a destination that no metric, hours or agent can refuse."""
    return any(_is_last_resort(step) for step in rule.to_steps)


def _is_last_resort(step: Step) -> bool:
    return any(entry.unconditional and entry.queue is not None for entry in step.entries)


def _apart(rule: Rule, other: Rule) -> bool:
    """Returns whether the two rules never act on one contact at the same time."""
    return _ends_before(rule, other) or _ends_before(other, rule) or (other.sla.hours, "closed") in hours_required(rule)


def hours_required(rule: Rule) -> set[tuple[str | None, str]]:
    """Returns the hours of operation that must be open, or closed, for every contact that the rule matches.

    A rule that counts hours never acts while another rule requires that they are closed.
    """
    condition = rule.condition
    parts = condition.children if isinstance(condition, AllOf) else (condition,)
    forms = [part.form for part in parts if isinstance(part, Test)]
    return {(form.name, form.wanted) for form in forms if isinstance(form, HoursForm)}


def _ends_before(one: Rule, other: Rule) -> bool:
    return one.until_at is not None and other.from_at is not None and one.until_at <= other.from_at
