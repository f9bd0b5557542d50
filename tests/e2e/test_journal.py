"""Checks over HTTP that the journal of a service has everything that its decisions were made from."""

from datetime import UTC, datetime, timedelta

import pytest

from router.decide.decide import decide
from router.history.disclosure import keys_about_customers
from router.history.journal_files import journal_paths, read_lines
from router.history.journal_reader import read_journal
from router.history.world import (
    Acted,
    DecisionRecord,
    DirectoryListed,
    Gap,
    Leaving,
    Left,
    Looked,
    RulesRead,
    Seen,
    stays,
)
from router.model import HoldReason
from router.rules.bind import bind
from router.rules.load import parse_rules
from router.rules.rule import Mode
from tests.e2e.test_hours import daily

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

TOLD = {"tier": "vip", "secret": "a-secret-value"}
SLOW = ("GetCurrentMetricData", "DescribeHoursOfOperation", "SearchContacts", "ListAssociatedContacts")

RULES = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "vip"
match = { queue = "Billing", attributes.tier = "vip" }
[[rule.step]]
at = "10m"
routing = { priority = 2 }
[[rule.step]]
at = "30m"
to = [{ queue = "General", slots_available = { min = 1 } }, { queue = "Billing Overflow" }]

[[rule]]
name = "office"
match.queue = "Billing"
sla = { target = "1h", hours = "Office" }
guard = { per_cycle = 2 }
[[rule.step]]
at = "50%"
warn = "half"
[[rule.step]]
at = "breach"
to = [{ queue = "General" }]
"""


def read(folder):
    now = datetime.now(UTC)
    return list(read_journal(folder, since=now - timedelta(days=9), until=now + timedelta(days=9)))


def again(events):
    """Returns, of each look in the journal, what was decided and what the same rules decide from it now."""
    ruleset, found = parse_rules([("rules.toml", RULES.encode())]), []
    for event in events:
        if isinstance(event, RulesRead):
            ruleset = parse_rules(event.files)
        elif isinstance(event, Looked):
            decided = decide(event.snapshot, bind(ruleset, event.snapshot.directory, agents_known=True))
            ids = {one.id for one in event.snapshot.contacts}
            records = tuple(DecisionRecord.of(one) for one in decided.decisions if one.contact.id in ids)
            assert decided.needs == ()
            found.append((event.decisions, records))
    return found


@pytest.fixture
def busy(centre):
    """Opens a centre with agents, hours that close in half an hour, and contacts of every kind of the rules."""
    centre.world.add_hours("Office", week=daily(centre.clock.now(), opens=-3 * HOUR, closes=HOUR / 2))
    centre.world.add_user("ann", queues=["General"], slots={"TASK": 2, "EMAIL": 2})
    for minutes in (5, 12, 29, 31, 45):
        centre.world.enqueue("TASK", "Billing", waited=minutes * MINUTE, attributes=TOLD)
    for minutes in (1, 40, 70, 90, 100, 130):
        centre.world.enqueue("EMAIL", "Billing", waited=minutes * MINUTE, name="Ms Smith")
    return centre


def worked(centre, mode, **more):
    """Runs a router for two hours, in which a contact is paused and resumed and others arrive."""
    fast = {f"quotas.{name}": {"rate": 1000, "burst": 100} for name in SLOW}
    app = centre.router(RULES, mode=mode, **({"journal.path": str(centre.folder / "journal")} | fast | more))
    paused = centre.world.enqueue("TASK", "Billing", waited=20 * MINUTE, attributes={"tier": "vip"})
    for step in range(14):
        app.cycle.run(until=None)
        app.follower.look()
        centre.clock.travel(6 * MINUTE)
        if step == 1:
            centre.world.pause(paused)
        elif step == 8:
            centre.world.resume(paused)
        elif step % 4 == 0:
            centre.world.enqueue("TASK", "Billing", waited=timedelta(), attributes={"tier": "vip"})
    app.close()
    return read(app.settings.journal.folder)


def text_of(folder):
    return "".join(str(record) for path in journal_paths(folder / "journal") for record in read_lines(path))


@pytest.mark.parametrize(("mode", "ids"), [(Mode.ENFORCE, "plain"), (Mode.OBSERVE, "hashed")])
def test_the_same_rules_decide_the_same_from_the_journal(busy, mode, ids):
    plain = {contact.id for contact in busy.world.waiting("Billing")}
    events = worked(busy, mode, **{"journal.attributes": True, "journal.ids": ids})
    compared = again(events)
    assert [then for then, _ in compared] == [now for _, now in compared]
    made = {(one.kind, one.rule) for then, _ in compared for one in then}
    assert {("transfer", "vip"), ("routing", "vip"), ("warn", "office"), ("hold", "office")} <= made
    reasons = {one.reason for then, _ in compared for one in then}
    assert {HoldReason.CLOSED, HoldReason.PER_CYCLE} <= reasons
    assert not [one for one in events if isinstance(one, Gap)]
    assert {one.directory.queue("Billing") is not None for one in events if isinstance(one, DirectoryListed)} == {True}
    text = text_of(busy.folder)
    assert "'tier': 'vip'" in text
    assert "a-secret-value" not in text
    assert "Ms Smith" not in text
    assert len(plain) == len([one for one in plain if (one in text) is (ids == "plain")])


def test_a_journal_has_contacts_that_appear_and_leave_and_nothing_of_customers(busy):
    events = worked(busy, Mode.ENFORCE)
    moved = {one.decision.contact_id for one in events if isinstance(one, Acted) and one.decision.kind == "transfer"}
    assert moved
    assert {one.contact_id for one in events if isinstance(one, Left) and one.how is Leaving.MOVED} == moved
    found = list(stays(events))
    assert {one.contact.id for one in found} == {one.contact.id for one in events if isinstance(one, Seen)}
    assert {one.contact.id for one in found if one.how is Leaving.MOVED} == moved
    text = text_of(busy.folder)
    rules = parse_rules([("rules.toml", RULES.encode())]).rules
    assert {key for rule in rules for key in keys_about_customers(rule)} == {"attributes.tier"}
    assert not [word for word in ("Ms Smith", "a-secret-value", "'tier'") if word in text]
