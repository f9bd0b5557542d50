"""Checks that docs/install.md agrees with the unit file and with the calls of the code."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from router.connect.iam import DEPENDS_ON
from router.connect.quotas import DEFAULT_RATES

CHECKOUT = Path(__file__).parents[3]
GUIDE = (CHECKOUT / "docs" / "install.md").read_text(encoding="utf-8")
UNIT = (CHECKOUT / "systemd" / "connect-router.service").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def allowed(policy: str) -> set[str]:
    actions: set[str] = set()
    for statement in json.loads(policy)["Statement"]:
        actions |= {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])
    return actions


def test_the_policies_allow_the_operations_that_the_router_calls_and_no_other():
    reading, moving = map(allowed, blocks("json"))

    called = {f"connect:{operation}" for operation in DEFAULT_RATES}
    changing = {action for action in called if re.match(r"connect:(Transfer|Update)", action)}
    assert moving == changing
    # The permissions that IAM requires in addition to that for the called operation.
    assert reading == (called - changing) | {f"connect:{action}" for action in DEPENDS_ON.values()}


def test_the_guide_and_the_unit_file_mean_the_same_paths():
    for line in (
        "ExecStart=/opt/connect-router/bin/connect-router run --config /etc/connect-router/config.toml",
        "EnvironmentFile=-/etc/connect-router/environment",
        "StateDirectory=connect-router",
        "TimeoutStartSec=90",
        "RestartPreventExitStatus=78",
    ):
        assert f"\n{line}\n" in UNIT
    for path in (
        "venv /opt/connect-router\n",
        "/etc/connect-router/config.toml\n",
        " /etc/connect-router/environment\n",
        "/var/lib/connect-router/ledger.db",
        "within 90 s",
        "`status=78`",
    ):
        assert path in GUIDE


@pytest.mark.uses("processes")
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_commands_of_the_guide_are_commands():
    assert len(blocks("bash")) >= 6
    for block in blocks("bash"):
        subprocess.run(["bash", "-n"], input=block, text=True, check=True)
