"""Runs the commands of the pages: in a folder with the shipped files, with a sandbox and, on request, a service."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from router.cli.demo.stage import MORE
from router.sandbox import Sandbox, Scenario
from router.sandbox.quotas import CallQuotas
from router.sandbox.scenario import DEFAULT_FILE
from tests.docs.blocks import CHECKOUT, blocks
from tests.docs.recorded import furnish
from tests.e2e.bench import run_here

INSTANCE = "11111111-2222-3333-4444-555555555555"
CONTACT = re.compile(r"\b(?!1{8})[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
LIMIT_S = 120
"""The limit for one command on a busy machine. No test waits that long otherwise."""
LASTING = {r"run --config": '"cycle.finished"', r"sandbox": "# aws", r"status .*--watch": "(?m)^connect-router"}
"""Commands that run until a signal, with the output to await before the signal is sent."""

ALONE = re.compile(r"connect-router(?! demo)[^|&;<>$`~*?#(){}\\\n]*")
"""A command without anything for the shell to do except quotation marks. It runs in the test's process, which saves the
second that a process needs for its imports."""


@dataclass(frozen=True)
class Done:
    status: int
    stdout: str
    stderr: str


@dataclass
class Stand:
    """Holds the folder, the environment and the service.

    ``contact`` is the id of a contact, ``cycle`` the number of a cycle with moves. They replace those of the pages."""

    folder: Path
    environment: dict[str, str]
    service: subprocess.Popen[str] | None = None
    contact: str = ""
    cycle: str = ""
    _paths: Mapping[str, str] = field(init=False)
    _said: dict[str, Done] = field(default_factory=dict)

    def __post_init__(self) -> None:
        backups = self.folder / "backups"
        backups.mkdir()
        self._paths = {
            "/etc/connect-router/config.toml": "config.toml",
            "/etc/connect-router/rules": "rules",
            "/opt/connect-router/bin/python": sys.executable,
            "/var/lib/connect-router": str(self.folder),
            "/var/backups": str(backups),
        }

    def as_here(self, command: str) -> str:
        """Returns the page's command with the paths and ids of this folder."""
        for path, ours in self._paths.items():
            command = command.replace(path, ours)
        command = CONTACT.sub(self.contact, command).replace("CONTACT_ID", self.contact)
        command = re.sub(r"--undo-plan \d+", f"--undo-plan {self.cycle}", command)
        command = re.sub(r"router demo --seconds \d+", "router demo --seconds 8", command)
        command = re.sub(r"router demo --config", "router demo --seconds 3 --config", command)
        # Another program may have the page's port.
        return re.sub(
            r"router sandbox", "router sandbox --port 0", re.sub(r"(router sandbox.*) --port \d+", r"\1", command)
        )

    def run_once(self, command: str) -> Done:
        """Returns the output of a command's first run, because later runs print the same."""
        here = self.as_here(command)
        if here not in self._said:
            self._said[here] = self.run(command)
        return self._said[here]

    def run(self, command: str, **changes: str) -> Done:
        """Runs one line of a page. A command that never ends gets a signal after its first output."""
        here = self.as_here(command)
        for kind, awaited in LASTING.items():
            if re.search(f"connect-router {kind}", command):
                return self._begin_and_end(here, awaited, changes)
        environment = {**self.environment, "CONTACT": self.contact, "CHAIN": self.contact, **changes}
        if ALONE.fullmatch(here):
            ended = run_here(self.folder, environment, shlex.split(here)[1:])
            return Done(ended.returncode, ended.stdout, ended.stderr)
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", here],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def _begin_and_end(self, command: str, awaited: str, changes: Mapping[str, str]) -> Done:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.folder,
            env={**self.environment, **changes},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        first = ""
        for line in process.stdout:
            first += line
            if re.search(awaited, line):
                break
        process.send_signal(signal.SIGINT)
        rest, told = process.communicate(timeout=LIMIT_S)
        return Done(process.returncode, first + rest, told)

    def json(self, command: str) -> Any:
        done = self.run(f"connect-router {command} --json")
        assert done.status == 0, done.stderr
        return json.loads(done.stdout)


@contextmanager
def open_stand(folder: Path, *, service: bool) -> Iterator[Stand]:
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(Scenario.default() if service else _at_rest()))
        sandbox.quotas = CallQuotas(MORE)
        _furnish(folder)
        stand = Stand(folder, _environment(folder, sandbox.endpoint))
        if service:
            _serve(stand, stack)
        yield stand


def _at_rest() -> Scenario:
    """Returns the same contact centre without agents at work. Therefore the samples stay true during the test."""
    text = (files("router.sandbox") / "scenarios" / DEFAULT_FILE).read_text(encoding="utf-8")
    return Scenario.parse(DEFAULT_FILE, re.sub(r"^(handling|put_back) = .*$", "", text, flags=re.M).encode())


def _furnish(folder: Path) -> None:
    for path in (folder, folder / "my", folder / "old", folder / "new"):
        path.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / "config.toml", path)
        shutil.copytree(CHECKOUT / "rules", path / "rules")
    scenario, *_ = [block for block in blocks("toml") if block.page == "sandbox.md"]
    (folder / "my-centre.toml").write_text(scenario.text, encoding="utf-8")
    furnish(folder)
    programs = folder / "bin"
    programs.mkdir()
    _script(programs / "connect-router", f'exec "{sys.executable}" -m router "$@"')
    _script(programs / "journalctl", f'exec cat "{folder / "service.log"}"')


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def _environment(folder: Path, endpoint: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECT_ROUTER_"))}
    return {
        **kept,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
        "AWS_ENDPOINT_URL_CONNECT": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        # These are the quotas of `demo`, with which a poll takes seconds.
        "CONNECT_ROUTER_EXECUTE__MODE": "enforce",
        "CONNECT_ROUTER_POLL__EVERY": "2s",
        "CONNECT_ROUTER_POLL__LOOKBACK": "7d",
        "CONNECT_ROUTER_QUOTAS__SEARCHCONTACTS": "{ rate = 5, burst = 5 }",
        "CONNECT_ROUTER_QUOTAS__DESCRIBECONTACT": "{ rate = 100, burst = 150 }",
    }


def _serve(stand: Stand, stack: ExitStack) -> None:
    """Starts the service, and waits until a contact that it moved has landed."""
    log = stack.enter_context((stand.folder / "service.log").open("w", encoding="utf-8"))
    stand.service = subprocess.Popen(
        ["connect-router", "run"],
        cwd=stand.folder,
        env={**stand.environment, "CONNECT_ROUTER_GUARD__PER_CYCLE": "4"},  # a limit that binds
        stdout=log,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    stack.callback(_end, stand.service)
    with open(stand.folder / "service.log", encoding="utf-8") as told:
        line = ""
        while stand.service.poll() is None:
            line += told.readline()
            if not line.endswith("\n"):
                with suppress(subprocess.TimeoutExpired):
                    stand.service.wait(0.05)
                continue
            event, line = json.loads(line), ""
            if event["event"] == "contact.landed":
                stand.contact, stand.cycle = event["contact_id"], str(event["cycle"])
                break
    assert stand.contact, "the service ended"


def _end(service: subprocess.Popen[str]) -> None:
    service.terminate()
    service.wait(timeout=LIMIT_S)
