"""Ends a pause, or the suspension of a flow: the command ``resume``."""

from __future__ import annotations

import argparse

from router.cli.commands.pause import add_subject, subject_of
from router.cli.errors import DONE
from router.cli.output.tables import count, print_json
from router.cli.parser import add_json
from router.cli.service_client import announce_service, call_service, control_socket
from router.problems import printable

DESCRIPTION = """\
Ends one pause, named as in `pause`. --all ends the pause of everything, but not those of single rules, queues, flows
and contacts. --flow also lets the service use a flow again that was suspended because its contacts did not land. These
contacts no longer count against the flow. Only root and the service's own user may do this."""
EXAMPLE = """\
  connect-router resume --rule billing-overflow
  connect-router resume --flow "Overflow to queue"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, flow="moves with this flow; also a suspended flow")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    path = control_socket(arguments)
    announce_service(path, quiet=arguments.quiet)
    result = call_service(path, "resume", subject_of(arguments))
    if arguments.json:
        print_json(result)
        return DONE
    if result["lifted"] is not None:
        print(printable(f"resumed: {result['lifted']}"))
    if result["forgiven_strays"] is not None:
        print(f"the flow is used again; {count(result['forgiven_strays'], 'stray')} of it forgiven")
    for line in result["left"]:
        print(printable(f"still: {line}"))
    return DONE
