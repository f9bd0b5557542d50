"""Checks that ``run --once`` does what ``plan`` announces."""

import json
from datetime import timedelta


def moves(decisions):
    return {(one["contact_id"], one["to_queue"]) for one in decisions if one["decision"] == "transfer"}


def test_run_once_moves_what_plan_announced_and_nothing_else(bench):
    late = {bench.enqueue(waited=timedelta(minutes=minutes)) for minutes in (61, 90, 200)}
    bench.enqueue(waited=timedelta(minutes=10))
    bench.enqueue("General", waited=timedelta(hours=5))

    announced = bench.json("plan", "--enforce")
    done = bench.run("run", "--once", "--enforce")

    assert done.returncode == 0, done.stdout + done.stderr
    assert moves(announced) == {(contact_id, "Billing Overflow") for contact_id in late}
    assert {(one.contact_id, one.to_queue) for one in bench.sandbox.world.transfers} == moves(announced)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(one["event"] == "contact.landed" for one in events) == len(late)
    assert events[-1]["event"] == "service.stopped"


def test_plan_is_in_the_order_of_work_with_names_in_place_of_ids(bench):
    ids = [bench.enqueue(waited=timedelta(minutes=minutes)) for minutes in (70, 300, 100)]

    decisions = [one for one in bench.json("plan", "--enforce") if one["decision"] == "transfer"]

    assert [one["contact_id"] for one in decisions] == [ids[1], ids[2], ids[0]]
    first = decisions[0]
    assert list(first) == [
        "contact_id", "chain_id", "wait_id", "channel", "queue", "waited_s", "rule", "step", "mode", "decision",
        "reason", "to_queue", "to_agent", "flow", "due_at",
    ]  # fmt: skip
    named = {key: first[key] for key in ("queue", "to_queue", "to_agent", "flow", "rule", "step", "mode", "reason")}
    assert named == {
        "queue": "Billing",
        "to_queue": "Billing Overflow",
        "to_agent": None,
        "flow": "Overflow to queue",
        "rule": "late",
        "step": 2,
        "mode": "enforce",
        "reason": None,
    }
    assert 300 * 60 <= first["waited_s"] < 301 * 60


def test_plan_changes_nothing_in_connect_or_on_this_machine(bench):
    bench.enqueue()
    before = sorted(bench.folder.rglob("*"))

    assert bench.run("plan", "--enforce").returncode == 0

    assert bench.sandbox.world.transfers == ()
    reading = {"ListQueues", "ListContactFlows", "SearchContacts", "DescribeContact", "ListAssociatedContacts"}
    assert {call.operation for call in bench.sandbox.calls} <= reading
    assert sorted(bench.folder.rglob("*")) == before


def test_without_being_told_to_enforce_nothing_moves(bench):
    bench.enqueue()

    done = bench.run("run", "--once")

    assert done.returncode == 0, done.stderr
    assert '"event": "service.starting"' in done.stdout
    assert '"mode": "observe"' in done.stdout
    assert '"event": "contact.would_transfer"' in done.stdout
    assert bench.sandbox.world.transfers == ()


def test_a_second_pass_finds_nothing_left_to_do(bench):
    bench.enqueue()

    assert bench.run("run", "--once", "--enforce").returncode == 0
    assert {row["decision"] for row in bench.json("plan", "--enforce")} <= {"none"}
    assert bench.run("run", "--once", "--enforce").returncode == 0

    assert len(bench.sandbox.world.transfers) == 1


def test_what_is_due_to_be_told_is_told_before_the_contact_is_moved(bench):
    bench.enqueue()

    told = [json.loads(line)["event"] for line in bench.run("run", "--once", "--enforce").stdout.splitlines()]

    assert told.index("contact.warned") < told.index("contact.transferred")


def test_run_once_exits_1_when_the_flow_puts_a_contact_into_no_queue(bench):
    contact_id = bench.enqueue()
    bench.sandbox.world.set_flow("Overflow to queue", outcome="never")

    done = bench.run("run", "--once", "--enforce", "--set", "execute.landing_timeout=2s")

    assert done.returncode == 1
    stray = [json.loads(line) for line in done.stdout.splitlines() if "contact.stray" in line]
    assert [one["contact_id"] for one in stray] == [contact_id]


def test_the_command_line_overrides_any_key(bench):
    bench.enqueue()

    done = bench.run("plan", "--json", "--set", "execute.mode=enforce", "--set", "guard.per_hour=1")

    assert done.returncode == 0
    assert {one["mode"] for one in json.loads(done.stdout)} == {"enforce"}


BUMP = """
[[rule]]
name = "bump"
match = { queue = "Billing" }
[[rule.step]]
at = "1h"
routing = { priority = 2 }
"""


def test_a_routing_step_is_announced_explained_carried_out_and_recorded(bench):
    (bench.folder / "rules" / "10-late.toml").write_text(BUMP)
    contact = bench.enqueue()

    [announced] = bench.json("plan", "--enforce")
    explained = bench.run("explain", contact, "--enforce")
    done = bench.run("run", "--once", "--enforce")
    [recorded] = bench.json("history")

    assert (announced["contact_id"], announced["decision"]) == (contact, "routing")
    assert (announced["rule"], announced["step"], announced["to_queue"]) == ("bump", 1, None)
    assert "routing priority 2   by bump, step 1" in explained.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert bench.sandbox.world.contact(contact).priority == 2
    assert (recorded["kind"], recorded["outcome"], recorded["routing"]["priority"]) == ("routing", "acted", 2)
    assert {row["decision"] for row in bench.json("plan", "--enforce")} <= {"none"}


def test_with_emf_the_line_of_the_cycle_tells_cloudwatch_its_metrics(bench):
    bench.enqueue()

    done = bench.run("run", "--once", "--set", "log.emf=true")

    (line,) = [one for one in map(json.loads, done.stdout.splitlines()) if one["event"] == "cycle.finished"]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    told = {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]}
    assert (told["waiting"], told["due"], told["would_transfer"], told["incomplete"]) == (1, 1, 1, 0)
    assert line["instance"] == bench.sandbox.instance_id
