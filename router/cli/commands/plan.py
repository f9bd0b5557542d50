"""Shows what the service would do now: the command ``plan``."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from router.cli.context import announce, load_both, print_note
from router.cli.errors import DONE, FOUND, WRONG, CommandFailed
from router.cli.output.decisions import COLUMNS, Shown, as_json, as_row, kind, late_contacts
from router.cli.output.tables import console, count, instant, print_json, print_table, table, text
from router.cli.parser import add_json, add_mode, whole_number
from router.cli.progress import progress
from router.cli.resources import in_one_line, unreachable, without_log
from router.cli.running_service import running_service
from router.connect.answers import Failure
from router.inspect.preview import Preview, Sighting, Viewer
from router.problems import did_you_mean, printable
from router.rules.rule import RuleSet

DESCRIPTION = """\
Reads the instance once and shows what `run` would do now, most overdue first. Changes nothing, in Connect or on this
machine: it makes reading calls only, and opens the ledger for reading. If the service runs, its mode counts, and its
waiting list replaces a search. Other things that only the service remembers are unknown: moves that IAM denied, and
moves it only observed. Exits 1 if the search could not be read to its end."""
EXAMPLE = """\
  connect-router plan
  connect-router plan --late --queue Billing --limit 20
  connect-router plan --enforce --json | jq '.[] | select(.decision == "transfer")'
"""
WORDS = {"transfer": "transfer", "routing": "routing update", "warn": "warning", "hold": "hold"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rule", metavar="NAME", help="only decisions of this rule")
    parser.add_argument("--queue", metavar="NAME", help="only contacts in this queue")
    parser.add_argument("--late", action="store_true", help="only contacts whose promise is broken")
    parser.add_argument("--limit", metavar="N", type=whole_number, default=0, help="the N most overdue (default: all)")
    add_json(parser)
    add_mode(parser, pretended=True)


def run(arguments: argparse.Namespace) -> int:
    settings, ruleset = load_both(arguments)
    service = running_service(arguments, settings)
    announce(settings, quiet=arguments.quiet, mode=f"{service.mode}{service.origin}")
    without_log()
    with (
        in_one_line(),
        Viewer.open(settings, ruleset, mode=service.mode, reported=service.waiting) as viewer,
        progress(viewer.connection, quiet=arguments.quiet),
    ):
        sighting = viewer.search()
        if not isinstance(sighting, Sighting):
            raise unreachable(sighting, settings, viewer.connection.endpoint)
        preview = viewer.decide(sighting)
    service.note_search(searched=sighting.searched, quiet=arguments.quiet)
    _require_known(arguments, ruleset, preview)
    decisions = _chosen(arguments, preview)
    if arguments.json:
        print_json([as_json(one, preview.directory, preview.look.now) for one in decisions])
    else:
        _print(preview, decisions)
    if preview.complete:
        return DONE
    print_note(f"the search could not be read to its end{_why(preview.failure)}: there may be more")
    return FOUND


def _require_known(arguments: argparse.Namespace, ruleset: RuleSet, preview: Preview) -> None:
    """Raises ``CommandFailed`` if an option names a rule or a queue that does not exist."""
    queues = [queue.name for queue in preview.directory.queues]
    given = ("rule", arguments.rule, [rule.name for rule in ruleset.rules]), ("queue", arguments.queue, queues)
    for what, name, known in given:
        if name is not None and name not in known:
            line = f"connect-router plan: no {what} is called '{name}'{did_you_mean(name, known)}"
            raise CommandFailed(printable(line), status=WRONG)


def _chosen(arguments: argparse.Namespace, preview: Preview) -> Sequence[Shown]:
    """Returns the decisions that the options leave, most overdue first, and then the late contacts without one."""
    chosen = [
        one
        for one in _all(preview)
        if arguments.rule in (None, one.rule)
        and arguments.queue in (None, preview.directory.queue_name(one.contact.queue_id))
        and not (arguments.late and not _is_late(one, preview))
    ]
    return chosen[: arguments.limit or None]


def _all(preview: Preview) -> tuple[Shown, ...]:
    return (*preview.decided.decisions, *late_contacts(preview.decided))


def _is_late(decision: Shown, preview: Preview) -> bool:
    promise = preview.decided.accounts[decision.contact.id].promise(decision.rule)
    return promise is not None and promise.used >= 1


def _print(preview: Preview, decisions: Sequence[Shown]) -> None:
    out, now, accounts = console(), preview.look.now, preview.decided.accounts
    rows = [as_row(one, accounts[one.contact.id], preview.directory, now) for one in decisions]
    if rows:
        print_table(table(COLUMNS, rows), out)
        out.print()
    left = len(_all(preview)) - len(decisions)
    if left:
        out.print(text(f"({count(left, 'more decision')})"))
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
    late = sum(1 for _ in late_contacts(decided))
    parts += [f"{late} late without a step that is due"] if late else []
    if decided.next_due_at is not None:
        parts.append(f"next due at {instant(decided.next_due_at)}")
    return ", ".join(parts)


def _why(failure: Failure | None) -> str:
    return f" ({failure.code})" if failure is not None else ""
