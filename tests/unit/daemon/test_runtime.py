"""Python itself ends while a call still hangs: a real process."""

import importlib.util
import subprocess
import sys

import pytest

from router.runtime import install_command

pytestmark = pytest.mark.uses("processes")

HANGING = """
import threading
from router.runtime import DaemonThreads
pool = DaemonThreads("work")
pool.submit(threading.Event().wait)
print(pool.join(within=0.1))
"""


def test_a_call_that_hangs_does_not_keep_the_process_from_ending():
    ended = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=20, check=True)
    assert ended.stdout == "1\n"


@pytest.mark.parametrize(
    ("prefix", "pip", "command"),
    [
        ("/opt/venv", True, "/opt/venv/bin/python -m pip install 'z3-solver"),
        ("/home/a/.local/pipx/venvs/connect-router", True, "pipx inject connect-router 'z3-solver"),
        ("/home/a/.local/share/uv/tools/connect-router", False,
         "uv pip install --python /home/a/.local/share/uv/tools/connect-router/bin/python 'z3-solver"),
    ],
)  # fmt: skip
def test_an_optional_package_is_installed_with_the_program_of_the_environment(monkeypatch, prefix, pip, command):
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "executable", f"{prefix}/bin/python")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if pip else None)

    assert install_command("z3-solver").startswith(command)
