"""Runs a command in this process, with a configuration for the test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from router.cli import main

INSTANCE = "11111111-2222-3333-4444-555555555555"

RULES = """
[defaults]
flow = "Overflow"

[[rule]]
name = "late"
description = "Billing is answered within the hour"
[rule.match]
channel = "EMAIL"
queue = "Billing"
[rule.sla]
target = "1h"
[[rule.step]]
at = "50%"
warn = "half of the time is gone"
[[rule.step]]
at = "breach"
to = [{ queue = "Overflow", slots_available = { min = 1 } }, { queue = "General" }]

[[example]]
name = "late"
contact = { channel = "EMAIL", queue = "Billing", waited = "2h" }
expect = { rule = "late", step = 2, queue = "General" }
"""


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str


class Command:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.rules = folder / "rules" / "10-late.toml"
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Done:
        try:
            status = main(arguments)
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0
        captured = self._capsys.readouterr()
        return Done(status, captured.out, captured.err)


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("CONNECT_ROUTER_TESTED_WHEEL", "CONNECT_ROUTER_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "rules").mkdir()
    (tmp_path / "config.toml").write_text(f'[connect]\ninstance = "{INSTANCE}"\nregion = "us-east-1"\n')
    made = Command(tmp_path, capsys)
    made.rules.write_text(RULES)
    return made
