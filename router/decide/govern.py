"""Finds the rule that governs a contact: in the order of files and rules, the first that matches and is not
finished."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.decide.clocks import calendar_of, is_due_later, opening, standstill
from router.decide.match_subject import details_relied_on, sent_here, subject_for
from router.decide.rules_in_force import QueueRules, RuleInForce
from router.decide.tried_rule import Role, TriedRule
from router.decide.wait import Wait
from router.decide.waiting_contact import WaitingContact
from router.model import ActionKind, HoldReason, Need
from router.rules.bound import BoundRule
from router.rules.clock import elapsed, queue_clock_start
from router.rules.condition import Match, ReliedOnValue, Truth, Unread, match
from router.rules.pauses import running
from router.rules.rule import Mode
from router.rules.steps import Progress, due_steps, finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Records which rules act on a contact.

    ``governing`` alone may move it; ``side_rules`` act in addition, in the order of the rules. The rules ``giving_way``
    come before it, hold the contact and have ``on_hold = "next"``. ``held`` is the reason why no rule may govern.
    ``undecided`` are the rules of which one may govern, while that is unknown and nothing is due. ``relied_on`` are the
    conditions of all tried rules that depended on values of DescribeContact.
    """

    governing: TriedRule | None = None
    side_rules: tuple[TriedRule, ...] = ()
    giving_way: tuple[TriedRule, ...] = ()
    held: HoldReason | None = None
    held_by: TriedRule | None = None
    undecided: tuple[TriedRule, ...] = ()
    needs: tuple[Need, ...] = ()
    relied_on: tuple[ReliedOnValue, ...] = ()

    @property
    def acting(self) -> tuple[TriedRule, ...]:
        governing = (self.governing,) if self.governing else ()
        return (*self.giving_way, *governing, *self.side_rules)

    @property
    def promising(self) -> tuple[TriedRule, ...]:
        """Returns the rules whose promise to the contact counts: those that act, hold or have finished, or may govern.

        A finished rule counts, because the contact still waits. A side rule of which a condition was not read does not.
        """
        held_by = (self.held_by,) if self.held_by is not None else ()
        return (*(one for one in self.acting if one.role is not Role.UNREAD), *held_by, *self.undecided)

    @property
    def clock_needs(self) -> tuple[Need, ...]:
        return tuple(need for one in (*self.acting, *self.undecided) for need in one.clock_needs)

    @property
    def next_due_at(self) -> datetime | None:
        looked = (*self.acting, *self.undecided)
        return min((due for one in looked if (due := one.next_due_at) is not None), default=None)


def govern(waiting: WaitingContact, met: QueueRules, holding: Collection[str] = ()) -> Governance:
    """Tries the rules in order, up to an exclusion rule, or to an undecided rule while a step may be due.

    ``holding`` are the rules that would govern, hold the contact, and let the next matching rule govern.
    """
    governing: TriedRule | None = None
    side_rules: list[TriedRule] = []
    giving_way: list[TriedRule] = []
    relied_on: list[ReliedOnValue] = []
    unread: set[Hashable] = set()
    clocks: set[Hashable] = set()
    stopped_by: str | None = None
    untouched, details = not waiting.wait.actions, waiting.details
    every = met.fitting(waiting.values) if untouched else met
    met = every.meeting(details, waiting.wait, waiting.values)
    places: Iterator[tuple[int, RuleInForce]] = enumerate(met.rules)
    while (place := next(places, None)) is not None:
        position, rule = place
        if governing is not None and not _acts_behind(rule, waiting.wait):
            continue
        plain = rule.rule.plain
        if untouched and plain is not None and not plain(waiting.values):
            continue
        one = try_rule(rule, waiting, matches=untouched and plain is not None)
        acted = waiting.wait.has_actions_of(rule.rule.name)
        if rule.reads_details and (met is every or acted or not rule.is_selected(untouched=untouched)):
            relied_on.extend(_relied_on(one, waiting))
        if one.role in (Role.SIDE_RULE, Role.FINISHED) or (one.role is Role.UNREAD and rule.side_rule):
            if rule.excludes and governing is not None:  # after it, an exclusion rule would exclude nothing
                continue
            kind = rule.held_with if one.anything_due else rule.clock
            if one.role is not Role.UNREAD or _is_first((kind, _unread(one)), rule, waiting, unread):
                side_rules.append(one)
            if one.role is Role.UNREAD and not acted:
                clocks.add(rule.clock)
        elif one.role is Role.GOVERNS and one.rule.name in holding:
            giving_way.append(replace(one, role=Role.GIVES_WAY))
        elif one.role is Role.GOVERNS:
            if governing is None and untouched:
                places = met.after(position)
            governing = governing or one
        elif one.role is Role.EXCLUSION or one.role is Role.UNREAD:
            if governing is None:
                ungoverned = _ungoverned(one, met.rules[position:], waiting, clocks)
                return replace(ungoverned, side_rules=tuple(side_rules), giving_way=tuple(giving_way))
            if rule.excludes:
                side_rules.extend(_behind_unread(one, met.rules[position + 1 :], waiting))
                stopped_by = one.rule.name
                break
    if met is not every and not isinstance(details, Unread):
        governed_by = governing.rule.name if governing else None
        relied_on.extend(every.relied_on(details, waiting.wait, governed_by, stopped_by))
    result = Governance(governing=governing, side_rules=tuple(side_rules), relied_on=tuple(relied_on))
    return replace(result, giving_way=tuple(giving_way)) if giving_way else result


