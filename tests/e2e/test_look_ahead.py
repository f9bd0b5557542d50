"""The daemon acts at the instant at which something falls due, not at the next poll."""

from datetime import timedelta

import pytest

from router.sandbox import Behaviours
from tests.e2e.centre import LATE_RULE
from tests.e2e.test_daemon import running, until
from tests.e2e.test_hours import daily

HOUR = timedelta(hours=1)


@pytest.fixture
def service(centre):
    """Returns a router that polls once in ten minutes, so that no poll causes what else happens."""
    app = centre.router(**{"poll.every": "10m", "poll.sweep": "30m"})
    centre.disown(app)
    return app


def test_a_contact_is_moved_as_it_falls_due_though_the_next_poll_is_minutes_away(centre, service, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=HOUR - timedelta(seconds=4))
    with running(service):
        until(lambda: centre.world.transfers, within=60)
    assert [transfer.contact_id for transfer in centre.world.transfers] == [contact]
    [moved] = [line for line in events if line["event"] == "contact.transferred"]
    assert 0 <= moved["late_s"] < 2.5, "waited for something else than its instant"
    assert service.connection.calls()["SearchContacts"] == 2  # the first look at everything: 90 days are two spans


def test_the_steps_of_a_ladder_are_each_acted_on_at_their_instant(centre, events):
    ladder = LATE_RULE.replace("[[rule.step]]", '[[rule.step]]\nat = "breach - 2s"\nwarn = "soon"\n[[rule.step]]')
    app = centre.router(ladder, **{"poll.every": "10m", "poll.sweep": "30m"})
    centre.disown(app)
    centre.world.enqueue("EMAIL", "Billing", waited=HOUR - timedelta(seconds=5))
    with running(app):
        until(lambda: centre.world.transfers, within=60)
    told = [line["event"] for line in events if line["event"] in ("contact.warned", "contact.transferred")]
    assert told == ["contact.warned", "contact.transferred"]


def test_a_contact_that_waits_for_a_place_of_its_flow_is_moved_as_another_lands(centre, events):
    app = centre.router(**{"poll.every": "10m", "poll.sweep": "30m", "guard.unlanded": 1})
    centre.disown(app)
    contacts = {centre.world.enqueue("TASK", "Billing", waited=2 * HOUR) for _ in range(3)}
    with running(app):
        until(lambda: len(centre.world.transfers) == 3, within=60)
    assert {transfer.contact_id for transfer in centre.world.transfers} == contacts


def test_contacts_are_moved_in_the_order_of_urgency_although_others_land_in_the_middle_of_a_round(
    centre, events, monkeypatch
):
    """Makes a contact land after each refusal, before the round has ended."""
    slots = {"guard.unlanded": 2, "guard.unlanded_max": 2, "execute.workers": 1}
    app = centre.router(**{"poll.every": "10m", "poll.sweep": "30m"}, **slots)
    centre.disown(app)
    contacts = [centre.world.enqueue("TASK", "Billing", waited=(20 - number) * HOUR) for number in range(10)]
    take, refused = app.safety.slots.take, []

    def refuses_until_another_lands(flow, contact_id):
        taken = take(flow, contact_id)
        if not taken:
            refused.append(contact_id)
            until(lambda: app.safety.slots.taken(flow) < 2)
        return taken

    for patience in ("stragglers.SLOW", "workers.PATIENCE", "workers.BRIEF_PATIENCE"):
        monkeypatch.setattr(f"router.execute.{patience}", 60.0)
    monkeypatch.setattr(app.safety.slots, "take", refuses_until_another_lands)
    with running(app):
        until(lambda: len(centre.world.transfers) == len(contacts), within=60)
    assert [contacts.index(transfer.contact_id) for transfer in centre.world.transfers] == list(range(10))
    assert refused


def test_a_contact_that_the_router_moved_is_known_in_its_new_queue_before_any_search_shows_it(centre, events):
    """Makes its next step due there, before the next poll."""
    rules = LATE_RULE.replace("[defaults]", '[defaults]\nguard = { cooldown = "1s" }')
    rules += """
[[rule]]
name = "on"
match.queue = "Billing Overflow"
[[rule.step]]
at = "2s"
to = [{ queue = "General" }]
"""
    app = centre.router(rules, **{"poll.every": "10m", "poll.sweep": "30m"})
    centre.disown(app)
    first = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    with running(app):
        until(lambda: len(centre.world.transfers) == 2, within=60)
    assert centre.world.queue_of(centre.world.latest(first).id) == "General"
    assert app.connection.calls()["SearchContacts"] == 4  # the queue with something late first, then the others


@pytest.mark.parametrize("behaviours", [Behaviours(index_lag=timedelta(seconds=3))])
def test_every_poll_ends_a_cycle_and_tells_it_and_the_service_ends_the_last(centre, events, behaviours):
    app = centre.router(**{"poll.every": "1s"})
    centre.disown(app)
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    with running(app):
        until(lambda: sum(line["event"] == "cycle.finished" for line in events) >= 5, within=60)
    cycles = [line for line in events if line["event"] == "cycle.finished"]
    assert [line["cycle"] for line in cycles] == list(range(1, len(cycles) + 1))
    assert sum(line["transferred"] for line in cycles) == 1
    moved = next(line for line in events if line["event"] == "contact.transferred")
    assert next(line for line in cycles if line["transferred"])["cycle"] == moved["cycle"]
    assert [line["event"] for line in events][-1] == "service.stopped"


def test_a_reading_right_before_a_move_comes_before_all_others(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    asked, acquire = [], app.connection.quotas.acquire

    def noting(operation, **arguments):
        asked.append((operation, arguments.get("urgent", True)))
        return acquire(operation, **arguments)

    app.connection.quotas.acquire = noting
    app.cycle.run(until=None)
    assert [urgent for operation, urgent in asked if operation == "DescribeContact"] == [True]
    asked.clear()
    centre.land(app)
    assert {urgent for operation, urgent in asked if operation == "DescribeContact"} == {False}


def test_deciding_that_takes_longer_than_a_poll_leaves_as_long_for_acting(centre, monkeypatch):
    """Decides slowly, as with many contacts and rules: otherwise cycle after cycle would end with nothing sent."""
    app = centre.router()
    decide = app.cycle.lookup.decide
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)

    def slowly(*given, **named):
        while app.clock.monotonic() < over + 0.5:
            pass
        return decide(*given, **named)

    monkeypatch.setattr(app.cycle.lookup, "decide", slowly)
    over = app.clock.monotonic() + 0.5
    app.acting.poll(until=over, every=timedelta(seconds=1))
    app.acting._step()

    assert len(centre.world.transfers) == 1


def test_what_is_held_as_closed_is_moved_at_the_opening_though_the_next_poll_is_minutes_away(centre, events):
    centre.clock.travel(timedelta(seconds=(54 - centre.clock.now().second) % 60))
    opens = daily(centre.clock.now() + timedelta(minutes=1), opens=timedelta(0), closes=4 * HOUR)
    centre.world.add_hours("Office", week=opens)
    rules = LATE_RULE.replace('target = "1h"', 'target = "1h"\nhours = "Office"')
    app = centre.router(rules, **{"poll.every": "10m", "poll.sweep": "30m"})
    centre.disown(app)
    contact = centre.world.enqueue("TASK", "Billing", waited=72 * HOUR)
    with running(app):
        until(lambda: centre.world.transfers, within=60)
    assert [transfer.contact_id for transfer in centre.world.transfers] == [contact]
    told = [line["event"] for line in events if line["event"] in ("contact.held", "contact.transferred")]
    assert told == ["contact.held", "contact.transferred"]
