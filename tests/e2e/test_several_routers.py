"""Runs parts of several routers in one process, on one table and one contact centre."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta

import pytest

from router.daemon import standby_check
from router.daemon.compose import build
from router.daemon.daemon import Daemon
from router.daemon.leadership import Leadership
from router.daemon.once import run_once
from router.daemon.router import OBSERVERS_PART
from router.daemon.scheduling import Jobs
from router.daemon.status import status_of
from router.daemon.systemd import Notifier
from router.inspect.iam_policy import reading_operations
from router.ledger.errors import LedgerUnavailable
from router.ledger.shared.lease import LEASE, Lease
from router.ledger.shared.ledger import SharedLedger
from router.ledger.shared.table import DynamoTable
from router.model import ActionKind, ActionState
from router.resources import Shared
from router.rules.load import load_rules
from router.rules.rule import Mode
from tests.builders import tables
from tests.builders.losing import LosingProxy
from tests.e2e.test_breaches import HELD
from tests.e2e.test_service_following import TO_AGENT

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
        self.table = DynamoTable(tables.client_of(self.proxy.endpoint), centre.folder.name.replace("_", "-"))
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
        return Leadership(shared=store, candidate=True, clock=self.centre.clock)

    def app(self, store, *, mode=Mode.ENFORCE, standby=False, **overrides):
        model = self.centre.router(**overrides)
        app = build(
            model.settings,
            load_rules(self.centre.folder / "rules"),
            mode=mode,
            clock=self.centre.clock,
            shared=store,
            standby=standby,
        )
        self.centre.end(model)
        return app

    def take(self, store, other):
        """Makes ``store`` the next to work, while ``other`` has the lease and does not know it."""
        self.table.remove(self.centre.sandbox.instance_id, [LEASE])
        assert store.lease.try_to_hold()
        store.ledger.take_over()


@pytest.fixture
def fleet(centre):
    with ExitStack() as stack:
        yield Fleet(centre, stack.enter_context(tables.moto()), stack)


def test_a_pass_whose_turn_is_over_ends(fleet, centre, events):
    """Leaves what it moved to the router that has taken over, which follows it."""
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


def test_a_router_that_takes_over_reports_the_contacts_that_the_other_one_left_with_an_agent(fleet, centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    one, other = fleet.store("one"), fleet.store("other")
    fleet.take(one, other)
    app = fleet.app(one, rules=TO_AGENT)
    app.names.load()
    app.cycle.run(until=None)
    for _ in range(12):
        centre.clock.travel(timedelta(seconds=15))
        app.follower.look()
    centre.world.set_status("supervisor.one", "Offline")
    app.stop()
    app.close()

    centre.clock.travel(timedelta(minutes=11))
    fleet.take(other, one)
    app = fleet.app(other, rules=TO_AGENT)
    app.names.load()
    app.follower.resume()
    app.cycle.report_stranded()
    app.stop()
    app.close()

    [stranded] = [line for line in events if line["event"] == "contact.stranded"]
    assert (stranded["to_agent"], stranded["log_level"]) == ("supervisor.one", "warning")


def test_a_router_that_takes_over_does_not_log_a_breach_again(fleet, centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    one, other = fleet.store("one"), fleet.store("other")
    for store, before in ((one, other), (other, one), (one, other)):
        fleet.take(store, before)
        app = fleet.app(store, rules=HELD)
        app.names.load()
        for _ in range(3):
            app.cycle.run(until=None)
        app.stop()
        app.close()
    assert [line["event"] for line in events].count("contact.breached") == 1


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


class Held:
    """Wraps a part of a router, of which one method waits."""

    def __init__(self, inner, method, wait):
        self._inner, self._method, self._wait = inner, method, wait

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if name != self._method:
            return found

        def waiting(*given, **named):
            self._wait()
            return found(*given, **named)

        return waiting


def test_a_call_that_was_left_behind_settles_nothing_in_the_next_turn(fleet, centre, monkeypatch):
    """Loses the lease for a moment and gets it again: the same process works, and an earlier worker wakes up."""
    monkeypatch.setattr("router.daemon.router.END_WITHIN", 0.2)
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    store = fleet.store("one")
    store.lease.try_to_hold()
    store.ledger.take_over()
    first = fleet.app(store)
    assert first.names.load() is None
    reading, go_on = threading.Event(), threading.Event()

    def hang():
        reading.set()
        go_on.wait(20)

    first.executor.attempts.reader = Held(first.executor.attempts.reader, "describe", hang)
    cycle = first.pool.submit(lambda: first.cycle.run(until=None))
    assert reading.wait(10)
    first.stop()
    first.close()

    second = fleet.app(store)
    assert second.names.load() is None

    def as_it_wakes_up():
        go_on.set()
        cycle.exception(timeout=20)

    attempts = second.executor.recovery.attempts
    attempts.mover = Held(attempts.mover, "transfer", as_it_wakes_up)
    second.cycle.run(until=None)

    assert [one.contact_id for one in centre.world.transfers] == [contact]
    assert [one.state for one in store.ledger.history()] == [ActionState.ACTED]
    second.stop()
    second.close()


def test_turns_leave_no_descriptors_behind(fleet, centre):
    store = fleet.store("one")
    store.lease.try_to_hold()
    store.ledger.take_over()
    model = centre.router()
    rules = load_rules(centre.folder / "rules")

    def turn():
        app = build(model.settings, rules, mode=Mode.ENFORCE, clock=centre.clock, shared=store)
        assert app.names.load() is None
        app.stop()
        app.close()

    turn()
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    gc.disable()  # what is collected now and then is open until then
    try:
        for _ in range(8):
            turn()
        after = len(os.listdir("/proc/self/fd"))
    finally:
        gc.enable()
    assert after - before < 4


def test_a_place_is_not_given_back_without_the_lease(fleet, centre):
    """Makes no call although the ledger still takes what this router writes: its turn may be over."""
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    store = fleet.store("one")
    store.lease.try_to_hold()
    store.ledger.take_over()
    app = fleet.app(store, **{"execute.keep_place": True})
    assert app.names.load() is None
    app.cycle.run(until=None)
    assert len(centre.world.transfers) == 1
    store.ledger.trusted = lambda: False
    for _ in range(6):
        centre.clock.travel(timedelta(seconds=1))
        with suppress(LedgerUnavailable):
            app.follower.look()
    calls = app.connection.calls().get("UpdateContactRoutingData", 0)
    app.stop()
    app.close()
    assert calls == 0
    (due,) = [one for one in store.ledger.history() if one.kind is ActionKind.RESTORE_PLACE]
    assert (due.open, due.sent_at) == (True, None), "not begun"


@contextmanager
def standing_by(app):
    """Runs a standby router's daemon on a thread, as ``Leadership`` does, until the block ends."""
    daemon = Daemon(app, notifier=Notifier(None), reload=lambda: None, needed=reading_operations)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        yield daemon
    finally:
        daemon.stop()
        thread.join(15)
        assert not thread.is_alive()