def _behind_unread(excludes: TriedRule, rest: Sequence[RuleInForce], waiting: WaitingContact) -> Iterator[TriedRule]:
    """Yields what would act in addition to the governing rule if an exclusion rule before it did not match. It waits
    while that is not known."""
    if excludes.role is not Role.UNREAD:
        return
    clocks: set[Hashable] = set()
    behind = ((rule, try_rule(rule, waiting)) for rule in rest if rule.side_rule)
    for rule, one in behind:
        if one.anything_due and _is_first(rule.clock, rule, waiting, clocks):
            yield replace(one, role=Role.UNREAD, match=excludes.match)


def _is_first(kind: Hashable, rule: RuleInForce, waiting: WaitingContact, kinds: set[Hashable]) -> bool:
    """Returns whether no rule of the kind was met before, and adds it to ``kinds``. A rule that has acted is of no
    kind."""
    if waiting.wait.has_actions_of(rule.rule.name):
        return True
    first = kind not in kinds
    kinds.add(kind)
    return first


def _unread(one: TriedRule) -> frozenset[Unread]:
    seen = one.match.seen if one.match is not None else ()
    return frozenset(value.value for value in seen if isinstance(value.value, Unread))


def _relied_on(one: TriedRule, waiting: WaitingContact) -> Iterator[ReliedOnValue]:
    """Yields the conditions to check again; a priority from before the router's updates is not the present one."""
    present = subject_for(one.rule, waiting).sees_present_priority
    return (seen for seen in details_relied_on(one.match) if present or seen.test.key != "priority")


def trace(waiting: WaitingContact, rules: Sequence[BoundRule], found: Governance | None = None) -> Iterator[TriedRule]:
    """Yields every rule with its role, for ``explain``, up to one that stops the search; ``found`` has those that give
    way."""
    holding = {one.rule.name for one in found.giving_way} if found is not None else set()
    governed = False
    for rule in rules:
        known = RuleInForce.of(rule, waiting.snapshot)
        if known is None:
            yield TriedRule(rule=rule, role=Role.NOT_IN_FORCE, mode=rule.rule.mode)
            continue
        one = try_rule(known, waiting)
        if one.role is Role.GOVERNS and (governed or rule.name in holding):
            one = replace(one, role=Role.BEHIND if governed else Role.GIVES_WAY)
        yield one
        governed = governed or one.role is Role.GOVERNS
        stops = one.role is Role.UNREAD and not known.side_rule and (known.excludes or not governed)
        if one.role is Role.EXCLUSION or stops:
            return


def try_rule(known: RuleInForce, waiting: WaitingContact, *, matches: bool = False) -> TriedRule:
    """Tries one rule on a contact, whatever the rules before it are. ``matches``: its conditions are known to hold, and
    the result does not list them."""
    matched = _match(known.rule, waiting, matches=matches)
    if matched is None or matched.truth is Truth.NO:
        return TriedRule(rule=known.rule, role=Role.NO_MATCH, mode=known.mode, match=matched)
    return _clocked(known, waiting, matched)


MATCHED = Match(Truth.YES, ())


def _match(rule: BoundRule, waiting: WaitingContact, *, matches: bool) -> Match | None:
    """Matches the rule; ``None`` if the contact is too old for it, or in an agent's own queue."""
    if not waiting.in_listed_queue and not sent_here(rule.name, waiting):
        return None
    after, enqueued_at = rule.rule.guard.enqueued_after, waiting.contact.enqueued_at
    if after is not None and enqueued_at is not None and enqueued_at < after:
        return None
    if matches:
        return MATCHED
    unread = waiting.unread_matches if isinstance(waiting.details, Unread) and not waiting.wait.actions else None
    if unread is None or rule.required_attribute is None:
        return match(rule.rule.condition, subject_for(rule, waiting))
    if rule.while_unread not in unread:
        unread[rule.while_unread] = match(rule.rule.condition, subject_for(rule, waiting))
    return unread[rule.while_unread]


