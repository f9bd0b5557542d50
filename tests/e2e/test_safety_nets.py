"""The nets under the router hold over restarts: limits, places to land, clocks; and observing leaves nothing behind."""

import sqlite3
from datetime import timedelta

import pytest

from router.connect.iam import InstanceArn
from router.daemon.control.operator import Operator
from router.daemon.control.protocol import Peer, Request
from router.daemon.control.requests import Desk, Service
from router.inspect.iam_policy import policy_of
from router.rules.rule import Mode
from tests.builders.iam import allowed, arn
from tests.e2e.centre import AGENT_FLOW, FLOW, LATE_RULE, open_centre
from tests.e2e.test_policy import EVERYTHING

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def lines(events, event):
    return [line for line in events if line["event"] == event]


def moves(centre):
    return [one.contact_id for one in centre.world.transfers]


def guarded(**guard):
    """Returns the rule for late contacts, with a guard of its own."""
    limits = "\n".join(f"{name} = {value}" for name, value in guard.items())
    return f"{LATE_RULE}\n[rule.guard]\n{limits}\n"


def wait_in(centre, queue, count):
    return [centre.world.enqueue("TASK", queue, waited=2 * HOUR + number * MINUTE) for number in range(count)]


def restarted(centre, app, *arguments, **overrides):
    """Starts the next process on the same ledger, read from the disk."""
    centre.end(app)
    return centre.router(*arguments, **overrides)


# Limits


@pytest.mark.parametrize(
    ("rules", "overrides"),
    [(LATE_RULE, {"guard.per_hour": 3}), (guarded(per_hour=3), {})],
    ids=["of the service", "of the rule"],
)
def test_the_limit_of_an_hour_is_that_of_all_runs_of_the_hour(centre, rules, overrides):
    contacts = wait_in(centre, "Billing", 5)
    app = centre.router(rules, **overrides)
    assert app.cycle.run(until=None).transferred == 3
    centre.land(app)
    for _ in range(3):
        app = restarted(centre, app, rules, **overrides)
        assert app.cycle.run(until=None).held == {"per_hour": 2}
        centre.clock.travel(10 * MINUTE)

    centre.clock.travel(31 * MINUTE)
    app = restarted(centre, app, rules, **overrides)
    assert app.cycle.run(until=None).transferred == 2
    assert sorted(moves(centre)) == sorted(contacts)


def test_a_move_whose_outcome_is_not_known_counts_for_the_hour_in_the_next_run(centre):
    wait_in(centre, "Billing", 3)
    overrides = {"guard.per_hour": 1, "execute.retry.attempts": 1}
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    app = centre.router(**overrides)
    app.cycle.run(until=None)
    assert len(app.ledger.open_intents()) == 1
    app = restarted(centre, app, **overrides)
    app.cycle.run(until=None)
    app.cycle.run(until=None)
    assert len(moves(centre)) == 1


def test_the_share_of_a_queue_is_that_of_all_runs_of_the_hour(centre):
    wait_in(centre, "Billing", 4)
    rules = guarded(percent_of_queue=50)
    app = centre.router(rules)
    assert app.cycle.run(until=None).transferred == 2
    centre.land(app)
    app = restarted(centre, app, rules)
    report = app.cycle.run(until=None)
    assert report.transferred == 0
    assert report.held == {"percent_of_queue": 2}


LADDER = """
[[rule.step]]
at = "breach + 10m"
to = [{ queue = "General" }]
[[rule.step]]
at = "breach + 20m"
to = [{ queue = "Supervisors" }]
"""


@pytest.mark.parametrize(
    ("guard", "reason"),
    [({"max_transfers": 1}, "max_transfers"), ({"cooldown": '"2h"'}, "cooldown")],
    ids=["how often", "how soon"],
)
def test_how_often_and_how_soon_a_chain_is_moved_again_is_remembered_over_a_restart(centre, guard, reason):
    rules = LATE_RULE + LADDER + "\n[rule.guard]\n" + "\n".join(f"{name} = {value}" for name, value in guard.items())
    centre.world.enqueue("TASK", "Billing", waited=HOUR + MINUTE)
    app = centre.router(rules)
    assert app.cycle.run(until=None).transferred == 1
    centre.land(app)
    centre.clock.travel(15 * MINUTE)
    app = restarted(centre, app, rules)
    report = app.cycle.run(until=None)
    assert report.transferred == 0
    assert report.held == {reason: 1}


def test_a_rule_may_move_fewer_in_a_cycle_than_the_service(centre):
    wait_in(centre, "Billing", 5)
    app = centre.router(guarded(per_cycle=2))
    report = app.cycle.run(until=None)
    assert (report.transferred, report.held) == (2, {"per_cycle": 3})


# Landing


