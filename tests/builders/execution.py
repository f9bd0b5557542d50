"""Builds the parts that act on contacts on a ledger in memory and a fake Connect: no thread, no pause, no socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from router.cycle_context import CycleContext
from router.decide.decide import decide
from router.decide.decision import RoutingUpdate, RuleDecision, Transfer
from router.execute.attempts import Attempts, Effort, RetryPolicy
from router.execute.claims import InProgress
from router.execute.recovery import Recovery
from router.execute.routing import RoutingPerformer
from router.execute.routing_update import AgeMeaning
from router.execute.settler import Settler
from router.execute.transfer import TransferPerformer
from router.ledger import SqliteLedger
from router.lookup.details import DetailsCache
from router.model import Action, ActionKind, Contact, RoutingData
from router.rules.bound import BoundRuleSet
from router.runtime import Runtime
from router.safety.safety import Safety
from tests.builders.contacts import NOW, act, contact
from tests.builders.fakes import FakeClock, FakeConnect, FakePacer, InlineThreads
from tests.builders.instance import DIRECTORY, OVERFLOW, to
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot

T = TypeVar("T", bound=RuleDecision)

OLD = RoutingData(priority=5)
"""What a contact has of which nobody has changed the priority."""
URGENT = RoutingData(priority=2)
LADDER = """
    [[rule]]
    name = "ladder"
    match.queue = "Billing"
    [[rule.step]]
    at = "5m"
    warn = "late"
    [[rule.step]]
    at = "6m"
    routing = { priority = 2 }
    [[rule.step]]
    at = "10m"
    to = [{ queue = "Overflow" }]
"""
"""A rule of which a step of each kind is due after ten minutes."""


@dataclass
class ExecutionBench:
    """Holds everything that acts on contacts. ``moves`` are those handed on to be followed."""

    unlanded: int = 10
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    moves: list[Action] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = SqliteLedger.in_memory("instance-1")
        self.connect, self.pacer = FakeConnect(self.clock), FakePacer(self.clock)
        self.runtime = Runtime(clock=self.clock, workers=1, pool=InlineThreads())
        self.in_progress, self.details = InProgress(), DetailsCache()
        self.safety = Safety.open(
            self.ledger, self.clock, unlanded=self.unlanded, skew=lambda: None, directory=lambda: DIRECTORY
        )
        self.settler = Settler(
            ledger=self.ledger,
            safety=self.safety,
            ages=AgeMeaning(),
            clock=self.clock,
            moved=lambda action, read_age: self.moves.append(action),
        )
        self.attempts = Attempts(
            reader=self.connect,
            mover=self.connect,
            pacer=self.pacer,
            ledger=self.ledger,
            runtime=self.runtime,
            details=self.details,
            in_progress=self.in_progress,
            safety=self.safety,
            policy=RetryPolicy(attempts=4),
        )
        self.routing = RoutingPerformer(
            ledger=self.ledger,
            attempts=self.attempts,
            settler=self.settler,
            clock=self.clock,
            in_progress=self.in_progress,
        )
        self.transfer = TransferPerformer(
            ledger=self.ledger,
            attempts=self.attempts,
            safety=self.safety,
            settler=self.settler,
            clock=self.clock,
            in_progress=self.in_progress,
            routing=self.routing,
            instance_id="instance-1",
        )
        self.recovery = Recovery(
            reader=self.connect,
            ledger=self.ledger,
            attempts=self.attempts,
            safety=self.safety,
            settler=self.settler,
            in_progress=self.in_progress,
            runtime=self.runtime,
            is_open=lambda hours_id: True,
        )

    def waiting(self, contact_id: str = "c1", **others: Any) -> Contact:
        """Adds a contact to Connect that has waited an hour."""
        one = contact(contact_id, waited=60, now=self.clock.now(), **others)
        self.connect.show(one)
        return one

    def move_effort(self, contact_id: str = "c1", **others: Any) -> Effort:
        """Writes the intent of a move of a waiting contact; returns it as an effort without an end."""
        intent = act(self.waiting(contact_id), target=to(OVERFLOW), token="token", decided_at=self.clock.now())
        return Effort(self.ledger.intend(intent), None, self.safety.terms.number, **others)

    def update_effort(self, contact_id: str = "c1", *, until: float | None = None) -> Effort:
        """Writes the intent to make a waiting contact urgent; returns it as an effort."""
        intent = act(
            self.waiting(contact_id), kind=ActionKind.ROUTING, routing=URGENT, before=OLD, decided_at=self.clock.now()
        )
        return Effort(self.ledger.intend(intent), until, self.safety.terms.number)

    def decided(self, *contacts: Contact, text: str = LADDER) -> Decided:
        """Decides on the contacts as they are now."""
        bound = rules(text)
        found = decide(snapshot(*contacts, now=self.clock.now()), bound).decisions
        return Decided(bound, [one for one in found if isinstance(one, RuleDecision)])

    def move_of(self, one: Contact) -> tuple[Transfer, CycleContext]:
        """Decides to move a contact to Overflow."""
        decided = self.decided(one, text=overflow())
        return decided.only(Transfer), decided.context

    def update_of(self, one: Contact) -> tuple[RoutingUpdate, CycleContext]:
        """Decides to make a contact urgent."""
        decided = self.decided(one)
        return decided.only(RoutingUpdate), decided.context

    def close(self) -> None:
        self.safety.close()
        self.ledger.close()


@dataclass
class Decided:
    """Holds what was decided, and the rules by which it was."""

    rules: BoundRuleSet
    decisions: list[RuleDecision]

    @property
    def context(self) -> CycleContext:
        return CycleContext(cycle=7, rules=self.rules, directory=DIRECTORY)

    def only(self, kind: type[T]) -> T:
        """Returns the decision of this kind, and fails if there is not exactly one."""
        (one,) = [one for one in self.decisions if isinstance(one, kind)]
        return one
