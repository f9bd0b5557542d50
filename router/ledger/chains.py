"""Which contact ids make one chain: Connect's ids, corrected by the router's own moves.

Connect does not document that the contact after a TransferContact carries the ids of the one before it
(API_TransferContact), so the chain is kept by what was moved and what came of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from router.model import Action, Contact

OF_CONTACTS = """
    SELECT asked.contact_id AS asked_id, actions.*
    FROM (
        SELECT DISTINCT json_extract(value, '$[0]') AS contact_id, segments.chain_id AS chain_id
        FROM json_each(:asked)
        CROSS JOIN segments ON segments.instance = :instance AND segments.contact_id = json_extract(value, '$[1]')
    ) AS asked
    CROSS JOIN segments ON segments.instance = :instance AND segments.chain_id = asked.chain_id
    CROSS JOIN actions ON actions.instance = :instance AND actions.chain_id = segments.contact_id
    ORDER BY actions.id
"""
"""One statement for all contacts, whatever their number. CROSS JOIN keeps SQLite to this order: from the contacts that
are asked for to their actions, never over all actions (sqlite.org/optoverview.html#crossjoin)."""

MEMBERS = """
    SELECT contact_id FROM segments WHERE instance = :instance AND chain_id = (
        SELECT chain_id FROM segments WHERE instance = :instance AND contact_id = :contact_id)
"""


def asked_of(contacts: Iterable[Contact]) -> str:
    """Each contact with each id it may be known by: its own, the one it came from, the first of its chain."""
    pairs = {(contact.id, key): None for contact in contacts for key in _keys(contact)}
    return json.dumps(list(pairs))


def _keys(contact: Contact) -> tuple[str, ...]:
    return tuple(key for key in (contact.id, contact.previous_id, contact.initial_id) if key is not None)


def adopt(connection: sqlite3.Connection, instance_id: str, action: Action) -> None:
    """Notes that every id the action names belongs to its chain, and joins the chains that are thereby one."""
    named = {action.chain_id, action.contact_id, action.case.case_id, action.new_contact_id} - {None}
    ids = json.dumps(sorted(str(each) for each in named))
    root = _root(connection, instance_id, action.chain_id)
    connection.execute(
        """UPDATE segments SET chain_id = :root WHERE instance = :instance AND chain_id <> :root AND chain_id IN (
               SELECT chain_id FROM segments
               WHERE instance = :instance AND contact_id IN (SELECT value FROM json_each(:ids)))""",
        {"root": root, "instance": instance_id, "ids": ids},
    )
    connection.execute(
        "INSERT OR IGNORE INTO segments (instance, contact_id, chain_id)"
        " SELECT :instance, value, :root FROM json_each(:ids)",
        {"root": root, "instance": instance_id, "ids": ids},
    )


def open_in_chain(connection: sqlite3.Connection, instance_id: str, action: Action) -> int | None:
    """The id of the open intent of the action's chain, chains that were joined to it included."""
    row = connection.execute(
        f"SELECT id FROM actions WHERE instance = :instance AND state = 'intended' AND chain_id IN ({MEMBERS})",
        {"instance": instance_id, "contact_id": action.chain_id},
    ).fetchone()
    return row[0] if row else None


def _root(connection: sqlite3.Connection, instance_id: str, chain_id: str) -> str:
    row = connection.execute(
        "SELECT chain_id FROM segments WHERE instance = ? AND contact_id = ?", (instance_id, chain_id)
    ).fetchone()
    return str(row[0]) if row else chain_id