def test_places_to_land_are_taken_over_a_restart_and_another_flow_has_its_own(centre, events):
    centre.world.add_flow("Second flow", type="QUEUE_TRANSFER")
    centre.world.set_flow(FLOW, outcome="never")
    second = LATE_RULE.partition("[[rule]]")[2].replace('"late"', '"second"').replace('"Billing"', '"General"')
    second = second.replace('{ queue = "Billing Overflow" }', '{ queue = "Supervisors", flow = "Second flow" }')
    rules = f"{LATE_RULE}\n[[rule]]{second}"
    wait_in(centre, "Billing", 6)
    app = centre.router(rules, **{"guard.unlanded": 3})
    app.cycle.run(until=app.clock.monotonic() + 1)
    assert len(moves(centre)) == 3

    app = restarted(centre, app, rules, **{"guard.unlanded": 3})
    others = wait_in(centre, "General", 2)
    app.cycle.run(until=app.clock.monotonic() + 1)
    assert sorted(moves(centre)[3:]) == sorted(others)

    centre.clock.travel(3 * MINUTE)
    app.follower.look()
    app.cycle.run(until=app.clock.monotonic() + 1)
    assert len(lines(events, "contact.stray")) == 3
    assert [line["flow"] for line in lines(events, "flow.suspended")] == [FLOW]

    app = restarted(centre, app, rules, **{"guard.unlanded": 3})
    report = app.cycle.run(until=app.clock.monotonic() + 1)
    assert report.held == {"flow_suspended": 3}
    assert len(moves(centre)) == 5
    assert len(lines(events, "contact.stray")) == 3, "a stray is told of once, whoever finds it again"


def test_a_suspended_flow_moves_again_after_resume_and_no_more_than_before(centre, events):
    centre.world.set_flow(FLOW, outcome="never")
    wait_in(centre, "Billing", 6)
    app = centre.router(**{"guard.unlanded": 2})
    app.cycle.run(until=app.clock.monotonic() + 1)
    centre.clock.travel(3 * MINUTE)
    app.follower.look()
    app.cycle.run(until=app.clock.monotonic() + 1)
    assert len(moves(centre)) == 2

    desk = Desk({"resume": Service(answer=Operator(app).resume, changes=True)})
    answer = desk.handle(Request(command="resume", arguments={"kind": "flow", "name": FLOW}), Peer(1, 0, 0))
    assert answer.ok
    app.cycle.run(until=app.clock.monotonic() + 1)
    assert len(moves(centre)) == 4, "the flow still eats contacts: two more, and no others"
    centre.clock.travel(3 * MINUTE)
    app.follower.look()
    app.cycle.run(until=app.clock.monotonic() + 1)
    assert len(lines(events, "flow.suspended")) == 2
    assert len(moves(centre)) == 4


def test_a_diverted_contact_frees_its_place_and_begins_a_new_wait_over_a_restart_too(centre, events):
    centre.world.set_flow(FLOW, outcome="elsewhere", elsewhere="Supervisors")
    wait_in(centre, "Billing", 2)
    app = centre.router(**{"guard.unlanded": 2})
    app.cycle.run(until=None)
    app = restarted(centre, app, **{"guard.unlanded": 2})
    centre.land(app)
    assert [line["diverted"] for line in lines(events, "contact.landed")] == [True, True]
    wait_in(centre, "Billing", 2)
    assert app.cycle.run(until=None).transferred == 2


# Clocks


@pytest.mark.parametrize("ahead", [-1, 1], ids=["Connect ahead", "the router ahead"])
def test_above_half_a_minute_a_warning_and_above_five_minutes_nothing_moves(centre, events, ahead):
    app = centre.router()

    def with_skew(minutes):
        centre.world.faults.clear()
        centre.world.faults.add("skew", delay=-ahead * minutes * MINUTE)
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
        report = app.cycle.run(until=None)
        return report.transferred, dict(report.held)

    assert with_skew(0.4) == (1, {})
    assert lines(events, "clock.skew") == []
    assert with_skew(4) == (1, {})
    assert with_skew(5.1) == (0, {"clock_skew": 1})
    assert with_skew(5.1) == (0, {"clock_skew": 2})
    assert with_skew(0) == (3, {})
    told = [(line["log_level"], line["warns"], line["stops"]) for line in lines(events, "clock.skew")]
    assert told == [("warning", True, False), ("error", True, True), ("warning", False, False)]


# Observing


