"""``reload``: the service reads its rules and its configuration again."""

from __future__ import annotations

import argparse

from router.cli.errors import DONE
from router.cli.output.tables import count, print_json
from router.cli.parser import add_json
from router.cli.service_client import announce_service, asked, control_socket

DESCRIPTION = """\
Has the running service read its rules and config.toml again, and waits for the verdict: in force, or refused with
every error where it stands; then the old rules go on. What of config.toml needs a restart is refused by name. Exits 1
when refused. For root and the service's own user."""
EXAMPLE = """\
  connect-router reload --config /etc/connect-router/config.toml
"""
WITHIN_S = 80.0
"""Less than systemd waits (TimeoutStartSec of the unit). The lists of a large instance may have to be read, for rules
that name agents or hours for the first time."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    path = control_socket(arguments)
    announce_service(path)
    result = asked(path, "reload", within=WITHIN_S)
    if arguments.json:
        print_json(result)
    else:
        before = "as before" if result["revision"] == result["before"] else f"before: {result['before']}"
        print(f"{count(result['count'], 'rule')} in force, revision {result['revision']} ({before})")
    return DONE
