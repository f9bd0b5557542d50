"""Finds which steps of a rule are due, by its clock and by how far each kind of step has come on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from router.rules.bound import BoundRule
from router.rules.rule import Rule, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The place on the clock of the last step of each kind that has acted on the wait; ``None`` before the first.

    A time and not a number: after an edit of the rule only later steps can act.
    """

    to: timedelta | None = None
    warn: timedelta | None = None
    routing: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """``to`` are all due ``to`` steps, latest first; of ``warn`` and ``routing`` only the latest due acts. ``next_at``
    is the place on the clock of the next step that can fall due; ``None``: none is left."""

    to: tuple[Step, ...] = ()
    warn: Step | None = None
    routing: Step | None = None
    next_at: timedelta | None = None

    @property
    def anything(self) -> bool:
        return bool(self.to or self.warn or self.routing)


def due_steps(rule: BoundRule | Rule, elapsed: timedelta, progress: Progress, *, ended: bool = False) -> Due:
    """Returns what is due when the clock shows ``elapsed``. A step of two kinds (``to`` and ``warn``) counts for each
    alone.

    ``ended`` means that hours closed when the clock came to show it: what falls due then is due when they open.
    """
    steps = _rule(rule).steps
    elapsed -= timedelta.resolution if ended else timedelta()
    to: list[Step] = []
    warn: Step | None = None
    routing: Step | None = None
    next_at: timedelta | None = None
    for step in steps:
        kinds = _left_of(step, progress)
        if kinds == _NONE_LEFT:
            continue
        if step.at > elapsed:
            next_at = step.at if next_at is None else min(next_at, step.at)
            continue
        moves, warns, routes = kinds
        if moves:
            to.insert(0, step)
        warn = step if warns else warn
        routing = step if routes else routing
    return Due(to=tuple(to), warn=warn, routing=routing, next_at=next_at)


_NONE_LEFT = (False, False, False)


def _left_of(step: Step, progress: Progress) -> tuple[bool, bool, bool]:
    """Returns the kinds of the step that are still to do: ``to``, ``warn``, ``routing``."""
    at = step.at
    return (
        bool(step.to) and (progress.to is None or at > progress.to),
        step.warn is not None and (progress.warn is None or at > progress.warn),
        step.routing is not None and (progress.routing is None or at > progress.routing),
    )


def finished(rule: BoundRule | Rule, progress: Progress) -> bool:
    """Returns whether every ``to`` step has acted or been skipped, after which the next rule governs."""
    done = progress.to
    return not any(step.to and (done is None or step.at > done) for step in _rule(rule).steps)


def _rule(rule: BoundRule | Rule) -> Rule:
    return rule.rule if isinstance(rule, BoundRule) else rule
