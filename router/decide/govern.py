"""Who governs a contact: files in name order, rules from top to bottom, the first that matches and is not finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from router.decide.clocks import calendar_of, standstill
from router.decide.match_subject import seen_details, sent_here, subject_for
from router.decide.rules_in_force import InForce, RulesMet
from router.decide.wait import Wait
from router.decide.waiting_contact import WaitingContact
from router.model import ActionKind, HoldReason, Need
from router.rules.bound import BoundRule
from router.rules.calendar import NEVER, Interval
from router.rules.clock import OpenTimes, elapsed, instant, queue_clock_start
from router.rules.condition import Match, ReliedOnValue, Test, Truth, Unread, match
from router.rules.pauses import running
from router.rules.rule import Mode, Step
from router.rules.steps import Due, Progress, due_steps, finished


class Role(Enum):
    """What a rule is to a contact; its value is what ``explain`` says."""

    NOT_IN_FORCE = "not in force"
    NO_MATCH = "does not match"
    UNREAD = "could not be decided: a value was not read"
    EXCLUSION = "matches and excludes the contact"
    GOVERNS = "governs"
    BEHIND = "matches, and an earlier rule governs"
    BESIDE = "acts beside the governing rule"
    FINISHED = "has finished with this wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedRule:
    """One rule tried on one contact. ``mode`` is the weaker of the rule's and the service's; the clock's fields are
    ``None`` where the rule does not match. ``hours`` are what the clock counts, ``None``: around the clock; where they
    could not be read, ``elapsed`` is the most that the clock may show. With ``unread_start`` it is the least, ``due``
    is all that is left, and nothing acts; nor does it with ``unread_pauses``, where ``elapsed`` is the most and more
    ``pauses`` may make it less."""

    rule: BoundRule
    role: Role
    mode: Mode
    match: Match | None = None
    started_at: datetime | None = None
    elapsed: timedelta | None = None
    progress: Progress | None = None
    due: Due | None = None
    hours: OpenTimes | Unread | None = None
    pauses: tuple[Interval, ...] = ()
    unread_start: Unread | None = None
    unread_pauses: Unread | None = None

    @property
    def anything_due(self) -> bool:
        """Whether something is due, or may be for all that is known."""
        return self.due is not None and self.due.anything

    @property
    def clock_needs(self) -> tuple[Need, ...]:
        """What is still to be read before the clock can be told: without it nothing tells when a step is due."""
        unread = (self.unread_start, self.hours)
        return tuple(one.need for one in unread if isinstance(one, Unread) and one.need is not None)

    @property
    def unread_clock(self) -> Unread | None:
        """Why it is not known what is due."""
        return self.unread_start or self.unread_pauses

    @property
    def calendar(self) -> OpenTimes | None:
        """The open hours that the clock counts; ``None`` also where they are not known."""
        return None if isinstance(self.hours, Unread) else self.hours

    def at(self, place: timedelta) -> datetime:
        """When the clock shows it, an instant that is open; ``NEVER`` where the hours do not open for so long."""
        assert self.started_at is not None, "a rule that matched has a clock"
        return instant(self.started_at, place, running(self.calendar, self.pauses))

    @property
    def next_due_at(self) -> datetime | None:
        if self.due is None or self.due.next_at is None:
            return None
        at = self.at(self.due.next_at)
        return at if at < NEVER else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """``governing`` owns the contact's moves; ``beside`` act as well, in the order of the rules. ``held`` says why none
    may govern. ``undecided`` are the rules of which one may, where that cannot be told and nothing is due yet.
    ``relied_on`` are the conditions, of every rule that was tried, that came out as they did because of what
    DescribeContact told."""

    governing: TriedRule | None = None
    beside: tuple[TriedRule, ...] = ()
    held: HoldReason | None = None
    held_by: TriedRule | None = None
    undecided: tuple[TriedRule, ...] = ()
    needs: tuple[Need, ...] = ()
    relied_on: tuple[ReliedOnValue, ...] = ()

    @property
    def acting(self) -> tuple[TriedRule, ...]:
        return (self.governing, *self.beside) if self.governing else self.beside

    @property
    def clock_needs(self) -> tuple[Need, ...]:
        return tuple(need for one in (*self.acting, *self.undecided) for need in one.clock_needs)

    @property
    def next_due_at(self) -> datetime | None:
        looked = (*self.acting, *self.undecided)
        return min((one.next_due_at for one in looked if one.next_due_at is not None), default=None)


def govern(waiting: WaitingContact, met: RulesMet) -> Governance:
    """Tries the rules in order. It stops at an exclusion rule, and at a rule that could not be decided while something
    may be due."""
    governing: TriedRule | None = None
    beside: list[TriedRule] = []
    relied_on: list[ReliedOnValue] = []
    untouched = not waiting.wait.actions
    places: Iterator[tuple[int, InForce]] = enumerate(met.rules)
    while (found := next(places, None)) is not None:
        position, rule = found
        if governing is not None and not _acts_behind(rule, waiting.wait):
            continue
        plain = rule.rule.plain
        if untouched and plain is not None and not plain(waiting.values):
            continue
        one = try_rule(rule, waiting)
        if rule.asks_details:
            relied_on.extend(_relied_on(one, waiting))
        if one.role in (Role.BESIDE, Role.FINISHED) or (one.role is Role.UNREAD and rule.beside):
            beside.append(one)
        elif one.role is Role.GOVERNS:
            if governing is None and untouched:
                places = met.after(position)
            governing = governing or one
        elif one.role is Role.EXCLUSION or one.role is Role.UNREAD:
            if governing is None:
                return replace(_ungoverned(one, met.rules[position:], waiting), beside=tuple(beside))
            if rule.excludes:
                beside.extend(_behind_unread(one, met.rules[position + 1 :], waiting))
                break
    return Governance(governing=governing, beside=tuple(beside), relied_on=tuple(relied_on))


def _behind_unread(excludes: TriedRule, rest: Sequence[InForce], waiting: WaitingContact) -> Iterator[TriedRule]:
    """Yields what would act in addition to the governing rule if an exclusion rule before it did not match. It waits
    while that is not known."""
    if excludes.role is not Role.UNREAD:
        return
    behind = (try_rule(rule, waiting) for rule in rest if rule.beside)
    yield from (replace(one, role=Role.UNREAD, match=excludes.match) for one in behind if one.anything_due)


def _relied_on(one: TriedRule, waiting: WaitingContact) -> Iterator[ReliedOnValue]:
    """A priority that was recorded when the rule first acted is not what the contact has now."""
    recorded = subject_for(one.rule, waiting).recorded_priority is not None
    return (seen for seen in seen_details(one.match) if not (recorded and seen.test.key == "priority"))


def trace(waiting: WaitingContact, rules: Sequence[BoundRule]) -> Iterator[TriedRule]:
    """Every rule that is tried on the contact and what it is to it, those that are not in force or do not match
    included: what ``explain`` tells."""
    governed = False
    for rule in rules:
        known = InForce.of(rule, waiting.snapshot)
        if known is None:
            yield TriedRule(rule=rule, role=Role.NOT_IN_FORCE, mode=rule.rule.mode)
            continue
        one = try_rule(known, waiting)
        yield replace(one, role=Role.BEHIND) if one.role is Role.GOVERNS and governed else one
        governed = governed or one.role is Role.GOVERNS
        stops = one.role is Role.UNREAD and not known.beside and (known.excludes or not governed)
        if one.role is Role.EXCLUSION or stops:
            return


def try_rule(known: InForce, waiting: WaitingContact) -> TriedRule:
    """What one rule is to a contact, whatever the rules before it are."""
    matched = _match(known.rule, waiting)
    if matched is None or matched.truth is Truth.NO:
        return TriedRule(rule=known.rule, role=Role.NO_MATCH, mode=known.mode, match=matched)
    return _clocked(known, waiting, matched)


def _match(rule: BoundRule, waiting: WaitingContact) -> Match | None:
    """``None`` where the contact is not the rule's to look at: too old, or in an agent's own queue."""
    if not waiting.in_listed_queue and not sent_here(rule.name, waiting):
        return None
    after, enqueued_at = rule.rule.guard.enqueued_after, waiting.contact.enqueued_at
    if after is not None and enqueued_at is not None and enqueued_at < after:
        return None
    return match(rule.rule.condition, subject_for(rule, waiting))


def _clocked(known: InForce, waiting: WaitingContact, matched: Match) -> TriedRule:
    rule, wait, observed = known.rule, waiting.wait, known.mode is Mode.OBSERVE
    first = wait.first_act(rule.name, observed=observed)
    started_at = waiting.chain_began_at if rule.rule.sla.clock == "chain" else queue_clock_start(waiting.contact, first)
    known_start = waiting.began_at if isinstance(started_at, Unread) else started_at
    progress = Progress(
        to=wait.progress(rule.name, ActionKind.TRANSFER, observed=observed),
        warn=wait.progress(rule.name, ActionKind.WARN, observed=observed),
        routing=wait.progress(rule.name, ActionKind.ROUTING, observed=observed),
    )
    hours = calendar_of(rule, waiting.queue_id, first, waiting.snapshot)
    calendar = None if isinstance(hours, Unread) else hours
    still = standstill(waiting, known_start, calendar)
    clock = running(calendar, still.pauses)
    shown = elapsed(known_start, waiting.snapshot.now, clock)
    due = due_steps(rule.rule, shown, progress, ended=_ended(known_start, shown, waiting.snapshot.now, clock))
    return TriedRule(
        rule=rule,
        role=_role(known, matched, progress),
        mode=known.mode,
        match=matched,
        started_at=known_start,
        elapsed=shown,
        progress=progress,
        due=due_steps(rule.rule, timedelta.max, progress) if isinstance(started_at, Unread) else due,
        hours=hours,
        pauses=still.pauses,
        unread_start=started_at if isinstance(started_at, Unread) else None,
        unread_pauses=still.unread if due.anything else None,
    )


def _ended(started_at: datetime, shown: timedelta, now: datetime, calendar: OpenTimes | None) -> bool:
    """Whether what falls due at just this place on the clock is due later: as the hours open."""
    return calendar is not None and not calendar.is_open(now) and calendar.after(started_at, shown) > now


def _role(known: InForce, matched: Match, progress: Progress) -> Role:
    if matched.truth is Truth.UNREAD:
        return Role.UNREAD
    if known.beside:
        return Role.BESIDE
    if known.excludes:
        return Role.EXCLUSION
    return Role.FINISHED if finished(known.rule.rule, progress) else Role.GOVERNS


def _acts_behind(rule: InForce, wait: Wait) -> bool:
    """Returns whether a rule behind the governing one matters: a side rule, an exclusion rule, or one that may have
    finished with the wait."""
    return rule.beside or rule.excludes or wait.touched_by(rule.rule.name)


def _ungoverned(one: TriedRule, rest: Sequence[InForce], waiting: WaitingContact) -> Governance:
    """Behind an exclusion rule, or behind a rule of which it is not known whether it governs: held, if anything may be
    due, for
    reading costs calls, and nothing is read (and nobody told that it could not be) before there is something to do."""
    if one.role is Role.EXCLUSION:
        return Governance(held=HoldReason.EXCLUDED, held_by=one)
    possible = tuple(other for rule in rest if (other := try_rule(rule, waiting)).due is not None)
    clocks_first = any(other.unread_start is not None and other.clock_needs for other in possible)
    if clocks_first or not any(other.anything_due for other in possible):
        return Governance(undecided=possible)
    assert one.match is not None, "what could not be decided has been matched"
    missing = not one.match.needs and any(test.key == "hours" for test in _unread_tests(one.match))
    held = HoldReason.UNRESOLVED if missing else HoldReason.UNREADABLE
    paused = [other.unread_pauses.need for other in possible if other.unread_pauses is not None]
    needs = (*one.match.needs, *(need for need in paused if need is not None))
    return Governance(held=held, held_by=one, undecided=possible, needs=needs)


def _unread_tests(matched: Match) -> list[Test]:
    return [seen.test for seen in matched.seen if seen.truth is Truth.UNREAD]


# The order of work: most overdue first.


def urgency(tried: TriedRule, step: Step) -> float:
    """Clock time over the rule's target, else over the step's own time; a step at zero is as urgent as can be."""
    assert tried.elapsed is not None, "a rule that matched has a clock"
    scale = tried.rule.rule.sla.target or step.at
    return tried.elapsed / scale if scale > timedelta() else float("inf")


def urgency_of(waiting: WaitingContact, governance: Governance) -> tuple[float, float, datetime, str]:
    """A key that sorts the most overdue contact first; ties by age (the older first), then by id. Rules beside the
    governing one break ties only: watching a rule changes nothing for the others. Where it is not known which of
    several rules governs, the most urgent of them counts: what is read first must not wait for what matters less."""
    held = governance.held_by
    possible = tuple(one for one in governance.undecided if held is not None and one.mode is held.mode)
    governing = (governance.governing,) if governance.governing is not None else (held, *possible)
    return (-_most_urgent(governing), -_most_urgent(governance.beside), waiting.began_at, waiting.contact.id)


def _most_urgent(rules: Iterable[TriedRule | None]) -> float:
    due = (one for one in rules if one is not None and one.due is not None and one.due.to)
    return max((urgency(one, one.due.to[0]) for one in due if one.due is not None), default=0.0)
