"""Checks the options with which ``plan`` shows a part of its decisions, and what it shows of the promise."""

from datetime import timedelta

import pytest


@pytest.fixture
def planned(bench):
    """Holds the ids of contacts in Billing: one 15 minutes late, one with three quarters of its time used. Another one
    has just arrived."""
    late, near, _ = (bench.enqueue(waited=timedelta(minutes=minutes)) for minutes in (75, 45, 1))
    return {"late": late, "near": near}


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], ["late", "late", "near"]),
        (["--late"], ["late", "late"]),
        (["--limit", "1"], ["late"]),
        (["--rule", "late", "--queue", "Billing", "--limit", "0"], ["late", "late", "near"]),
        (["--queue", "General"], []),
    ],
)
def test_the_options_limit_what_is_printed(bench, planned, options, shown):
    printed = [one["contact_id"] for one in bench.json("plan", "--enforce", *options)]

    assert printed == [planned[name] for name in shown]


def test_the_table_shows_the_promise_and_counts_what_it_leaves_out(bench, planned):
    done = bench.run("plan", "--enforce", "--late")

    row = next(line for line in done.stdout.splitlines() if line.startswith(planned["late"]))
    assert row.split()[1:8] == ["TASK", "Billing", "1h15m", "1h", "125%", "15m", "late"]
    assert planned["near"] not in done.stdout
    assert "(1 more decision)" in done.stdout
    assert "3 waiting" in done.stdout, "the last line counts everything"


def test_a_late_contact_whose_rule_has_no_step_left_is_late_in_every_command(bench):
    rules = bench.folder / "rules" / "10-late.toml"
    rules.write_text(rules.read_text().partition('[[rule.step]]\nat = "breach"')[0])
    contact_id = bench.enqueue(waited=timedelta(minutes=75))
    assert bench.run("run", "--once", "--enforce").returncode == 0

    (planned,) = bench.json("plan", "--enforce", "--late")
    printed = bench.run("plan", "--enforce", "--late").stdout
    explained = bench.run("explain", contact_id, "--enforce").stdout

    assert (planned["contact_id"], planned["rule"], planned["decision"], planned["reason"]) == (
        contact_id, "late", "none", "no_step_left",
    )  # fmt: skip
    assert "none      no step left" in printed
    assert "1 waiting, 0 ungoverned, 1 late without a step that is due" in printed
    assert "nothing now: 15m" in explained
    assert "late, promise of rule late: no step left" in explained


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--rule", "lat"], "connect-router plan: no rule is called 'lat' (did you mean 'late'?)"),
        (["--queue", "Biling"], "connect-router plan: no queue is called 'Biling' (did you mean 'Billing'?)"),
    ],
)
def test_a_name_that_does_not_exist_is_refused(bench, options, told):
    done = bench.run("plan", "-q", *options)

    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{told}\n")


def test_quiet_prints_no_note(bench):
    assert bench.run("plan").stderr.startswith("instance ")
    assert bench.run("plan", "-q").stderr == ""


def test_explain_takes_the_first_characters_of_a_waiting_contact(bench):
    contact_id = bench.enqueue(waited=timedelta(minutes=75))

    assert bench.json("explain", contact_id[:8])["look"]["contact_id"] == contact_id
