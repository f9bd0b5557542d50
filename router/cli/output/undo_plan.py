"""``history --undo-plan``: the moves of a cycle, and how each could be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from router.cli.context import note
from router.cli.output.tables import console, print_json, print_table, table, text
from router.cli.resources import in_one_line, unreachable, without_log
from router.model import Action, Directory
from router.settings import Settings

if TYPE_CHECKING:
    from router.inspect.undo_plan import Undo
    from router.ports import Records


HEADINGS = ("contact now", "rule", "moved", "back to", "possible")


def print_undo_plan(settings: Settings, ledger: Records, actions: Sequence[Action], *, json: bool) -> None:
    """Raises ``CommandFailed`` where the instance cannot be read."""
    moves = [action for action in actions if action.moved]
    if not moves:
        note("no contact was moved in that cycle, as far as the ledger tells")
    undone, directory = _read(settings, ledger, moves) if moves else ([], Directory())
    if json:
        print_json([_as_json(one, directory, settings) for one in undone])
    elif undone:
        out = console()
        print_table(table(HEADINGS, [_as_row(one, directory) for one in undone]), out)
        for line in [_command(one, settings) for one in undone if one.possible]:
            out.print(text(line), soft_wrap=True)


def _read(settings: Settings, ledger: Records, moves: Sequence[Action]) -> tuple[list[Undo], Directory]:
    from router.inspect.undo_plan import undo_of
    from router.resources import open_connection
    from router.runtime import SystemClock

    clock = SystemClock()
    without_log()
    with in_one_line():
        connection = open_connection(settings, clock)
    try:
        found = connection.instance.directory(with_agents=True, with_hours=False)
        if not isinstance(found, Directory):
            raise unreachable(found, settings, connection.endpoint)
        reader = connection.reader
        undone = [undo_of(move, reader=reader, ledger=ledger, directory=found, now=clock.now()) for move in moves]
    finally:
        connection.close()
    return undone, found


def _as_row(one: Undo, directory: Directory) -> tuple[object, ...]:
    target = one.action.target
    agent = directory.agent_name(target.agent_id) if target else None
    to = (directory.queue_name(target.queue_id) if target else None) or f"agent {agent}"
    back = directory.queue_name(one.to_queue_id)
    possible = "yes" if one.possible else f"no: {one.hindrance}"
    return one.contact_id, one.action.rule, f"{back} -> {to}", back, possible


def _as_json(one: Undo, directory: Directory, settings: Settings) -> dict[str, Any]:
    return {
        "contact_id": one.contact_id,
        "moved_contact_id": one.action.contact_id,
        "chain_id": one.action.chain_id,
        "rule": one.action.rule,
        "revision": one.action.revision,
        "queue": directory.queue_name(one.queue_id),
        "back_to_queue": directory.queue_name(one.to_queue_id),
        "flow": directory.flow_name(one.flow_id),
        "possible": one.possible,
        "why_not": one.hindrance,
        "transfers_left": one.transfers_left,
        "command": _command(one, settings) if one.possible else None,
    }


def _command(one: Undo, settings: Settings) -> str:
    """For a shell; ids are letters, digits and hyphens."""
    return (
        f"aws connect transfer-contact --instance-id {settings.connect.instance_id} --contact-id {one.contact_id}"
        f" --queue-id {one.to_queue_id} --contact-flow-id {one.flow_id}"
    )
