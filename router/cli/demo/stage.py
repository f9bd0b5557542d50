"""Starts the sandbox and the service together, for the time of the demo."""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from structlog.typing import Processor

from router import logs
from router.cli.context import announce, overrides_of, proofs, shipped
from router.cli.errors import CommandFailed
from router.cli.foreign_folders import require_own_folders
from router.cli.output.tables import count
from router.cli.resources import in_one_line
from router.daemon.compose import build
from router.daemon.daemon import Daemon
from router.daemon.router import Router
from router.daemon.systemd import Notifier
from router.durations import format_duration
from router.problems import Problems
from router.rules.load import load_rules
from router.rules.rule import Mode, RuleSet
from router.runtime import AnnouncedClock
from router.sandbox import CallRate, Sandbox, Scenario
from router.sandbox.quotas import CallQuotas
from router.sandbox.serve import announced_clock, landing_timeout
from router.settings import Settings, load_settings
from router.settings.load import HERE
from router.telemetry.cycle_report import CycleReport


def config_of(given: str | None) -> Path:
    """Returns the given file, else that of the working directory, else that of the package."""
    if given is not None:
        return Path(given)
    for path in (HERE, shipped("config.toml")):
        if path.is_file():
            return path
    raise CommandFailed(f"connect-router demo: no {HERE} here; name one with --config", misconfigured=True)


BRISK: Mapping[str, object] = {
    "poll.every": "2s",
    "poll.lookback": "7d",
    "quotas.SearchContacts": {"rate": 5, "burst": 5},
    "quotas.DescribeContact": {"rate": 100, "burst": 150},
}
"""Polls every two seconds, over a backlog that is all unread.

A new AWS account allows one search in that time, and ten readings a second. Sandbox and service have ten times that.
Every other quota is AWS's, on both sides."""
MORE = {"SearchContacts": CallRate(5, 5), "DescribeContact": CallRate(100, 150)}

NO_FILE = os.devnull


@dataclass(kw_only=True)
class Stage:
    """Holds the sandbox and the service of a demo."""

    settings: Settings
    ruleset: RuleSet
    sandbox: Sandbox
    app: Router
    performed: bool = False
    """Whether the service ended normally."""
    _daemon: Daemon = field(init=False)
    _thread: threading.Thread = field(init=False)
    _ends_at: float = 0.0

    def __post_init__(self) -> None:
        self._daemon = Daemon(self.app, notifier=Notifier(None), reload=lambda: None)
        self._thread = threading.Thread(target=self._perform, name="service")

    def introduction(self) -> Iterator[str]:
        poll = format_duration(self.settings.poll.every)
        rules = count(len(self.ruleset.rules), "rule")
        yield f"config {self.settings.config_path}, {rules}, instance {self.sandbox.instance_id}"
        yield f"sandbox at {self.sandbox.endpoint}; the service talks to it over HTTP, enforcing, one look every {poll}"
        yield "searches and readings: ten times what a new AWS account may make; every other quota as AWS documents it"
        yield ""

    @property
    def report(self) -> CycleReport | None:
        """Returns the figures of the last cycle; ``None`` before the first."""
        return self.app.vital.now.report

    @contextmanager
    def performing(self, seconds: float) -> Iterator[None]:
        """Runs the service until the block ends."""
        self._ends_at = time.monotonic() + seconds
        self._thread.start()
        try:
            yield
        finally:
            self._daemon.stop()
            self._thread.join()

    @property
    def performs(self) -> bool:
        return self._thread.is_alive()

    def unmet_queues(self) -> Iterator[tuple[str, int]]:
        """Yields the queues that no rule can meet, with their waiting contacts. The router does not search them."""
        met, world = self.app.names.rules.queue_ids, self.sandbox.world
        if met is None:
            return
        for queue in world.state.register.queues.values():
            number = len(world.waiting(queue.id)) if queue.user_id is None and queue.id not in met else 0
            if number:
                yield queue.name, number

    @property
    def left(self) -> float:
        """Returns the seconds until the end."""
        return max(self._ends_at - time.monotonic(), 0.0)

    def _perform(self) -> None:
        self.performed = self._daemon.run() == 0


@contextmanager
def open_stage(arguments: argparse.Namespace, *, tap: Processor) -> Iterator[Stage]:
    """Opens the stage. ``tap`` receives every event. Raises ``Problems`` if a file does not load."""
    scenario = Scenario.load(arguments.scenario) if arguments.scenario is not None else Scenario.default()
    with tempfile.TemporaryDirectory(prefix="connect-router-demo-") as folder, Sandbox(scenario) as sandbox:
        if scenario.quotas == "aws":
            sandbox.quotas = CallQuotas(MORE)
        settings = _settings(arguments, sandbox, Path(folder))
        require_own_folders(settings, once=False)
        announce(settings, quiet=arguments.quiet)
        ruleset = load_rules(settings.rules.path)
        errors = [problem for problem in proofs(settings, ruleset) if problem.severity == "error"]
        if errors:
            raise Problems(errors)
        with open(NO_FILE, "w") as nowhere, _talking_to(sandbox):
            logs.configure(level="info", format="json", stream=nowhere, taps=[tap])
            with in_one_line():
                app = build(settings, ruleset, mode=Mode.ENFORCE, clock=AnnouncedClock.parse(announced_clock(sandbox)))
            if app.connection.endpoint != sandbox.endpoint:
                app.close()
                raise CommandFailed(f"connect-router demo: not the sandbox: {app.connection.endpoint}")
            yield Stage(settings=settings, ruleset=ruleset, sandbox=sandbox, app=app)


def _settings(arguments: argparse.Namespace, sandbox: Sandbox, folder: Path) -> Settings:
    """Loads the settings without the environment, which belongs to the real service."""
    fixed = {
        "connect.instance": sandbox.instance_id,
        "connect.region": sandbox.region,
        "execute.mode": "enforce",
        "ledger.url": f"sqlite:{folder / 'ledger.db'}",
        "log.level": "info",
        "notify.sns_topic": "",
    }
    ours = {**BRISK, "journal.path": "", "execute.landing_timeout": landing_timeout(sandbox)}
    overrides = {**ours, **overrides_of(arguments), **fixed}
    return load_settings(config_of(arguments.config), environ={}, overrides=overrides)


@contextmanager
def _talking_to(sandbox: Sandbox) -> Iterator[None]:
    """Sets the AWS SDK's variables until the block ends. It then finds only the sandbox."""
    ours = {
        "AWS_ENDPOINT_URL_CONNECT": sandbox.endpoint,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_CONFIG_FILE": NO_FILE,
        "AWS_SHARED_CREDENTIALS_FILE": NO_FILE,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    before = dict(os.environ)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(ours)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
