"""Runs a router over HTTP against the sandbox: real boto3, real SQLite, real rule files. A test moves the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from router.connect.connection import Connection
from router.daemon.compose import build
from router.daemon.reload import reload
from router.daemon.router import Router
from router.ports import Clock
from router.problems import Problem
from router.resources import open_connection
from router.rules.load import load_rules
from router.rules.rule import Mode
from router.sandbox import Behaviours, EventTraps, Sandbox, Scenario
from router.settings import Settings, load_settings

FLOW = "Overflow to queue"
AGENT_FLOW = "Escalate to agent"

LATE_RULE = """
[defaults]
flow = "Overflow to queue"
agent_flow = "Escalate to agent"

[[rule]]
name = "late"
[rule.match]
channel = ["TASK", "EMAIL"]
queue = "Billing"
[rule.sla]
target = "1h"
[[rule.step]]
at = "breach"
to = [{ queue = "Billing Overflow" }]
"""


class TravelClock:
    """Shows the machine's time, and as much more as a test adds. ``monotonic`` is the machine's."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return time.monotonic()

    def travel(self, span: timedelta) -> None:
        self._ahead += span


@dataclass
class Centre:
    """Holds a contact centre and the routers started on it. ``apps`` share its clock."""

    sandbox: Sandbox
    clock: TravelClock
    folder: Path
    _apps: list[Router] = field(default_factory=list)

    @property
    def world(self):
        return self.sandbox.world

    def router(self, rules: str = LATE_RULE, *, mode: Mode = Mode.ENFORCE, **overrides: object) -> Router:
        """Returns a router on these rules, with its names bound; it follows moves that have not landed."""
        path = self.folder / "rules"
        path.mkdir(exist_ok=True)
        (path / "10-test.toml").write_text(rules, encoding="utf-8")
        config = self.folder / "config.toml"
        config.write_text(f'[connect]\ninstance = "{self.sandbox.instance_id}"\nregion = "us-east-1"\n')
        fast = {
            "poll.every": "5s",
            "quotas.share": 1.0,
            "quotas.SearchContacts": {"rate": 50, "burst": 50},
            "quotas.TransferContact": {"rate": 100, "burst": 100},
            "quotas.DescribeContact": {"rate": 200, "burst": 200},
            "quotas.ListAssociatedContacts": {"rate": 100, "burst": 100},
            "quotas.ListQueues": {"rate": 100, "burst": 100},
            "quotas.ListContactFlows": {"rate": 100, "burst": 100},
            "quotas.ListUsers": {"rate": 100, "burst": 100},
            "quotas.GetCurrentUserData": {"rate": 100, "burst": 100},
            # A follow-up takes a token that is there at once, and a test makes its looks some milliseconds apart.
            "quotas.UpdateContactRoutingData": {"rate": 1000, "burst": 100},
        }
        settings = load_settings(config, environ={}, overrides={**fast, **overrides})
        app = build(settings, load_rules(path), mode=mode, clock=self.clock, connect=self.connect)
        self._apps.append(app)
        assert app.names.load() is None
        app.follower.resume()
        return app

    def connect(self, settings: Settings, clock: Clock) -> Connection:
        """Opens a connection whose back-off between two attempts moves the clock and takes no time."""
        return open_connection(settings, clock, pause=lambda seconds: self.clock.travel(timedelta(seconds=seconds)))

    def land(self, app: Router, *, within: timedelta = timedelta(minutes=5)) -> None:
        """Looks after the moved contacts until none is under way. The clock moves a second before each look."""
        looks = int(within.total_seconds())
        while app.follower.pending and looks > 0:
            self.clock.travel(timedelta(seconds=1))
            app.follower.look()
            looks -= 1
        assert not app.follower.pending, "moved contacts have not landed"

    def drain(self, app: Router) -> None:
        """Has the router receive every contact event that has arrived, and read what it has to because of them."""
        feed, queue = app.cycle.feed, self.sandbox.queue
        assert feed is not None
        assert queue is not None
        feed.wait_s = 0
        self.sandbox.world.advance()
        while queue.ready:
            assert feed.step() is None
        while feed.readings.read_next():
            pass

    def disown(self, app: Router) -> None:
        """Leaves the router to the caller, who closes it."""
        self._apps.remove(app)

    def end(self, app: Router) -> None:
        """Ends the router as a process that ends in order does."""
        self.disown(app)
        app.stop()
        app.close()

    def close(self) -> None:
        for app in self._apps:
            app.stop()
            app.close()


@contextmanager
def open_centre(
    folder: Path, behaviours: Behaviours | None = None, *, events: EventTraps | None = None
) -> Iterator[Centre]:
    """Opens a centre with four queues, both flows and one supervisor. No agent works."""
    clock = TravelClock()
    scenario = Scenario(behaviours=behaviours or Behaviours(), events=events)
    with Sandbox(scenario, clock=clock.now) as sandbox:
        for queue in ("Billing", "Billing Overflow", "General", "Supervisors"):
            sandbox.world.add_queue(queue)
        sandbox.world.add_flow(FLOW, type="QUEUE_TRANSFER")
        sandbox.world.add_flow(AGENT_FLOW, type="AGENT_TRANSFER")
        sandbox.world.add_user("supervisor.one", queues=["Supervisors"], slots={"TASK": 1, "EMAIL": 1})
        centre = Centre(sandbox, clock, folder)
        try:
            yield centre
        finally:
            centre.close()


def reloaded(app: Router, path: Path) -> tuple[Problem, ...]:
    """Reloads these rules with the configuration as it is, and returns the problems."""
    return reload(app, lambda: (app.settings, load_rules(path)))
