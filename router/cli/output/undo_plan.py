"""Prints the moves of a cycle, and how each could be undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from router.cli.output.fitting_table import Column
from router.cli.output.tables import console, print_json, print_table, table, text
from router.model import Directory

if TYPE_CHECKING:
    from router.inspect.undo_plan import Undo


COLUMNS = (Column("contact now", ids=True), Column("rule", drop=1), "moved", Column("back to", drop=2), "possible")


def print_undo_plan(
    undone: Sequence[Undo], directory: Directory, *, instance_id: str, region: str | None, as_json: bool
) -> None:
    """Prints the plan. ``region`` is the Region of the commands; ``None``: the AWS CLI finds it like the router."""
    where = f"{f'--region {region} ' if region is not None else ''}--instance-id {instance_id}"
    if as_json:
        print_json([_as_json(one, directory, where) for one in undone])
    elif undone:
        out = console()
        print_table(table(COLUMNS, [_as_row(one, directory) for one in undone]), out)
        for line in [_command(one, where) for one in undone if one.possible]:
            out.print(text(line), soft_wrap=True)


def _as_row(one: Undo, directory: Directory) -> tuple[object, ...]:
    target = one.action.target
    agent = directory.agent_name(target.agent_id) if target else None
    to = (directory.queue_name(target.queue_id) if target else None) or f"agent {agent}"
    back = directory.queue_name(one.to_queue_id)
    possible = "yes" if one.possible else f"no: {one.hindrance}"
    return one.contact_id, one.action.rule, f"{back} -> {to}", back, possible


def _as_json(one: Undo, directory: Directory, where: str) -> dict[str, Any]:
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
        "command": _command(one, where) if one.possible else None,
    }


def _command(one: Undo, where: str) -> str:
    """Returns the undoing command for a shell. Nothing is quoted, because ids are letters, digits and hyphens."""
    return (
        f"aws connect transfer-contact {where} --contact-id {one.contact_id}"
        f" --queue-id {one.to_queue_id} --contact-flow-id {one.flow_id}"
    )
