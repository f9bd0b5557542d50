"""Builds a keeper of places on a ledger in memory and a fake Connect."""

from dataclasses import dataclass, replace

import pytest

from router.execute.routing_update import AgeMeaning
from router.execute.settler import Settler
from router.followup.follow_up_call import follow_up_of
from router.followup.place_keeper import PlaceKeeper
from router.ledger import SqliteLedger
from router.model import Action, ActionKind, Contact, Details, RoutingData
from router.runtime import Runtime
from router.safety.safety import Safety
from tests.builders.contacts import NOW, act, after, contact
from tests.builders.fakes import FakeClock, FakeConnect, FakePacer, InlineThreads
from tests.builders.instance import DIRECTORY, OVERFLOW, to

BEFORE = RoutingData(priority=5)


@dataclass
class Bench:
    """A keeper, and everything that it works with."""

    keeper: PlaceKeeper
    ledger: SqliteLedger
    connect: FakeConnect
    pacer: FakePacer
    clock: FakeClock
    safety: Safety
    settler: Settler

    def moved(self, contact_id: str = "c2") -> tuple[Contact, Action]:
        """Moves a contact that has waited an hour, and lands it; returns it with its follow-up, which is due."""
        old = contact("c1", waited=60)
        new = replace(after(old, contact_id), enqueued_at=self.clock.now(), details=Details(priority=5))
        self.connect.show(new)
        moved = self.ledger.record(
            act(old, target=to(OVERFLOW), new_contact_id=new.id, before=BEFORE, landed_at=self.clock.now(),
                landed_queue_id=new.queue_id, landed_enqueued_at=new.enqueued_at)
        )  # fmt: skip
        due = follow_up_of(moved, ActionKind.RESTORE_PLACE, now=self.clock.now())
        written = self.ledger.land(moved, follow_ups=[due])
        self.keeper.watch(written)
        (due,) = written
        return new, due

    def look(self, keeper: PlaceKeeper | None = None) -> None:
        """Makes every look that is due."""
        for each in (keeper or self.keeper).looks():
            each.make()

    def only(self) -> Action:
        """Returns the only follow-up that the ledger has."""
        (one,) = [one for one in self.ledger.history() if one.parent is not None]
        return one


@pytest.fixture
def bench():
    clock = FakeClock(NOW)
    ledger = SqliteLedger.in_memory("instance-1")
    connect, pacer = FakeConnect(clock), FakePacer()
    safety = Safety.open(ledger, clock, unlanded=10, skew=lambda: None, directory=lambda: DIRECTORY)
    ages = AgeMeaning()
    settler = Settler(ledger=ledger, safety=safety, ages=ages, clock=clock, moved=lambda move, age: None)
    keeper = PlaceKeeper(
        enabled=True, reader=connect, mover=connect, pacer=pacer, ledger=ledger, safety=safety, settler=settler,
        runtime=Runtime(clock=clock, workers=1, pool=InlineThreads()),
    )  # fmt: skip
    yield Bench(keeper, ledger, connect, pacer, clock, safety, settler)
    ledger.close()
