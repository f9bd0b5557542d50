"""Installs the wheel as a person would for a trial: with pipx, and with uv, if they are on this machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import router

WHEELS = Path(__file__).parents[2] / "build" / "wheel"
TOOLS = {
    "pipx": (["pipx", "install", "--python", sys.executable], "PIPX_HOME", "PIPX_BIN_DIR"),
    "uv": (["uv", "tool", "install", "--python", sys.executable], "UV_TOOL_DIR", "UV_TOOL_BIN_DIR"),
}


@pytest.mark.skipif(os.environ.get("TEST_THE_WHEEL") != "1", reason="of the wheel, which `make test` tests")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("tool", TOOLS)
def test_the_tool_installs_a_command_that_works(tool, tmp_path):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not on this machine")
    install, home, folder = TOOLS[tool]
    (wheel,) = WHEELS.glob("*.whl")
    environment = {**os.environ, home: str(tmp_path / "home"), folder: str(tmp_path / "bin")}
    environment.pop("PYTHONPATH", None)

    subprocess.run([*install, str(wheel)], env=environment, cwd=tmp_path, check=True, timeout=350)

    command = tmp_path / "bin" / "connect-router"
    run = {"env": environment, "cwd": tmp_path, "capture_output": True, "text": True, "check": True}
    assert subprocess.run([command, "--version"], **run).stdout == f"connect-router {router.__version__}\n"
    demo = subprocess.run([command, "demo", "--seconds", "5"], **run).stdout
    assert "moved twice = 0" in demo
