"""Prints what the router did, from the ledger: the command ``history``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from router.cli.context import own_contact, print_note, settings_of, whole_contact
from router.cli.errors import DONE, FOUND, CommandFailed
from router.cli.output.records import COLUMNS, as_json, as_row
from router.cli.output.tables import console, print_json, print_table, table
from router.cli.parser import add_json, contact_id, whole_number
from router.cli.resources import connected, in_one_line, read_directory, unreachable
from router.durations import parse_duration
from router.lookup.locate import locate
from router.model import Action, ActionState, ContactId, Directory, Landing
from router.problems import Problems
from router.resources import read_ledger
from router.runtime import open_clock
from router.settings import Settings

if TYPE_CHECKING:
    from router.inspect.undo_plan import Undo
    from router.ports import Records


DESCRIPTION = """\
Prints what the router did, the newest last, from the ledger: it works while the service runs. The ledger contains ids;
the names are read from the instance (reading calls). With --ids it works without AWS. An id that the ledger does not
know is read in Connect too, because it may be another id of a recorded chain. --undo-plan reads the contacts that a
cycle moved, and shows which could be moved back, and how. It moves no contact."""
EXAMPLE = """\
  connect-router history --since 2h --outcome refused
  connect-router history --undo-plan 4711
  connect-router history 40797c0d-b39b-44e9-b624-06a0162ef271 --json
"""
OUTCOMES: tuple[ActionState | Landing, ...] = (*ActionState, *Landing)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "contact_id",
        nargs="?",
        metavar="CONTACT_ID",
        type=contact_id,
        help="any id of a chain: only that chain",
    )
    parser.add_argument("--rule", metavar="NAME", help="only what this rule did")
    parser.add_argument(
        "--since", metavar="WHEN", type=_when, help="after this time: 2026-11-22T10:00:00Z, or 2h for two hours ago"
    )
    parser.add_argument("--until", metavar="WHEN", type=_when, help="before this time")
    parser.add_argument(
        "--outcome", metavar="OUTCOME", choices=[one.value for one in OUTCOMES], help=f"one of {', '.join(OUTCOMES)}"
    )
    cycle = parser.add_mutually_exclusive_group()
    cycle.add_argument("--cycle", metavar="N", type=_cycle, help="only what was done in this cycle")
    cycle.add_argument(
        "--undo-plan", metavar="CYCLE", type=_cycle, help="how this cycle's moves could be undone (reading calls)"
    )
    parser.add_argument(
        "--limit", metavar="N", type=whole_number, default=50, help="the newest N (default: 50; 0: all)"
    )
    names = parser.add_mutually_exclusive_group()
    names.add_argument("--ids", action="store_true", help="ids instead of names; makes no call for names")
    names.add_argument("--names", action="store_true", help="names in --json, too (reading calls)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    if arguments.contact_id is not None:
        given = own_contact(arguments.contact_id, settings)
        arguments.contact_id = _recorded_id(settings, given)
        if arguments.contact_id is None:
            if arguments.json:
                print_json([])
            print_note(f"nothing is recorded of contact {given}")
            return FOUND
    if arguments.undo_plan is not None:
        return _undo_plan(settings, arguments)
    actions = _read(settings, arguments)
    named = arguments.names or not (arguments.ids or arguments.json)
    directory = _directory(settings, actions) if named and actions else Directory()
    if arguments.json:
        print_json([as_json(action, directory) for action in actions])
    elif actions:
        print_table(table(COLUMNS, [as_row(action, directory) for action in actions]), console())
    else:
        _explain_no_record(settings)
    return DONE


def _recorded_id(settings: Settings, contact_id: ContactId) -> ContactId | None:
    """Returns the id by which the ledger knows the chain. Connect is called only if that is not the given one."""
    with in_one_line(), read_ledger(settings) as ledger:
        contact_id = whole_contact(contact_id, ledger)
        if ledger.history(contact_id=contact_id, limit=1):
            return contact_id
        try:
            with connected(settings) as connection:
                located = locate(contact_id, reader=connection.reader, ledger=ledger)
                failure, endpoint = located.failure, connection.endpoint
        except CommandFailed as failed:
            print_note(f"{failed.lines[0]}; from the ledger alone:")
            return None
        if failure is not None:
            print_note(f"{unreachable(failure, settings, endpoint).lines[0]}; from the ledger alone:")
        return located.recorded_id(ledger)


def _undo_plan(settings: Settings, arguments: argparse.Namespace) -> int:
    from router.cli.output.undo_plan import print_undo_plan
    from router.inspect.undo_plan import undo_of

    directory, now = Directory(), open_clock().now()
    undone: list[Undo] = []
    region = settings.connect.region
    with in_one_line(), read_ledger(settings) as ledger:
        moves = [action for action in _filtered(ledger, arguments) if action.moved]
        if moves:
            with connected(settings) as connection:
                directory = read_directory(connection, settings, with_agents=_concern_agents(moves))
                region = connection.home.region
                undone = [
                    undo_of(move, reader=connection.reader, ledger=ledger, directory=directory, now=now)
                    for move in moves
                ]
        else:
            print_note("no contact was moved in that cycle, as far as the ledger shows")
    print_undo_plan(undone, directory, instance_id=settings.connect.instance_id, region=region, as_json=arguments.json)
    return DONE


def _read(settings: Settings, arguments: argparse.Namespace) -> tuple[Action, ...]:
    with in_one_line(), read_ledger(settings) as ledger:
        return _filtered(ledger, arguments)


def _filtered(ledger: Records, arguments: argparse.Namespace) -> tuple[Action, ...]:
    cycle = arguments.cycle if arguments.undo_plan is None else arguments.undo_plan
    return ledger.history(
        contact_id=arguments.contact_id,
        rule=arguments.rule,
        since=arguments.since,
        until=arguments.until,
        outcome=next((one for one in OUTCOMES if one.value == arguments.outcome), None),
        cycle=cycle,
        limit=arguments.limit or None if cycle is None else None,
    )


def _concern_agents(actions: Iterable[Action]) -> bool:
    """Returns whether an action has an agent as its destination. Only then the names of agents are read, because IAM
    permits this only if a rule names agents."""
    return any(action.target is not None and action.target.agent_id is not None for action in actions)


def _directory(settings: Settings, actions: Iterable[Action]) -> Directory:
    """Reads the names. If they cannot be read, a note reports it, and the directory is empty."""
    try:
        with connected(settings) as connection:
            return read_directory(connection, settings, with_agents=_concern_agents(actions))
    except CommandFailed as failed:
        print_note(f"{failed.lines[0]}; ids instead of names:")
        return Directory()


def _explain_no_record(settings: Settings) -> None:
    if settings.ledger.table is not None or settings.ledger.path.exists():
        print_note("nothing recorded that fits")
    else:
        print_note(f"{settings.ledger.path}: there is no ledger yet; nothing was done")


def _when(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return _ago(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError("a time needs its offset, as in 2026-11-22T10:00:00Z")
    return at


def _ago(text: str) -> datetime:
    try:
        return open_clock().now() - parse_duration(text)
    except Problems as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except ValueError as error:
        of_its_form = text[:1].isdigit() and text[-1:] in "smhd"
        why = str(error) if of_its_form else "expected 2026-11-22T10:00:00Z, or a duration such as 2h"
        raise argparse.ArgumentTypeError(why) from None


def _cycle(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10):
        raise argparse.ArgumentTypeError("expected the number of a cycle, as `history` and the log show it")
    return int(text)
