"""Checks that rules and names in force are one set for a whole cycle, and that each change is logged once."""

import time
from datetime import timedelta

from router.daemon.reload import reload
from router.rules.load import load_rules
from tests.e2e.centre import LATE_RULE

HOUR = timedelta(hours=1)
OTHER = LATE_RULE.replace('name = "late"', 'name = "other"')


def lines(events, event):
    return [line for line in events if line["event"] == event]


def loaded(centre, text):
    path = centre.folder / "rules" / "10-test.toml"
    path.write_text(text, encoding="utf-8")
    return load_rules(path.parent)


def test_a_reload_while_names_are_read_again_is_not_undone_by_them(centre):
    app = centre.router()
    new = loaded(centre, OTHER)
    centre.sandbox.before("ListQueues", lambda params: app.names.replace_rules(new))
    assert app.names.refresh() is None
    assert [rule.name for rule in app.names.rules.rules] == ["other"]
    assert app.names.rules.revision == new.revision


def test_a_reload_in_the_midst_of_a_cycle_counts_in_that_cycle(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    new = loaded(centre, OTHER)
    centre.sandbox.before("SearchContacts", lambda params: reload(app, lambda: (app.settings, new)))
    app.cycle.run(until=None)
    [moved] = lines(events, "contact.transferred")
    assert (moved["rule"], moved["revision"]) == ("other", new.revision)
    assert lines(events, "cycle.finished")[0]["revision"] == new.revision
    assert [action.revision for action in app.ledger.history()] == [new.revision]


def test_a_name_that_means_another_id_is_told_once_and_the_old_id_stays_in_force(centre, events):
    app = centre.router()
    before = app.names.rules.rules[0].steps[0].entries[0].target
    centre.world.set_queue("Billing Overflow", name="Retired")
    centre.world.set_queue("Supervisors", name="Billing Overflow")
    for _ in range(3):
        assert app.names.refresh() is None
    assert len(lines(events, "directory.changed")) == 1
    assert app.names.rules.rules[0].steps[0].entries[0].target == before
    app.names.replace_rules(app.names.ruleset)
    assert app.names.rules.rules[0].steps[0].entries[0].target != before


def test_a_name_that_was_missing_is_bound_as_soon_as_the_instance_has_it(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(LATE_RULE.replace("Billing Overflow", "Night shift"))
    app.cycle.run(until=None)
    centre.world.add_queue("Night shift")
    assert app.names.refresh() is None
    app.cycle.run(until=None)
    assert [(one.contact_id, one.to_queue) for one in centre.world.transfers] == [(contact, "Night shift")]
    assert len(lines(events, "directory.changed")) == 1


def test_what_a_chain_has_behind_it_is_read_once_and_not_in_each_cycle(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, age=3 * HOUR, chain=3)
    app = centre.router(**{"guard.per_cycle": 1, "guard.per_hour": 1})
    centre.world.enqueue("TASK", "Billing", waited=9 * HOUR)
    for _ in range(3):
        app.cycle.run(until=None)
    assert centre.sandbox.count("ListAssociatedContacts") == 1


def test_while_connect_does_not_tell_of_one_chain_it_is_not_asked_for_the_others_in_this_cycle(centre, events):
    for _ in range(5):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, age=3 * HOUR, chain=3)
    plain = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("access_denied", "ListAssociatedContacts")
    app = centre.router()
    app.cycle.run(until=None)
    assert centre.sandbox.count("ListAssociatedContacts") == 1
    assert [one.contact_id for one in centre.world.transfers] == [plain]
    assert {line["reason"] for line in lines(events, "contact.held")} == {"unreadable"}


class SlowOnce:
    """A ledger on a disk that stalls for a moment, once."""

    def __init__(self, ledger, seconds):
        self._ledger = ledger
        self._seconds = [seconds]

    def renew(self, action):
        self._ledger.renew(action)
        time.sleep(self._seconds.pop() if self._seconds else 0)

    def __getattr__(self, name):
        return getattr(self._ledger, name)


def test_a_reading_that_grew_older_than_2_seconds_while_the_disk_stalled_is_made_anew_before_the_call(centre, events):
    centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR)
    centre.world.faults.add("throttle", "TransferContact", count=1)
    app = centre.router()
    app.executor.attempts.ledger = SlowOnce(app.ledger, 2.1)
    app.cycle.run(until=None)
    assert centre.sandbox.count("TransferContact") == 2
    assert centre.sandbox.count("DescribeContact") == 3
    assert lines(events, "contact.transferred")[0]["read_age_ms"] <= 2000


def test_every_attempt_reads_the_contact_anew(centre, events):
    contact = centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR)
    centre.world.faults.add("throttle", "TransferContact", count=9)
    read = []

    def pick_up(params):
        read.append(params)
        if len(read) == 3:
            centre.world.accept(contact, "supervisor.one")

    centre.sandbox.before("DescribeContact", pick_up)
    centre.router().cycle.run(until=None)
    assert centre.sandbox.count("TransferContact") == 2
    assert centre.world.transfers == ()
    assert [line["reason"] for line in lines(events, "contact.held")] == ["picked_up"]
