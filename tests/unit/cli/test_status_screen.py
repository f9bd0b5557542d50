"""Tests the screen of ``status``: the most important facts are first, also on a short terminal."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from router.cli.output.status_screen import HELD, OPERATIONS, picture
from router.cli.output.tables import print_table
from router.model import Agent, AgentId, Directory, QueueId

PAGE = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.fixture
def status():
    [sample] = [one for one in re.findall(r"^```json\n(.*?)^```$", PAGE, re.M | re.S) if '"silent_s"' in one]
    return json.loads(sample)


TITLES = ["paused", "queues", "rules", "held or late", "last moves", "next due", "quotas"]


def drawn(status, *, lines=None):
    out = Console(file=io.StringIO(), width=120)
    print_table(picture(status, lines=lines), out)
    return out.file.getvalue()  # type: ignore[attr-defined]


def quota(operation, calls=1, throttles=0, waiting=0):
    counts = {"calls": calls, "throttles": throttles, "waiting": waiting}
    return {"operation": operation, "rate": 1.6, "full_rate": 1.6, **counts}


def test_what_stands_in_the_way_comes_before_what_waits(status):
    titles = [line for line in drawn(status).splitlines() if line in TITLES]

    assert titles == TITLES


@pytest.mark.parametrize("lines", [12, 20, 30])
def test_a_low_terminal_shows_what_matters_most_and_names_the_rest(status, lines):
    shown = drawn(status, lines=lines).splitlines()

    assert len(shown) <= lines
    assert shown[0].startswith("LATE  9 contacts")
    assert "quotas" in shown[-1]


def test_a_service_of_an_earlier_version_is_shown_too(status):
    for key in ("health", "by_rule", "last_moves", "landing_slots", "held_contacts", "held_count", "late_reasons"):
        del status[key]
    for one in (*status["queues"], *status["next_due"]):
        for key in ("promise_s", "used", "late", "ungoverned", "ungoverned_oldest_s"):
            one.pop(key, None)

    shown = drawn(status)

    assert shown.startswith("connect-router 0.1.0, enforce")
    assert "no_eligible_destination        12" in shown


def test_a_queue_that_no_rule_looks_after_is_marked(status):
    [queue] = status["queues"]
    general = {"queue": "General", "ungoverned": 46}
    vip = {"queue": "VIP", "ungoverned": 2, "ungoverned_oldest_s": 7200.0}
    status["queues"] = [queue, {**queue, **general}, {**queue, **vip}]

    lines = {line.split()[0]: line for line in drawn(status).partition("queues\n")[2].splitlines()[:4]}

    assert lines["General"].endswith("no rule")
    assert lines["VIP"].endswith("2 without a rule, oldest 2h")
    assert "rule" not in lines["Billing"]


def test_held_contacts_are_named_by_eight_characters_and_the_others_are_counted(status):
    [one] = status["held_contacts"]
    status["held_contacts"], status["held_count"] = [one] * 20, 40

    shown = drawn(status).partition("held or late\n")[2].splitlines()[1 : HELD + 2]

    assert {line.split()[0] for line in shown[:-1]} == {one["contact_id"][:8]}
    assert shown[-1] == f"({40 - HELD} more)"


def test_throttled_operations_are_shown_before_busy_ones_and_the_others_are_counted(status):
    status["quotas"] = [quota(f"Quiet{number}") for number in range(10)]
    status["quotas"] += [quota("Busy", calls=500), quota("Throttled", throttles=3)]

    shown = drawn(status).partition("quotas\n")[2].splitlines()[1:]

    assert len(shown) == OPERATIONS + 1
    assert [line.split()[0] for line in shown][:1] == ["Busy"]
    assert "Throttled" in [line.split()[0] for line in shown]
    assert shown[-1].split() == ["(6", "more", "operations)", "6", "0", "0"]


def test_no_line_ends_in_blanks(status):
    assert [line for line in drawn(status).splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("queue_id", ["u1", "agent/u1"])
def test_an_agents_own_queue_is_told_by_the_agent(queue_id):
    directory = Directory(agents=(Agent(id=AgentId("u1"), name="agent.nine"),))

    assert directory.queue_name(QueueId(queue_id)) == "agent agent.nine"
    assert directory.queue_name(QueueId("gone")) == "gone"


def test_a_standby_router_shows_what_it_does_instead_of_cycles(status):
    status["mode"], status["cycle"] = "standby", None

    assert "no cycles: it reads the shared ledger" in drawn(status)

    status["healthy"], status["silent_s"] = False, 75.0
    del status["health"]  # of a service of an earlier version
    assert "standby, running for" in drawn(status)
    assert "no reading of the shared ledger for 1m15s" in drawn(status)


def test_flows_whose_landing_slots_are_in_use_are_shown_with_their_landing_time(status):
    used = {"flow": "Overflow to queue", "taken": 3, "limit": 14, "landing_s": 4.25}
    status["landing_slots"] = [used, {**used, "flow": "New", "landing_s": None}, {**used, "flow": "Idle", "taken": 0}]

    shown = drawn(status)

    assert "Overflow to queue: 3 of 14 landing slots taken, a contact lands after 4.2 s" in shown
    assert "New: 3 of 14 landing slots taken\n" in shown
    assert "Idle" not in shown
