"""Parts of several routers in one process, on one table and one contact centre."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import timedelta

import pytest

from router.ledger.shared.lease import LEASE, Lease
from router.ledger.shared.ledger import SharedLedger
from router.ledger.shared.table import Table
from router.rules.load import load_rules
from router.rules.rule import Mode
from router.service.app import build
from router.service.once import run_once
from router.service.stores import Shared
from router.service.turns import Turns
from tests.builders import tables
from tests.builders.losing import LosingProxy

HOUR = timedelta(hours=1)


def until(condition, within=15.0):
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.02)


class Fleet:
    def __init__(self, centre, endpoint, stack):
        self.centre = centre
        self.stack = stack
        self.proxy = stack.enter_context(LosingProxy(endpoint))
        self.table = Table(tables.client_of(self.proxy.endpoint), "connect-router")
        self.table.create()

    def store(self, name):
        centre = self.centre
        instance = centre.sandbox.instance_id
        lease = Lease(self.table, instance, name=name, monotonic=centre.clock.monotonic, now=centre.clock.now)
        ledger = SharedLedger.open_shared(
            self.table, instance_id=instance, name=name, keep=timedelta(days=120), clock=centre.clock.now
        )
        ledger.trusted = lambda: lease.held
        self.stack.callback(ledger.close)
        return Shared(ledger=ledger, lease=lease)

    def turns(self, store):
        return Turns(shared=store, candidate=True, clock=self.centre.clock)

    def app(self, store, *, mode=Mode.ENFORCE, **overrides):
        model = self.centre.router(**overrides)
        app = build(
            model.settings, load_rules(self.centre.folder / "rules"), mode=mode, clock=self.centre.clock, shared=store
        )
        self.centre.end(model)
        return app

    def take(self, store, other):
        """``store`` is the next to work, while ``other`` has the lease and does not know it."""
        self.table.remove(self.centre.sandbox.instance_id, [LEASE])
        assert store.lease.try_to_hold()
        store.ledger.take_over()


@pytest.fixture
def fleet(centre):
    with ExitStack() as stack:
        yield Fleet(centre, stack.enter_context(tables.moto()), stack)


def test_a_pass_whose_turn_is_over_ends(fleet, centre, events):
    """What it moved is followed by the router that has taken over."""
    centre.world.set_flow("Overflow to queue", outcome="never")
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    one, other = fleet.store("one"), fleet.store("other")
    passes = []

    def once():
        with fleet.turns(one).one_pass() as ends:
            app = fleet.app(one)
            ends(app.stop)
            passes.append(run_once(app))

    thread = threading.Thread(target=once, daemon=True)
    thread.start()
    until(lambda: any(line["event"] == "contact.transferred" for line in events))
    fleet.take(other, one)
    thread.join(10)
    ended = not thread.is_alive()
    failures = sum(line["event"] == "ledger.failed" for line in events)
    other.lease.release()  # so that the thread ends in any case
    assert ended
    assert failures < 5
    (done,) = passes
    assert (done.stopped, done.done) == (True, False)
    assert fleet.table.get(centre.sandbox.instance_id, LEASE) is None


def test_one_whose_lease_ran_out_does_not_work_although_nobody_has_taken_over(fleet, centre):
    store = fleet.store("one")
    store.lease.try_to_hold()
    store.ledger.take_over()
    centre.clock.travel(timedelta(seconds=11))

    app = fleet.app(store, mode=Mode.OBSERVE)
    working = app.working
    app.stop()
    app.close()

    assert store.ledger.holding
    assert not working
