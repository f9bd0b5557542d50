"""Checks that imports point one way (`.importlinter`), and that a step the other way is seen by its contract."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.uses("processes")

CHECKOUT = Path(__file__).parents[3]
LINT = Path(sys.executable).with_name("lint-imports")


POINTS_ONE_WAY = "Imports point one way"
NO_INPUT = "What decides does no I/O"
STEPS = [
    ("model/contact.py", "router.rules", POINTS_ONE_WAY),
    ("decide/decide.py", "router.ports", POINTS_ONE_WAY),
    ("ledger/sqlite.py", "router.connect", POINTS_ONE_WAY),
    ("durations.py", "router.model", POINTS_ONE_WAY),
    ("rules/rule.py", "time", NO_INPUT),
    ("decide/decide.py", "sqlite3", NO_INPUT),
    ("model/contact.py", "structlog", NO_INPUT),
    ("events/service.py", "boto3", "Only router.connect, the ledger's table and the sandbox know AWS's SDK"),
]
"""A module, what it must not import, and the contract that forbids it."""


def copy_to(folder: Path) -> Path:
    shutil.copytree(CHECKOUT / "router", folder / "router", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / ".importlinter", folder)
    return folder / "router"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def broken_contracts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Checks one copy that takes every step, because a run takes seconds; returns each contract's findings."""
    folder = tmp_path_factory.mktemp("copy")
    package = copy_to(folder)
    for module, imported, _ in STEPS:
        with (package / module).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {imported}\n")
    seen = lint(folder)
    assert seen.returncode == 1
    _, *parts = re.split(r"\n(.+)\n-{5,}\n", seen.stdout.partition("Broken contracts")[2])
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize(("module", "imported", "contract"), STEPS)
def test_a_step_the_other_way_is_seen(broken_contracts: dict[str, str], module: str, imported: str, contract: str):
    importer = "router." + module.removesuffix(".py").replace("/", ".")

    assert f"{importer} -> {imported} (l." in broken_contracts[contract]


def test_a_module_without_a_layer_is_seen(tmp_path: Path):
    (copy_to(tmp_path) / "helpers.py").touch()
    seen = lint(tmp_path)

    assert seen.returncode == 1
    assert f"{POINTS_ONE_WAY} BROKEN" in " ".join(seen.stdout.split())


def test_a_check_of_rules_and_examples_imports_nothing_of_the_aws_sdk():
    code = (
        "import sys; from router.cli.main import main; status = main(['check', '--coverage']); "
        "sys.exit(status or [name for name in sys.modules if name.partition('.')[0] in ('boto3', 'botocore')] != [])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
