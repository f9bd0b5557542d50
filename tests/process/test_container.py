"""Runs the steps of the Containerfile without a builder, and then its command as a container runtime would."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.containerfile import CHECKOUT, environment, values
from tests.e2e.bench import until_event

PROGRAMS = ("unshare", "setpriv", "nsenter", "mount", "bash")


def may_make_namespaces():
    if os.geteuid() != 0 or not all(map(shutil.which, PROGRAMS)):
        return False
    return subprocess.run(["unshare", "-mpf", "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not may_make_namespaces(), reason="needs root, util-linux and namespaces")
ANY_USER = (
    "setpriv --reuid 54321 --regid 0 --clear-groups --no-new-privs --bounding-set -all,+dac_read_search"
    " --inh-caps -all,+dac_read_search --ambient-caps -all,+dac_read_search"
)
"""A user whom the image does not know, in group 0. It may read every file, because the folders of a test are root's."""
RUNTIME = """
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=2770,uid=0,gid=0 tmpfs {image}/data
mount -t tmpfs -o mode=2770,uid=0,gid=0 tmpfs {image}/run/connect-router
mount -o remount,bind,ro /
exec {user} {command}
"""


def within(image, text):
    """Returns a text of the Containerfile with the paths of the image in the folder of the test."""
    for path in ("/opt/connect-router", "/build/", "/data", "/run/connect-router"):
        text = text.replace(path, f"{image}{path}")
    return text


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Returns the folder in which every RUN step was run, with a wheel of the checkout."""
    image = tmp_path_factory.mktemp("image")
    (image / "build").mkdir()
    shutil.copy(CHECKOUT / "requirements.lock", image / "build")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(image / "build")]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    for step in values("RUN"):
        command = within(image, step).replace("python3 -m venv", f"{sys.executable} -m venv")
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        if "requirements.lock" in step and "No matching distribution" in done.stderr:
            pytest.skip("the package index is out of reach")
        assert done.returncode == 0, done.stderr
    return image


@pytest.fixture
def container(image, bench):
    """Returns the process, and a command that runs words inside it, like ``kubectl exec``."""
    command = [*json.loads(values("ENTRYPOINT")[0]), *json.loads(values("CMD")[0])]
    command[-1] = str(bench.folder / "config.toml")
    script = RUNTIME.format(image=image, user=ANY_USER, command=shlex.join(command))
    variables = {**bench.environment, **{name: within(image, value) for name, value in environment().items()}}
    variables.pop("PYTHONPATH", None)
    process = subprocess.Popen(
        ["unshare", "-mpf", "--mount-proc", "--kill-child", "bash", "-c", script],
        cwd=bench.folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until_event(process, "cycle.finished")
    inside = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]

    def execute(*words):
        entered = ["nsenter", "-t", inside, "-m", "-p", *ANY_USER.split(), *words]
        return subprocess.run(entered, cwd="/", env=variables, capture_output=True, text=True, check=False)

    yield process, int(inside), execute
    if process.poll() is None:
        os.kill(int(inside), signal.SIGKILL)  # the change of user has undone --kill-child
    process.communicate(timeout=20)


def test_the_image_runs_as_any_user_on_a_read_only_root_and_obeys_signals_as_process_1(container, bench):
    process, inside, execute = container
    facts = dict(line.split(":\t", 1) for line in Path(f"/proc/{inside}/status").read_text().splitlines())
    config = ("--config", str(bench.folder / "config.toml"))

    assert (facts["Uid"].split()[0], facts["NSpid"].split()[-1]) == ("54321", "1")
    assert "Read-only file system" in execute("touch", str(bench.folder / "new")).stderr
    health = json.loads(values("HEALTHCHECK")[0].partition("CMD ")[2])
    healthy = execute(*health, *config)
    assert (healthy.returncode, healthy.stderr) == (0, "")

    os.kill(inside, signal.SIGHUP)
    until_event(process, "rules.loaded")
    os.kill(inside, signal.SIGTERM)
    until_event(process, "service.stopped")
    assert process.wait(timeout=20) == 0


def test_the_health_check_fails_while_aws_refuses_the_credentials(container, bench):
    _, _, execute = container
    bench.sandbox.world.faults.add("expired_credentials")
    health = json.loads(values("HEALTHCHECK")[0].partition("CMD ")[2])

    def checked():
        return execute(*health, "--config", str(bench.folder / "config.toml")).returncode

    assert any(checked() == 1 for _ in range(60))
