"""Checks that docs/ledger.md names everything in the ledger, and that its commands work as described."""

import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from router.ledger import SqliteLedger
from router.model import ActionKind, ActionState, Landing

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "ledger.md").read_text("utf-8")


@pytest.mark.parametrize("value", [each.value for each in (*ActionKind, *ActionState, *Landing)])
def test_every_kind_state_and_landing_is_documented(value):
    assert f"`{value}`" in TEXT


def test_every_table_and_column_is_documented(open_ledger):
    connection = open_ledger()._connection
    tables = [row["name"] for row in connection.execute("PRAGMA table_list") if not row["name"].startswith("sqlite_")]
    columns = [row["name"] for row in connection.execute("PRAGMA table_info(actions)")]

    assert [name for name in tables if f"### `{name}`" not in TEXT] == []
    assert [name for name in columns if f"`{name}`" not in TEXT] == []


def test_the_landings_that_are_followed_and_counted_are_the_ones_the_docs_say():
    found = re.search(r"follows contacts with the landing (.*?)\. (.*?) count against the flow", " ".join(TEXT.split()))
    assert found is not None
    followed, counted = found.groups()

    assert set(re.findall(r"`(\w+)`", followed)) == {landing.value for landing in Landing if landing.followed}
    assert set(re.findall(r"`(\w+)`", counted)) == {landing.value for landing in Landing if landing.unlanded}


@pytest.mark.uses("processes")
def test_the_documented_backup_of_a_running_service_is_a_whole_ledger(open_ledger, path, act, tmp_path):
    recorded = open_ledger().record(act())
    copy = tmp_path / "copy.db"
    (block,) = re.findall(r"```bash\n(umask.*?)```", TEXT, re.S)
    command = (
        block.replace("/opt/connect-router/bin/python", shlex.quote(sys.executable))
        .replace("/var/lib/connect-router/ledger.db", str(path))
        .replace("/var/backups/connect-router-ledger.db", str(copy))
    )
    assert str(path) in command
    assert str(copy) in command

    subprocess.run(["bash", "-euc", command], check=True, timeout=50)

    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with SqliteLedger.read(copy, instance_id="instance-1") as ledger:
        assert ledger.history() == (recorded,)
