"""Checks that the samples of a backtest are its output on the recorded journal."""

from pathlib import Path

import pytest

from router.cli import main
from tests.docs.recorded import furnish

ROOT = Path(__file__).parents[2]
COMMAND = "connect-router backtest --journal journal --from 2026-12-01T00:00:00Z --against new-rules"


@pytest.mark.parametrize("page", ["README.md", "docs/rule-review.md"])
def test_the_sample_is_what_the_command_prints(page, tmp_path, monkeypatch, capsys):
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(COMMAND.split()[1:]) == 0
    printed = capsys.readouterr().out
    assert f"<!-- {COMMAND} -->\n```\n{printed}```\n" in (ROOT / page).read_text(encoding="utf-8")


def test_the_rules_of_the_recorded_journal_do_not_differ_from_themselves(tmp_path, monkeypatch, capsys):
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main([*COMMAND.replace("new-rules", "old-rules").split()[1:], "--same"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 of 174 contacts differ"
