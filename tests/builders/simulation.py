"""Simulates a small instance that decisions are performed on: it moves contacts and lets time pass.

It records everything itself, so that tests can compare the router's promises with its own count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from router.decide.decide import Decided, decide
from router.decide.decision import RuleDecision, Transfer, Warn, action_of
from router.decide.snapshot import Limits, LiveMetrics, ReadValues, RecordedMoves, Snapshot
from router.model import (
    Action,
    ActionKind,
    Channel,
    Contact,
    ContactId,
    Details,
    Landing,
    QueueId,
    QueueMetrics,
)
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode
from tests.builders.contacts import NOW
from tests.builders.instance import DIRECTORY, NAMES


class Answer(Enum):
    """Names the ways in which Connect may respond to a transfer; which of them it uses is not documented."""

    NEW_ID = "a new segment that names the old one, and the answer names it"
    UNRELATED_ID = "a new segment that names no other, and the answer names it"
    OLD_ID = "a new segment that names the old one, which the answer names"
    SAME_ID = "the same segment, in another queue"


METRICS_LAG = timedelta(seconds=30)


@dataclass(kw_only=True)
class Simulation:
    """Simulates Connect and the router's ledger.

    ``waiting`` are the contacts that Connect has. ``unseen_until`` is when a moved contact is seen to have landed.
    ``stale`` are moved contacts that the search still shows.
    """

    rules: BoundRuleSet
    slots: Mapping[QueueId, int]
    limits: Limits
    answer: Answer = Answer.NEW_ID
    landing_takes: timedelta = timedelta()
    search_lags: timedelta = timedelta()
    now: datetime = NOW
    cycle: int = 0
    waiting: dict[ContactId, Contact] = field(default_factory=dict)
    stale: list[tuple[datetime, Contact]] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    roots: dict[ContactId, ContactId] = field(default_factory=dict)
    hops: dict[ContactId, int] = field(default_factory=dict)

    def arrive(self, contact: Contact, *, hops: int = 0) -> None:
        self.waiting[contact.id] = contact
        self.roots[contact.id] = contact.chain_id
        self.hops[contact.id] = hops

    def root(self, contact_id: ContactId) -> ContactId:
        return self.roots.get(contact_id, contact_id)

    def history(self, contact: Contact) -> tuple[Action, ...]:
        return tuple(action for action in self.actions if self.root(action.contact_id) == self.root(contact.id))

    def moves(self) -> list[Action]:
        return [action for action in self.actions if action.kind is ActionKind.TRANSFER]

    def snapshot(self) -> Snapshot:
        shown = [contact for until, contact in self.stale if until > self.now]
        contacts = {contact.id: contact for contact in (*self.waiting.values(), *shown)}
        moves = self.moves()
        return Snapshot(
            now=self.now,
            mode=Mode.ENFORCE,
            contacts=tuple(contacts.values()),
            directory=DIRECTORY,
            cycle=self.cycle,
            moves=RecordedMoves(
                histories={one.id: self.history(one) for one in contacts.values()},
                recent=tuple(one for one in moves if one.decided_at > self.now - timedelta(hours=1)),
                sent_to_queues=self._pending(),
                last_targets={(one.rule, one.at): one.target for one in moves if one.target is not None},
            ),
            read=ReadValues(
                transfers={one.id: self.hops.get(one.id, 0) for one in contacts.values()},
                pauses={one: Details() for one in contacts},
                pasts=dict.fromkeys(contacts, ()),
                metrics=self.metrics(),
                routing_profiles=(),
            ),
            limits=self.limits,
        )

    def metrics(self) -> LiveMetrics:
        """Returns the metrics from before the moves of the last half minute."""
        pending = self._pending()
        lengths = {queue: sum(one.queue_id == queue for one in self.waiting.values()) for queue in NAMES}
        rows = {
            (queue, channel): QueueMetrics(
                slots_available=self.slots.get(queue, 0),
                contacts_in_queue=max(lengths[queue] - sum(n for (one, _), n in pending.items() if one == queue), 0),
            )
            for queue in NAMES
            for channel in (Channel.TASK, Channel.EMAIL)
        }
        return LiveMetrics(rows=rows, queues_read=frozenset(NAMES), agents_read=frozenset())

    def _pending(self) -> dict[tuple[QueueId, Channel | None], int]:
        found: dict[tuple[QueueId, Channel | None], int] = {}
        for move in self.moves():
            assert move.target is not None
            landed = move.landed_at is not None and self.now - move.landed_at > METRICS_LAG
            if move.target.queue_id is not None and not landed:
                key = move.target.queue_id, move.channel
                found[key] = found.get(key, 0) + 1
        return found

    def decide(self) -> Decided:
        return decide(self.snapshot(), self.rules)

    def run_cycle(self) -> list[RuleDecision]:
        """Decides and performs; returns the decisions of rules that enforce."""
        self.cycle += 1
        self.land()
        return self.perform(self.decide())

    def perform(self, decided: Decided) -> list[RuleDecision]:
        by_rule: list[RuleDecision] = [one for one in decided.decisions if isinstance(one, RuleDecision)]
        done = [one for one in by_rule if one.mode is Mode.ENFORCE]
        for decision in done:
            if isinstance(decision, Transfer):
                self._transfer(decision)
            elif isinstance(decision, Warn):
                self.actions.append(self._action(decision))
        return done

    def land(self) -> None:
        """Lets contacts that were moved long enough ago be seen at their destination."""
        for number, move in enumerate(self.actions):
            due = move.landing is Landing.PENDING and self.now >= move.decided_at + self.landing_takes
            if due:
                self.actions[number] = self._landed(move)

    def _landed(self, move: Action) -> Action:
        result = self._result_of(move)
        return replace(
            move,
            landing=Landing.QUEUED,
            landed_at=self.now,
            landed_queue_id=result.queue_id,
            landed_enqueued_at=result.enqueued_at,
            new_contact_id=result.id,
        )

    def _result_of(self, move: Action) -> Contact:
        chain = [one for one in self.waiting.values() if self.root(one.id) == self.root(move.contact_id)]
        return next(one for one in chain if one.enqueued_at == move.decided_at)

    def _transfer(self, decision: Transfer) -> None:
        old = self.waiting.pop(decision.contact.id)
        new = self._segment(old, decision)
        self.waiting[new.id] = new
        self.roots[new.id] = self.root(old.id)
        self.hops[new.id] = self.hops[old.id] + 1
        self.stale.append((self.now + self.search_lags, old))
        named = new.id if self.answer in (Answer.NEW_ID, Answer.UNRELATED_ID) else old.id
        action = self._action(decision)
        self.actions.append(
            replace(action, target=decision.target, landing=Landing.PENDING, new_contact_id=named, settled_at=self.now)
        )

    def _segment(self, old: Contact, decision: Transfer) -> Contact:
        moved = replace(old, queue_id=decision.target.queue_id, enqueued_at=self.now)
        if self.answer is Answer.SAME_ID:
            return moved
        new = replace(moved, id=ContactId(f"{old.id}'"), initiated_at=self.now)
        if self.answer is Answer.UNRELATED_ID:
            return replace(new, initial_id=None, previous_id=None)
        return replace(new, initial_id=old.chain_id, previous_id=old.id)

    def _action(self, decision: RuleDecision) -> Action:
        action = action_of(decision, revision="r", cycle=self.cycle, now=self.now)
        return replace(action, id=len(self.actions) + 1)
