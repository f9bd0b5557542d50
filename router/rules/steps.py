"""Which steps of a rule are due: by the rule's clock, and by how far each kind of step has come on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from router.rules.bound import BoundRule
from router.rules.rule import Rule, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The place on the clock of the last step of each kind that has acted on the case; ``None`` before the first.

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
    """What is due when the clock shows ``elapsed``. A step of two kinds (``to`` and ``warn``) counts for each on its
    own. ``ended``: hours closed as the clock came to show it, so that what falls due just then is due as they open."""
    steps = _rule(rule).steps
    elapsed -= timedelta.resolution if ended else timedelta()
    to = _left((step for step in steps if step.to), progress.to)
    warn = _left((step for step in steps if step.warn is not None), progress.warn)
    routing = _left((step for step in steps if step.routing is not None), progress.routing)
    ahead = [step.at for step in (*to, *warn, *routing) if step.at > elapsed]
    return Due(
        to=tuple(reversed(_due(to, elapsed))),
        warn=next(reversed(_due(warn, elapsed)), None),
        routing=next(reversed(_due(routing, elapsed)), None),
        next_at=min(ahead, default=None),
    )


def finished(rule: BoundRule | Rule, progress: Progress) -> bool:
    """Whether every ``to`` step has acted or been passed over, so that the rule hands over to the next."""
    return not _left(_rule(rule).to_steps, progress.to)


def _rule(rule: BoundRule | Rule) -> Rule:
    return rule.rule if isinstance(rule, BoundRule) else rule


def _left(steps: Iterable[Step], done: timedelta | None) -> list[Step]:
    return [step for step in steps if done is None or step.at > done]


def _due(steps: list[Step], elapsed: timedelta) -> list[Step]:
    return [step for step in steps if step.at <= elapsed]
