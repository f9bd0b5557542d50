"""Tests scenarios: files, their mistakes, the default, and the sandbox as a program."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import boto3
import pytest

import router.sandbox
from router.problems import Problems
from router.sandbox import Behaviours, CallRate, Sandbox, Scenario
from router.sandbox.scenario_tables import ScenarioDocument

EVERYTHING = b"""
seed = 9
quotas = { SearchContacts = { rate = 1.5, burst = 2 } }
latency_ms = [0, 5]

[instance]
id = "aaaaaaaa-2222-3333-4444-555555555555"
region = "eu-west-2"

[behaviours]
index_lag = "20s"
answer_id = "old"
paused_looks_queued = false

[[hours]]
name = "Office"
zone = "Europe/London"
week.MONDAY = ["09:00-17:30", "20:00-24:00"]
[[hours.override]]
name = "Holiday"
first = 2026-12-25

[[queue]]
name = "Letters"
hours = "Office"
capacity = 50

[[queue]]
name = "Attic"
enabled = false

[[flow]]
name = "Slowly"
type = "QUEUE_TRANSFER"
after = "30s"
queue = "Attic"
priority = 2

[[agent]]
username = "ann"
queues = ["Letters"]
slots = { EMAIL = 3 }
handling = "4m"
put_back = 0.25

[[agent]]
username = "bob"
status = "Offline"

[[backlog]]
channel = "EMAIL"
queue = "Letters"
count = 5
waited = ["1h", "2h"]
names = ["A", "B"]
tags = { team = "x" }

[[arrivals]]
queue = "Letters"
per_minute = 6

