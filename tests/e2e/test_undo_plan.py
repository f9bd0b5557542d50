"""Checks how the real command prints a plan to take back the moves of a cycle."""

import json
import shlex
from datetime import timedelta

import boto3
import pytest

HOUR = timedelta(hours=1)


@pytest.fixture
def moved(bench):
    """Returns three contacts that one cycle has moved, as they are now, oldest first; and the cycle."""
    for hours in (4, 3, 2):
        bench.enqueue(waited=hours * HOUR)
    assert bench.run("run", "--once", "--enforce").returncode == 0
    moves = [one for one in bench.json("history") if one["kind"] == "transfer"]
    assert len({one["cycle"] for one in moves}) == 1
    return [one["new_contact_id"] for one in moves], str(moves[0]["cycle"])


def test_what_waits_where_it_landed_could_go_back_and_what_does_not_says_why(bench, moved):
    (ended, other, waiting), cycle = moved
    world = bench.sandbox.world
    world.finish(ended)
    plan = {one["contact_id"]: one for one in bench.json("history", "--undo-plan", cycle)}
    assert plan.keys() == {ended, other, waiting}
    assert (plan[ended]["possible"], plan[ended]["why_not"], plan[ended]["command"]) == (False, "it has ended", None)
    told = plan[waiting]
    assert (told["possible"], told["why_not"], told["queue"]) == (True, None, "Billing Overflow")
    assert (told["back_to_queue"], told["flow"], told["transfers_left"]) == ("Billing", "Overflow to queue", 10)


def test_the_command_that_is_printed_takes_the_contact_back(bench, moved, monkeypatch):
    (contact_id, *_), cycle = moved
    done = bench.run("history", "--undo-plan", cycle)
    line = next(line for line in done.stdout.splitlines() if line.startswith("aws ") and contact_id in line)
    words = iter(shlex.split(line)[3:])
    names = {"--region": "Region", "--instance-id": "InstanceId", "--contact-id": "ContactId", "--queue-id": "QueueId"}
    parameters = {names.get(word, "ContactFlowId"): next(words) for word in words}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "sandbox")
    client = boto3.client("connect", region_name="us-east-1", endpoint_url=bench.sandbox.endpoint)
    assert parameters.pop("Region") == "us-east-1"
    client.transfer_contact(**parameters)
    client.close()
    again = {one["moved_contact_id"]: one for one in bench.json("history", "--undo-plan", cycle)}
    assert [one["why_not"] for one in again.values()].count(None) == 2


def test_nothing_is_changed_by_the_plan(bench, moved):
    _, cycle = moved
    before = len(bench.sandbox.world.transfers)
    bench.run("history", "--undo-plan", cycle)
    assert len(bench.sandbox.world.transfers) == before


def test_a_cycle_that_moved_nothing_says_so(bench, moved):
    done = bench.run("history", "--undo-plan", "999")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "no contact was moved in that cycle, as far as the ledger shows\n"


def test_a_contact_that_connect_does_not_let_be_read_says_so(bench, moved):
    (contact_id, *_), cycle = moved
    bench.sandbox.world.faults.add("access_denied", "DescribeContact", contact_id=contact_id)
    plan = {one["contact_id"]: one for one in bench.json("history", "--undo-plan", cycle)}
    assert plan[contact_id]["why_not"] == "it could not be read (AccessDeniedException)"


def test_history_tells_all_that_one_cycle_did(bench, moved):
    _, cycle = moved
    assert len(bench.json("history", "--cycle", cycle, "--limit", "1")) == len(bench.json("history")) > 3
    assert bench.json("history", "--cycle", "999") == []


@pytest.mark.parametrize("command", [["plan"], ["check", "--live"]])
def test_a_missing_permission_puts_no_line_of_the_log_among_the_data(bench, command):
    bench.enqueue()
    bench.sandbox.world.faults.add("access_denied", "DescribeContact")
    done = bench.run(*command, "--json", *(["--junit", "found.xml"] if "check" in command else []))
    told = json.loads(done.stdout)
    if "check" in command:
        found = (bench.folder / "found.xml").read_text()
        assert '<testcase classname="permission" name="connect:DescribeContact"><failure message="IAM denies ' in found
        assert (done.returncode, told["denied_actions"]) == (1, ["connect:DescribeContact"])
