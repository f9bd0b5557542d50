"""Replays a recorded history under two rule sets, event by event, and collects what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.backtest.accounts import bound_to
from router.backtest.difference import DecidedAct, DecisionDifference, Followed, compare
from router.backtest.followed_rules import FollowedRules
from router.backtest.known_world import KnownWorld
from router.decide.decide import Account, decide
from router.decide.snapshot import Limits, Snapshot
from router.history.disclosure import keys_about_customers
from router.history.world import (
    DecisionRecord,
    DirectoryListed,
    Event,
    Gap,
    Left,
    Looked,
    Measured,
    Opened,
    RulesRead,
    Seen,
)
from router.model import ContactId, Directory
from router.rules.bound import BoundRuleSet
from router.rules.calendar import Calendar
from router.rules.load import parse_rules
from router.rules.rule import Mode, RuleSet

SHORT = timedelta(minutes=2)
"""A gap that costs no contact its judgement: the time of a restart."""
EXAMPLES = 20
"""Decisions that were not reproduced, and gaps, that are listed at most."""
NO_DIRECTORY = Directory()


@dataclass
class RulesInForceThen:
    """Repeats the decisions of the router with the rules that it had, exactly.

    ``wrong`` lists decisions that came out otherwise: the journal then lacks something, or the program has changed.
    """

    ruleset: RuleSet | None = None
    rules: BoundRuleSet | None = None
    keys: frozenset[str] = frozenset()
    decisions: int = 0
    unknown: int = 0
    wrong_count: int = 0
    wrong: list[str] = field(default_factory=list)
    revisions: dict[str, RuleSet] = field(default_factory=dict)

    def take_up(self, read: RulesRead) -> None:
        self.ruleset, self.rules = parse_rules(read.files), None
        self.revisions[read.revision] = self.ruleset
        mentioned = frozenset(key for rule in self.ruleset.rules for key in keys_about_customers(rule))
        self.keys = mentioned - (mentioned if read.keys is None else read.keys)

    def bind(self, directory: Directory) -> None:
        if self.ruleset is not None:
            self.rules = bound_to(self.ruleset, directory, self.rules)

    def repeat(self, looked: Looked) -> Mapping[ContactId, Account]:
        """Returns the accounts of one look, and compares them with the recorded decisions."""
        if self.rules is None:
            return {}
        decided = decide(looked.snapshot, self.rules)
        ids = {one.id for one in looked.snapshot.contacts}
        then = Counter(one for one in looked.decisions if one.contact_id in ids)
        now = Counter(DecisionRecord.of(one) for one in decided.decisions)
        self.decisions += then.total()
        if self.keys:
            self.unknown += then.total()
        else:
            for record in (*(then - now), *(now - then)):
                self.wrong_count += 1
                if len(self.wrong) < EXAMPLES:
                    which = "recorded" if record in then else "repeated"
                    self.wrong.append(f"{looked.at:%Y-%m-%d %H:%M:%SZ} {which}: {record}")
        return decided.accounts


@dataclass(kw_only=True)
class Findings:
    """Holds the result of a backtest. ``unjudged`` counts contacts by the reason why they cannot be judged."""

    contacts: int = 0
    evaluations: int = 0
    differences: list[DecisionDifference] = field(default_factory=list)
    unjudged: Counter[str] = field(default_factory=Counter)
    limits: Mapping[str, int] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    gap_count: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def judged(self) -> int:
        """Returns how many contacts both sides could be compared on."""
        return self.contacts - self.unjudged.total()


@dataclass
class HistoryReplay:
    """Replays events from ``since`` to ``until``. Without a rule set ``a``, A are the rules then in force.

    ``recorded`` holds the router's own acts on the contacts that wait.
    """

    b: FollowedRules
    a: FollowedRules | None
    world: KnownWorld
    since: datetime
    until: datetime
    then: RulesInForceThen = field(default_factory=RulesInForceThen)
    findings: Findings = field(default_factory=Findings)
    recorded: dict[ContactId, list[DecidedAct]] = field(default_factory=dict)
    directory: Directory = NO_DIRECTORY

    @classmethod
    def of(cls, *, a: RuleSet | None, b: RuleSet, since: datetime, until: datetime) -> HistoryReplay:
        world = KnownWorld()
        followed = FollowedRules(a, world) if a is not None else None
        return cls(b=FollowedRules(b, world), a=followed, world=world, since=since, until=until)

    @property
    def rulesets_of_a(self) -> tuple[RuleSet, ...]:
        """Returns the rules A: those given, or all that were in force then."""
        return tuple(self.then.revisions.values()) if self.a is None else (self.a.ruleset,)

    @property
    def sides(self) -> tuple[FollowedRules, ...]:
        return (self.b,) if self.a is None else (self.a, self.b)

    def run(self, events: Iterable[Event], progress: Callable[[datetime], object] = lambda at: None) -> Findings:
        """Replays the events and returns what was found."""
        for event in events:
            if event.at >= self.until:
                break
            self.findings.first_at = self.findings.first_at or max(event.at, self.since)
            self.findings.last_at = event.at
            for side in self.sides:
                side.run(event.at)
            _HANDLERS.get(type(event), HistoryReplay._ignore)(self, event)
            progress(event.at)
        for contact_id in list(self.world.waiting):
            self._end(contact_id)
        self.findings.evaluations = sum(side.evaluations for side in self.sides)
        self.findings.limits = {reason: len(contacts) for reason, contacts in sorted(self.b.limits.items())}
        return self.findings

    def use_names(self, directory: Directory) -> None:
        """Gives names to a history that has none of its own, as one of contact records."""
        self._bind(directory)
        self.world.last = Snapshot(now=self.since, mode=Mode.ENFORCE, contacts=(), directory=directory, limits=Limits())

    def _bind(self, directory: Directory) -> None:
        self.directory = directory
        self.then.bind(directory)
        for side in self.sides:
            side.bind(directory)

    def _seen(self, event: Seen) -> None:
        known = self.world.waiting.get(event.contact.id)
        if known is not None and not known.is_in_place(event.contact.queue_id, event.contact.enqueued_at):
            self._end(known.id)
        self.world.see(event.contact)
        if self.then.rules is None and self.world.last is not None and event.at >= self.since:
            for side in self.sides:
                side.see(event.contact, event.at)

    def _left(self, event: Left) -> None:
        self._end(event.contact_id)

    def _rules_read(self, event: RulesRead) -> None:
        self.then.take_up(event)
        for side in self.sides:
            side.keys, side.hashed = event.keys, event.hashed
        if self.directory is not NO_DIRECTORY:
            self._bind(self.directory)

    def _directory_listed(self, event: DirectoryListed) -> None:
        self._bind(event.directory)

    def _measured(self, event: Measured) -> None:
        self.world.measure(event.rows, event.at)

    def _opened(self, event: Opened) -> None:
        self.world.hours[event.hours_id] = Calendar.of(event.hours)

    def _looked(self, event: Looked) -> None:
        self.world.take_up(event.snapshot)
        if event.at < self.since:
            return
        accounts = self.then.repeat(event)
        acts: dict[ContactId, tuple[DecisionRecord, ...]] = {}
        for record in event.decisions:
            if record.acts:
                acts[record.contact_id] = (*acts.get(record.contact_id, ()), record)
                self.recorded.setdefault(record.contact_id, []).append(DecidedAct(event.at, record))
        for side in self.sides:
            side.look(event.snapshot, acts, accounts)

    def _gap(self, event: Gap) -> None:
        self.findings.gap_count += 1
        if len(self.findings.gaps) < EXAMPLES:
            self.findings.gaps.append(event)
        if event.until - event.at > SHORT:
            for side in self.sides:
                side.skip(event.at, event.until)

    def _ignore(self, event: Event) -> None:
        pass

    def _end(self, contact_id: ContactId) -> None:
        """Compares what both rule sets would have done with a contact that left."""
        acts = tuple(self.recorded.pop(contact_id, ()))
        judged = contact_id in self.b.tracks
        after, why_not = self.b.end(contact_id)
        before = Followed(acts=acts)
        if self.a is not None:
            before, why_neither = self.a.end(contact_id)
            why_not = why_not or why_neither
        self.world.forget(contact_id)
        if not judged:
            return
        self.findings.contacts += 1
        if why_not is not None:
            self.findings.unjudged[why_not] += 1
            return
        found = compare(contact_id, before, after)
        if found is not None:
            self.findings.differences.append(found)


_HANDLERS: Mapping[type, Callable[..., None]] = {
    Seen: HistoryReplay._seen,
    Left: HistoryReplay._left,
    RulesRead: HistoryReplay._rules_read,
    DirectoryListed: HistoryReplay._directory_listed,
    Measured: HistoryReplay._measured,
    Opened: HistoryReplay._opened,
    Looked: HistoryReplay._looked,
    Gap: HistoryReplay._gap,
}
