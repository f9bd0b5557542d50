"""Holds the command over HTTP against a real sandbox, in the test's process or in one of its own."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from router import logs
from router.cli import main
from router.sandbox import Sandbox, Scenario

RULES = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "late"
[rule.match]
queue = "Billing"
[rule.sla]
target = "1h"
[[rule.step]]
at = "50%"
warn = "half of the time is gone"
[[rule.step]]
at = "breach"
to = [{ queue = "Billing Overflow" }]
"""

CONFIG = """
[connect]
instance = "{instance}"
region = "us-east-1"
[poll]
every = "1s"
lookback = "7d"
[quotas]
share = 1.0
SearchContacts = {{ rate = 50, burst = 50 }}
TransferContact = {{ rate = 50, burst = 50 }}
DescribeContact = {{ rate = 100, burst = 100 }}
ListQueues = {{ rate = 50, burst = 50 }}
ListContactFlows = {{ rate = 50, burst = 50 }}
"""


@contextmanager
def here(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Gives this process a working folder and an environment for a while."""
    folder_before, environment_before = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.chdir(folder_before)
        os.environ.clear()
        os.environ.update(environment_before)


@contextmanager
def restored_logging() -> Iterator[None]:
    """Puts back what a command configures for its process."""
    root, ours = logging.getLogger(), logging.getLogger(logs.OURS)
    handlers, levels, before = root.handlers[:], (root.level, ours.level), structlog.get_config()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
        structlog.configure(**before)


def run_here(
    folder: Path, environment: dict[str, str], arguments: Sequence[str], *, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[str]:
    """Runs the command in this process, as if it had been started in the folder with the environment."""
    written = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True) for _ in range(2)]
    with ExitStack() as stack:
        stack.enter_context(here(folder, environment))
        stack.enter_context(restored_logging())
        stack.enter_context(redirect_stdout(written[0]))
        stack.enter_context(redirect_stderr(written[1]))
        try:
            status = main(arguments)
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0
    out, err = (stream.buffer.getvalue().decode(encoding) for stream in written)
    return subprocess.CompletedProcess(list(arguments), status, out, err)


@dataclass
class Bench:
    """Holds a contact centre and a configuration folder, and runs the command in it."""

    sandbox: Sandbox
    folder: Path
    environment: dict[str, str]
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def enqueue(self, queue: str = "Billing", *, waited: timedelta = timedelta(hours=2), **particulars: Any) -> str:
        contact_id = self.sandbox.world.enqueue(queue=queue, waited=waited, **particulars)
        assert isinstance(contact_id, str)
        return contact_id

    def run(
        self, *arguments: str, encoding: str = "utf-8", **environment: str | None
    ) -> subprocess.CompletedProcess[str]:
        """Runs the command in this process, which saves the second that a process needs for its imports. ``encoding``
        is that of its terminal. A variable that is ``None`` is not set."""
        return run_here(self.folder, self._environment(environment), arguments, encoding=encoding)

    def run_process(
        self, *arguments: str, encoding: str = "utf-8", **environment: str | None
    ) -> subprocess.CompletedProcess[str]:
        """Runs the command in a process of its own, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "router", *arguments],
            cwd=self.folder,
            env=self._environment({"PYTHONIOENCODING": encoding, **environment}),
            capture_output=True,
            encoding=encoding,
            timeout=100,
            check=False,
        )

    def start(
        self, *arguments: str, program: Sequence[str] = ("-m", "router"), **environment: str | None
    ) -> subprocess.Popen[str]:
        """Starts the command in a process of its own. ``program`` replaces it if a test shortens its time."""
        process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=self.folder,
            env=self._environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def _environment(self, changes: dict[str, str | None]) -> dict[str, str]:
        merged = {**self.environment, **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()


def until_event(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    """Reads the process's log up to the first line of that event."""
    assert process.stdout is not None
    for line in process.stdout:
        told: dict[str, Any] = json.loads(line)
        if told["event"] == event:
            return told
    raise AssertionError(f"the process ended without {event}: {process.communicate()[1]}")


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[list[dict[str, Any]], float]:
    """Ends it with a signal: the rest of its log, and how long it took in seconds."""
    began = time.monotonic()
    process.send_signal(number)
    rest, _ = process.communicate(timeout=30)
    return [json.loads(line) for line in rest.splitlines()], time.monotonic() - began


@contextmanager
def open_bench(tmp_path: Path) -> Iterator[Bench]:
    """Opens a contact centre with three queues, one rule, and a configuration folder for commands."""
    with Sandbox(Scenario()) as sandbox:
        for queue in ("Billing", "Billing Overflow", "General"):
            sandbox.world.add_queue(queue)
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "10-late.toml").write_text(RULES)
        (tmp_path / "config.toml").write_text(CONFIG.format(instance=sandbox.instance_id))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECT_ROUTER_"))}
        environment = {
            **kept,
            "AWS_ENDPOINT_URL_CONNECT": sandbox.endpoint,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }
        opened = Bench(sandbox, tmp_path, environment)
        try:
            yield opened
        finally:
            opened.close()
