"""Lets the service try again what Connect refused: the command ``retry``."""

from __future__ import annotations

import argparse

from router.cli.errors import DONE
from router.cli.output.tables import count, print_json
from router.cli.parser import add_json, contact_id
from router.cli.service_client import announce_service, call_service, control_socket

DESCRIPTION = """\
Lets the service move contacts again that it holds because Connect refused their destinations (failed_before): all,
those of a rule, or one. It tries them from the next cycle on. Only root and the service's own user may do this."""
EXAMPLE = """\
  connect-router retry --rule billing-overflow
  connect-router retry 40797c0d-b39b-44e9-b624-06a0162ef271
"""


def configure(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rule", metavar="NAME", help="only contacts of this rule")
    what.add_argument(
        "contact_id",
        nargs="?",
        metavar="CONTACT_ID",
        type=contact_id,
        help="any id of a chain: only that chain",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    path = control_socket(arguments)
    announce_service(path, quiet=arguments.quiet)
    result = call_service(path, "retry", {"rule": arguments.rule, "contact_id": arguments.contact_id})
    if arguments.json:
        print_json(result)
    else:
        print(f"{count(result['contacts'], 'contact')} may be tried again")
    return DONE
