"""Holds ``flow`` to formats that their readers accept: the flow content, CloudFormation and Terraform."""

import json
import re

import pytest

from router.inspect.flow_content import read_flow

QUEUE = "11111111-2222-3333-4444-555555555555"
ARN = f"arn:aws:connect:eu-central-1:123456789012:instance/{QUEUE}/queue/{QUEUE}"


@pytest.mark.parametrize("fallback", [QUEUE, ARN])
@pytest.mark.parametrize("to", ["queue", "agent"])
def test_the_content_is_a_flow_that_falls_back_to_the_queue(command, to, fallback):
    done = command("flow", to, "--fallback", fallback)

    assert done.status == 0
    assert read_flow(done.out).findings() == ()
    assert read_flow(done.out).blocks["set-fallback-queue"].parameters == {"QueueId": fallback}


@pytest.mark.parametrize(("to", "kind"), [("queue", "QUEUE_TRANSFER"), ("agent", "AGENT_TRANSFER")])
def test_the_template_of_cloudformation_makes_a_flow_of_the_right_type(command, to, kind):
    done = command("flow", to, "--fallback", ARN, "--format", "cloudformation", "--name", "Mine")

    template = json.loads(done.out)
    made = template["Resources"]["Flow"]["Properties"]
    assert (made["Type"], made["Name"], template["Parameters"]["FallbackQueue"]["Default"]) == (kind, "Mine", ARN)
    assert read_flow(made["Content"]["Fn::Sub"].replace("${FallbackQueue}", ARN)).findings() == ()
    assert re.findall(r"\$\{(\w+)\}", made["Content"]["Fn::Sub"]) == ["FallbackQueue"]


def test_the_resource_of_terraform_has_the_flow_in_its_heredoc(command):
    done = command("flow", "agent", "--fallback", ARN, "--format", "terraform", "--name", 'The "${best}" flow')

    assert 'type        = "AGENT_TRANSFER"' in done.out
    assert r'name        = "The \"$${best}\" flow"' in done.out
    content = re.search(r"<<-EOT\n(.*?)\n  EOT", done.out, flags=re.DOTALL)
    assert content is not None
    assert read_flow(content[1].replace("${var.fallback_queue}", ARN)).findings() == ()


def test_a_name_is_refused_in_json_which_has_none(command):
    done = command("flow", "queue", "--fallback", ARN, "--name", "Mine")

    assert (done.status, done.out) == (2, "")
    assert "--name: a flow in json gets its name where you import or create it" in done.err


@pytest.mark.parametrize("fallback", ["Night Desk", "", "arn:aws:connect:eu-central-1:123456789012:instance/i", "x\n"])
def test_a_fallback_that_cannot_be_looked_up_is_refused_in_one_line(command, fallback):
    done = command("flow", "queue", "--fallback", fallback, "--config", "none.toml")

    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert "cannot be looked up (none.toml:" in done.err
    assert "give its id or ARN: the address of its page in the website has the id" in done.err
