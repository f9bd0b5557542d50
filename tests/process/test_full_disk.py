"""Fills the file system of a running service's ledger, and makes room again."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from router.history.journal_reader import read_journal
from router.history.world import Gap
from tests.e2e.bench import end, until_event


def may_mount():
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not may_mount(), reason="needs root, unshare and mount namespaces")
LATE = timedelta(hours=2)


@pytest.fixture
def service(bench):
    """Returns a service whose state directory is a file system of 512 KiB, and the path of that directory."""
    state = bench.folder / "state"
    state.mkdir()
    script = f'mount -t tmpfs -o size=512k tmpfs "{state}" && exec "{sys.executable}" -m router run --enforce'
    process = subprocess.Popen(
        ["unshare", "-m", "bash", "-c", script],
        cwd=bench.folder,
        env={**bench.environment, "STATE_DIRECTORY": str(state), "RUNTIME_DIRECTORY": str(bench.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    bench.started.append(process)
    until_event(process, "cycle.finished")
    return process, Path(f"/proc/{process.pid}/root{state}")


def fill(path):
    """Writes until no byte fits."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    assert os.statvfs(path).f_bavail == 0


def test_a_full_disk_is_named_holds_the_moves_and_ends_when_there_is_room(bench, service):
    process, state = service
    fill(state / "fill")
    bench.enqueue(waited=LATE)

    assert until_event(process, "ledger.failed")["message"].endswith("database or disk is full")
    until_event(process, "cycle.finished")
    status = bench.run("status", RUNTIME_DIRECTORY=str(bench.folder))
    assert status.returncode == 1
    assert "database or disk is full" in status.stdout
    assert not bench.sandbox.world.transfers

    (state / "fill").unlink()
    until_event(process, "contact.transferred")
    end(process)
    assert process.returncode == 0


def test_a_full_disk_costs_the_journal_one_line_and_leaves_what_was_written_readable(service):
    process, state = service
    fill(state / "fill")

    failed = until_event(process, "journal.failed")
    until_event(process, "cycle.finished")
    now = datetime.now(UTC)
    events = list(read_journal(state / "journal", since=now - timedelta(days=1), until=now + timedelta(days=1)))

    assert failed["message"].endswith("No space left on device")
    assert failed["level"] == "warning"
    assert {one.why for one in events if isinstance(one, Gap)} <= {"the last record is torn"}
    end(process)
