"""Runs scenarios that other products publish, as rules of this one; each is named after where it is from."""

from datetime import timedelta
from itertools import pairwise

import pytest

from router.problems import Problems
from router.rules.load import parse_rules

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HEAD = """
[defaults]
flow = "Overflow to queue"
agent_flow = "Escalate to agent"
guard = { cooldown = "0s" }
"""


def poll(centre, app, *, after=timedelta()):
    """Polls once, so much later, and lets everything it moved land."""
    centre.clock.travel(after)
    report = app.cycle.run(until=None)
    centre.land(app)
    return dict(report.held)


def went(centre):
    return [one.to_queue or one.to_agent for one in centre.world.transfers]


def warned(events):
    return [line["text"] for line in events if line["event"] == "contact.warned"]


class TestPreferredAgentsFirstThenTheTeam:
    """Follows Twilio TaskRouter: the preferred agent for 15 s, the team for 15 s more, then all; here in minutes."""

    RULES = (
        HEAD
        + """
        [[rule]]
        name = "preferred"
        match = { queue = "Support", attributes.kind = "support" }
        [[rule.step]]
        at = "1m"
        to = [{ agent_from = "attributes.preferred" }]
        [[rule.step]]
        at = "15m"
        to = [{ queue = "Support Team", slots_available = { min = 1 } }]
        [[rule.step]]
        at = "30m"
        to = [{ queue = "Everyone" }]
    """
    )

    @pytest.fixture
    def support(self, centre):
        for queue in ("Support", "Support Team", "Everyone"):
            centre.world.add_queue(queue)
        centre.world.add_user("ann", queues=["Support"], slots={"TASK": 1})
        centre.world.add_user("bob", queues=["Support Team"], slots={"TASK": 1})
        return centre

    def task(self, centre, kind="support"):
        return centre.world.enqueue("TASK", "Support", attributes={"kind": kind, "preferred": "ann"})

    def test_the_preferred_agent_who_is_free_gets_it(self, support):
        self.task(support)
        app = support.router(self.RULES)
        poll(support, app)
        assert went(support) == []
        poll(support, app, after=2 * MINUTE)
        assert went(support) == ["ann"]

    def test_at_14_minutes_only_the_preferred_agent_and_from_15_the_team(self, support):
        support.world.set_status("ann", "Offline")
        self.task(support)
        app = support.router(self.RULES)
        assert poll(support, app, after=14 * MINUTE) == {"no_eligible_destination": 1}
        assert went(support) == []
        poll(support, app, after=2 * MINUTE)
        assert went(support) == ["Support Team"]

    def test_from_30_minutes_everyone(self, support):
        support.world.set_status("ann", "Offline")
        support.world.set_status("bob", "Offline")
        self.task(support)
        app = support.router(self.RULES)
        assert poll(support, app, after=29 * MINUTE) == {"no_eligible_destination": 1}
        poll(support, app, after=2 * MINUTE)
        assert went(support) == ["Everyone"]

    def test_a_type_that_no_rule_matches_goes_nowhere(self, support):
        self.task(support, kind="sales")
        app = support.router(self.RULES)
        poll(support, app, after=HOUR)
        assert went(support) == []


