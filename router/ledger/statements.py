"""Defines the ledger's statements in SQL. Lists of values come from the model, so that no new landing is forgotten."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from router.ledger.rows import LANDING, OUTCOME, RENEWAL, Value, micros
from router.model import Action, ActionKind, ActionState, Contact, ContactId, Landing

# Which contact ids make one chain: Connect's ids, corrected by the router's own moves.
#
# Connect does not document that the contact after a TransferContact carries the ids of the one before it
# (API_TransferContact). The chain is therefore built from the moves and their outcomes.

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
"""One statement for all contacts, whatever their number. CROSS JOIN binds SQLite to this order: from the given
contacts to their actions, never over all actions (sqlite.org/optoverview.html#crossjoin)."""

IDS_BEGINNING = """SELECT contact_id FROM segments
    WHERE instance = :instance AND contact_id >= :begun AND contact_id < :end ORDER BY contact_id LIMIT :limit"""

MEMBERS = """
    SELECT contact_id FROM segments WHERE instance = :instance AND chain_id = (
        SELECT chain_id FROM segments WHERE instance = :instance AND contact_id = :contact_id)
"""


def asked_of(contacts: Iterable[Contact]) -> str:
    """Pairs each contact with each id it may be known by: its own, the one it came from, the first of its chain."""
    pairs = {(contact.id, key): None for contact in contacts for key in contact.ids}
    return json.dumps(list(pairs))


def adopt(connection: sqlite3.Connection, instance_id: str, action: Action) -> None:
    """Records that every id the action names belongs to its chain, and joins the chains that are thereby one."""
    named = {action.chain_id, action.contact_id, action.wait.wait_id, action.new_contact_id} - {None}
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
    """Returns the id of the open move of the action's chain, chains that were joined to it included.

    An open routing update or follow-up is none: it never delays a move.
    """
    row = connection.execute(
        f"SELECT id FROM actions WHERE instance = :instance AND state = 'intended' AND kind = 'transfer'"
        f" AND chain_id IN ({MEMBERS})",
        {"instance": instance_id, "contact_id": action.chain_id},
    ).fetchone()
    return row[0] if row else None


def _root(connection: sqlite3.Connection, instance_id: str, chain_id: str) -> str:
    row = connection.execute(
        "SELECT chain_id FROM segments WHERE instance = ? AND contact_id = ?", (instance_id, chain_id)
    ).fetchone()
    return str(row[0]) if row else chain_id


def _literals(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _assignments(columns: Iterable[str]) -> str:
    return ", ".join(f"{column} = :{column}" for column in columns)


FOLLOW_UPS = _literals(kind.value for kind in ActionKind if kind.follows)
OF_STEPS = _literals(kind.value for kind in ActionKind if not kind.follows)
FOLLOWED = _literals(landing.value for landing in Landing if landing.followed)
MOVED = "kind = 'transfer' AND state = 'acted' AND observed = 0"
LANDING_OPEN = f"""
    SELECT id FROM actions WHERE instance = :instance AND {MOVED} AND landing IN ({FOLLOWED})
    UNION ALL SELECT id FROM actions WHERE instance = :instance AND {MOVED} AND landing IS NULL"""
"""A move without any landing is one whose writer ended too early. It is followed like a pending one. Two
queries, because SQLite answers each from the index and their OR from all moves that ever were."""

# INDEXED BY: with no statistics of the file, SQLite may prefer an index over everything of the instance.
OPEN_INTENTS = f"""SELECT * FROM actions INDEXED BY actions_intended
    WHERE instance = :instance AND state = 'intended' AND kind IN ({OF_STEPS}) ORDER BY id"""

OPEN_FOLLOW_UPS = f"""SELECT * FROM actions INDEXED BY actions_intended
    WHERE instance = :instance AND state = 'intended' AND kind IN ({FOLLOW_UPS}) ORDER BY id"""

FOLLOW_UP = "SELECT * FROM actions WHERE instance = :instance AND parent = :parent AND kind = :kind"

LAST_CYCLE = "SELECT max(cycle) FROM actions WHERE instance = :instance"

FOLLOWED_MOVES = f"SELECT * FROM actions WHERE id IN ({LANDING_OPEN}) ORDER BY id"

MOVES_SINCE = """SELECT * FROM actions INDEXED BY actions_decided WHERE instance = :instance AND decided_at >= :since
    AND kind = 'transfer' AND state IN ('acted', 'intended') ORDER BY id"""

MOVES_CHANGED = """SELECT * FROM actions WHERE instance = :instance AND kind = 'transfer'
    AND state IN ('acted', 'intended') AND (id > :newest OR id IN (SELECT value FROM json_each(:changed)))"""

RENEW = f"UPDATE actions SET {_assignments(RENEWAL)} WHERE instance = :instance AND id = :id AND state = 'intended'"

SETTLE = f"UPDATE actions SET {_assignments(OUTCOME)} WHERE instance = :instance AND id = :id AND state = 'intended'"

# An id of the new contact that is known already is not forgotten again.
LAND = f"""UPDATE actions SET {_assignments(column for column in LANDING if column != "new_contact_id")},
    new_contact_id = coalesce(:new_contact_id, new_contact_id)
    WHERE instance = :instance AND id = :id AND kind = 'transfer' AND state = 'acted'"""

LAST_MOVES = f"""SELECT * FROM actions WHERE id IN (
    SELECT max(id) FROM actions WHERE instance = :instance AND {MOVED} GROUP BY rule, at)"""

NEWEST = """SELECT max(at) FROM (
    SELECT max(decided_at) AS at FROM actions WHERE instance = :instance
    UNION ALL SELECT max(logged_at) FROM breaches WHERE instance = :instance)"""

DELETE_BREACHES = "DELETE FROM breaches WHERE instance = :instance AND logged_at < :before"

DEAD_CHAINS = f"""
    SELECT DISTINCT segments.chain_id FROM actions
    CROSS JOIN segments ON segments.instance = :instance AND segments.contact_id = actions.chain_id
    WHERE actions.instance = :instance AND actions.decided_at < :before AND NOT EXISTS (
        SELECT 1 FROM segments AS member
        CROSS JOIN actions AS act ON act.instance = :instance AND act.chain_id = member.contact_id
        WHERE member.instance = :instance AND member.chain_id = segments.chain_id
        AND ((act.state = 'intended' AND act.kind NOT IN ({FOLLOW_UPS}))
            OR act.id IN ({LANDING_OPEN})
            OR max(act.decided_at, coalesce(act.settled_at, act.decided_at), coalesce(act.landed_at, act.decided_at))
                >= :before))
"""

DELETE_ACTIONS = """
    DELETE FROM actions WHERE instance = :instance AND chain_id IN (
        SELECT contact_id FROM segments
        WHERE instance = :instance AND chain_id IN (SELECT value FROM json_each(:chains)))
"""

DELETE_SEGMENTS = """DELETE FROM segments WHERE instance = :instance
    AND chain_id IN (SELECT value FROM json_each(:chains))"""


def delete_before(connection: sqlite3.Connection, instance_id: str, before: int) -> int:
    """Deletes the chains without an event since ``before`` (microseconds), and returns how many actions that were."""
    asked = {"instance": instance_id, "before": before}
    dead = [row[0] for row in connection.execute(DEAD_CHAINS, asked)]
    removed = {"instance": instance_id, "chains": json.dumps(dead)}
    count = connection.execute(DELETE_ACTIONS, removed).rowcount
    connection.execute(DELETE_SEGMENTS, removed)
    connection.execute(DELETE_BREACHES, asked)
    return count


def history_query(
    *,
    contact_id: ContactId | None,
    rule: str | None,
    since: datetime | None,
    until: datetime | None,
    outcome: ActionState | Landing | None,
    cycle: int | None,
    limit: int | None,
) -> tuple[str, dict[str, Value]]:
    """Returns the statement and its parameters for the newest ``limit`` rows, newest first."""
    outcome_column = "landing" if isinstance(outcome, Landing) else "state"
    filters = {
        f"chain_id IN ({MEMBERS})": ("contact_id", contact_id),
        "rule = :rule": ("rule", rule),
        "decided_at >= :since": ("since", micros(since) if since else None),
        "decided_at < :until": ("until", micros(until) if until else None),
        "cycle = :cycle": ("cycle", cycle),
        f"{outcome_column} = :outcome": ("outcome", outcome.value if outcome else None),
    }
    given = {clause: parameter for clause, parameter in filters.items() if parameter[1] is not None}
    clauses = " AND ".join(["instance = :instance", *given])
    statement = f"SELECT * FROM actions WHERE {clauses} ORDER BY id DESC LIMIT :limit"
    return statement, {**dict(given.values()), "limit": -1 if limit is None else limit}
