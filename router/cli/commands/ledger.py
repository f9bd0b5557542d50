"""Makes the table of a ledger that several routers share: the command ``ledger``."""

from __future__ import annotations

import argparse

from router.cli.context import announce, print_note, settings_of
from router.cli.errors import DONE, CommandFailed
from router.cli.resources import in_one_line

DESCRIPTION = """\
create-table makes the DynamoDB table that ledger.url names, with on-demand capacity, and waits until it can be used.
If the table exists already, it only checks that it is one for a ledger. For an administrator: dynamodb:CreateTable and
dynamodb:DescribeTable, which the service itself does not need."""
EXAMPLE = """\
  connect-router ledger create-table --config /etc/connect-router/config.toml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["create-table"], metavar="create-table", help="makes the table")


def run(arguments: argparse.Namespace) -> int:
    from router.resources import open_table

    settings = settings_of(arguments)
    if settings.ledger.table is None:
        problem = settings.problem(("ledger", "url"), 'a SQLite file needs no table; "dynamodb:TABLE" names one')
        raise CommandFailed(str(problem), misconfigured=True)
    announce(settings, quiet=arguments.quiet)
    with in_one_line():
        table = open_table(settings)
        print_note(f"table {table.name} in {table.region}: requested; this takes some seconds")
        made = table.create()
    print(f"table {table.name} in {table.region}: {'made' if made else 'is there already'}")
    return DONE
