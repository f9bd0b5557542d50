"""Runs one router through a fault of one operation, over HTTP: before it, while it lasts, and after it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from router.connect.connection import Connection
from router.connect.quotas import DEFAULT_RATES, Rate
from router.daemon.compose import build
from router.daemon.router import Router
from router.model import Channel
from router.rules.load import load_rules
from router.rules.rule import Mode
from router.sandbox import Behaviours, Sandbox, Scenario
from router.settings import Settings, load_settings
from tests.e2e.centre import AGENT_FLOW, FLOW, TravelClock

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

READ_TIMEOUT_S = 1.0
"""For a call that hangs; the service waits for ten seconds, and so does the clock here."""
TIMED_OUT = timedelta(seconds=10)

OPERATIONS = (
    "SearchContacts",
    "DescribeContact",
    "ListAssociatedContacts",
    "GetCurrentMetricData",
    "GetCurrentUserData",
    "ListAgentStatuses",
    "ListRoutingProfileQueues",
    "DescribeHoursOfOperation",
    "GetEffectiveHoursOfOperations",
    "ListQueues",
    "SearchQueues",
    "ListContactFlows",
    "ListUsers",
    "ListHoursOfOperations",
    "TransferContact",
    "UpdateContactRoutingData",
)
"""Every one that the router calls in service."""

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "500": {"kind": "error_500"},
    "503": {"kind": "error_503"},
    "time-out before": {"kind": "timeout_before", "delay": 30 * SECOND},
    "time-out after": {"kind": "timeout_after", "delay": 30 * SECOND},
    "reset before": {"kind": "reset_before"},
    "reset after": {"kind": "reset_after"},
    "cut off": {"kind": "cut_after"},
    "garbage": {"kind": "garbage"},
    "throttle": {"kind": "throttle"},
    "denied": {"kind": "access_denied"},
    "expired": {"kind": "expired_credentials"},
    "unknown client": {"kind": "unrecognized_client"},
    "not found": {"kind": "error", "code": "ResourceNotFoundException"},
    "page again": {"kind": "repeat_page"},
    "token expired": {"kind": "expire_token"},
    "slow": {"kind": "slow", "delay": 30 * SECOND / 1000},
    "skew": {"kind": "skew", "delay": timedelta(minutes=7)},
}
PAGED = ("page again", "token expired")
HANGING = ("time-out before", "time-out after")

WAITING: Mapping[str, Mapping[str, Any]] = {
    "plain": {"queue": "Billing"},
    "details": {"queue": "Details", "attributes": {"tier": "gold"}},
    "chain": {"queue": "Chains", "chain": 3},
    "metrics": {"queue": "Metrics"},
    "agent": {"queue": "Agents", "attributes": {"last": "supervisor.one"}},
    "hours": {"queue": "Hours"},
    "bump": {"queue": "Bumps"},
}
"""One contact a rule; each rule needs other operations."""

RULES = f"""
[defaults]
flow = "{FLOW}"
agent_flow = "{AGENT_FLOW}"

[[rule]]
name = "plain"
match.queue = "Billing"
step = [{{ at = "1h", to = [{{ queue = "General" }}] }}]

[[rule]]
name = "details"
match = {{ queue = "Details", attributes.tier = "gold" }}
step = [{{ at = "1h", to = [{{ queue = "General" }}] }}]

[[rule]]
name = "chain"
match = {{ queue = "Chains", transfers = {{ max = 5 }} }}
step = [{{ at = "1h", to = [{{ queue = "General" }}] }}]

[[rule]]
name = "metrics"
match.queue = "Metrics"
step = [{{ at = "1h", to = [{{ queue = "General", slots_available = {{ min = 1 }} }}] }}]

[[rule]]
name = "agent"
match.queue = "Agents"
step = [{{ at = "1h", to = [{{ agent_from = "attributes.last" }}] }}]

[[rule]]
name = "hours"
match.queue = "Hours"
sla.hours = "Office"
step = [{{ at = "1h", to = [{{ queue = "General" }}] }}]

[[rule]]
name = "bump"
match.queue = "Bumps"
step = [{{ at = "1h", routing = {{ priority = 1 }} }}]
"""

ALARMS = (
    "api.denied",
    "api.failing",
    "api.throttled",
    "clock.skew",
    "contact.failed",
    "contact.place_lost",
    "contact.recovered",
    "contact.stray",
    "search.degraded",
)
NEVER = ("contact.broken", "contact.taken_from_agent", "cycle.failed", "follow.failed", "ledger.failed")


class FaultClock(TravelClock):
    """Moves both clocks when it travels; thread-safe."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead.total_seconds()

    def travel(self, span: timedelta) -> None:
        with self._lock:
            super().travel(span)