def calls_of(app):
    return {operation: count for operation, count in app.connection.calls().items() if count}


class Recorded:
    """Records the work that a daemon gives to its threads, which the test runs itself."""

    def __init__(self, app, monkeypatch):
        self.app = app
        self.jobs: list[Jobs] = []
        self.work: list[tuple[Callable[..., object], dict[str, object]]] = []
        monkeypatch.setattr(app.runtime.pool, "submit", lambda work, **given: self.work.append((work, given)))
        monkeypatch.setattr(Jobs, "start", lambda jobs: self.jobs.append(jobs))

    def run_all(self):
        while self.work:
            work, given = self.work.pop()
            assert work != self.app.acting.run, "it decides"
            work(**given)


def pass_time(app, passed, monkeypatch):
    """Lets the waits for quotas pass on the injected clock."""

    def wait(_condition, seconds):
        passed[0] += seconds

    monkeypatch.setattr(app.connection.quotas, "_wait", wait)


def test_a_standby_router_leaves_the_quotas_to_the_active_one(fleet, centre, events, monkeypatch):
    """Lets 75 minutes of polls pass on an injected clock."""
    for _ in range(5):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    store, passed = fleet.store("two"), [0.0]
    monkeypatch.setattr(centre.clock, "monotonic", lambda: passed[0])
    app = fleet.app(store, mode=Mode.OBSERVE, standby=True)
    pass_time(app, passed, monkeypatch)
    recorded = Recorded(app, monkeypatch)
    daemon = Daemon(app, notifier=Notifier(None), reload=lambda: None, needed=reading_operations)
    assert app.names.load() is None
    daemon._start_threads()
    searches = []
    for _ in range(300):
        daemon._stand_by()
        recorded.run_all()
        searches.append(calls_of(app)["SearchContacts"])
        passed[0] += 15
    app.stop()
    app.close()

    assert recorded.jobs == [], "it polls"
    assert (searches[0], searches[220], searches[-1]) == (1, 1, 2), "one check of the permission an hour"
    assert not {"cycle.finished", "cycle.late", "contact.would_transfer"} & {line["event"] for line in events}


