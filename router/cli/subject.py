"""What is paused or resumed, as options of a command."""

from __future__ import annotations

import argparse
from typing import Any

KINDS = ("rule", "queue", "flow", "contact")


def add_subject(parser: argparse.ArgumentParser, *, flow: str) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--rule", metavar="NAME", help="what this rule does")
    what.add_argument("--queue", metavar="NAME", help="contacts in this queue, and moves into it")
    what.add_argument("--flow", metavar="NAME", help=flow)
    what.add_argument("--contact", metavar="CONTACT_ID", help="this contact: the id it has now, or its chain's first")
    what.add_argument("--all", action="store_true", help="everything")


def subject_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """As the service is asked."""
    for kind in KINDS:
        if (name := getattr(arguments, kind)) is not None:
            return {"kind": kind, "name": name}
    return {"kind": "all"}
