"""A change of rules, limits or pauses is obeyed by every call that begins after it was reported to be in force."""

import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from router.daemon.control import operator
from router.daemon.control.operator import Operator
from router.daemon.control.protocol import Peer, Request
from router.daemon.reload import reload
from router.rules.load import load_rules
from router.settings import load_settings
from tests.e2e.centre import LATE_RULE, reloaded
from tests.e2e.test_daemon import running, until

HOUR = timedelta(hours=1)
DUE = 30
SOME = 3
PACED = {"poll.every": "60s", "quotas.TransferContact": {"rate": 10, "burst": 1}, "guard.unlanded": 1000}
"""Far more time than a test takes until the next poll, and a quota that spreads the moves of one round over 3 s."""
ROOT = Peer(pid=1, uid=0, gid=0)

BUMPING = LATE_RULE.replace('to = [{ queue = "Billing Overflow" }]', "routing = { priority = 1 }")


def overflow_off(centre):
    path = centre.folder / "rules" / "10-test.toml"
    if 'mode = "off"' not in path.read_text():
        path.write_text(path.read_text().replace('name = "late"', 'name = "late"\nmode = "off"'))
    return path.parent


def switch_off(centre, app):
    assert reloaded(app, overflow_off(centre)) == ()


def pause_the_rule(centre, app):
    desk_reply(centre, app, "pause")


def lower_the_limit(centre, app):
    """Allows one move an hour, which the moves so far have used up."""
    config = centre.folder / "config.toml"
    overrides = {key: value for key, value in PACED.items() if key != "poll.every"}
    lowered = load_settings(config, environ={}, overrides={**overrides, "guard.per_hour": 1})
    settings = app.settings.model_copy(update={"guard": lowered.guard})
    settings.__pydantic_private__ = app.settings.__pydantic_private__
    assert reload(app, lambda: (settings, load_rules(centre.folder / "rules"))) == ()


def desk_reply(centre, app, by):
    if by == "reload":
        reloader: Any = SimpleNamespace(reload=lambda: reloaded(app, overflow_off(centre)), ineffective=())
        return operator._Reload(app, reloader).answer({}, ROOT)
    arguments = {"kind": "rule", "name": "late", "for_s": 600, "comment": "a test"}
    return Operator(app).pause(arguments, ROOT)


@pytest.fixture
def many(centre):
    for _ in range(DUE):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    return centre


@pytest.mark.parametrize("change", [switch_off, pause_the_rule, lower_the_limit])
def test_no_move_follows_a_change_that_returned(many, events, change):
    app = many.router(**PACED)
    many.disown(app)
    with running(app):
        until(lambda: len(many.world.transfers) >= SOME)
        change(many, app)
        moved = len(many.world.transfers)
        time.sleep(1.5)
        assert SOME <= moved < DUE
        assert len(many.world.transfers) == moved


def test_rules_that_were_put_in_force_act_at_once_and_not_at_the_next_poll(many, events):
    app = many.router(**PACED)
    many.disown(app)
    with running(app):
        until(lambda: len(many.world.transfers) >= SOME)
        path = many.folder / "rules" / "10-test.toml"
        path.write_text(path.read_text().replace('queue = "Billing Overflow"', 'queue = "General"'))
        assert reloaded(app, path.parent) == ()
        moved = len(many.world.transfers)
        until(lambda: len(many.world.transfers) == DUE)
        until(lambda: len(many.world.waiting("General")) == DUE - moved)
        assert len(many.world.waiting("Billing Overflow")) == moved


def test_a_call_under_way_ends_before_the_change_is_reported(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(**PACED)
    centre.disown(app)
    called = threading.Event()

    def slowly(params):
        called.set()
        time.sleep(1.0)

    centre.sandbox.before("TransferContact", slowly)
    with running(app):
        assert called.wait(10)
        switch_off(centre, app)
        assert len(centre.world.transfers) == 1


def loaded(events):
    return [line for line in events if line["event"] == "rules.loaded"][-1]


@pytest.mark.parametrize("by", ["pause", "reload"])
def test_a_call_that_hangs_is_named_in_the_reply(centre, events, monkeypatch, by):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(**PACED)
    centre.disown(app)
    monkeypatch.setattr("router.daemon.router.CALLS_END_WITHIN", 0.1)
    called, over = threading.Event(), threading.Event()

    def hangs(params):
        called.set()
        assert over.wait(20)

    centre.sandbox.before("TransferContact", hangs)
    with running(app):
        try:
            assert called.wait(10)
            reply = desk_reply(centre, app, by)
        finally:
            over.set()
        assert reply["under_way"] == [{"operation": "TransferContact", "contact_id": contact}]
        if by == "reload":
            assert loaded(events)["under_way"] == reply["under_way"]
        until(lambda: len(centre.world.transfers) == 1)
        assert desk_reply(centre, app, by)["under_way"] == []
        assert by == "pause" or "under_way" not in loaded(events)


@pytest.mark.parametrize("rules", [LATE_RULE, BUMPING])
def test_a_change_while_the_contact_is_read_comes_before_its_call(centre, events, rules):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(rules, **PACED)
    changed: list[bool] = []

    def once(params):
        if not changed:
            changed.append(True)
            switch_off(centre, app)

    centre.sandbox.before("DescribeContact", once)
    app.cycle.run(until=None)
    assert changed
    assert not centre.world.transfers
    assert centre.world.contact(contact).priority == 5


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_no_warning_and_no_observation_of_a_rule_that_was_switched_off(centre, events, mode):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    rules = LATE_RULE.replace('to = [{ queue = "Billing Overflow" }]', 'warn = "late"')
    app = centre.router(rules.replace('name = "late"', f'name = "late"\nmode = "{mode}"'), **PACED)
    changed: list[bool] = []

    def once(params):
        if not changed:
            changed.append(True)
            path = centre.folder / "rules" / "10-test.toml"
            path.write_text(path.read_text().replace(f'mode = "{mode}"', 'mode = "off"'))
            assert reloaded(app, path.parent) == ()

    centre.sandbox.before("DescribeContact", once)
    app.cycle.run(until=None)
    assert changed
    assert [line for line in events if line["event"] == "contact.warned"] == []


def test_the_service_returns_the_files_of_the_rules_in_force(many):
    app = many.router(**PACED)
    desk = operator.desk_of(app, SimpleNamespace(reload=lambda: ()))  # type: ignore[arg-type]
    (source,) = desk.handle(Request(command="rules"), ROOT).result["sources"]
    assert source[1] == (many.folder / "rules" / "10-test.toml").read_text()
