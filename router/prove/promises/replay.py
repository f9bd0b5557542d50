"""Lets the code that decides in service act on one contact over time: what a proof found must be so there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from router.decide.decide import Account, decide
from router.decide.decision import Decision, Hold, RuleDecision, Transfer, action_of
from router.decide.snapshot import Limits, RecordedMoves, Snapshot
from router.model import (
    Action,
    ActionKind,
    AgentId,
    AgentState,
    Channel,
    Contact,
    ContactId,
    Directory,
    FirstAct,
    HoursId,
    Landing,
    QueueId,
    QueueMetrics,
    Target,
    WaitKey,
)
from router.problems import Place
from router.prove.example_history import CONTACT
from router.prove.example_instance import AlwaysOpen, ClosedSince, directory_of
from router.prove.example_world import EVERY_QUEUE, ExampleWorld
from router.rules.bind import bind
from router.rules.bound import BoundRuleSet
from router.rules.clock import OpenTimes
from router.rules.example import Example, ExampleContact
from router.rules.rule import Mode, RuleSet

OTHERS = "(other rules)"
NOWHERE = Place("a contact of a proof", 0, 0)


def enforced(account: Account) -> tuple[Decision, ...]:
    """Returns what rules that enforce have decided: the others only observe."""
    return tuple(one for one in account.decisions if one.mode is Mode.ENFORCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Holds the metrics of queues, the free slots of agents, the hours, and whether a guard refuses moves.

    Hours that ``hours`` and ``own`` do not name are open. ``own`` are the own hours of queues.
    """

    queues: dict[str, QueueMetrics] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)
    hours: dict[str, bool] = field(default_factory=dict)
    own: dict[str, bool] = field(default_factory=dict)
    guarded: bool = False

    def example(self, contact: ExampleContact, now: datetime | None, *, moved: int = 0) -> Example:
        states: dict[bool, Literal["open", "closed"]] = {True: "open", False: "closed"}
        return Example(
            name="proof",
            place=NOWHERE,
            contact=contact,
            expect=None,
            queues=self.queues,
            agents=self.agents,
            hours={name: states[state] for name, state in self.hours.items() if not state},
            open={queue: state for queue, state in self.own.items() if not state},
            now=now,
            moved=moved,
        )


@dataclass(frozen=True)
class ProofInstance:
    """Holds the rules, bound to an instance that has every name of theirs and every queue that proofs make up."""

    ruleset: RuleSet
    queues: tuple[str, ...]
    limits: Limits

    @cached_property
    def _sets(self) -> dict[frozenset[str], tuple[ExampleWorld, BoundRuleSet]]:
        return {}

    def bound(self, agents: Iterable[str]) -> tuple[ExampleWorld, BoundRuleSet]:
        """Returns the instance and the rules; ``agents`` are the user names that contacts have as attributes."""
        key = frozenset(agents)
        if key not in self._sets:
            contacts = [ExampleContact(channel=Channel.TASK, queue=queue) for queue in self.queues]
            named = Surroundings(agents=dict.fromkeys(key, 1))
            directory = directory_of(self.ruleset, [named.example(one, None) for one in contacts])
            self._sets[key] = ExampleWorld.of(directory), bind(self.ruleset, directory, agents_known=True)
        return self._sets[key]