NO_PROGRESS = Progress()


def _clocked(known: RuleInForce, waiting: WaitingContact, matched: Match) -> TriedRule:
    rule, wait, observed = known.rule, waiting.wait, known.mode is Mode.OBSERVE
    first = wait.first_act(rule.name, observed=observed)
    started_at = waiting.chain_began_at if rule.rule.sla.clock == "chain" else queue_clock_start(waiting.contact, first)
    known_start = waiting.began_at if isinstance(started_at, Unread) else started_at
    progress = _progress(rule.name, wait, observed=observed) if wait.actions else NO_PROGRESS
    hours = calendar_of(rule, waiting.queue_id, first, waiting.snapshot)
    calendar = None if isinstance(hours, Unread) else hours
    still = standstill(waiting, known_start, calendar)
    clock = running(calendar, still.pauses)
    shown = elapsed(known_start, waiting.snapshot.now, clock)
    but_for_pause = still.shown_but_for_pause(known_start, waiting.snapshot.now, calendar)
    due = due_steps(rule.rule, shown, progress, ended=is_due_later(known_start, shown, waiting.snapshot.now, clock))
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
        opens_at=opening(waiting.snapshot.now, calendar) if due.anything else None,
        pauses=still.pauses,
        unread_start=started_at if isinstance(started_at, Unread) else None,
        unread_pauses=still.unread if due.anything else None,
        due_but_for_pause=due_steps(rule.rule, but_for_pause, progress) if but_for_pause is not None else None,
    )


def _progress(rule: str, wait: Wait, *, observed: bool) -> Progress:
    return Progress(
        to=wait.progress(rule, ActionKind.TRANSFER, observed=observed),
        warn=wait.progress(rule, ActionKind.WARN, observed=observed),
        routing=wait.progress(rule, ActionKind.ROUTING, observed=observed),
    )


def _role(known: RuleInForce, matched: Match, progress: Progress) -> Role:
    if matched.truth is Truth.UNREAD:
        return Role.UNREAD
    if known.side_rule:
        return Role.SIDE_RULE
    if known.excludes:
        return Role.EXCLUSION
    return Role.FINISHED if finished(known.rule.rule, progress) else Role.GOVERNS


def _acts_behind(rule: RuleInForce, wait: Wait) -> bool:
    """Returns whether a rule behind the governing one matters: a side rule, an exclusion rule, or one that may have
    finished with the wait."""
    return rule.side_rule or rule.excludes or wait.has_actions_of(rule.rule.name)


def _possible(rules: Iterable[RuleInForce], waiting: WaitingContact, clocks: set[Hashable]) -> Iterator[TriedRule]:
    """Yields the rules that may match, and of rules with equal clocks only the first. ``clocks`` are those of the side
    rules before them that may match."""
    untouched = not waiting.wait.actions
    for rule in rules:
        plain = rule.rule.plain
        if untouched and plain is not None and not plain(waiting.values):
            continue
        if rule.clock not in clocks or waiting.wait.has_actions_of(rule.rule.name):
            one = try_rule(rule, waiting)
            if one.due is not None and _is_first(rule.clock, rule, waiting, clocks):
                yield one


def _ungoverned(
    one: TriedRule, rest: Sequence[RuleInForce], waiting: WaitingContact, clocks: set[Hashable]
) -> Governance:
    """Decides on a contact behind an exclusion rule, or behind a rule of which it is not known whether it governs.

    It is held only if a step may be due, because reading costs calls and nothing is read before there is something to
    do.
    """
    if one.role is Role.EXCLUSION:
        return Governance(held=HoldReason.EXCLUDED, held_by=one)
    possible = tuple(_possible(rest, waiting, clocks))
    clocks_first = any(other.unread_start is not None and other.clock_needs for other in possible)
    if clocks_first or not any(other.anything_due for other in possible):
        return Governance(undecided=possible)
    assert one.match is not None, "what could not be decided has been matched"
    unread = (seen.test.key for seen in one.match.seen if seen.truth is Truth.UNREAD)
    missing = not one.match.needs and "hours" in unread
    held = HoldReason.UNRESOLVED if missing else HoldReason.UNREADABLE
    paused = [other.unread_pauses.need for other in possible if other.unread_pauses is not None]
    needs = (*one.match.needs, *(need for need in paused if need is not None))
    return Governance(held=held, held_by=one, undecided=possible, needs=needs)
