"""``resume``: a pause, or a suspension of a flow, is lifted."""

from __future__ import annotations

import argparse

from router.cli.commands.pause import add_subject, subject_of
from router.cli.errors import DONE
from router.cli.output.tables import count, print_json
from router.cli.parser import add_json
from router.cli.service_client import announce_service, asked, control_socket
from router.problems import printable

DESCRIPTION = """\
Lifts one pause, named as it was set; --all lifts the pause of everything, and leaves those of single rules, queues,
flows and contacts. With --flow a flow that was suspended, because contacts that it moved did not land, is used again:
those do not count against it any more. For root and the service's own user."""
EXAMPLE = """\
  connect-router resume --rule billing-overflow
  connect-router resume --flow "Overflow to queue"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, flow="moves with this flow; also one that was suspended")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    path = control_socket(arguments)
    announce_service(path)
    result = asked(path, "resume", subject_of(arguments))
    if arguments.json:
        print_json(result)
        return DONE
    if result["lifted"] is not None:
        print(printable(f"no longer: {result['lifted']}"))
    if result["forgiven_strays"] is not None:
        print(f"the flow is used again; {count(result['forgiven_strays'], 'stray')} of it forgiven")
    for line in result["left"]:
        print(printable(f"still: {line}"))
    return DONE
