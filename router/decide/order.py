"""The order of work: most overdue first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from router.decide.govern import Governance, Tried
from router.decide.wait import Wait
from router.rules.rule import Step


def urgency(tried: Tried, step: Step) -> float:
    """Clock time over the rule's target, else over the step's own time; a step at zero is as urgent as can be."""
    assert tried.elapsed is not None, "a rule that matched has a clock"
    scale = tried.rule.rule.sla.target or step.at
    return tried.elapsed / scale if scale > timedelta() else float("inf")


def urgency_of(wait: Wait, governance: Governance) -> tuple[float, float, datetime, str]:
    """A key that sorts the most overdue contact first; ties by age (the older first), then by id. Rules beside the
    governing one break ties only: watching a rule changes nothing for the others. Where it is not known which of
    several rules governs, the most urgent of them counts: what is read first must not wait for what matters less."""
    held = governance.held_by
    possible = tuple(one for one in governance.undecided if held is not None and one.mode is held.mode)
    governing = (governance.governing,) if governance.governing is not None else (held, *possible)
    return (-_most_urgent(governing), -_most_urgent(governance.beside), wait.began_at, wait.contact.id)


def _most_urgent(rules: Iterable[Tried | None]) -> float:
    due = (one for one in rules if one is not None and one.due is not None and one.due.to)
    return max((urgency(one, one.due.to[0]) for one in due if one.due is not None), default=0.0)
