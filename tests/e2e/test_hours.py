"""Checks hours of operation over HTTP: due contacts wait for the opening, and unreadable ones are held."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

import pytest

from router.cli.output.explanation import as_json, lines
from router.decide.decision import Hold
from router.inspect.preview import Preview, Viewer
from router.model import HoldReason
from router.sandbox import Behaviours, Override
from tests.e2e.centre import reloaded

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

RULE = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "office"
match.queue = "Billing"
sla = { target = "1h", hours = "Office" }
[[rule.step]]
at = "breach"
to = [{ queue = "Billing Overflow" }]
"""
NEXT_RULE = """
[[rule]]
name = "next"
match.queue = "Billing"
[[rule.step]]
at = "1m"
to = [{ queue = "General" }]
"""


def daily(now: datetime, *, opens: timedelta, closes: timedelta) -> Mapping[str, Sequence[tuple[time, time]]]:
    """Returns the same hours for every day, in UTC, that open and close so much later than now."""
    start, end = (now + opens).astimezone(UTC).time(), (now + closes).astimezone(UTC).time()
    window = (start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0))
    return dict.fromkeys(DAYS, (window,))


@pytest.fixture
def closed(centre):
    """Opens a centre with office hours that open in two hours, for four."""
    centre.world.add_hours("Office", week=daily(centre.clock.now(), opens=2 * HOUR, closes=6 * HOUR))
    return centre


@pytest.fixture
def just_opened(centre):
    """Opens a centre with office hours that opened half an hour ago, for four, after twenty closed hours."""
    centre.world.add_hours("Office", week=daily(centre.clock.now(), opens=-HOUR / 2, closes=3.5 * HOUR))
    return centre


def moved(centre):
    return [(transfer.contact_id, transfer.to_queue) for transfer in centre.world.transfers]


def run(app):
    report = app.cycle.run(until=None)
    return dict(report.held), report


def test_a_rule_with_office_hours_does_not_act_at_night_and_acts_at_the_opening(closed):
    late = closed.world.enqueue("TASK", "Billing", waited=40 * HOUR)
    app = closed.router(RULE)
    held, _ = run(app)
    assert held == {HoldReason.CLOSED: 1}
    closed.clock.travel(2 * HOUR - 2 * MINUTE)
    held, _ = run(app)
    assert held == {HoldReason.CLOSED: 1}
    assert moved(closed) == []
    closed.clock.travel(2 * MINUTE)
    run(app)
    assert moved(closed) == [(late, "Billing Overflow")]


def test_closed_time_does_not_count(just_opened):
    contact = just_opened.world.enqueue("EMAIL", "Billing", waited=15 * HOUR)
    app = just_opened.router(RULE)
    held, report = run(app)
    assert (held, report.due) == ({}, 0)
    assert report.next_due_at is not None
    assert timedelta(minutes=28) < report.next_due_at - just_opened.clock.now() < timedelta(minutes=31)
    just_opened.clock.travel(31 * MINUTE)
    run(app)
    assert moved(just_opened) == [(contact, "Billing Overflow")]


def test_what_is_not_due_yet_is_due_after_the_opening_and_the_rest_of_its_time(closed):
    closed.world.enqueue("TASK", "Billing", waited=HOUR)
    _, report = run(closed.router(RULE))
    assert report.next_due_at is not None
    assert timedelta(hours=2, minutes=58) < report.next_due_at - closed.clock.now() <= 3 * HOUR


@pytest.mark.parametrize("operation", ["DescribeHoursOfOperation", "GetEffectiveHoursOfOperations"])
def test_hours_that_cannot_be_read_hold_and_no_later_rule_is_tried(just_opened, operation):
    late = just_opened.world.enqueue("TASK", "Billing", waited=50 * HOUR)
    app = just_opened.router(RULE + NEXT_RULE)
    just_opened.world.faults.add("error", operation, code="AccessDeniedException", count=1)
    held, _ = run(app)
    assert held == {HoldReason.UNREADABLE: 1}
    assert moved(just_opened) == []
    run(app)
    assert moved(just_opened) == [(late, "Billing Overflow")]


def test_while_nothing_can_be_due_hours_that_cannot_be_read_hold_nothing(just_opened):
    just_opened.world.enqueue("TASK", "Billing", waited=HOUR / 2)
    app = just_opened.router(RULE)
    just_opened.world.faults.add("error", "DescribeHoursOfOperation", code="AccessDeniedException")
    assert run(app)[0] == {}


def test_hours_that_the_instance_does_not_have_hold_as_unresolved(centre):
    centre.world.enqueue("TASK", "Billing", waited=50 * HOUR)
    app = centre.router(RULE + NEXT_RULE)
    assert run(app)[0] == {HoldReason.UNRESOLVED: 1}


