"""Ledgers that earlier versions wrote, from ``tests/corpus/ledgers``, and what version 4 makes of them."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from router.ledger.shared.table import DynamoTable

FOLDER = Path(__file__).resolve().parents[1] / "corpus" / "ledgers"
INSTANCE = "instance-1"
WRITTEN_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

TRANSFERS = (
    # the moved contact, its state and its landing
    ("given", "acted", "queued"),
    ("due", "acted", "queued"),
    ("sent", "acted", "queued"),
    ("refused", "acted", "queued"),
    ("gone", "acted", "queued"),
    ("nothing", "acted", "queued"),
    ("pending", "acted", "pending"),
    ("stray", "acted", "stray"),
    ("twelve", "refused", None),
    ("open", "intended", None),
    ("both", "acted", "queued"),
    ("same", "acted", "queued"),
    ("same", "acted", "queued"),
)
PLACES = (
    # the moved contact, the state of its follow-up, and whether a call of it may have been made
    ("given", "acted", False),
    ("due", "intended", False),
    ("sent", "intended", True),
    ("refused", "refused", False),
    ("gone", "never_sent", False),
    ("both", "intended", False),  # a routing update of the contact is open: the place is due again
    ("same", "intended", False),  # a later place of the same contact is open
    ("same", "intended", True),
)


def write_file(path: Path) -> None:
    """Makes the SQLite ledger of schema 3."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((FOLDER / "schema_3.sql").read_text(encoding="utf-8"))
    path.chmod(0o600)


def write_table(table: DynamoTable, instance: str, name: str) -> None:
    """Puts the items of the log in file ``name`` into the table, under another instance id.

    Entries that the base contains are left out, so that the base has to be read.
    """
    items = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    number = next(item["base_number"] for item in items if item["entry"] == "head")
    for item in items:
        if item["entry"].startswith("log#") and int(item["entry"].removeprefix("log#")) <= number:
            continue
        assert table.put_new({key: _attribute(value) for key, value in {**item, "instance": instance}.items()})


def _attribute(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value
