"""Searches that take long, or are made in vain, and what acting makes of them."""

import threading
import time
from datetime import timedelta

from router.connect.answers import Rejected
from tests.e2e.centre import LATE_RULE
from tests.e2e.test_daemon import running, until

HOUR = timedelta(hours=1)


class SlowSearch:
    """From the second search on the first page takes its time, as behind other users of the account's quota."""

    def __init__(self, reader, seconds):
        self.reader, self.seconds, self.began = reader, seconds, None
        self.searches = 0

    def search(self, **asked):
        self.searches += 1
        if self.searches > 1 and self.began is None:
            self.began = time.monotonic()
            threading.Event().wait(self.seconds)
        yield from self.reader.search(**asked)


def test_a_contact_is_moved_as_it_falls_due_though_a_search_takes_longer_than_the_poll(centre, events):
    app = centre.router(**{"poll.every": "1s", "poll.sweep": "2s"})
    centre.disown(app)
    slow = app.acting.search.reader = SlowSearch(app.acting.search.reader, 12)
    centre.world.enqueue("TASK", "Billing", waited=HOUR - timedelta(seconds=8))
    with running(app):
        until(lambda: slow.began is not None, within=20)
        until(lambda: centre.world.transfers, within=30)
    [moved] = [line for line in events if line["event"] == "contact.transferred"]
    assert moved["late_s"] < 2.5, "waited for a search of other contacts"


def test_nothing_spins_while_the_credentials_are_refused(centre):
    app = centre.router(**{"poll.every": "10m", "poll.sweep": "30m"})
    centre.disown(app)
    centre.world.enqueue("TASK", "Billing", waited=HOUR - timedelta(seconds=3))
    acts: list[float] = []
    act = app.cycle.act

    def noted(**asked):
        acts.append(time.monotonic())
        return act(**asked)

    app.cycle.act = noted
    with running(app):
        until(lambda: app.connection.calls().get("SearchContacts", 0) >= 2 and acts)
        app.safety.breakers.stop_calls()
        fell_due = app.acting.waiting_list.next_at
        until(lambda: app.clock.now() > fell_due, within=20)
        del acts[:]
        threading.Event().wait(2)
        spun = len(acts)
    assert spun <= 10, f"decided on nothing {spun} times in 2 s"


def test_names_read_again_do_not_begin_everything_anew(centre):
    """Each ``poll.sweep``: else the gate is shut off, and no cycle complete, until all is searched once more."""
    app = centre.router(**{"poll.every": "5s", "poll.sweep": "30m"})
    centre.world.enqueue("TASK", "Billing", waited=HOUR / 2)

    def poll():
        before = app.connection.calls().get("SearchContacts", 0)
        app.acting.poll(until=time.monotonic() + 5, every=timedelta(seconds=5))
        return app.connection.calls().get("SearchContacts", 0) - before

    assert poll() == 2  # everything: 90 days are two spans
    assert poll() == 0
    assert app.names.refresh() is None
    assert app.acting._seen.complete
    assert poll() == 0, "nothing has changed, and everything is searched again"


class OneBad:
    """A contact of which reading is refused."""

    def __init__(self, reader, bad):
        self.reader, self.bad, self.asked = reader, bad, []

    def describe(self, contact_id):
        self.asked.append(contact_id)
        if contact_id == self.bad:
            return Rejected(code="InvalidRequestException", message="a test", status=400)
        return self.reader.describe(contact_id)


def test_a_held_task_that_cannot_be_read_keeps_no_others_from_being_confirmed(centre):
    full = LATE_RULE.replace('"Billing Overflow" }', '"Billing Overflow", slots_available = { min = 1 } }')
    app = centre.router(full)
    bad = centre.world.enqueue("TASK", "Billing", waited=3 * HOUR)
    good = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    details = app.cycle.lookup.fetcher.details
    reader = details.reader = OneBad(details.reader, bad)
    for _ in range(3):
        app.cycle.run(until=None)
    assert good in reader.asked, reader.asked


def test_a_queue_that_is_renamed_keeps_its_rules_until_a_reload(centre):
    app = centre.router()
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.set_queue("Billing", name="Invoices")
    assert app.names.refresh() is None
    app.cycle.run(until=None)
    assert [one.contact_id for one in centre.world.transfers] == [contact]