def test_the_status_of_a_standby_router_shows_no_cycle(fleet, events):
    store = fleet.store("two")
    app = fleet.app(store, mode=Mode.OBSERVE, standby=True, **{"poll.every": "1s"})
    with standing_by(app):
        store.ledger.look()
        until(lambda: status_of(app)["healthy"])
        status = status_of(app)
    assert (status["mode"], status["cycle"]) == ("standby", None)
    assert [line["mode"] for line in events if line["event"] == "service.started"] == ["standby"]


def test_an_observing_router_uses_a_part_of_its_share_while_another_router_works(fleet):
    working, watching = fleet.store("one"), fleet.store("two")
    watching.lease.watch()
    app = fleet.app(watching, mode=Mode.OBSERVE)
    assert app.names.load() is None
    whole = rate_of(app)

    assert working.lease.try_to_hold()
    watching.lease.watch()
    app.share_quotas()
    part = rate_of(app)
    working.lease.release()
    watching.lease.watch()
    app.share_quotas()
    again = rate_of(app)
    app.stop()
    app.close()

    assert part == pytest.approx(whole * OBSERVERS_PART)
    assert again == whole


def test_an_observing_router_begins_with_its_part_and_a_working_one_with_its_whole_share(fleet):
    working, watching = fleet.store("one"), fleet.store("two")
    assert working.lease.try_to_hold()
    working.ledger.take_over()
    watching.lease.watch()
    apps = [fleet.app(working), fleet.app(watching, mode=Mode.OBSERVE)]
    assert [app.names.load() for app in apps] == [None, None]
    for app in apps:
        app.share_quotas()
    rates = [rate_of(app) for app in apps]
    for app in apps:
        app.stop()
        app.close()

    assert rates[1] == pytest.approx(rates[0] * OBSERVERS_PART)


def rate_of(app):
    return app.connection.quotas.snapshot()["ListQueues"].full_rate


def test_a_standby_router_that_cannot_read_the_ledger_is_unhealthy(fleet, centre):
    store = fleet.store("two")
    app = fleet.app(store, mode=Mode.OBSERVE, standby=True, **{"poll.every": "1s"})
    with standing_by(app):
        store.ledger.look()
        until(lambda: status_of(app)["healthy"])
        centre.clock.travel(timedelta(seconds=10))
        until(lambda: not status_of(app)["healthy"])
        store.ledger.look()
        until(lambda: status_of(app)["healthy"])


def test_a_standby_router_reports_a_permission_that_it_will_lack(fleet, centre, events):
    centre.world.faults.add("access_denied", "SearchContacts", count=1)
    app = fleet.app(fleet.store("two"), mode=Mode.OBSERVE, standby=True)
    with standing_by(app):
        until(lambda: any(line["event"] == "api.denied" for line in events))
    (told,) = [line for line in events if line["event"] == "api.denied"]
    assert told["operation"] == "SearchContacts"


def test_a_standby_router_whose_credentials_are_refused_is_unhealthy_until_they_are_renewed(
    fleet, centre, events, monkeypatch
):
    assert standby_check.REFUSED_CHECK_EVERY < standby_check.CHECK_EVERY
    monkeypatch.setattr(standby_check, "REFUSED_CHECK_EVERY", timedelta(seconds=1))
    store = fleet.store("two")
    app = fleet.app(store, mode=Mode.OBSERVE, standby=True)
    refused = centre.world.faults.add("expired_credentials", "SearchContacts")
    with standing_by(app):
        store.ledger.look()
        until(lambda: status_of(app)["credentials_refused"])
        assert not status_of(app)["healthy"]
        refused.count = 0
        until(lambda: not status_of(app)["credentials_refused"])
    assert "api.denied" in {line["event"] for line in events}


def test_a_standby_router_checks_names_and_permissions_again_from_time_to_time(fleet, centre, monkeypatch):
    assert timedelta(hours=1) <= standby_check.CHECK_EVERY
    monkeypatch.setattr(standby_check, "CHECK_EVERY", timedelta(seconds=2))
    app = fleet.app(fleet.store("two"), mode=Mode.OBSERVE, standby=True)
    with standing_by(app):
        until(lambda: "SearchContacts" in calls_of(app))
        names = calls_of(app)["ListContactFlows"]
        until(lambda: calls_of(app)["SearchContacts"] == 2)
        assert calls_of(app)["ListContactFlows"] > names


def test_a_check_that_fails_is_logged_and_ends_nothing(fleet, centre, events):
    app = fleet.app(fleet.store("two"), mode=Mode.OBSERVE, standby=True)

    def needed(_ruleset):
        raise KeyError

    daemon = Daemon(app, notifier=Notifier(None), reload=lambda: None, needed=needed)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    until(lambda: any(line["event"] == "lease.check_failed" for line in events))
    assert thread.is_alive()
    daemon.stop()
    thread.join(15)
