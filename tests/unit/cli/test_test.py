"""Checks the command ``test``, which shows what the rules would do with a described contact."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import RULES


def look(done):
    return json.loads(done.out)["looks"][0]


def test_it_decides_like_an_example_and_explains_like_explain(command):
    done = command("test", "--contact", "queue=Billing,channel=EMAIL,waited=2h")
    assert done.status == 0
    assert "Overflow: not eligible: slots_available is 0, below 1" in done.out
    assert "transfer -> General, by flow Overflow   by late, step 2, mode enforce (1h late)" in done.out
    assert done.out.rstrip().endswith("no agent is free\nassumed hours, open: the own hours of every queue")


def test_the_clock_that_is_given_is_that_of_the_rule_that_governs(command):
    given = "queue=Billing,channel=EMAIL,waited=2h"
    waited, early = (look(command("test", "--json", "--contact", one)) for one in (given, f"{given},clock=10m"))
    assert [one["rule"] for one in waited["decisions"]] == ["late", "late"]
    assert early["decisions"] == []


def test_it_shows_which_hours_it_took_as_closed_and_decides_by_them(command):
    match = 'hours = { name = "Office", is = "open" }\n'
    command.rules.write_text(RULES.replace('channel = "EMAIL"\nqueue', match + "queue", 1).partition("[[example]]")[0])
    given = ("test", "--contact", "queue=Billing,channel=EMAIL,waited=2h", "--json")

    opened, closed = (json.loads(command(*given, *more).out) for more in ((), ("--hours", "Office=closed")))
    printed = command(*given[:-1], "--hours", "Office=closed", "--hours", "queue=open").out

    assert (opened["hours"], closed["hours"]) == (
        {"queue": "open", "Office": "open"},
        {"queue": "open", "Office": "closed"},
    )
    assert [len(one["looks"][0]["decisions"]) for one in (opened, closed)] == [2, 0]
    assert "assumed hours, open: the own hours of every queue\n" in printed
    assert "assumed hours, closed since the time of the decision and open before: Office\n" in printed


@pytest.mark.parametrize(("hours", "message"), [
    ("quue=closed", "--hours: no rule names hours 'quue' (did you mean 'queue'?)"),
    ("queue", "argument --hours: expected NAME=open or NAME=closed, got 'queue'"),
    ("queue=shut", "argument --hours: expected NAME=open or NAME=closed, got 'queue=shut'"),
])  # fmt: skip
def test_a_mistake_in_hours_is_one_line(command, hours, message):
    done = command("test", "--contact", "queue=A,channel=TASK", "--hours", hours)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"connect-router test: {message}")


def test_several_contacts_and_the_time_of_the_decision(command):
    contacts = ("--contact", "queue=Billing,channel=EMAIL,waited=40m", "--contact", "queue=X,channel=TASK")
    done = command("test", *contacts, "--at", "2026-12-24T16:50:00+01:00", "--json")
    first, second = json.loads(done.out)["looks"]
    assert (first["enqueued_at"], first["next_due_at"]) == ("2026-12-24T15:10:00Z", "2026-12-24T16:10:00Z")
    assert [decision["decision"] for decision in first["decisions"]] == ["warn"]
    assert second["decisions"] == []


def test_tags_attributes_and_values_with_a_comma_reach_the_rules(command):
    match = 'name = "a, b"\ntags.x = "1"\nattributes."y z" = "2"\n'
    command.rules.write_text(RULES.replace('channel = "EMAIL"\nqueue', match + "queue", 1).partition("[[example]]")[0])
    more = '"name=a, b",tags.x=1,attributes.y z=2'
    done = command("test", "--json", "--contact", f"queue=Billing,channel=TASK,waited=2h,{more}")
    assert [one["rule"] for one in look(done)["decisions"]] == ["late", "late"]


@pytest.mark.parametrize(("contact", "message"), [
    ("queue=Billing", "'channel' is missing"),
    ("queue=A,chanel=EMAIL", "unknown key 'chanel' (did you mean 'channel'?)"),
    ("queue=A,channel=TASK,waited=2x", "waited: expected a duration such as"),
    ("queue=A,channel=TASK,priority=x", 'priority: expected a whole number, got "x"'),
    ("queue=A,channel=TASK,priority=11", "priority: must be at most 10, got 11"),
    ("queue=A,channel=TASK,tags=x", 'tags: expected a table, got "x"'),
    ("queue", "expected KEY=VALUE, got 'queue'"),
    ("", "'channel' is missing"),
])  # fmt: skip
def test_a_mistake_is_one_line(command, contact, message):
    done = command("test", "--contact", contact)
    assert done.status == 2
    assert done.err.startswith(f"connect-router test: argument --contact: {message}")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("at", ["tomorrow", "2026-12-24T16:50:00"])
def test_the_time_needs_an_offset(command, at):
    done = command("test", "--contact", "queue=A,channel=TASK", "--at", at)
    assert (done.status, "expected a date and time with an offset" in done.err) == (2, True)


def test_hours_that_are_assumed_closed_do_not_open_again_and_break_no_promise(command):
    command.rules.write_text(
        '[[rule]]\nname = "day"\nmatch = { queue = "Billing" }\nsla = { target = "2h", hours = "Office" }\n'
        '[[rule.step]]\nat = "breach"\nwarn = "late"\n'
    )
    closed = ("--hours", "Office=closed")

    out = command("test", "--contact", "queue=Billing,channel=TASK,waited=1h30m", *closed).out

    assert 'counts "Office" only: 1h30m have passed, 0s of them closed; closed now, and they do not open again' in out
    assert "target 2h: no breach, because the hours do not open for so long; 30m left on its clock" in out
    assert "step 1 at breach = 2h: the hours do not open for so long, not due" in out
