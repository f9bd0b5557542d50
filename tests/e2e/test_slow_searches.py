"""Checks what acting does while searches take long, or are made without success."""

import threading
import time
from datetime import timedelta

from router.connect.answers import Rejected
from tests.e2e.centre import LATE_RULE
from tests.e2e.test_daemon import running, until

HOUR = timedelta(hours=1)


class SlowSearch:
    """Searches like ``reader``. From the second search on, the first page takes until ``end`` is set."""

    def __init__(self, reader):
        self.reader, self.began, self.end = reader, threading.Event(), threading.Event()
        self.searches = 0

    def search(self, **arguments):
        self.searches += 1
        if self.searches > 1:
            self.began.set()
            self.end.wait(60)
        yield from self.reader.search(**arguments)


def test_a_contact_is_moved_as_it_falls_due_during_a_search_that_takes_longer_than_the_poll(centre):
    app = centre.router(**{"poll.every": "1s", "poll.sweep": "2s"})
    centre.disown(app)
    slow = app.acting.search.reader = SlowSearch(app.acting.search.reader)
    centre.world.enqueue("TASK", "Billing", waited=HOUR - timedelta(minutes=10))
    with running(app):
        try:
            assert slow.began.wait(30)
            threading.Event().wait(1.5)  # longer than a poll
            centre.clock.travel(timedelta(minutes=10))
            app.acting.wake()
            until(lambda: centre.world.transfers, within=30)
            assert not slow.end.is_set(), "waited for a search of other contacts"
        finally:
            slow.end.set()


def test_nothing_spins_while_the_credentials_are_refused(centre):
    app = centre.router(**{"poll.every": "10m", "poll.sweep": "30m"})
    centre.disown(app)
    centre.world.enqueue("TASK", "Billing", waited=HOUR - timedelta(minutes=10))
    acts: list[float] = []
    act = app.cycle.act

    def noted(**arguments):
        acts.append(time.monotonic())
        return act(**arguments)

    app.cycle.act = noted
    with running(app):
        until(lambda: app.connection.calls().get("SearchContacts", 0) >= 2 and acts)
        app.safety.breakers.stop_calls()
        centre.clock.travel(timedelta(minutes=10))
        app.acting.wake()
        del acts[:]
        threading.Event().wait(1)
        spun = len(acts)
    assert spun <= 5, f"decided on nothing {spun} times in a second"


def test_names_read_again_do_not_begin_everything_anew(centre):
    """Reads them each ``poll.sweep``. Otherwise no cycle would be complete until everything is searched again."""
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
    """Reads like ``reader``, except that reading the contact ``bad`` is refused."""

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
