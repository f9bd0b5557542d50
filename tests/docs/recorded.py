"""Puts a recorded journal of the demo, and its rules with one change, into a folder: what the pages' commands read."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from router.history.journal_reader import read_journal
from router.history.world import RulesRead

RECORDED = Path(__file__).parents[1] / "corpus" / "recorded"
CHANGE = ('target = "30m"', 'target = "20m"')
CHANGED = "30-billing.toml"


def furnish(folder: Path) -> None:
    """Makes ``journal``, ``old-rules`` and ``new-rules`` in the folder."""
    shutil.copytree(RECORDED, folder / "journal")
    events = read_journal(RECORDED, since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2027, 1, 1, tzinfo=UTC))
    read = next(event for event in events if isinstance(event, RulesRead))
    for name in ("old-rules", "new-rules"):
        (folder / name).mkdir()
        for file, data in read.files:
            text = data.decode()
            if (name, file) == ("new-rules", CHANGED):
                text = text.replace(*CHANGE, 1)
            (folder / name / file).write_text(text, encoding="utf-8")
