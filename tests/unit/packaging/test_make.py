"""The Makefile where it refuses: what it must never do is remove somebody's folder."""

import os
import shutil
import subprocess
import sys
import tomllib
import venv
from itertools import chain
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]

pytestmark = [
    pytest.mark.uses("processes"),
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"),
]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # What an outer `make test` handed down (its variables, its job server) is not meant for this one.
    own = {key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON"}}
    return subprocess.run(["make", *arguments], cwd=CHECKOUT, env=own, capture_output=True, text=True, check=False)


def test_without_a_target_it_tells_what_there_is():
    told = make()

    assert told.returncode == 0
    assert {"make demo", "make test", "make lock"} <= {" ".join(line.split()[:2]) for line in told.stdout.splitlines()}


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path: Path):
    (tmp_path / "letters.txt").write_text("dear Sir", encoding="utf-8")

    refused = make(f"VENV={tmp_path}", "setup")

    assert refused.returncode == 2
    assert f"{tmp_path} is no Python environment" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_python_that_is_too_old_is_refused_before_anything_is_made(tmp_path: Path):
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")  # its answer to "are you at least 3.11?"
    old.chmod(0o755)

    refused = make(f"VENV={tmp_path / 'env'}", f"PYTHON={old}", "setup")

    assert refused.returncode == 2
    assert "is no Python >= 3.11" in refused.stderr
    assert not (tmp_path / "env").exists()


def test_an_environment_of_another_python_is_refused_and_kept(tmp_path: Path):
    environment = tmp_path / "env"
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "pip.py").touch()  # `make` takes an environment without pip for an unfinished one
    other = tmp_path / "python3.99"
    other.write_text("#!/bin/sh\necho 3.99\n", encoding="utf-8")
    other.chmod(0o755)

    refused = make(f"VENV={environment}", f"PYTHON={other}", "setup")

    assert refused.returncode == 2
    assert f"{environment} is not of {other}" in refused.stderr
    assert (environment / "bin" / "python").exists()


def test_a_change_of_the_dependencies_has_the_lowest_versions_tried_and_no_other_change_has(tmp_path: Path):
    tried = tmp_path / "tried"
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    planned = []
    for text in ("\n".join(dependencies) + "\n", "boto3>=1\n"):
        tried.write_text(text, encoding="utf-8")
        # The inner make is replaced: what is planned is printed instead of made.
        planned.append(make("bounds", f"TRIED={tried}", f"PY={sys.executable}", "MAKE=echo planned:").stdout)

    assert planned == ["", "planned: lowest ARGS=\n"]


def test_ci_runs_what_everybody_runs():
    script = CHECKOUT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "exec make test"