@dataclass
class Faulty:
    """``router`` waits to be sent through faults; ``lines`` are those of its log."""

    sandbox: Sandbox
    clock: FaultClock
    app: Router
    lines: list[Any]
    contacts: dict[str, str]

    def cycles(self, count: int) -> bool:
        """Makes so many polls as the service does: a cycle, a look at what was moved, and the names."""
        complete = True
        for _ in range(count):
            complete = self.app.cycle.run(until=None).complete and complete
            self.clock.travel(5 * SECOND)
            self.app.follower.look()
            self.app.names.refresh()
        return complete

    def fault(self, operation: str | None, name: str, **more: Any) -> None:
        details = dict(FAULTS[name])
        self.sandbox.world.faults.add(details.pop("kind"), operation, **details, **more)
        if name in PAGED:
            self.sandbox.world.faults.add("short_page", operation)

    def mend(self) -> None:
        self.sandbox.world.faults.clear()

    def acted_on(self) -> list[str]:
        """Returns the rules whose contacts were moved or bumped, once for each time."""
        by_id = {contact_id: rule for rule, contact_id in self.contacts.items()}
        moves = [by_id[one.contact_id] for one in self.sandbox.world.transfers]
        bump = self.contacts.get("bump")
        bumped = bump is not None and self.sandbox.world.contact(bump).priority == 1
        return sorted([*moves, *(["bump"] if bumped else [])])

    def said(self, event: str) -> list[Any]:
        return [line for line in self.lines if line["event"] == event]

    def held(self) -> set[str]:
        """Returns the reasons why contacts are held that have not been acted on."""
        reasons = {line["rule"]: line["reason"] for line in self.said("contact.held")}
        return {reason for rule, reason in reasons.items() if rule not in self.acted_on()}

    def alarms(self) -> list[Any]:
        return [line for line in self.lines if line["event"] in ALARMS]


@contextmanager
def through_faults(
    folder: Path, environment: Any, *, waiting: Iterable[str] = WAITING, hanging: bool = False
) -> Iterator[Faulty]:
    """Opens a router with its names bound, and a late contact for each of the rules ``waiting``.

    ``environment`` is pytest's monkeypatch. With ``hanging``, calls will hang, and are given up soon."""
    clock = FaultClock()
    with Sandbox(Scenario(behaviours=Behaviours()), clock=clock.now) as sandbox, capture_logs() as lines:
        environment.setenv("AWS_ENDPOINT_URL_CONNECT", sandbox.endpoint)
        contacts = _furnish(sandbox, waiting)
        app = _router(sandbox, clock, folder, READ_TIMEOUT_S if hanging else 10.0)
        try:
            yield Faulty(sandbox, clock, app, lines, contacts)
        finally:
            app.stop()
            app.close()
            app.connection.close()


def _furnish(sandbox: Sandbox, waiting: Iterable[str]) -> dict[str, str]:
    world = sandbox.world
    for queue in ("General", *sorted({str(one["queue"]) for one in WAITING.values()})):
        world.add_queue(queue)
    for hours in ("Office", "Another office"):
        world.add_hours(hours, week={day: [(time(0), time(0))] for day in DAYS})
    world.add_flow(FLOW, type="QUEUE_TRANSFER")
    world.add_flow(AGENT_FLOW, type="AGENT_TRANSFER")
    # One who serves everything and takes nothing by themselves.
    world.add_user("supervisor.one", queues=["General", "Agents"], slots={"TASK": 5, "EMAIL": 5})
    world.add_user("supervisor.two", queues=["General"], slots={"TASK": 5, "EMAIL": 5})
    return {rule: world.enqueue("TASK", waited=2 * HOUR, **WAITING[rule]) for rule in waiting}


def _router(sandbox: Sandbox, clock: FaultClock, folder: Path, read_timeout_s: float) -> Router:
    rules, config = folder / "rules", folder / "config.toml"
    rules.mkdir(exist_ok=True)
    (rules / "10-faults.toml").write_text(RULES, encoding="utf-8")
    config.write_text(f'[connect]\ninstance = "{sandbox.instance_id}"\nregion = "us-east-1"\n', encoding="utf-8")
    overrides: dict[str, object] = {"execute.retry.attempts": 2, "execute.retry.max_delay": "1s"}
    overrides |= {"poll.every": "5s", "poll.sweep": "5s", "poll.lookback": "30d"}
    settings = load_settings(config, environ={}, overrides=overrides)

    def pause(seconds: float) -> None:
        clock.travel(TIMED_OUT if read_timeout_s == READ_TIMEOUT_S else timedelta(seconds=seconds))

    def connect(settings: Settings, _clock: object) -> Connection:
        return Connection.open(
            instance_id=settings.connect.instance_id,
            region=settings.connect.region,
            channels=[Channel.TASK, Channel.EMAIL],
            workers=2,
            rates={**dict.fromkeys(DEFAULT_RATES, FAST), **dict.fromkeys(OPERATIONS, FAST)},
            share=1.0,
            now=clock.now,
            monotonic=clock.monotonic,
            pause=pause,
            read_timeout_s=read_timeout_s,
        )

    app = build(settings, load_rules(rules), mode=Mode.ENFORCE, clock=clock, connect=connect, once=True)
    assert app.names.load() is None
    app.follower.resume()
    return app


FAST = Rate(100_000, 100_000)
