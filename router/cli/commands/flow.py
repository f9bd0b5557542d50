"""Prints the flow that a rule needs, ready to be imported: the command ``flow``."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any, Literal

DESCRIPTION = """\
Prints a flow that puts a moved contact into the queue, or to the agent, that the rule names. If that queue is full or
fails, the flow puts the contact into the fallback queue. Import the flow, publish it and name it in your rules. Makes
no call to AWS, except to look up the name of a fallback queue."""
EXAMPLE = """\
  connect-router flow queue --fallback 11111111-2222-3333-4444-555555555555 > to-queue.json
  connect-router flow agent --fallback "Night Desk" --format terraform > to-agent.tf
"""
QUEUE = re.compile(
    r"arn:aws[a-z-]*:connect:[a-z0-9-]+:\d{12}:instance/[\w-]+/queue/[\w-]+|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}"
)
TYPES: dict[Literal["queue", "agent"], str] = {"queue": "QUEUE_TRANSFER", "agent": "AGENT_TRANSFER"}
"""The types of flow, as ``CreateContactFlow`` and ``AWS::Connect::ContactFlow`` name them."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("to", choices=tuple(TYPES), help="what the steps of the rule move to")
    parser.add_argument(
        "--fallback",
        required=True,
        metavar="QUEUE",
        help="the queue for contacts whose destination is full: its id, ARN or name; choose one without a maximum",
    )
    parser.add_argument(
        "--format",
        choices=("json", "cloudformation", "terraform"),
        default="json",
        help="json: for the import in the flow designer and for CreateContactFlow (the default)",
    )
    parser.add_argument(
        "--name",
        metavar="NAME",
        help="the name of the flow, not with json (default: connect-router to queue, or to agent)",
    )


def run(arguments: argparse.Namespace) -> int:
    from router.cli.errors import CommandFailed
    from router.inspect.flow_content import flow_template

    fallback, name = arguments.fallback, arguments.name or f"connect-router to {arguments.to}"
    if not QUEUE.fullmatch(fallback):
        fallback = _queue_id(arguments)
    if arguments.format == "json":
        if arguments.name is not None:
            line = "connect-router flow: --name: a flow in json gets its name where you import or create it"
            raise CommandFailed(f"{line}; leave --name out, or choose another --format", misconfigured=True)
        print(json.dumps(flow_template(arguments.to, fallback), indent=2))
    elif arguments.format == "cloudformation":
        content = flow_template(arguments.to, "${FallbackQueue}")
        print(json.dumps(_cloudformation(arguments.to, name, json.dumps(content), fallback), indent=2))
    else:
        print(terraform(arguments.to, name, fallback), end="")
    return 0


def _queue_id(arguments: argparse.Namespace) -> str:
    """Returns the id of the fallback queue that is given by its name. Raises ``CommandFailed``."""
    from router.cli.context import settings_of
    from router.cli.errors import CommandFailed
    from router.cli.resources import connected, read_directory
    from router.problems import Problems, printable
    from router.rules.bind import InstanceNames, Unusable

    try:
        settings = settings_of(arguments)
        with connected(settings) as connection:
            names = InstanceNames(read_directory(connection, settings, with_agents=False), agents_known=False)
        found = names.destination_queue(arguments.fallback)
        if not isinstance(found, Unusable):
            return found
        why = str(found)
    except (Problems, CommandFailed) as problem:
        first = str(problem).partition("\n")[0].removeprefix("connect-router: ")
        why = f'queue "{arguments.fallback}" cannot be looked up ({first})'
    text = f"connect-router: --fallback: {why}; give its id or ARN: the address of its page in the website has the id"
    raise CommandFailed(printable(text), misconfigured=True)


def _cloudformation(to: Literal["queue", "agent"], name: str, content: str, fallback: str) -> dict[str, Any]:
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The flow that connect-router uses to move contacts to a {to}.",
        "Parameters": {
            "InstanceArn": {"Type": "String", "Description": "The ARN of the Amazon Connect instance."},
            "FallbackQueue": {
                "Type": "String",
                "Default": fallback,
                "Description": "The id or ARN of the queue for contacts whose destination is full.",
            },
        },
        "Resources": {
            "Flow": {
                "Type": "AWS::Connect::ContactFlow",
                "Properties": {
                    "InstanceArn": {"Ref": "InstanceArn"},
                    "Name": name,
                    "Type": TYPES[to],
                    "State": "ACTIVE",
                    "Content": {"Fn::Sub": content},
                },
            }
        },
        "Outputs": {"FlowArn": {"Value": {"Fn::GetAtt": ["Flow", "ContactFlowArn"]}}},
    }


def terraform(to: Literal["queue", "agent"], name: str, fallback: str | None) -> str:
    """Returns the flow as a resource. ``None`` leaves the variable of the fallback queue without a default."""
    from router.inspect.flow_content import flow_template

    text = json.dumps(flow_template(to, "${var.fallback_queue}"), indent=2).replace("\n", "\n  ")
    default = "" if fallback is None else f"  default     = {_hcl(fallback)}\n"
    return f"""\
variable "instance_id" {{
  type        = string
  description = "The id of the Amazon Connect instance."
}}

variable "fallback_queue" {{
  type        = string
{default}  description = "The id or ARN of the queue for contacts whose destination is full."
}}

resource "aws_connect_contact_flow" "to_{to}" {{
  instance_id = var.instance_id
  name        = {_hcl(name)}
  type        = "{TYPES[to]}"

  content = <<-EOT
  {text}
  EOT
}}
"""


def _hcl(text: str) -> str:
    """Returns a quoted string of Terraform's language, in which ``${`` and ``%{`` would begin a template."""
    return json.dumps(text).replace("${", "$${").replace("%{", "%%{")
