"""The ledger's questions in SQL. Lists of values come from the model, so that no new landing is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from router.ledger.chains import MEMBERS
from router.ledger.rows import LANDING, OUTCOME, PLACE, Value, micros
from router.model import ActionState, ContactId, Landing, PlaceState


def _literals(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _assignments(columns: Iterable[str]) -> str:
    return ", ".join(f"{column} = :{column}" for column in columns)


FOLLOWED = _literals(landing.value for landing in Landing if landing.followed)
MOVED = "kind = 'transfer' AND state = 'acted' AND observed = 0"
LANDING_OPEN = f"""
    SELECT id FROM actions WHERE instance = :instance AND {MOVED} AND landing IN ({FOLLOWED})
    UNION ALL SELECT id FROM actions WHERE instance = :instance AND {MOVED} AND landing IS NULL"""
"""A move without any landing is one whose writer did not come to say so: it is looked at like a pending one. Two
questions, because SQLite answers each from the index and their OR from all moves that ever were."""

# INDEXED BY: with no statistics of the file, SQLite may prefer an index over everything of the instance.
OPEN_INTENTS = """SELECT * FROM actions INDEXED BY actions_open
    WHERE instance = :instance AND state = 'intended' ORDER BY id"""

FOLLOWED_MOVES = f"SELECT * FROM actions WHERE id IN ({LANDING_OPEN}) ORDER BY id"

MOVES_SINCE = """SELECT * FROM actions INDEXED BY actions_decided WHERE instance = :instance AND decided_at >= :since
    AND kind = 'transfer' AND state IN ('acted', 'intended') ORDER BY id"""

MOVES_CHANGED = """SELECT * FROM actions WHERE instance = :instance AND kind = 'transfer'
    AND state IN ('acted', 'intended') AND (id > :newest OR id IN (SELECT value FROM json_each(:changed)))"""

RENEW = """UPDATE actions SET send_by = :send_by, attempts = :attempts
    WHERE instance = :instance AND id = :id AND state = 'intended'"""

SETTLE = f"UPDATE actions SET {_assignments(OUTCOME)} WHERE instance = :instance AND id = :id AND state = 'intended'"

# An id of the new contact that is known already is not forgotten again.
LAND = f"""UPDATE actions SET {_assignments(column for column in LANDING if column != "new_contact_id")},
    new_contact_id = coalesce(:new_contact_id, new_contact_id)
    WHERE instance = :instance AND id = :id AND kind = 'transfer' AND state = 'acted'"""

PLACE_OPEN = _literals(state.value for state in PlaceState if state.open)
PLACES_OPEN = f"SELECT * FROM actions WHERE instance = :instance AND place IN ({PLACE_OPEN}) ORDER BY id"

GIVE_PLACE = f"""UPDATE actions SET {_assignments(PLACE)}
    WHERE instance = :instance AND id = :id AND place IN ({PLACE_OPEN})"""

LAST_MOVES = f"""SELECT * FROM actions WHERE id IN (
    SELECT max(id) FROM actions WHERE instance = :instance AND {MOVED} GROUP BY rule, at)"""

NEWEST = "SELECT max(decided_at) FROM actions WHERE instance = :instance"

DEAD_CHAINS = f"""
    SELECT DISTINCT segments.chain_id FROM actions
    CROSS JOIN segments ON segments.instance = :instance AND segments.contact_id = actions.chain_id
    WHERE actions.instance = :instance AND actions.decided_at < :before AND NOT EXISTS (
        SELECT 1 FROM segments AS member
        CROSS JOIN actions AS act ON act.instance = :instance AND act.chain_id = member.contact_id
        WHERE member.instance = :instance AND member.chain_id = segments.chain_id
        AND (act.state = 'intended'
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
    """The statement and its parameters; the newest ``limit`` rows, newest first."""
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