@dataclass
class Replay:
    """Follows one contact from the begin of its wait. ``age`` is the age of its chain then.

    ``given`` are the hours whose times of day are known.
    """

    stage: ProofInstance
    contact: ExampleContact
    began_at: datetime
    age: timedelta
    agents: frozenset[str] = frozenset()
    given: Mapping[str, OpenTimes] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    _present: Contact | None = None

    def look(self, at: timedelta, world: Surroundings) -> Account:
        """Decides on the contact at an instant of its wait, and records what is done."""
        snapshot, rules = self.snapshot(at, world)
        account = decide(snapshot, rules).accounts[self._present.id if self._present else CONTACT]
        for decision in account.decisions:
            if not isinstance(decision, Hold):
                self._record(decision, snapshot)
        return account

    def snapshot(self, at: timedelta, world: Surroundings) -> tuple[Snapshot, BoundRuleSet]:
        instance, rules = self.stage.bound({*self.agents, *world.agents})
        now = self.began_at + at
        contact = replace(self.contact, waited=at, age=at + self.age)
        whole = instance.snapshot_of(world.example(contact, now), None, now=now, limits=self.stage.limits)
        first = whole.contacts[0]
        present = replace(self._present, details=first.details) if self._present else first
        queue_id = present.queue_id
        assert queue_id is not None, "a waiting contact has a queue"
        transfers = (self.contact.transfers or 0) + sum(one.moved for one in self.actions)
        metrics = replace(
            whole.read.metrics,
            profiles={EVERY_QUEUE: frozenset({(queue_id, present.channel)})},
            agents={
                AgentId(name): AgentState(
                    routable=True, slots_available={present.channel.value: free}, profile_id=EVERY_QUEUE
                )
                for name, free in world.agents.items()
            },
        )
        read = replace(
            whole.read,
            transfers={present.id: transfers},
            origins={present.id: self.began_at - self.age},
            metrics=metrics,
            hours=self._hours(world, instance.directory),
        )
        moves = RecordedMoves(
            histories={present.id: tuple(self.actions)}, recent=tuple(self._moves_of_others(world, now))
        )
        return replace(whole, contacts=(present,), read=read, moves=moves), rules

    def _hours(self, world: Surroundings, directory: Directory) -> dict[HoursId, OpenTimes]:
        """Returns the hours: those that are closed have been closed since before the wait began."""
        closed = ClosedSince(self.began_at - self.age - timedelta(days=1))
        own = {queue.hours_id: world.own.get(queue.name or queue.id, True) for queue in directory.queues}
        named = {hours.id: world.hours.get(hours.name or hours.id, True) for hours in directory.hours}
        states = {**{key: state for key, state in own.items() if key is not None}, **named}
        given = {hours.id: self.given[hours.name] for hours in directory.hours if hours.name in self.given}
        return {**{key: AlwaysOpen() if state else closed for key, state in states.items()}, **given}

    def _moves_of_others(self, world: Surroundings, now: datetime) -> Iterator[Action]:
        for number in range(self.stage.limits.per_hour if world.guarded else 0):
            other = ContactId(f"other-{number}")
            contact = self.contact
            yield Action(
                kind=ActionKind.TRANSFER,
                wait=WaitKey(other, now),
                chain_id=other,
                contact_id=other,
                queue_id=QueueId(contact.queue),
                enqueued_at=now,
                rule=OTHERS,
                step=1,
                at=timedelta(),
                first=FirstAct(clock_started_at=now, queue_id=QueueId(contact.queue), waited=timedelta()),
                revision="proof",
                fingerprint="proof",
                cycle=-1,
                decided_at=now,
            )

    def _record(self, decision: RuleDecision, snapshot: Snapshot) -> None:
        """Records an act as the ledger has it once it has taken effect; a moved contact has landed at once."""
        before = decision.contact
        assert before.queue_id is not None and before.enqueued_at is not None, "a waiting contact has a queue"
        now, observed = snapshot.now, decision.mode != snapshot.mode
        done = action_of(decision, revision="proof", cycle=len(self.actions), now=now, observed=observed)
        if isinstance(decision, Transfer) and not done.observed:
            done = self._landed(done, decision.target, before, now)
        self.actions.append(done)

    def _landed(self, done: Action, target: Target, before: Contact, now: datetime) -> Action:
        successor = ContactId(f"{CONTACT}-{len(self.actions) + 1}")
        queue_id = target.queue_id or QueueId(f"the queue of agent {target.agent_id}")
        self._present = replace(
            before,
            id=successor,
            initial_id=done.chain_id,
            previous_id=before.id,
            initiation_method="TRANSFER",
            queue_id=queue_id,
            enqueued_at=now,
        )
        return replace(
            done,
            target=target,
            new_contact_id=successor,
            landing=Landing.QUEUED,
            landed_at=now,
            landed_queue_id=queue_id,
            landed_enqueued_at=now,
        )