def test_the_queues_own_hours_are_those_of_the_queue_where_the_clock_started(closed):
    closed.world.add_queue("Claims", hours="Office")
    rules = RULE.replace('"Billing"', '["Billing", "Claims"]').replace('"Office"', '"queue"')
    by_day = closed.world.enqueue("TASK", "Claims", waited=50 * HOUR)
    always = closed.world.enqueue("TASK", "Billing", waited=50 * HOUR)
    app = closed.router(rules)
    assert run(app)[0] == {HoldReason.CLOSED: 1}
    assert moved(closed) == [(always, "Billing Overflow")]
    closed.clock.travel(2 * HOUR + MINUTE)
    run(app)
    assert moved(closed)[1:] == [(by_day, "Billing Overflow")]


def test_the_next_step_goes_on_by_the_hours_of_the_first_queue(closed):
    """Moves the contact to a queue that is always open; its clock is still that of the queue it came from."""
    closed.world.add_queue("Claims", hours="Office")
    steps = '[[rule.step]]\nat = "breach + 3h30m"\nto = [{ queue = "Supervisors" }]\n'
    rules = (RULE + steps).replace('"Billing"', '"Claims"').replace('"Office"', '"queue"')
    closed.world.enqueue("TASK", "Claims", waited=2 * HOUR)
    app = closed.router(rules)
    closed.clock.travel(3 * HOUR + MINUTE)
    run(app)
    closed.land(app)
    closed.clock.travel(5 * HOUR)  # closed again, after four hours
    assert run(app)[0] == {}
    closed.clock.travel(18 * HOUR)
    run(app)
    assert [queue for _, queue in moved(closed)] == ["Billing Overflow"]
    closed.clock.travel(HOUR)
    run(app)
    assert [queue for _, queue in moved(closed)] == ["Billing Overflow", "Supervisors"]


def test_a_condition_tells_day_from_night(closed):
    night = RULE.replace('match.queue = "Billing"', 'match = { hours = { name = "Office", is = "closed" } }')
    night = night.replace('target = "1h", hours = "Office"', 'target = "1h"').replace("office", "night")
    late = closed.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = closed.router(night + NEXT_RULE)
    run(app)
    assert moved(closed) == [(late, "Billing Overflow")]
    closed.clock.travel(3 * HOUR)
    by_day = closed.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    run(app)
    assert moved(closed)[1:] == [(by_day, "General")]


def test_a_condition_whose_hours_cannot_be_read_holds(closed):
    night = RULE.replace('match.queue = "Billing"', 'match.hours = { name = "Office", is = "open" }')
    night = night.replace('target = "1h", hours = "Office"', 'target = "1h"')
    closed.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = closed.router(night + NEXT_RULE)
    closed.world.faults.add("error", "DescribeHoursOfOperation", code="AccessDeniedException")
    assert run(app)[0] == {HoldReason.UNREADABLE: 1}
    assert moved(closed) == []


@pytest.mark.parametrize(("wanted", "found"), [("true", "General"), ("false", "Day desk")])
def test_a_destination_is_chosen_by_the_queues_own_hours(closed, wanted, found):
    closed.world.add_queue("Day desk", hours="Office")
    rules = RULE.replace(', hours = "Office"', "").replace(
        '[{ queue = "Billing Overflow" }]', f'[{{ queue = "Day desk", open = {wanted} }}, {{ queue = "General" }}]'
    )
    late = closed.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    run(closed.router(rules))
    assert moved(closed) == [(late, found)]


def test_hours_are_read_once_a_sweep_and_a_holiday_made_meanwhile_is_seen(just_opened):
    just_opened.world.enqueue("TASK", "Billing", waited=15 * HOUR)
    app = just_opened.router(RULE, **{"poll.sweep": "5m"})
    run(app)
    run(app)
    assert app.connection.calls()["GetEffectiveHoursOfOperations"] == 1
    today = just_opened.clock.now().date()
    holiday = Override(name="Holiday", first=today - timedelta(days=1), last=today + timedelta(days=1))
    just_opened.world.set_hours("Office", overrides=(holiday,))
    just_opened.clock.travel(31 * MINUTE)
    held, report = run(app)
    assert (held, report.due, moved(just_opened)) == ({}, 0, [])
    assert app.connection.calls()["GetEffectiveHoursOfOperations"] == 2


@pytest.mark.parametrize(
    "behaviours", [Behaviours(closed_date=form) for form in ("empty_list", "override_only", "left_out")]
)
def test_a_date_that_an_override_closes_is_closed_in_every_form(centre):
    today = centre.clock.now().date()
    holiday = Override(name="Holiday", first=today - timedelta(days=1), last=today + timedelta(days=1))
    around_the_clock = dict.fromkeys(DAYS, ((time(0), time(0)),))
    centre.world.add_hours("Office", week=around_the_clock, overrides=(holiday,))
    centre.world.enqueue("TASK", "Billing", waited=60 * HOUR)
    held, _ = run(centre.router(RULE))
    assert (held, moved(centre)) == ({HoldReason.CLOSED: 1}, [])


