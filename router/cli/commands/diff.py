"""Shows what one rule set does and another does not: the command ``diff``."""

from __future__ import annotations

import argparse
from pathlib import Path

from router.cli.errors import DONE, FOUND
from router.cli.parser import add_json

DESCRIPTION = """\
Compares two rule sets, each a folder or a file, and prints the rules that were added, removed, changed or moved. With
--prove it compares what they do: it prints classes of contacts on which they act differently, or that they are proved
the same. Makes no call to AWS. Exits 1 if they differ."""
EXAMPLE = """\
  connect-router diff /etc/connect-router/rules rules
  connect-router diff old/rules new/rules --prove
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="A", type=Path, help="a folder of rule files, or one file")
    parser.add_argument("after", metavar="B", type=Path, help="the folder or file to compare it with")
    parser.add_argument(
        "--prove", action="store_true", help="also compare what they do to every contact (extra: prove)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    from router.cli.solver import print_differences
    from router.decide.snapshot import Limits
    from router.rules.load import load_rules

    rulesets = {"A": load_rules(arguments.before), "B": load_rules(arguments.after)}
    differ = print_differences(rulesets, Limits(), prove=arguments.prove, as_json=arguments.json, quiet=arguments.quiet)
    return FOUND if differ else DONE
