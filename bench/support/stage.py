"""A contact centre of the sandbox's, and contenders that are real processes on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from router.sandbox import Behaviours, EventTraps, Sandbox, Scenario
from router.sandbox.quotas import CallRate

LATENCY = timedelta(milliseconds=80)
FLOW = "Overflow to queue"

CONFIG = """
[connect]
instance = "{instance}"
region = "us-east-1"
[execute]
mode = "enforce"
{execute}
[guard]
per_cycle = 10000
per_hour = 10000
unlanded = {unlanded}
[rules]
path = "rules"
[ledger]
url = "sqlite:ledger.db"
[log]
format = "json"
{more}
"""


def configure(
    folder: Path, instance: str, rules: str, *, execute: str = "", more: str = "", unlanded: int = 1000
) -> None:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "10-bench.toml").write_text(rules)
    (folder / "config.toml").write_text(CONFIG.format(instance=instance, execute=execute, more=more, unlanded=unlanded))


@dataclass
class Contender:
    """Real processes that work in one folder; ``told`` is the service's log."""

    folder: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)

    @staticmethod
    def environment(endpoint: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECT_ROUTER_"))}
        return {
            **kept,
            "AWS_ENDPOINT_URL_CONNECT": endpoint,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def router(self, endpoint: str, *options: str) -> subprocess.Popen[str]:
        """Starts the service with these options, and returns it when it is ready."""
        ready = threading.Event()
        process = self.listen(["run", *options], endpoint, ready)
        while not ready.wait(0.02):
            if process.poll() is not None:
                errors = (self.folder / "errors.txt").read_text()
                raise SystemExit(f"the service ended: {errors[-2000:]}")
        return process

    def listen(
        self, command: Sequence[str], endpoint: str, ready: threading.Event | None = None
    ) -> subprocess.Popen[str]:
        """Starts a command of the router whose log is collected; ``ready`` is set when the service is."""
        process = self.start([sys.executable, "-m", "router", *command], endpoint)
        ready = ready or threading.Event()
        threading.Thread(target=self._listen, args=(process, ready), daemon=True).start()
        return process

    def start(self, command: Sequence[str], endpoint: str) -> subprocess.Popen[str]:
        with (self.folder / "errors.txt").open("w") as errors:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment(endpoint),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.processes.append(process)
        return process

    def _listen(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            self.told.append(event)
            if event["event"] == "service.ready":
                ready.set()

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


@dataclass
class Stage:
    """One contact centre in this process, and the contender that works on it."""

    sandbox: Sandbox
    contender: Contender

    @property
    def told(self) -> list[dict[str, Any]]:
        return self.contender.told

    def configure(self, rules: str, **others: Any) -> None:
        configure(self.contender.folder, self.sandbox.instance_id, rules, **others)

    def router(self) -> subprocess.Popen[str]:
        return self.contender.router(self.sandbox.endpoint)

    def other(self, script: Path, *arguments: str) -> subprocess.Popen[str]:
        return self.contender.start([sys.executable, str(script), *arguments], self.sandbox.endpoint)

    def calls(self, operation: str) -> list[int]:
        """The status of each call of it so far."""
        return [call.status for call in self.sandbox.calls if call.operation == operation]

    def ids(self) -> tuple[dict[str, str], str]:
        """Of the queues by name, and of the flow."""
        with self.sandbox.world.present() as state:
            queues = {queue.name: queue.id for queue in state.register.queues.values()}
            return queues, next(one.id for one in state.register.flows.values() if one.name == FLOW)


@contextmanager
def open_stage(
    folder: Path,
    *,
    queues: Sequence[str],
    quotas: Mapping[str, CallRate] | str = "aws",
    latency: timedelta = LATENCY,
    index_lag: timedelta = timedelta(),
    seed: int = 1,
    events: EventTraps | None = None,
) -> Iterator[Stage]:
    folder.mkdir(parents=True, exist_ok=True)
    scenario = Scenario(
        seed=seed,
        behaviours=Behaviours(index_lag=index_lag),
        quotas=quotas,  # type: ignore[arg-type]
        latency=(latency, latency),
        events=events,
    )
    with Sandbox(scenario) as sandbox:
        for queue in queues:
            sandbox.world.add_queue(queue)
        stage = Stage(sandbox, Contender(folder))
        try:
            yield stage
        finally:
            stage.contender.close()


def wait_for(condition: Any, *, seconds: float, what: str) -> float:
    """How long it took. Ends the benchmark where it does not come."""
    began = time.monotonic()
    pause = threading.Event()
    while not condition():
        if time.monotonic() - began > seconds:
            raise SystemExit(f"{what} did not come within {seconds:.0f} s")
        pause.wait(0.05)
    return time.monotonic() - began


def percentile(values: Sequence[float], part: float) -> float:
    """Of those at hand: the smallest that at least so much of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(min(round(part * len(ordered) + 0.5) - 1, len(ordered) - 1), 0)]
