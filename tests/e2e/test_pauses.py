"""Pauses of tasks and e-mails over HTTP, whatever Connect makes of a paused contact's place in its queue."""

from datetime import timedelta

import pytest

from router.cli.output.explanation import as_json, lines
from router.inspect.preview import Preview, Viewer
from router.model import HoldReason
from router.sandbox import Behaviours

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

RULE = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "late"
match.queue = "Billing"
sla = { target = "1h", clock = "CLOCK" }
[[rule.step]]
at = "breach"
to = [{ queue = "Billing Overflow" }]
"""
HALF_WAY = """
[[rule.step]]
at = "50%"
to = [{ queue = "General", slots_available = { min = 1 } }]
"""
"""Nobody works in General: the step is due, and holds."""
QUEUE, CHAIN = RULE.replace("CLOCK", "queue"), RULE.replace("CLOCK", "chain")
KEEPS, RENEWS = Behaviours(resume="keeps_time"), Behaviours(resume="renews_time")
CANNOT = Behaviours(email_pause="refused")
either_way = pytest.mark.parametrize("behaviours", [KEEPS, RENEWS], ids=["keeps its time", "renews its time"])
keeps = pytest.mark.parametrize("behaviours", [KEEPS], ids=["keeps its time"])


def with_half_way(rules):
    before, step, rest = rules.partition("\n[[rule.step]]")
    return before + HALF_WAY + step + rest


def run(app):
    report = app.cycle.run(until=None)
    return dict(report.held), report


def where(centre, contact_id):
    return centre.world.queue_of(centre.world.latest(contact_id).id)


def pause(centre, contact_id, *, waits, lasts):
    """Waits first, and is then paused for so long."""
    centre.clock.travel(waits)
    centre.world.pause(contact_id)
    centre.clock.travel(lasts)
    centre.world.resume(contact_id)


@either_way
def test_on_the_chain_clock_a_pause_does_not_count(centre, behaviours):
    task = centre.world.enqueue("TASK", "Billing")
    app = centre.router(CHAIN)
    pause(centre, task, waits=20 * MINUTE, lasts=3 * HOUR)
    centre.clock.travel(39 * MINUTE)
    held, report = run(app)
    assert (held, report.due, where(centre, task)) == ({}, 0, "Billing")
    assert report.next_due_at is not None
    assert timedelta() < report.next_due_at - centre.clock.now() < 2 * MINUTE
    centre.clock.travel(2 * MINUTE)
    run(app)
    assert where(centre, task) == "Billing Overflow"


@either_way
@pytest.mark.parametrize("channel", ["TASK", "EMAIL"])
def test_a_contact_that_was_paused_for_30_of_60_minutes_is_acted_on_after_90(centre, behaviours, channel):
    contact = centre.world.enqueue(channel, "Billing")
    app = centre.router(CHAIN)
    pause(centre, contact, waits=20 * MINUTE, lasts=30 * MINUTE)
    centre.clock.travel(39 * MINUTE)
    assert run(app)[1].due == 0
    assert where(centre, contact) == "Billing"
    centre.clock.travel(2 * MINUTE)
    run(app)
    assert where(centre, contact) == "Billing Overflow"


@pytest.mark.parametrize("behaviours", [CANNOT], ids=["cannot pause e-mails"])
def test_where_an_email_cannot_be_paused_it_is_moved_in_time(centre, behaviours):
    email = centre.world.enqueue("EMAIL", "Billing")
    app = centre.router(CHAIN)
    centre.clock.travel(59 * MINUTE)
    assert run(app)[1].due == 0
    with pytest.raises(ValueError, match="cannot be paused"):
        centre.world.pause(email)
    centre.clock.travel(2 * MINUTE)
    run(app)
    assert where(centre, email) == "Billing Overflow"


@keeps
def test_on_the_queue_clock_neither(centre, behaviours):
    task = centre.world.enqueue("TASK", "Billing")
    app = centre.router(QUEUE)
    pause(centre, task, waits=20 * MINUTE, lasts=3 * HOUR)
    centre.clock.travel(39 * MINUTE)
    assert run(app)[1].due == 0
    centre.clock.travel(2 * MINUTE)
    run(app)
    assert where(centre, task) == "Billing Overflow"


@pytest.mark.parametrize("behaviours", [RENEWS], ids=["renews its time"])
def test_where_resuming_renews_its_place_the_queue_clock_starts_anew(centre, behaviours):
    task = centre.world.enqueue("TASK", "Billing")
    app = centre.router(QUEUE)
    pause(centre, task, waits=50 * MINUTE, lasts=10 * MINUTE)
    centre.clock.travel(59 * MINUTE)
    assert run(app)[1].due == 0
    centre.clock.travel(2 * MINUTE)
    run(app)
    assert where(centre, task) == "Billing Overflow"


@either_way
@pytest.mark.parametrize("channel", ["TASK", "EMAIL"])
def test_while_it_is_paused_it_is_not_moved(centre, behaviours, channel):
    task = centre.world.enqueue(channel, "Billing")
    app = centre.router(CHAIN)
    centre.clock.travel(20 * MINUTE)
    centre.world.pause(task)
    centre.clock.travel(3 * HOUR)
    assert run(app)[0] == {HoldReason.CONTACT_PAUSED: 1}
    due_before = centre.world.enqueue(channel, "Billing", waited=2 * HOUR)
    centre.world.pause(due_before)
    assert run(app)[0] == {HoldReason.CONTACT_PAUSED: 2}
    assert centre.world.transfers == ()


@keeps
def test_a_pause_since_the_contact_was_last_read_is_seen_right_before_it_acts(centre, behaviours):
    task = centre.world.enqueue("TASK", "Billing", waited=55 * MINUTE)
    app = centre.router(with_half_way(QUEUE))
    assert run(app)[0] == {HoldReason.NO_ELIGIBLE_DESTINATION: 1}  # and its pauses are known now
    pause(centre, task, waits=MINUTE, lasts=8 * MINUTE)
    assert run(app)[0] == {HoldReason.CONTACT_PAUSED: 1}
    assert run(app)[0] == {HoldReason.NO_ELIGIBLE_DESTINATION: 1}
    centre.clock.travel(5 * MINUTE)
    run(app)
    assert where(centre, task) == "Billing Overflow"


@keeps
@pytest.mark.parametrize("channel", ["TASK", "EMAIL"])
def test_a_warning_sees_it_too(centre, behaviours, events, channel):
    task = centre.world.enqueue(channel, "Billing", waited=55 * MINUTE)
    warning = QUEUE.replace('to = [{ queue = "Billing Overflow" }]', 'warn = "late"')
    app = centre.router(with_half_way(warning))
    run(app)
    pause(centre, task, waits=MINUTE, lasts=8 * MINUTE)
    run(app)
    run(app)
    assert not [line for line in events if line["event"] == "contact.warned"]
    centre.clock.travel(5 * MINUTE)
    run(app)
    assert [line for line in events if line["event"] == "contact.warned"]


@keeps
def test_of_several_pauses_the_step_is_late_rather_than_early(centre, behaviours):
    """Is late rather than early because Connect shows only how long the first of them were, not when."""
    task = centre.world.enqueue("TASK", "Billing")
    app = centre.router(QUEUE)
    pause(centre, task, waits=10 * MINUTE, lasts=30 * MINUTE)
    pause(centre, task, waits=10 * MINUTE, lasts=20 * MINUTE)
    centre.clock.travel(39 * MINUTE)
    assert run(app)[1].due == 0
    centre.clock.travel(2 * MINUTE)
    run(app)
    assert where(centre, task) == "Billing Overflow"


@keeps
def test_pauses_before_the_routers_own_moves_and_before_an_agents_putting_back_count(centre, behaviours):
    rules = CHAIN.replace('"Billing"', '["Billing", "General"]') + (
        '[[rule.step]]\nat = "breach + 1h"\nto = [{ queue = "Supervisors" }]\n'
    )
    first = centre.world.enqueue("TASK", "General")
    app = centre.router(rules, **{"guard.cooldown": "1m"})
    pause(centre, first, waits=10 * MINUTE, lasts=HOUR)
    centre.world.accept(first, "supervisor.one")
    second = centre.world.put_back(first, queue="Billing")
    pause(centre, second, waits=10 * MINUTE, lasts=HOUR)
    centre.clock.travel(39 * MINUTE)
    assert run(app)[1].due == 0
    centre.clock.travel(2 * MINUTE)
    run(app)
    centre.land(app)
    assert where(centre, first) == "Billing Overflow"
    centre.clock.travel(58 * MINUTE)
    assert run(app)[1].due == 0
    calls = app.connection.calls()["DescribeContact"]
    centre.clock.travel(2 * MINUTE)
    run(app)
    assert where(centre, first) == "Supervisors"
    assert app.connection.calls()["DescribeContact"] - calls <= 4  # what has ended is not read again


def test_a_task_that_cannot_be_read_right_before_is_not_moved(centre):
    task = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(QUEUE)
    centre.world.faults.add("error", "DescribeContact", code="InvalidRequestException", count=1)
    _, report = run(app)
    assert (report.transferred, report.not_sent) == (0, 1)
    run(app)
    assert where(centre, task) == "Billing Overflow"


def test_a_reading_that_is_denied_is_told_as_that(centre, events):
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("access_denied", "DescribeContact")
    app = centre.router(QUEUE, **{"execute.workers": 1})
    assert run(app)[0] == {HoldReason.DENIED: 3}
    assert run(app)[0] == {HoldReason.DENIED: 3}
    assert {line["operation"] for line in events if line["event"] == "api.denied"} == {"DescribeContact"}
    assert centre.sandbox.count("DescribeContact") == 2  # the one that was to be the move's, and one held task's
    assert centre.world.transfers == ()


def test_what_is_not_due_costs_no_call(centre):
    centre.world.enqueue("TASK", "Billing", waited=HOUR / 2)
    app = centre.router(QUEUE)
    run(app)
    assert "DescribeContact" not in app.connection.calls()


@keeps
@pytest.mark.parametrize("channel", ["TASK", "EMAIL"])
def test_explain_tells_the_pause(centre, behaviours, channel):
    task = centre.world.enqueue(channel, "Billing")
    pause(centre, task, waits=20 * MINUTE, lasts=3 * HOUR)
    centre.clock.travel(10 * MINUTE)
    told, as_data = explained(centre, QUEUE, task)
    assert "shows 30m" in told
    assert "paused for 3h of that, which does not count" in told
    assert "step 1 at breach = 1h" in told
    rule = as_data["rules"][0]
    assert (round(rule["paused_s"] / 60), round(rule["clock_s"] / 60)) == (180, 30)


def test_explain_says_that_pauses_could_not_be_read(centre):
    task = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("error", "DescribeContact", code="InvalidRequestException")
    told, as_data = explained(centre, QUEUE, task)
    assert "whether it was paused could not be read (InvalidRequestException): it shows that much at most" in told
    assert as_data["rules"][0]["clock_read"] is False


def explained(centre, rules, contact_id):
    app = centre.router(rules)
    with Viewer.open(app.settings, app.names.ruleset, clock=centre.clock) as viewer:
        preview = viewer.preview()
    assert isinstance(preview, Preview)
    account = preview.account(contact_id)
    assert account is not None
    return "\n".join(lines(account, preview)), as_json(account, preview)


IN_A_MINUTE = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "late"
match.queue = "Billing"
sla = { target = "60s", clock = "CLOCK" }
[[rule.step]]
at = "breach"
to = [{ queue = "Billing Overflow" }]
"""
POLL, SECOND = timedelta(seconds=15), timedelta(seconds=1)


