"""Pauses rules, queues, flows or contacts in the running service: the command ``pause``."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from router.cli.errors import DONE
from router.cli.output.tables import print_json
from router.cli.parser import add_json, contact_id
from router.cli.service_client import announce_service, call_service, control_socket, print_under_way
from router.durations import parse_duration
from router.problems import printable

KINDS = ("rule", "queue", "flow", "contact")


def add_subject(parser: argparse.ArgumentParser, *, flow: str) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--rule", metavar="NAME", help="moves by this rule")
    what.add_argument("--queue", metavar="NAME", help="contacts in this queue, and moves into it")
    what.add_argument("--flow", metavar="NAME", help=flow)
    what.add_argument(
        "--contact", metavar="CONTACT_ID", type=contact_id, help="this contact: any id of its chain, or its ARN"
    )
    what.add_argument("--all", action="store_true", help="everything")


def subject_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Returns the subject of a pause as arguments of the service's command."""
    for kind in KINDS:
        if (name := getattr(arguments, kind)) is not None:
            return {"kind": kind, "name": name}
    return {"kind": "all"}


DESCRIPTION = """\
Makes the running service hold contacts for a time: those of a rule, a queue or a flow, one contact, or all. The pause
is in force before the next call, repeats included. It survives restarts, and ends after its time. Contacts are held
(operator_pause); the next rule does not move them instead. Only root and the service's own user may do this."""
EXAMPLE = """\
  connect-router pause --rule billing-overflow --for 30m --comment "the flow is being changed"
  connect-router pause --all --for 2h --comment "incident 4711"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, flow="moves with this flow")
    parser.add_argument("--for", dest="span", metavar="TIME", required=True, type=_span, help="how long: 30m, 2h, 1d")
    parser.add_argument("--comment", metavar="TEXT", required=True, help="the reason, for your colleagues")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    path = control_socket(arguments)
    announce_service(path, quiet=arguments.quiet)
    span = {"for_s": arguments.span.total_seconds(), "comment": arguments.comment}
    result = call_service(path, "pause", {**subject_of(arguments), **span})
    if arguments.json:
        print_json(result)
    else:
        print(printable(result["pause"]))
        print_under_way(result)
    return DONE


def _span(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