def rows(path):
    """Returns every row of every table of the ledger's file."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: sorted(map(str, connection.execute(f"SELECT * FROM {table}"))) for table in tables}
    finally:
        connection.close()


RICH = EVERYTHING.replace(
    '[[rule]]\nname = "plain"',
    '[[rule]]\nname = "told"\nmatch.queue = "General"\nstep = [{ at = "30m", warn = "half an hour" }]\n\n'
    '[[rule]]\nname = "plain"',
)


def furnished(centre):
    """Adds contacts for every rule and every kind of step; returns them by what they are."""
    gold = {"tier": "gold", "last_agent": "supervisor.one"}
    enqueue = centre.world.enqueue
    contacts = {}
    for channel, more in (("TASK", timedelta()), ("EMAIL", 5 * MINUTE)):  # none as late as another
        contacts[f"{channel} of an agent"] = enqueue(channel, "Billing", waited=2 * HOUR + more, attributes=gold)
        contacts[f"{channel} gold"] = enqueue(channel, "Billing", waited=3 * HOUR + more, attributes={"tier": "gold"})
        contacts[f"{channel} early"] = enqueue(channel, "Billing", waited=HOUR / 2 + more, attributes={"tier": "gold"})
        contacts[f"{channel} plain"] = enqueue(channel, "General", waited=3.5 * HOUR + more)
        contacts[f"{channel} passed on"] = enqueue(channel, "General", waited=4 * HOUR + more, chain=3)
    return contacts


def observed(centre):
    """Runs a service that observes a while, through faults too."""
    app = centre.router(RICH, mode=Mode.OBSERVE, **{"guard.cooldown": "1s"})
    before = rows(app.settings.ledger.path)
    for kind in (None, "error_500", "throttle", None):
        centre.world.faults.clear()
        if kind is not None:
            centre.world.faults.add(kind, "SearchContacts", count=1)
            centre.world.faults.add(kind, "DescribeContact", count=3)
        app.cycle.run(until=None)
        app.follower.look()
        app.names.refresh()
        app.prune()
        centre.clock.travel(MINUTE)
    return app, before


def test_a_whole_run_of_observing_calls_nothing_outside_the_reading_policy_and_writes_no_row(centre, events):
    furnished(centre)
    app, before = observed(centre)
    policy = policy_of(
        app.names.ruleset,
        arn=InstanceArn.read(arn("instance", instance=app.settings.connect.instance_id)),
        directory=app.names.directory,
        observe=True,
        keep_place=True,
    )
    statements = {
        "Statement": [
            {"Effect": "Allow", "Action": one.actions, "Resource": one.resources} for one in policy.statements
        ]
    }
    calls = centre.sandbox.calls
    assert len({call.operation for call in calls}) > 10
    assert [call.operation for call in calls if not allowed(statements, call.operation, call.params)] == []
    assert {"contact.would_transfer", "contact.would_reprioritize", "contact.warned"} <= {
        line["event"] for line in events
    }
    assert rows(app.settings.ledger.path) == before


def acted(centre, contacts):
    """Returns what was done in Connect, by what the contacts are: queues, agents, flows, priorities."""
    names = {contact_id: name for name, contact_id in contacts.items()}
    done = [
        (names[one.contact_id], one.to_queue, one.to_agent, one.flow)
        for one in centre.world.transfers
        if one.contact_id in names
    ]
    return sorted(map(str, done)), {name: centre.world.contact(one).priority for name, one in contacts.items()}


MADE_OR_NOT = ("contact.reprioritized", "contact.held")


def test_enforcing_after_observing_does_what_it_would_have_done_without(tmp_path, monkeypatch, events):
    came = []
    for first in (True, False):
        folder = tmp_path / str(first)
        folder.mkdir()
        with open_centre(folder) as centre:
            monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", centre.sandbox.endpoint)
            contacts = furnished(centre)
            if first:
                centre.end(observed(centre)[0])
            else:
                centre.clock.travel(4 * MINUTE)
            centre.world.faults.clear()
            events.clear()
            app = centre.router(RICH, mode=Mode.ENFORCE, **{"guard.cooldown": "1s"})
            for _ in range(3):
                app.cycle.run(until=None)
                centre.land(app)
                # How long the landing took depends on the machine. A place that was kept less than a minute ago
                # would hold the next update in one run and not in the other.
                centre.clock.travel(2 * MINUTE)
            moves, priorities = acted(centre, contacts)
            moved = {contacts[name] for name in contacts if f"'{name}'" in str(moves)}
            # An update of a contact that is about to be moved as well is made only if a worker is free before the
            # move, and after the move only if it was not made before.
            chains = {line["chain_id"] for line in events if line["event"] == "contact.transferred"}
            told = sorted(
                (line["event"], line["rule"])
                for line in events
                if line["event"].startswith("contact.")
                and not (line["event"] in MADE_OR_NOT and line["chain_id"] in chains)
            )
            still = {name: priority for name, priority in priorities.items() if contacts[name] not in moved}
            came.append((moves, still, told))
    assert came[0] == came[1]
    assert len(came[0][0]) >= 6
    assert AGENT_FLOW in str(came[0][0])
