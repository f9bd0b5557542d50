"""Checks that renewed credentials and a corrected clock end a stop at once, and that the status shows the stop."""

import os
from datetime import timedelta
from types import SimpleNamespace

import pytest

from router.daemon.control.operator import desk_of
from router.daemon.control.protocol import Peer, Request
from router.daemon.prometheus import PrometheusCollector
from router.daemon.startup import InstanceWait
from router.daemon.status import status_of
from router.sandbox.faults import Refusal
from tests.e2e.centre import reloaded

HOUR = timedelta(hours=1)
RULES = """
[[rule]]
name = "late"
match.queue = "Billing"
sla.target = "1h"
step = [{ at = "breach", to = [{ queue = "Billing Overflow", flow = "Overflow to queue" }] }]
"""
SIGNATURE = "InvalidSignatureException"
EXPIRED = "Signature expired: 20261130T192645Z is now earlier than 20261130T193145Z (20261130T193645Z - 5 min.)"
EARLY = "Signature not yet current: 20261130T194645Z is still later than 20261130T194145Z (20261130T193645Z + 5 min.)"


@pytest.fixture
def keys(monkeypatch, tmp_path):
    """Takes the credentials from a file; returns the function that replaces it."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    def replace(key_id):
        new = tmp_path / "new"
        new.write_text(f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = s\naws_session_token = t\n")
        os.replace(new, tmp_path / "credentials")

    replace("AKIDOLDOLDOLDOLD")
    return replace


def healthy(app):
    (metric,) = (one for one in PrometheusCollector(app).collect() if one.name == "connect_router_healthy")
    return metric.samples[0].value


def moved(centre):
    return {one.contact_id for one in centre.world.transfers}


def test_keys_that_are_renewed_while_calls_are_stopped_start_them_at_the_next_poll(keys, centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    refused = centre.world.faults.add("expired_credentials")
    for _ in range(3):
        report = app.cycle.run(until=None)
        app.vital.cycled(report)
        assert not report.complete
        status = status_of(app)
        assert (status["healthy"], status["credentials_refused"]) == (False, True)
        assert healthy(app) == 0, "the alert ConnectRouterNoCompleteCycle rests on it"
    calls = len(centre.sandbox.calls)
    app.cycle.run(until=None)
    assert len(centre.sandbox.calls) == calls, "nothing is called with keys that are known to be refused"
    refused.count = 0
    keys("AKIDNEWNEWNEWNEW")
    report = app.cycle.run(until=None)
    app.vital.cycled(report)
    assert moved(centre) == {contact}
    status = status_of(app)
    assert (report.complete, status["healthy"], status["credentials_refused"]) == (True, True, False)
    assert healthy(app) == 1


def test_keys_that_were_renewed_before_a_refusal_hold_nothing(keys, centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()

    def refuse_the_old_ones(params):
        keys("AKIDNEWNEWNEWNEW")
        remove()
        raise Refusal("ExpiredTokenException", "The security token included in the request is expired")

    remove = centre.sandbox.before("TransferContact", refuse_the_old_ones)
    report = app.cycle.run(until=None)
    assert moved(centre) == {contact}
    assert (report.complete, dict(report.held), centre.sandbox.count("TransferContact")) == (True, {}, 2)
    assert not [line for line in events if line["event"] == "api.denied"]


def test_keys_that_are_refused_in_the_middle_of_a_cycle_leave_it_incomplete(keys, centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    centre.world.faults.add("expired_credentials", "TransferContact")
    report = app.cycle.run(until=None)
    assert (report.complete, dict(report.held)) == (False, {"denied": 1})


def test_every_due_contact_is_held_as_denied_while_calls_are_stopped(keys, centre, events):
    """Compares status, metric and log, also for contacts that fall due or become late meanwhile."""
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    later = centre.world.enqueue("TASK", "Billing", waited=HOUR - timedelta(seconds=30))
    gold = RULES.replace('"late"', '"gold"').replace('"Billing"', '"General"')
    app = centre.router(RULES + gold.replace("sla.target", 'match.attributes.tier = "gold"\nsla.target'))
    unread = centre.world.enqueue("TASK", "General", waited=2 * HOUR, attributes={"tier": "gold"})
    centre.world.faults.add("expired_credentials", "TransferContact")
    app.cycle.run(until=None)
    centre.world.faults.add("expired_credentials")
    calls = len(centre.sandbox.calls)
    for _ in range(3):
        centre.clock.travel(timedelta(minutes=1))
        app.vital.cycled(app.cycle.run(until=None))

    assert len(centre.sandbox.calls) == calls
    assert status_of(app)["held"] == {"denied": 3}
    held = next(one for one in PrometheusCollector(app).collect() if one.name == "connect_router_held")
    assert [(sample.labels, sample.value) for sample in held.samples] == [({"reason": "denied"}, 3)]
    lines = [line for line in events if line["event"] in ("contact.held", "contact.breached")]
    assert {line["reason"] for line in lines} == {"denied"}
    assert {line["contact_id"] for line in lines if line["event"] == "contact.held"} >= {later, unread}
    assert later in {line["contact_id"] for line in lines if line["event"] == "contact.breached"}


def test_keys_that_a_poll_without_a_search_finds_refused_stop_all_calls(keys, centre):
    """Makes a poll that only reads the metrics, because there is nothing to search for."""
    app = centre.router()
    every = timedelta(seconds=5)
    app.acting.poll(until=app.clock.monotonic() + 5, every=every)
    assert not status_of(app)["credentials_refused"]
    searches = centre.sandbox.count("SearchContacts")
    centre.world.faults.add("expired_credentials")
    app.acting.poll(until=app.clock.monotonic() + 5, every=every)
    assert status_of(app)["credentials_refused"]
    assert centre.sandbox.count("SearchContacts") == searches
    calls = len(centre.sandbox.calls)
    app.acting.poll(until=app.clock.monotonic() + 5, every=every)
    assert len(centre.sandbox.calls) == calls


def test_a_reload_resolves_the_keys_again(keys, centre):
    app = centre.router()
    used = app.connection.credentials.get_frozen_credentials().access_key
    app.connection.credentials._monotonic = lambda: 0.0  # no look at the files
    keys("AKIDNEWNEWNEWNEW")
    assert reloaded(app, centre.folder / "rules") == ()
    assert used == "AKIDOLDOLDOLDOLD"
    assert app.connection.credentials.get_frozen_credentials().access_key == "AKIDNEWNEWNEWNEW"


@pytest.mark.parametrize("message", [EXPIRED, EARLY], ids=["expired", "not yet current"])
@pytest.mark.parametrize("operation", ["TransferContact", "DescribeContact"])
def test_a_wrong_clock_holds_as_that_and_moving_goes_on_as_soon_as_it_is_right(centre, events, message, operation):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    refused = centre.world.faults.add("error", operation, code=SIGNATURE, message=message)
    report = app.cycle.run(until=None)
    assert dict(report.held) == {"clock_skew": 1}
    assert [line["reason"] for line in events if line["event"] == "contact.held"] == ["clock_skew"]
    assert not [line for line in events if line["event"] == "api.denied"]
    refused.count = 0
    app.cycle.run(until=None)
    assert moved(centre) == {contact}


def test_a_search_that_a_wrong_clock_refuses_is_made_again_at_the_next_poll(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    refused = centre.world.faults.add("error", code=SIGNATURE, message=EXPIRED)
    assert not app.cycle.run(until=None).complete
    degraded = [line for line in events if line["event"] == "search.degraded"]
    assert [(line["error"], line["message"]) for line in degraded] == [(SIGNATURE, EXPIRED)]
    refused.count = 0
    assert app.cycle.run(until=None).complete
    assert moved(centre) == {contact}


def test_an_update_under_a_wrong_clock_is_held_as_that(centre, events):
    rules = '[[rule]]\nname = "urgent"\nmatch.queue = "Billing"\nstep = [{ at = "1h", routing = { priority = 1 } }]\n'
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(rules)
    refused = centre.world.faults.add("error", "UpdateContactRoutingData", code=SIGNATURE, message=EXPIRED)
    assert dict(app.cycle.run(until=None).held) == {"clock_skew": 1}
    refused.count = 0
    assert app.cycle.run(until=None).reprioritized == 1
    assert centre.world.contact(contact).priority == 1


@pytest.mark.parametrize(
    ("fault", "word", "reason"),
    [
        ("expired_credentials", "failing", "AWS refuses the credentials, and no call is made"),
        ("access_denied", "starting", "the instance cannot be read: AccessDeniedException: "),
    ],
)
def test_a_start_that_cannot_read_the_instance_shows_why_and_goes_on_once_it_can(keys, centre, fault, word, reason):
    app = centre.router()
    failing = centre.world.faults.add(fault)
    assert not InstanceWait(app).until_read(before_each_wait=app.stopping.set)
    app.stopping.clear()
    status = status_of(app)
    assert (status["health"]["word"], status["healthy"]) == (word, word != "failing")
    assert status["health"]["reason"].startswith(reason)
    desk = desk_of(app, SimpleNamespace(reload=lambda: ()))  # type: ignore[arg-type]
    (refusal,) = desk.handle(Request(command="reload"), Peer(os.getpid(), os.getuid(), os.getgid())).errors
    assert "still starting: the instance cannot be read: " in refusal

    failing.count = 0
    assert InstanceWait(app).until_read(before_each_wait=lambda: None)
    app.vital.ready()
    assert (status_of(app)["credentials_refused"], status_of(app)["unread"]) == (False, None)
