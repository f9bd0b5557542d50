"""Checks that ``check --live`` finds what a bad flow does, and that the sandbox then does it to a moved contact."""

import json
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from router.inspect.flow_content import flow_template
from router.sandbox.flow_blocks import FlowBlocks
from tests.e2e.centre import FLOW, LATE_RULE
from tests.e2e.test_service_following import lines, settle

HOUR = timedelta(hours=1)
TWO_STEPS = LATE_RULE + '[[rule.step]]\nat = "breach + 1h"\nto = [{ queue = "Supervisors" }]\n'


def flow(**changes):
    """Returns the flow that the product prints. ``changes``: the block that each branch leads to; ``start``."""
    made = flow_template("queue", "General")
    go = made["Actions"][0]["Transitions"]
    made["StartAction"] = changes.get("start", made["StartAction"])
    for error in go["Errors"]:
        error["NextAction"] = changes.get(error["ErrorType"], error["NextAction"])
    made["Actions"].append(
        {
            "Identifier": "wait",
            "Type": "Wait",
            "Parameters": {"TimeoutSeconds": "300"},
            "Transitions": {"NextAction": "transfer-to-destination"},
        }
    )
    return json.dumps(made)


DISCONNECTS = 'the branch At capacity of "Transfer to queue" ends the contact: lead it to a fallback queue'
FAILS = DISCONNECTS.replace("At capacity", "Error")
IGNORES = '"Set working queue" sets a fixed queue: the destination of the rule is ignored'
LATE = '"Wait" precedes "Transfer to queue": the contact lands late, or counts as stray'
BAD = {
    "disconnects at capacity": (flow(QueueAtCapacity="disconnect"), [DISCONNECTS], None, ["ended"], 0),
    "a fixed queue": (flow(start="set-fallback-queue"), [IGNORES, DISCONNECTS, FAILS], "General", ["diverted"], 0),
    "a wait": (flow(start="wait"), [LATE], "General", ["diverted"], 1),
    "the flow of this product": (flow(), [], "General", ["diverted"], 0),
}


@pytest.mark.parametrize(("content", "found", "queue", "landings", "strays"), BAD.values(), ids=BAD)
def test_the_sandbox_does_what_check_live_has_found(centre, events, content, found, queue, landings, strays):
    centre.world.set_flow(FLOW, content=FlowBlocks.parse(content))
    centre.world.set_queue("Billing Overflow", capacity=0)
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    settle(centre, app, looks=40)

    assert centre.world.queue_of(centre.world.latest(contact).id) == queue
    assert [line["landing"] for line in lines(events, "contact.landed")] == landings
    assert [line.get("diverted") for line in lines(events, "contact.landed")] == [queue is not None]
    assert len(lines(events, "contact.stray")) == strays


def problems(bench, content):
    bench.sandbox.world.set_flow(FLOW, content=FlowBlocks.parse(content))
    return bench.run("check", "--live")


@pytest.mark.parametrize(("content", "found"), [each[:2] for each in BAD.values()], ids=BAD)
def test_check_live_reports_each_finding_where_the_rule_names_the_flow(bench, content, found):
    done = problems(bench, content)
    kinds = ["warning: " if text == LATE else "" for text in found]
    assert done.stderr.splitlines() == [
        f'rules/10-late.toml:16:7: {kind}flow "{FLOW}": {text}' for kind, text in zip(kinds, found, strict=True)
    ]
    assert done.returncode == (1 if "" in kinds else 0)


def test_the_findings_are_in_json_and_junit_and_count_the_other_places(bench, tmp_path):
    (bench.folder / "rules" / "10-late.toml").write_text(TWO_STEPS)
    bench.sandbox.world.add_queue("Supervisors")
    content = flow(QueueAtCapacity="disconnect")
    problems(bench, content)

    found = bench.run("check", "--live", "--json", "--junit", str(tmp_path / "out.xml"))

    message = f'flow "{FLOW}": {DISCONNECTS} (1 more destination with this flow)'
    [problem] = [one for one in json.loads(found.stdout)["problems"] if "flow" in one["message"]]
    assert (problem["message"], problem["severity"]) == (message, "error")
    failures = [each.get("message") for each in ElementTree.parse(tmp_path / "out.xml").iter("failure")]
    assert message in failures


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"kind": "error", "code": "ContactFlowNotPublishedException"}, "(ContactFlowNotPublishedException: injected"),
        ({"kind": "error", "code": "ResourceNotFoundException"}, "(ResourceNotFoundException: injected"),
        ({"kind": "error_500"}, "(InternalServiceException: "),
    ],
    ids=["not published", "gone", "500"],
)
def test_a_content_that_cannot_be_read_is_reported_and_not_guessed(bench, fault, text):
    bench.sandbox.world.faults.add(operation="DescribeContactFlow", **fault)
    done = bench.run("check", "--live")
    assert f'flow "{FLOW}": not checked, because its content could not be read {text}' in done.stderr
    assert (done.returncode, len(done.stderr.splitlines())) == (0, 1)


def test_a_content_in_an_unknown_version_is_reported_and_not_guessed(bench):
    foreign = flow().replace("2019-10-30", "2031-10-30")
    made = FlowBlocks.parse(flow())
    bench.sandbox.world.set_flow(FLOW, content=FlowBlocks(foreign, made.start, made.blocks))
    done = bench.run("check", "--live")
    assert "not checked, because its content has version '2031-10-30'; only '2019-10-30' is known" in done.stderr
    assert done.returncode == 0


def test_a_missing_right_is_reported_as_others_are(bench):
    bench.sandbox.world.faults.add("access_denied", "DescribeContactFlow")
    done = bench.run("check", "--live")
    assert "IAM denies connect:DescribeContactFlow, which these rules need" in done.stderr
    assert done.returncode == 1


def test_the_fallback_queue_may_be_a_name_of_the_instance(bench):
    general = next(each for each in bench.sandbox.world.state.register.queues.values() if each.name == "General")

    printed = bench.run("flow", "queue", "--fallback", "General")
    unknown = bench.run("flow", "queue", "--fallback", "Generel")

    assert f'"QueueId": "{general.id}"' in printed.stdout
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith(
        "connect-router: --fallback: queue \"Generel\" does not exist in the instance (did you mean 'General'?); give"
    )


def test_without_the_instance_a_name_is_refused_in_one_line(bench):
    bench.sandbox.world.faults.add("access_denied")
    done = bench.run("flow", "queue", "--fallback", "General")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert 'queue "General" cannot be looked up (AWS does not let these credentials read instance' in done.stderr
