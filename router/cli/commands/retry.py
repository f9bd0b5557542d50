"""``retry``: what Connect refused may be tried again."""

from __future__ import annotations

import argparse

from router.cli.errors import DONE
from router.cli.output.tables import count, print_json
from router.cli.parser import add_json
from router.cli.service_client import announce_service, asked, control_socket

DESCRIPTION = """\
Contacts that are held because Connect refused their destinations (failed_before) may be tried again, from the next
cycle on: all, those of a rule, or one. For root and the service's own user."""
EXAMPLE = """\
  connect-router retry --rule billing-overflow
  connect-router retry 40797c0d-b39b-44e9-b624-06a0162ef271
"""


def configure(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rule", metavar="NAME", help="what was refused to this rule")
    what.add_argument("contact_id", nargs="?", metavar="CONTACT_ID", help="any id of a chain: that chain's alone")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    path = control_socket(arguments)
    announce_service(path)
    result = asked(path, "retry", {"rule": arguments.rule, "contact_id": arguments.contact_id})
    if arguments.json:
        print_json(result)
    else:
        print(f"{count(result['contacts'], 'contact')} may be tried again")
    return DONE