[[fault]]
kind = "throttle"
operation = "SearchContacts"
start = "10s"
end = "20s"
"""


DISCONNECTS = json.dumps(
    {
        "Version": "2019-10-30",
        "StartAction": "bye",
        "Actions": [{"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}],
    }
)


@pytest.mark.uses("threads", "sockets")
@pytest.mark.parametrize("content", ["flows/bye.json", DISCONNECTS], ids=["file", "inline"])
def test_the_content_of_a_flow_is_in_a_file_next_to_the_scenario_or_in_it(make, tmp_path, content):
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "bye.json").write_text(DISCONNECTS)
    flow = f"[[flow]]\nname = 'Bad'\ntype = 'QUEUE_TRANSFER'\ncontent = '{content}'"
    (tmp_path / "mine.toml").write_text(f"[[queue]]\nname = 'Billing'\n{flow}")
    bench = make(Scenario.load(tmp_path / "mine.toml"), furnish=False)
    described = bench.call("describe_contact_flow", ContactFlowId=bench.flow("Bad"))["ContactFlow"]
    assert described["Content"] == DISCONNECTS
    moved = bench.transfer(bench.world.enqueue(), "Billing", "Bad")
    assert bench.describe(moved)["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"


@pytest.mark.uses("threads", "sockets")
def test_a_file_says_everything_that_can_be_said_in_python(make):
    scenario = Scenario.parse("mine.toml", EVERYTHING)
    assert scenario.behaviours == Behaviours(
        index_lag=timedelta(seconds=20), answer_id="old", paused_looks_queued=False
    )
    assert scenario.quotas == {"SearchContacts": CallRate(1.5, 2)}
    assert scenario.latency == (timedelta(0), timedelta(milliseconds=5))
    bench = make(scenario, furnish=False)
    assert bench.sandbox.instance_arn.startswith("arn:aws:connect:eu-west-2:111122223333:instance/aaaaaaaa")
    held = [contact for contact in bench.world.open() if contact.agent_id]
    assert len(held) == 3, "ann has three slots for e-mail"
    waiting = bench.world.waiting("Letters")
    assert len(waiting) == 2
    assert max(contact.enqueued_at for contact in held) <= min(contact.enqueued_at for contact in waiting)
    assert all(timedelta(hours=1) <= bench.clock.now - each.enqueued_at <= timedelta(hours=2) for each in waiting)
    queue = bench.call("describe_queue", QueueId=bench.queue("Attic"))["Queue"]
    assert queue["Status"] == "DISABLED"
    bench.clock.move(seconds=10)
    assert bench.refused("search_contacts", TimeRange=span(bench))[0] == 429
    bench.clock.move(minutes=9, seconds=50)
    tasks = [contact for contact in bench.world.open() if contact.channel == "TASK"]
    assert 30 < len(tasks) < 100, "six a minute, at random"
    assert bench.search()["TotalCount"] > 30


def span(bench):
    return {"Type": "ENQUEUE_TIMESTAMP", "StartTime": bench.clock.now - timedelta(hours=9), "EndTime": bench.clock.now}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[[queue]]\nnam = 'x'", ["2:1: unknown key 'nam' (did you mean 'name'?)"]),
        ("[[queue]]\nname = 'A'\n[[queue]]\nname = 'A'", ["4:8: name: queue 'A' occurs twice"]),
        (
            "[[queue]]\nname = 'Letters'\n[[backlog]]\nqueue = 'Leters'",
            ["4:9: there is no queue 'Leters' (did you mean 'Letters'?)"],
        ),
        (
            "[[agent]]\nusername = 'a'\nqueues = ['B', 'C']",
            ["3:11: queues: there is no queue 'B'", "3:16: queues: there is no queue 'C'"],
        ),
        ("[[queue]]\nname = 'A'\nhours = 'None'", ["3:9: there is no hours of operation 'None'"]),
        (
            "[[hours]]\nname = 'H'\nzone = 'Europe/Londn'\nweek = {}",
            ["3:8: 'Europe/Londn' is no time zone (did you mean"],
        ),
        ("[[hours]]\nname = 'H'\nweek.MONDAY = ['9-5']", ['3:16: MONDAY: expected hours such as "09:00-17:30"']),
        ("[[fault]]\nkind = 'throttle'\noperation = 'SearchContact'", ["3:13: there is no operation of the sandbox"]),
        ("[behaviours]\nanswer_id = 'newest'", ["2:13: answer_id: expected"]),
        ("[behaviours]\nanswer = 'new'", ["2:1: unknown key 'answer'"]),
        ("[behaviours]\nindex_lag = 5", ["2:13: index_lag: expected a duration"]),
        ("quotas = 'gcp'", ["1:10: quotas: expected"]),
        ("quotas = { ListEverything = { rate = 1, burst = 1 } }", ["1:29: there is no operation"]),
        ("[[agent]]\nusername = 'a'\nput_back = 0.5", ["3:12: put_back: an agent without `handling`"]),
        ("latency_ms = [9, 1]", ["1:14: latency_ms: the first of the two must not be the longer"]),
        ("[[backlog]]\nqueue = 'A'\nwaited = ['2h', '1h']", ["3:10: waited: the first of"]),
        (
            "[[backlog]]\nqueue = 'A'\nwaited = 5",
            ["3:10: waited: expected the least and the most, such as [5, 5], got 5"],
        ),
        ("[[backlog]]\nqueue = 'A'\nwaited = ['5h']", ["3:10: waited: expected the least and the most, such as"]),
        ("latency_ms = 40", ["1:14: latency_ms: expected the least and the most, such as [40, 40], got 40"]),
        ("[[agent]]\nusername = 'a'\nqueues = 'A'", ['3:10: queues: expected a list such as ["A"], got "A"']),
        ("start = 2026-12-24T16:50:00", ["1:9: start: 2026-12-24T16:50:00 needs an offset"]),
        ("start = 'tomorrow'", ["1:9:"]),
        ("speed = 0", ["1:9: speed: must be more than 0, got 0"]),
        (
            "[[flow]]\nname = 'F'\ntype = 'QUEUE_TRANSFER'\ncontent = 'none.json'",
            ["4:11: content: cannot be read: No such file or directory"],
        ),
        (
            "[[flow]]\nname = 'F'\ntype = 'QUEUE_TRANSFER'\ncontent = '{}'",
            ["4:11: content: no flow in the Amazon Connect Flow language"],
        ),
        (
            f"[[flow]]\nname = 'F'\ntype = 'QUEUE_TRANSFER'\nafter = '5s'\ncontent = '{DISCONNECTS}'",
            ["4:9: after: `content` defines what the flow does: remove this key"],
        ),
        (
            "[[fault]]\nkind = 'error'\noperation = 'TransferContact'\ncode = 'ConflictException'",
            ["4:8: code: TransferContact cannot respond with 'ConflictException'; its own errors are AccessDenied"],
        ),
        (
            "[[fault]]\nkind = 'error'\ncode = 'IdempotencyException'",
            ["3:8: code: AssociateContactWithUser and others cannot respond with 'IdempotencyException': name one"],
        ),
        ("[[fault]]\nkind = 'error'\ncode = 'ThrotlingException'", ["3:8: code: AssociateContactWithUser and others"]),
        ("seed = ", ["1:"]),
        ("\x00", ["1:1:"]),
    ],
)
def test_a_mistake_in_a_file_is_one_line_with_its_place(text, lines):
    with pytest.raises(Problems) as caught:
        Scenario.parse("bad.toml", text.encode())
    told = str(caught.value).splitlines()
    assert len(told) == len(lines)
    for line, start in zip(told, lines, strict=True):
        assert line.startswith(f"bad.toml:{start}")


@pytest.mark.parametrize("operation", ["TransferContact", "SearchContacts", None])
@pytest.mark.parametrize(
    "code",
    ["ThrottlingException", "InternalServiceException", "AccessDeniedException", "InvalidSignatureException"],
)
def test_an_error_that_every_operation_can_have_may_be_injected_anywhere(operation, code):
    where = f"operation = '{operation}'\n" if operation is not None else ""
    Scenario.parse("good.toml", f"[[fault]]\nkind = 'error'\n{where}code = '{code}'".encode())


def test_every_line_of_a_mistaken_scenario_names_its_key():
    """Gives each key of each table a value of a wrong kind, and one that is out of range."""
    tables = {"instance": False, "hours": True, "queue": True, "flow": True, "agent": True, "backlog": True}
    tables |= {"arrivals": True, "fault": True, "events": False, "behaviours": False}
    tried = 0
    for table, many in tables.items():
        annotation = ScenarioDocument.model_fields[table].annotation
        model = next(one for one in (annotation, *get_args(annotation)) if hasattr(one, "model_fields"))
        for key in model.model_fields:
            for value in ("[[[]]]", "-1", "''", "1979-05-27"):
                head = f"[[{table}]]" if many else f"[{table}]"
                with suppress(Problems):
                    Scenario.parse("bad.toml", f"{head}\n{key} = {value}\n".encode())
                    continue
                tried += 1
                with pytest.raises(Problems) as caught:
                    Scenario.parse("bad.toml", f"{head}\n{key} = {value}\n".encode())
                lines = [line for line in str(caught.value).splitlines() if line.startswith("bad.toml:2:")]
                assert [line for line in lines if key not in line.partition(": ")[2]] == []
    assert tried > 150


@pytest.mark.parametrize("start", ["2026-12-24T16:50:00+01:00", '"2026-12-24T16:50:00+01:00"'])
def test_the_clock_starts_when_the_scenario_says_and_is_as_fast_as_it_says(start):
    clock = Scenario.parse("s.toml", f"start = {start}\nspeed = 3600".encode()).make_clock()
    began, first = time.monotonic(), clock()
    time.sleep(0.05)
    gained, most = clock() - first, timedelta(seconds=(time.monotonic() - began) * 3600)
    assert timedelta() <= first - datetime(2026, 12, 24, 15, 50, tzinfo=UTC) <= most
    assert timedelta(seconds=180) <= gained <= most


@pytest.mark.uses("threads", "sockets")
def test_every_part_of_the_sandbox_has_the_clock_of_the_scenario():
    text = b"start = 2026-12-24T16:50:00Z\n[[queue]]\nname = 'A'\n[[backlog]]\nqueue = 'A'\nwaited = '5h'\nname = 'N'\n"
    with Sandbox(Scenario.parse("s.toml", text)) as sandbox:
        contact = next(iter(sandbox.world.open()))
        assert contact.enqueued_at is not None
        assert contact.content.name == "N"
        assert timedelta() <= contact.enqueued_at - datetime(2026, 12, 24, 11, 50, tzinfo=UTC) < timedelta(minutes=1)
        assert sandbox.now - contact.enqueued_at >= timedelta(hours=5)


def test_a_file_that_is_not_there_is_one_line_too(tmp_path):
    with pytest.raises(Problems, match="there is no such file"):
        Scenario.load(tmp_path / "none.toml")


@pytest.mark.uses("threads", "sockets")
def test_the_shipped_contact_centre_is_lively(make):
    bench = make(Scenario.default(), furnish=False)
    names = {queue["Name"] for queue in bench.call("list_queues", QueueTypes=["STANDARD"])["QueueSummaryList"]}
    assert names > {"Billing", "Billing Overflow", "Claims", "Claims Overflow", "General", "Supervisors", "VIP"}
    flows = {
        flow["Name"]: (flow["ContactFlowType"], flow["ContactFlowState"], flow["ContactFlowStatus"])
        for flow in bench.call("list_contact_flows")["ContactFlowSummaryList"]
    }
    assert flows["Overflow to queue"] == ("QUEUE_TRANSFER", "ACTIVE", "PUBLISHED")
    assert flows["Escalate to agent"] == ("AGENT_TRANSFER", "ACTIVE", "PUBLISHED")
    assert {state for _, state, _ in flows.values()} == {"ACTIVE", "ARCHIVED"}
    assert {status for _, _, status in flows.values()} == {"PUBLISHED", "SAVED"}
    late = [
        each for each in bench.world.waiting("Billing") if bench.clock.now - each.enqueued_at > timedelta(minutes=30)
    ]
    assert len(late) >= 6
    before = len(bench.world.open())
    ended = bench.world.started_at
    bench.clock.move(minutes=30)
    everything = list(bench.world.state.contacts.all_at(bench.world.now))
    assert len(everything) > before + 60, "contacts keep coming"
    assert sum(1 for each in everything if each.life.disconnected_at and each.life.disconnected_at > ended) > 30, (
        "work gets done"
    )
    assert bench.world.waiting("Claims Overflow") == ()


@pytest.mark.uses("threads", "sockets")
def test_ids_are_the_same_in_every_run_so_that_files_can_name_them(make):
    first, second = make(), make()
    for name in ("Billing", "General"):
        assert first.queue(name) == second.queue(name)
    assert first.sandbox.instance_id == "11111111-2222-3333-4444-555555555555"


PROGRAM = "import sys; from router.sandbox import serve; sys.exit(serve(None, 0))"


@pytest.mark.uses("sockets", "processes")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_as_a_program_it_tells_how_to_reach_it_serves_and_ends_with_0(end):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            exports = {}
            for line in process.stdout:
                if line.startswith("export "):
                    name, _, value = line.removeprefix("export ").strip().partition("=")
                    exports[name] = value
                if line.startswith("# aws connect"):
                    instance = line.split()[-1]
                    break
            client = boto3.client(
                "connect",
                endpoint_url=exports["AWS_ENDPOINT_URL_CONNECT"],
                region_name=exports["AWS_DEFAULT_REGION"],
                aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
            )
            assert client.describe_instance(InstanceId=instance)["Instance"]["InstanceAlias"] == "contact-centre"
            client.close()
            start = time.monotonic()
            process.send_signal(end)
            assert process.wait(timeout=10) == 0
            assert time.monotonic() - start < 5
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_the_sandbox_imports_nothing_of_the_routers_core():
    folder = Path(router.sandbox.__file__).parent
    allowed = ("router.sandbox", "router.durations", "router.toml_source", "router.problems")
    for path in folder.rglob("*.py"):
        for line in path.read_text().splitlines():
            if line.strip().startswith(("from router", "import router")):
                assert line.split()[1].startswith(allowed), f"{path}: {line}"
