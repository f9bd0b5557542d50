"""Imports point one way (`.importlinter`), and a step the other way is seen: each contract is broken once here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.uses("processes")

CHECKOUT = Path(__file__).parents[3]
LINT = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(CHECKOUT / "router", tmp_path / "router", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / ".importlinter", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("model/contact.py", "import router.rules", "Imports point one way"),
        ("decide/decide.py", "import router.ports", "Imports point one way"),
        ("ledger/sqlite.py", "import router.connect", "Imports point one way"),
        ("durations.py", "import router.model", "Imports point one way"),
        ("helpers.py", "", "Imports point one way"),
        ("rules/rule.py", "import time", "What decides does no I/O"),
        ("decide/decide.py", "import sqlite3", "What decides does no I/O"),
        ("model/contact.py", "import structlog", "What decides does no I/O"),
        ("events/service.py", "import boto3", "Only router.connect, the ledger's table and the sandbox know AWS's SDK"),
    ],
)
def test_a_step_the_other_way_is_seen(copy: Path, module: str, line: str, broken: str):
    with (copy / "router" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")

    seen = lint(copy)

    assert seen.returncode == 1
    assert f"{broken} BROKEN" in " ".join(seen.stdout.split())


def test_a_check_of_rules_and_examples_imports_nothing_of_the_aws_sdk():
    code = (
        "import sys; from router.cli.main import main; status = main(['check', '--coverage']); "
        "sys.exit(status or [name for name in sys.modules if name.partition('.')[0] in ('boto3', 'botocore')] != [])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
