"""Shows what the rules would do with a contact that is only described: the command ``test``."""

from __future__ import annotations

import argparse
import csv
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from router.cli.errors import DONE
from router.cli.parser import add_json

if TYPE_CHECKING:
    from router.rules.example import ExampleContact
    from router.rules.rule import RuleSet

DESCRIPTION = """\
Shows what the rules would do with a contact that you describe, as `explain` does for a real one. Makes no call to AWS
and reads no ledger. The contact has the keys of an example's contact, such as queue, channel, waited, tags.KEY and
attributes.KEY. Every queue is empty and has no agents, no agent is free, and all hours are open, except those that
--hours closes: an [[example]] in a rule file can describe more."""
EXAMPLE = """\
  connect-router test --contact 'queue=Billing,channel=EMAIL,waited=2h'
  connect-router test --contact 'queue=Claims,channel=TASK,waited=31m,tags.customer=vip' --at 2026-12-24T16:50:00+01:00
  connect-router test --contact 'queue=Billing,channel=EMAIL,waited=2h' --hours 'queue=closed'
"""
ASSUMED = "every queue is empty and has no agents, and no agent is free"
CLOSED = "closed since the time of the decision and open before"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--contact",
        metavar="KEY=VALUE,…",
        dest="contacts",
        type=described,
        action="append",
        required=True,
        help="the contact; a pair with a comma in its value is put in double quotes (repeatable)",
    )
    parser.add_argument(
        "--hours",
        metavar="NAME=open|closed",
        type=_hours,
        action="append",
        default=[],
        help="hours of operation that are closed from the time of the decision on; the name 'queue' means the own"
        " hours of every queue (repeatable; default: all are open)",
    )
    parser.add_argument("--at", metavar="TIME", type=_instant, help="the time of the decision (default: now)")
    add_json(parser)


def described(text: str) -> ExampleContact:
    """Returns the contact of an argument. Raises ``ArgumentTypeError`` with its first mistake."""
    from pydantic import ValidationError

    from router.rules.example import contact_of
    from router.rules.file.example_table import ExampleContactTable
    from router.toml_source import findings

    table: dict[str, Any] = {}
    for pair in next(csv.reader([text], skipinitialspace=True), []):
        key, equals, value = pair.partition("=")
        group, _, name = key.strip().partition(".")
        if not equals:
            raise argparse.ArgumentTypeError(f"expected KEY=VALUE, got '{pair}'")
        if name:
            before = table.get(group)
            table[group] = {**(before if isinstance(before, dict) else {}), name: value}
        else:
            table[group] = _typed(group, value)
    try:
        return contact_of(ExampleContactTable.model_validate(table))
    except ValidationError as error:
        first = findings(error, table, ExampleContactTable)[0]
        where = f"{'.'.join(map(str, first.path))}: " if first.path and first.of == "value" else ""
        raise argparse.ArgumentTypeError(f"{where}{first.message}") from None


def _typed(key: str, value: str) -> object:
    if key == "visited":
        return value.split("|")
    return int(value) if key in ("priority", "transfers") and value.isascii() and value.isdecimal() else value


def _hours(text: str) -> tuple[str, str]:
    name, _, state = text.rpartition("=")
    if not name or state not in ("open", "closed"):
        raise argparse.ArgumentTypeError(f"expected NAME=open or NAME=closed, got '{text}'")
    return name, state


def _instant(text: str) -> datetime:
    try:
        at: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise argparse.ArgumentTypeError("expected a date and time with an offset, such as 2026-12-24T16:50:00+01:00")
    return at.astimezone(UTC)


def run(arguments: argparse.Namespace) -> int:
    from router.cli.context import load_both
    from router.cli.output import explanation
    from router.cli.output.tables import console, print_json, print_lines, text
    from router.decide.snapshot import Limits
    from router.inspect.preview import pretended
    from router.problems import Place
    from router.prove.example_history import CONTACT
    from router.rules.example import Example
    from router.runtime import open_clock

    settings, ruleset = load_both(arguments)
    now = arguments.at or open_clock().now()
    nowhere = Place("--contact", 0, 0)
    hours = _hours_of(ruleset, dict(arguments.hours))
    looks = []
    for contact in arguments.contacts:
        example = Example(name="test", place=nowhere, contact=contact, expect=None, hours=hours)
        preview = pretended(example, ruleset, now=now, limits=Limits.of(settings.guard))
        looks.append((preview.decided.accounts[CONTACT], preview))
    if arguments.json:
        print_json({"assumed": ASSUMED, "hours": hours, "looks": [explanation.as_json(*look) for look in looks]})
        return DONE
    lines = [line for look in looks for line in (*explanation.lines(*look), "")]
    lines.append(f"assumed: {ASSUMED}")
    for state, means in {"open": "open", "closed": CLOSED}.items():
        names = [name for name, assumed in hours.items() if assumed == state]
        if names:
            lines.append(f"assumed hours, {means}: {', '.join(map(_shown, names))}")
    print_lines(map(text, lines), console())
    return DONE


def _hours_of(ruleset: RuleSet, given: dict[str, Any]) -> dict[str, Any]:
    """Returns what is assumed of all hours that rules name. Raises ``CommandFailed`` for hours that none names."""
    from router.cli.errors import CommandFailed
    from router.problems import did_you_mean, printable
    from router.prove.example_instance import directory_of
    from router.rules.value_test import QUEUES_OWN

    named = [QUEUES_OWN, *(one.name for one in directory_of(ruleset, ()).hours)]
    for name in given:
        if name not in named:
            line = f"connect-router test: --hours: no rule names hours '{name}'{did_you_mean(name, named)}"
            raise CommandFailed(printable(line), misconfigured=True)
    return {**dict.fromkeys(named, "open"), **given}


def _shown(name: str) -> str:
    from router.rules.value_test import QUEUES_OWN

    return "the own hours of every queue" if name == QUEUES_OWN else name
