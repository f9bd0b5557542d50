"""Shows what the service would do now: the command ``plan``."""

from __future__ import annotations

import argparse
from collections import Counter

from router.cli.context import announce, load_both, print_note
from router.cli.errors import DONE, FOUND
from router.cli.output.decisions import HEADINGS, as_json, as_row, kind
from router.cli.output.tables import console, count, instant, print_json, print_table, table, text
from router.cli.parser import add_json, add_mode
from router.cli.resources import in_one_line, unreachable, without_log
from router.connect.answers import Failure
from router.inspect.preview import Preview, Viewer

DESCRIPTION = """\
Reads the instance once and shows what `run` would do now, most overdue first. Changes nothing, in Connect or on this
machine: it makes reading calls only, and opens the ledger for reading. It does not know what only a running service
remembers: moves that IAM denied, and moves it only observed. Exits 1 if the search could not be read to its end."""
EXAMPLE = """\
  connect-router plan
  connect-router plan --enforce --json | jq '.[] | select(.decision == "transfer")'
"""
WORDS = {"transfer": "transfer", "routing": "routing update", "warn": "warning", "hold": "hold"}


def configure(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    add_mode(parser, pretended=True)


def run(arguments: argparse.Namespace) -> int:
    settings, ruleset = load_both(arguments)
    announce(settings)
    without_log()
    with in_one_line(), Viewer.open(settings, ruleset) as viewer:
        preview = viewer.preview()
        if not isinstance(preview, Preview):
            raise unreachable(preview, settings, viewer.connection.endpoint)
    decisions = preview.decided.decisions
    if arguments.json:
        print_json([as_json(one, preview.directory, preview.look.now) for one in decisions])
    else:
        _print(preview)
    if preview.complete:
        return DONE
    print_note(f"the search could not be read to its end{_why(preview.failure)}: there may be more")
    return FOUND


def _print(preview: Preview) -> None:
    out, now = console(), preview.look.now
    rows = [as_row(decision, preview.directory, now) for decision in preview.decided.decisions]
    if rows:
        print_table(table(HEADINGS, rows), out)
        out.print()
    for rule in preview.rules.rules:
        for one in rule.unresolved:
            out.print(text(str(one), "red"))
    out.print(text(_summary(preview), "bold"))


def _summary(preview: Preview) -> str:
    decided = preview.decided
    waiting = sum(account.wait is not None for account in decided.accounts.values())
    ungoverned = sum(account.ungoverned for account in decided.accounts.values())
    kinds = Counter(kind(decision) for decision in decided.decisions)
    parts = [f"{waiting} waiting", f"{ungoverned} ungoverned"]
    parts += [count(kinds[one], word) for one, word in WORDS.items() if kinds[one]]
    if decided.next_due_at is not None:
        parts.append(f"next due at {instant(decided.next_due_at)}")
    return ", ".join(parts)


def _why(failure: Failure | None) -> str:
    return f" ({failure.code})" if failure is not None else ""