def serve(app, centre, *, seconds, at=None):
    """Runs the service for so many seconds, with a poll each 15 and a step each second; ``at`` acts at its times."""
    for second in range(seconds):
        if at and second in at:
            at[second]()
        if second % 15 == 0:
            app.acting.poll(until=centre.clock.monotonic() + 60, every=POLL)
        app.acting._step()
        centre.clock.travel(SECOND)


def moved_at(centre, began, contact_id):
    [at] = [move.at for move in centre.world.transfers if move.contact_id == contact_id]
    return (at - began).total_seconds()


def events_of(events, name):
    return [line for line in events if line["event"] == name]


@keeps
@pytest.mark.parametrize("channel", ["TASK", "EMAIL"])
@pytest.mark.parametrize("lasts", [5, 40, 47, 100, 200])
@pytest.mark.parametrize("read", ["by nobody", "while it was paused"])
def test_after_a_pause_over_its_due_instant_it_is_moved_within_a_poll(centre, behaviours, channel, lasts, read, events):
    began = centre.clock.now()
    contact = centre.world.enqueue(channel, "Billing")
    rules = IN_A_MINUTE.replace("CLOCK", "queue")
    if read == "while it was paused":
        condition = 'match = { queue = "Billing", attributes.tier = { present = false } }'
        rules = rules.replace('match.queue = "Billing"', condition)
    app = centre.router(rules, **{"poll.every": "15s"})
    resume = 30 + lasts
    acts = {30: lambda: centre.world.pause(contact), resume: lambda: centre.world.resume(contact)}
    serve(app, centre, seconds=resume + 60, at=acts)
    due = 60 + lasts
    assert due - 1 <= moved_at(centre, began, contact) <= due + 17
    if lasts > 47:
        assert [line["reason"] for line in events_of(events, "contact.held")] == ["contact_paused"]


@keeps
def test_a_paused_contact_is_read_in_a_rhythm_and_is_held_visibly(centre, behaviours, events):
    contact = centre.world.enqueue("TASK", "Billing")
    app = centre.router(IN_A_MINUTE.replace("CLOCK", "queue"), **{"poll.every": "15s"})
    serve(app, centre, seconds=600, at={20: lambda: centre.world.pause(contact)})
    assert app.connection.calls()["DescribeContact"] <= 600 / 15 + 3
    assert app.cycle.report(app.acting._seen).held == {HoldReason.CONTACT_PAUSED: 1}
    [line] = events_of(events, "contact.held")
    assert line["detail"] == "the contact is paused, and its clock does not run"
    assert centre.world.transfers == ()


@keeps
def test_a_contact_that_is_paused_long_before_it_is_due_costs_few_readings(centre, behaviours):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(QUEUE.replace('"1h"', '"3h"'), **{"poll.every": "15s"})
    centre.world.pause(contact)
    app.cycle.lookup.read_pauses(app.connection.reader.describe(contact).contact)
    before = centre.sandbox.count("DescribeContact")
    serve(app, centre, seconds=120)
    assert centre.sandbox.count("DescribeContact") == before
