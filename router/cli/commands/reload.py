"""Makes the service read its rules and its configuration again: the command ``reload``."""

from __future__ import annotations

import argparse

from router.cli.errors import DONE
from router.cli.output.tables import count, print_json
from router.cli.parser import add_json
from router.cli.service_client import announce_service, call_service, control_socket, print_under_way
from router.cli.streams import in_journal

DESCRIPTION = """\
Makes the running service read its rules and config.toml again, and waits for the result. The new rules are in force, or
refused with the place of every error; then the old rules stay in force. A change of config.toml that needs a restart is
refused by its key. Exits 1 if refused. Only root and the service's own user may do this."""
EXAMPLE = """\
  connect-router reload --config /etc/connect-router/config.toml
"""
WITHIN_S = 80.0
"""Shorter than systemd's limit (TimeoutStartSec of the unit). Rules that name agents or hours for the first time need
the lists of the instance, which may be long."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    path = control_socket(arguments)
    silent = in_journal()  # it is the service's journal: the service itself logs there what is in force
    if not silent:
        announce_service(path, quiet=arguments.quiet)
    result = call_service(path, "reload", within=WITHIN_S)
    if silent:
        return DONE
    if arguments.json:
        print_json(result)
    else:
        before = "as before" if result["revision"] == result["before"] else f"before: {result['before']}"
        print(f"{count(result['count'], 'rule')} in force, revision {result['revision']} ({before})")
        print_under_way(result)
    return DONE
