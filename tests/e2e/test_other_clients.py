"""Calls the sandbox with clients that are not boto3: the AWS CLI, and the JavaScript SDK.

Each is a process that knows only what the sandbox prints to export.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from router.sandbox import Sandbox
from router.sandbox.serve import greeting

ROOT = Path(__file__).resolve().parents[2]
JAVASCRIPT_SDK = ROOT / "build" / "javascript"
"""``make suite`` installs it there if npm is on this machine."""
LONGEST_S = 60

CallClient = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Makes a call of an operation. Returns the response, or ``{"refused": the name of the error}``."""


def aws_command() -> list[str]:
    if importlib.util.find_spec("awscli") is not None:
        return [sys.executable, "-m", "awscli"]
    found = shutil.which("aws")
    if found is None:
        pytest.skip("there is no AWS CLI here")
    return [found]


def cli(environment: dict[str, str]) -> CallClient:
    command = aws_command()

    def call(operation: str, params: dict[str, Any]) -> dict[str, Any]:
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", operation).lower()
        given = ["connect", name, "--cli-input-json", json.dumps(params), "--output", "json"]
        ended = subprocess.run([*command, *given], env=environment, capture_output=True, text=True, timeout=LONGEST_S)
        refused = re.search(r"An error occurred \((\w+)\)", ended.stderr)
        assert ended.returncode == 0 or refused, ended.stderr
        return {"refused": refused[1]} if refused else json.loads(ended.stdout or "{}")

    return call


def javascript(environment: dict[str, str]) -> CallClient:
    node = shutil.which("node")
    if node is None or not (JAVASCRIPT_SDK / "node_modules" / "@aws-sdk" / "client-connect").exists():
        pytest.skip("there is no JavaScript SDK here (make suite installs it if there is npm)")

    def call(operation: str, params: dict[str, Any]) -> dict[str, Any]:
        script = [node, str(ROOT / "tests" / "javascript" / "call.cjs"), str(JAVASCRIPT_SDK)]
        ended = subprocess.run(
            [*script, operation, json.dumps(params)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
        )
        assert ended.returncode == 0, ended.stderr
        answer: dict[str, Any] = json.loads(ended.stdout)
        return answer

    return call


def exported(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """Returns the environment of a shell in which a user has run the lines that the sandbox prints."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    printed = dict(
        line.removeprefix("export ").split("=", 1) for line in greeting(sandbox).splitlines() if line[0] != "#"
    )
    absent = str(folder / "absent")
    return own | printed | {"NO_PROXY": "127.0.0.1", "AWS_CONFIG_FILE": absent, "AWS_SHARED_CREDENTIALS_FILE": absent}


@pytest.mark.parametrize("client", [cli, javascript])
def test_another_client_lists_searches_describes_and_transfers(client, tmp_path):
    with Sandbox() as sandbox:
        call = client(exported(sandbox, tmp_path))
        here = {"InstanceId": sandbox.instance_id}
        for name in ("Billing", "General"):
            sandbox.world.add_queue(name)
        contact = sandbox.world.enqueue(queue="Billing")
        now = datetime.now(UTC)

        queues = call("ListQueues", here | {"QueueTypes": ["STANDARD"]})["QueueSummaryList"]
        flows = call("ListContactFlows", here | {"ContactFlowTypes": ["QUEUE_TRANSFER"]})["ContactFlowSummaryList"]
        span = {"StartTime": f"{now - timedelta(days=2):%FT%TZ}", "EndTime": f"{now + timedelta(hours=1):%FT%TZ}"}
        found = call("SearchContacts", here | {"TimeRange": {"Type": "ENQUEUE_TIMESTAMP", **span}})
        before = call("DescribeContact", here | {"ContactId": contact})["Contact"]
        ids = {each["Name"]: each["Id"] for each in queues}
        flow = next(each["Id"] for each in flows if each["Name"] == "Overflow to queue")
        request = here | {"ContactId": contact, "ContactFlowId": flow, "QueueId": ids["General"]}
        refused = call("TransferContact", request | {"QueueId": "99999999-9999-9999-9999-999999999999"})
        moved = call("TransferContact", request)["ContactId"]
        after = call("DescribeContact", here | {"ContactId": moved})["Contact"]

        assert {"Billing", "General"} <= set(ids)
        assert [each["Id"] for each in found["Contacts"]] == [contact]
        assert before["QueueInfo"]["Id"] == ids["Billing"]
        assert refused == {"refused": "ResourceNotFoundException"}
        assert [each.new_contact_id for each in sandbox.world.transfers] == [moved]
        assert (after["QueueInfo"]["Id"], after["PreviousContactId"]) == (ids["General"], contact)
        assert sandbox.problems == []
