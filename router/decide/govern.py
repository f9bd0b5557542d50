"""Who governs a contact: files in name order, rules from top to bottom, the first that matches and is not finished."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from router.decide.case import Case
from router.decide.look import Look
from router.decide.subject import subject_for
from router.model import ActionKind, Contact, HoldReason
from router.rules.bound import BoundRule
from router.rules.clock import clock_start, elapsed, instant
from router.rules.condition import Match, Truth, match
from router.rules.rule import Mode
from router.rules.steps import Due, Progress, due_steps, finished


class Role(Enum):
    """What a rule is to a contact; its value is what ``explain`` says."""

    NOT_IN_FORCE = "not in force"
    NO_MATCH = "does not match"
    UNREAD = "could not be decided: a value was not read"
    SHIELD = "matches and shields the contact"
    GOVERNS = "governs"
    BESIDE = "acts beside the governing rule"
    FINISHED = "has finished with this case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One rule tried on one contact. ``mode`` is the weaker of the rule's and the service's; the clock's fields are
    ``None`` where the rule does not match."""

    rule: BoundRule
    role: Role
    mode: Mode
    match: Match | None = None
    started_at: datetime | None = None
    elapsed: timedelta | None = None
    progress: Progress | None = None
    due: Due | None = None

    @property
    def next_due_at(self) -> datetime | None:
        if self.due is None or self.due.next_at is None or self.started_at is None:
            return None
        return instant(self.started_at, self.due.next_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """``governing`` owns the contact's moves; ``beside`` act as well; ``held`` says why nothing may act at all."""

    tried: tuple[Tried, ...]
    governing: Tried | None = None
    beside: tuple[Tried, ...] = ()
    held: HoldReason | None = None
    held_by: Tried | None = None
    needs: tuple[object, ...] = ()


def govern(contact: Contact, case: Case, rules: tuple[BoundRule, ...], look: Look) -> Governance:
    """Tries the rules in order. Stops at a shield, and at a rule that could not be decided while something may be due."""
    tried: list[Tried] = []
    governing: Tried | None = None
    beside: list[Tried] = []
    for position, rule in enumerate(rules):
        one = try_rule(rule, contact, case, look, governed=governing is not None)
        tried.append(one)
        if one.role is Role.UNREAD:
            if governing is None and _may_be_due(rules[position:], contact, case, look):
                assert one.match is not None
                return Governance(
                    tried=tuple(tried), beside=tuple(beside), held=HoldReason.UNREADABLE, held_by=one,
                    needs=one.match.needs,
                )  # fmt: skip
            break
        if one.role is Role.SHIELD:
            if governing is None:
                return Governance(tried=tuple(tried), beside=tuple(beside), held=HoldReason.EXCLUDED, held_by=one)
            break
        if one.role is Role.GOVERNS:
            governing = one
        elif one.role in (Role.BESIDE, Role.FINISHED):
            beside.append(one)
    return Governance(tried=tuple(tried), governing=governing, beside=tuple(beside))


def try_rule(rule: BoundRule, contact: Contact, case: Case, look: Look, *, governed: bool) -> Tried:
    """What one rule is to a contact; with ``governed`` an earlier rule governs, and this one can only act beside."""
    mode = rule.rule.mode.weaker(look.mode)
    if not rule.rule.in_force(look.now):
        return Tried(rule=rule, role=Role.NOT_IN_FORCE, mode=mode)
    after = rule.rule.guard.enqueued_after
    if after is not None and contact.enqueued_at is not None and contact.enqueued_at < after:
        return Tried(rule=rule, role=Role.NO_MATCH, mode=mode)
    if not _reachable(rule, contact, case, look):
        return Tried(rule=rule, role=Role.NO_MATCH, mode=mode)
    matched = match(rule.rule.condition, subject_for(rule, contact, case, look.directory, look.now))
    if matched.truth is Truth.NO:
        return Tried(rule=rule, role=Role.NO_MATCH, mode=mode, match=matched)
    return _clocked(rule, contact, case, look, mode, matched, governed)


def _clocked(
    rule: BoundRule, contact: Contact, case: Case, look: Look, mode: Mode, matched: Match, governed: bool
) -> Tried:
    observed = mode is Mode.OBSERVE
    started_at = clock_start(rule.rule, contact, case.first_act(rule.name, observed=observed))
    progress = Progress(
        to=case.progress(rule.name, ActionKind.TRANSFER, observed=observed),
        warn=case.progress(rule.name, ActionKind.WARN, observed=observed),
        routing=case.progress(rule.name, ActionKind.ROUTING, observed=observed),
    )
    shown = elapsed(started_at, look.now)
    return Tried(
        rule=rule,
        role=_role(rule, mode, look, progress, matched, governed),
        mode=mode,
        match=matched,
        started_at=started_at,
        elapsed=shown,
        progress=progress,
        due=due_steps(rule.rule, shown, progress),
    )


def _role(rule: BoundRule, mode: Mode, look: Look, progress: Progress, matched: Match, governed: bool) -> Role:
    if matched.truth is Truth.UNREAD:
        return Role.UNREAD
    only_observes = mode is Mode.OBSERVE and look.mode is Mode.ENFORCE
    if rule.rule.shield:
        return Role.BESIDE if only_observes else Role.SHIELD
    if only_observes or not rule.to_steps:
        return Role.BESIDE
    if finished(rule.rule, progress):
        return Role.FINISHED
    return Role.GOVERNS if not governed else Role.NO_MATCH


def _reachable(rule: BoundRule, contact: Contact, case: Case, look: Look) -> bool:
    """A contact in a queue that the directory does not list (an agent's own, or one made a moment ago) belongs to no
    rule but the one that sent it there."""
    queue = look.directory.queue(contact.queue_id) if contact.queue_id else None
    if queue is not None and queue.agent_id is None:
        return True
    return any(move.rule == rule.name and move.landed_queue_id == contact.queue_id for move in case.moves)


def _may_be_due(rules: tuple[BoundRule, ...], contact: Contact, case: Case, look: Look) -> bool:
    """Whether a step of any of these rules, as far as they can match, is due: reading costs calls, so nothing is read
    (and nobody is told that it could not be) before there is something to do."""
    for rule in rules:
        one = try_rule(rule, contact, case, look, governed=False)
        if one.due is not None and (one.due.to or one.due.warn or one.due.routing):
            return True
    return False