class TestSkipAnEmptyStep:
    """Follows Twilio's skip_if: German, English, Global, each only with somebody there, as ServiceNow's users wish."""

    RULES = (
        HEAD
        + """
        [lists]
        english = [
          { queue = "English", agents_online = { min = 1 } },
          { queue = "Global", agents_online = { min = 1 } },
          { queue = "Supervisors" },
        ]
        [[rule]]
        name = "language"
        match.queue = "Billing"
        [[rule.step]]
        at = "1m"
        to = [{ queue = "German", agents_online = { min = 1 } }, { queue = "English", agents_online = { min = 1 } },
              { queue = "Global", agents_online = { min = 1 } }, { queue = "Supervisors" }]
        [[rule]]
        name = "english-next"
        match.queue = "German"
        [[rule.step]]
        at = "10m"
        to = "english"
    """
    )

    @pytest.mark.parametrize(
        ("there", "where"),
        [
            (["German", "English", "Global"], "German"),
            (["English", "Global"], "English"),
            (["Global"], "Global"),
            ([], "Supervisors"),
        ],
    )
    def test_the_first_queue_with_somebody_there_gets_it_at_once(self, centre, there, where):
        for queue in ("German", "English", "Global"):
            centre.world.add_queue(queue)
            status = "Available" if queue in there else "Offline"
            centre.world.add_user(f"of {queue}", queues=[queue], slots={"TASK": 1}, status=status)
        centre.world.enqueue("TASK", "Billing", waited=2 * MINUTE)
        app = centre.router(self.RULES)
        assert poll(centre, app) == {}
        assert went(centre) == [where]

    def test_the_next_has_its_turn_when_its_time_comes(self, centre):
        for queue in ("German", "English", "Global"):
            centre.world.add_queue(queue)
            centre.world.add_user(f"of {queue}", queues=[queue], slots={"TASK": 1})
        centre.world.enqueue("TASK", "Billing", waited=2 * MINUTE)
        app = centre.router(self.RULES)
        poll(centre, app)
        poll(centre, app, after=5 * MINUTE)
        assert went(centre) == ["German"]
        poll(centre, app, after=6 * MINUTE)
        assert went(centre) == ["German", "English"]


class TestBumpInsteadOfMove:
    """Follows AWS's sample flow: priority 5 to 1, or ten minutes of routing age."""

    RULE = """
        [[rule]]
        name = "bump"
        match.queue = "Billing"
        [[rule.step]]
        at = "10m"
        routing = { priority = 1 }
    """

    @pytest.mark.parametrize("routing", ["{ priority = 1 }", '{ age = "+10m" }'])
    def test_it_overtakes_its_equals_and_uses_no_transfer(self, centre, routing):
        before = centre.world.enqueue("TASK", "Billing", waited=15 * MINUTE)
        urgent = centre.world.enqueue("TASK", "Billing", waited=11 * MINUTE, tags={"urgent": "yes"})
        rule = self.RULE.replace("{ priority = 1 }", routing)
        app = centre.router(rule.replace('.queue = "Billing"', ' = { queue = "Billing", tags.urgent = "yes" }'))
        order = sorted(centre.world.waiting("Billing"), key=lambda one: one.order())
        assert [one.id for one in order] == [before, urgent]
        poll(centre, app)
        order = sorted(centre.world.waiting("Billing"), key=lambda one: one.order())
        assert [one.id for one in order] == [urgent, before]
        assert went(centre) == []

    def test_both_in_one_call_is_refused_at_load(self):
        both = self.RULE.replace("{ priority = 1 }", '{ priority = 1, age = "+10m" }')
        with pytest.raises(Problems, match="needs exactly one of priority and age"):
            parse_rules([("rules.toml", both.encode())])

    def test_no_second_action_within_the_60_seconds_that_connect_may_take(self, centre):
        centre.world.enqueue("TASK", "Billing", waited=11 * MINUTE, priority=5)
        again = self.RULE.replace('"bump"', '"again"').replace("priority = 1", 'age = "+10m"')
        app = centre.router(self.RULE.replace("priority = 1", "priority = 5") + again)
        for wait in (timedelta(), 20 * SECOND, 20 * SECOND):
            poll(centre, app, after=wait)
        calls = [call for call in centre.sandbox.calls if call.operation == "UpdateContactRoutingData"]
        assert len(calls) == 1