def test_hours_that_were_read_count_for_an_hour_where_they_cannot_be_read_again(just_opened):
    just_opened.world.enqueue("TASK", "Billing", waited=15 * HOUR)
    app = just_opened.router(RULE)
    run(app)
    just_opened.world.faults.add("error", "DescribeHoursOfOperation", code="AccessDeniedException")
    just_opened.clock.travel(31 * MINUTE)
    run(app)
    assert len(moved(just_opened)) == 1
    just_opened.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    just_opened.clock.travel(31 * MINUTE)
    assert run(app)[0] == {HoldReason.UNREADABLE: 1}


def test_rules_without_hours_ask_for_none(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    run(app)
    assert not [call for call in app.connection.calls() if "Hours" in call or call == "SearchQueues"]


def test_rules_that_name_hours_first_at_a_reload_know_them_at_once(closed):
    closed.world.enqueue("TASK", "Billing", waited=40 * HOUR)
    app = closed.router()
    path = closed.folder / "rules" / "10-test.toml"
    path.write_text(RULE)
    assert reloaded(app, path.parent) == ()
    assert run(app)[0] == {HoldReason.CLOSED: 1}


def test_a_warning_does_not_go_out_at_night_either(closed, events):
    closed.world.enqueue("TASK", "Billing", waited=40 * HOUR)
    app = closed.router(RULE.replace('to = [{ queue = "Billing Overflow" }]', 'warn = "late"'))
    assert run(app)[0] == {HoldReason.CLOSED: 1}
    assert not [line for line in events if line["event"] == "contact.warned"]


def previewed(centre, app):
    with Viewer.open(app.settings, app.names.ruleset, clock=centre.clock) as viewer:
        preview = viewer.preview()
    assert isinstance(preview, Preview)
    return preview


class Dawdler:
    """Acts, and then lets hours pass."""

    def __init__(self, centre, performer):
        self._centre, self._performer = centre, performer

    def perform(self, decision, context):
        result = self._performer.perform(decision, context)
        self._centre.clock.travel(4 * HOUR)
        return result


def test_what_has_not_begun_when_the_hours_close_is_not_done(just_opened):
    first = just_opened.world.enqueue("TASK", "Billing", waited=60 * HOUR)
    just_opened.world.enqueue("TASK", "Billing", waited=50 * HOUR)
    app = just_opened.router(RULE, **{"execute.workers": 1})
    app.executor.round.enforcer = Dawdler(just_opened, app.executor.round.enforcer)
    held, report = run(app)
    assert moved(just_opened) == [(first, "Billing Overflow")]
    assert (report.transferred, report.not_sent, held) == (1, 1, {})
    assert run(app)[0] == {HoldReason.CLOSED: 1}


def test_plan_sees_what_the_service_sees(closed):
    closed.world.enqueue("TASK", "Billing", waited=40 * HOUR)
    preview = previewed(closed, closed.router(RULE))
    (decision,) = preview.decided.decisions
    assert isinstance(decision, Hold)
    assert decision.reason is HoldReason.CLOSED


def test_explain_tells_how_much_of_the_time_was_closed(just_opened):
    contact = just_opened.world.enqueue("TASK", "Billing", waited=15 * HOUR)
    preview = previewed(just_opened, just_opened.router(RULE))
    account = preview.account(contact)
    assert account is not None
    told = "\n".join(lines(account, preview))
    assert re.search(r'counts "Office" only: 15h have passed, 14h(29m|30m) of them closed; open now', told)
    assert re.search(r"shows 3[01]m", told)
    assert re.search(r"target 1h: breach at .*, (29|28)m\d*s? left", told)


def test_explain_tells_when_closed_hours_open_again(closed):
    contact = closed.world.enqueue("TASK", "Billing", waited=40 * HOUR)
    preview = previewed(closed, closed.router(RULE))
    account = preview.account(contact)
    assert account is not None
    (shown,) = re.findall(r"closed now, open again at (\S+ \S+Z)", "\n".join(lines(account, preview)))
    opens, made_for = datetime.fromisoformat(shown), closed.clock.now() + 2 * HOUR
    # The office was opened for the minute in which this test began.
    assert timedelta(0) <= made_for - opens < timedelta(minutes=2)


def test_hours_that_never_open_are_never_due(centre):
    centre.world.add_hours("Office", week={})
    contact = centre.world.enqueue("TASK", "Billing", waited=40 * HOUR)
    app = centre.router(RULE)
    held, report = run(app)
    assert (held, report.next_due_at) == ({}, None)
    preview = previewed(centre, app)
    account = preview.account(contact)
    assert account is not None
    assert "no breach, because the hours do not open for so long" in "\n".join(lines(account, preview))
    assert as_json(account, preview)["rules"][0]["steps"][0]["due_at"] is None
