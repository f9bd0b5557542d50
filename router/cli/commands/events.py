"""Prints what brings contact events to the router, ready to be deployed: the command ``events``."""

from __future__ import annotations

import argparse

DESCRIPTION = """\
Prints the EventBridge rule, the SQS queue with its dead-letter queue, and the queue policies that bring the contact
events of your instance to the router. Deploy it, and put the URL of the queue into events.queue. Makes no call to AWS.
"""
EXAMPLE = """\
  connect-router events template > contact-events.json
  connect-router events template --format terraform > contact-events.tf
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("template",), help="what is printed")
    formats = ("cloudformation", "terraform")
    parser.add_argument("--format", choices=formats, default=formats[0], help="(default: cloudformation)")
    parser.add_argument(
        "--name", metavar="NAME", type=_name, help="the name of rule and queue (default: connect-router-contact-events)"
    )


def run(arguments: argparse.Namespace) -> int:
    from router.cli.context import print_note, settings_of
    from router.cli.errors import DONE
    from router.cli.output.tables import print_json
    from router.inspect.event_template import NAME, cloudformation, terraform

    settings = settings_of(arguments)
    arn = settings.connect.instance if settings.connect.account is not None else None
    name = arguments.name or NAME
    if arguments.format == "terraform":
        print(terraform(arn, settings.poll.channels, name), end="")
    else:
        print_json(cloudformation(arn, settings.poll.channels, name))
    if arn is None:
        name = "connect_instance_arn" if arguments.format == "terraform" else "InstanceArn"
        print_note(f"connect-router: connect.instance is no ARN: give {name} the ARN of the instance")
    return DONE


def _name(text: str) -> str:
    import re

    if re.fullmatch("[A-Za-z0-9_-]{1,64}", text) is None:
        raise argparse.ArgumentTypeError("expected 1 to 64 of the characters A-Z a-z 0-9 _ -")
    return text