class TestOverflowOnlyIfItIsEmpty:
    """Follows Oracle: a contact waits for more than ten minutes, and the overflow queue is empty."""

    RULES = (
        HEAD
        + """
        [[rule]]
        name = "overflow"
        match.queue = "Billing"
        [[rule.step]]
        at = "10m"
        to = [{ queue = "Billing Overflow", contacts_in_queue = { max = 0 } }]
    """
    )

    @pytest.fixture
    def counted(self, centre):
        """Adds an agent who works there, so that the metrics show the queue."""
        centre.world.add_user("ann", queues=["Billing Overflow"], slots={"TASK": 1}, status="Break")
        return centre

    def test_below_ten_minutes_never(self, counted):
        counted.world.enqueue("TASK", "Billing", waited=9 * MINUTE)
        poll(counted, counted.router(self.RULES))
        assert went(counted) == []

    def test_above_ten_minutes_into_an_empty_queue_and_one_at_a_time(self, counted):
        for _ in range(3):
            counted.world.enqueue("TASK", "Billing", waited=11 * MINUTE)
        app = counted.router(self.RULES)
        assert poll(counted, app) == {"no_eligible_destination": 2}
        assert poll(counted, app, after=MINUTE) == {"no_eligible_destination": 2}
        (first,) = counted.world.waiting("Billing Overflow")
        counted.world.accept(first.id, "ann")
        poll(counted, app, after=MINUTE)
        assert went(counted) == ["Billing Overflow"] * 2


class TestUpTheChain:
    """Follows ERPNext #6049: team lead, manager, head, each with a time of its own; it stops at the top and warns."""

    RULES = (
        HEAD
        + """
        [[rule]]
        name = "up"
        match.queue = "Billing"
        guard = { max_transfers = 3 }
        [[rule.step]]
        at = "10m"
        to = [{ queue = "Team Lead" }]
        [[rule.step]]
        at = "25m"
        to = [{ queue = "Manager" }]
        [[rule.step]]
        at = "45m"
        to = [{ queue = "Head" }]
        [[rule.step]]
        at = "1h"
        warn = "nobody above has answered"
    """
    )

    def test_each_level_has_its_own_time_and_it_never_comes_down(self, centre, events):
        for queue in ("Team Lead", "Manager", "Head"):
            centre.world.add_queue(queue)
        contact = centre.world.enqueue("TASK", "Billing")
        app = centre.router(self.RULES)
        levels = []
        for minute in range(5, 95, 5):
            poll(centre, app, after=5 * MINUTE)
            levels.append((minute, centre.world.queue_of(centre.world.latest(contact).id)))
        changes = [levels[0], *(now for before, now in pairwise(levels) if before[1] != now[1])]
        assert changes == [(5, "Billing"), (10, "Team Lead"), (25, "Manager"), (45, "Head")]
        assert warned(events) == ["nobody above has answered"]


class TestWarnBeforeAndMoveAtTheBreach:
    """Follows Zammad: warns 15 minutes before, moves at the breach; not at midnight if the calendar is nine to five."""

    RULES = (
        HEAD
        + """
        [[rule]]
        name = "sla"
        match.queue = "Billing"
        sla = { target = "1h" }
        [[rule.step]]
        at = "breach - 15m"
        warn = "a quarter of an hour left"
        [[rule.step]]
        at = "breach"
        to = [{ queue = "Billing Overflow" }]
    """
    )

    def test_one_warning_and_one_move(self, centre, events):
        centre.world.enqueue("TASK", "Billing")
        app = centre.router(self.RULES)
        for _ in range(16):
            poll(centre, app, after=5 * MINUTE)
        assert warned(events) == ["a quarter of an hour left"]
        assert went(centre) == ["Billing Overflow"]

    def test_answered_in_between_it_is_not_moved(self, centre, events):
        contact = centre.world.enqueue("TASK", "Billing")
        app = centre.router(self.RULES)
        poll(centre, app, after=50 * MINUTE)
        centre.world.accept(contact, "supervisor.one")
        poll(centre, app, after=20 * MINUTE)
        assert warned(events) == ["a quarter of an hour left"]
        assert went(centre) == []

    def test_not_while_the_calendar_is_closed(self, centre, events):
        centre.world.add_hours("Monday to Friday, 9 to 17", week={})
        centre.world.enqueue("TASK", "Billing", waited=40 * HOUR)
        rules = self.RULES.replace('target = "1h"', 'target = "1h", hours = "Monday to Friday, 9 to 17"')
        app = centre.router(rules)
        for _ in range(3):
            poll(centre, app, after=HOUR)
        assert (warned(events), went(centre)) == ([], [])
