"""Runs the acceptance suite against a sandbox whose time is the test's: waiting takes none of the machine's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from router.acceptance.lab import PREFIX, Lab, Options
from router.acceptance.suite import ProofStep, Run, run_suite
from router.connect.connection import Connection
from router.model import Channel
from router.sandbox import Behaviours, Identity, Sandbox, Scenario
from router.settings import Settings

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ALLOWED = {"connect-router:acceptance": "allowed"}
AGENT, EMAIL = "test.agent", "acceptance@example.com"


class LeapClock:
    """Passes only when somebody waits. Each wait moves it at once by the whole time."""

    def __init__(self) -> None:
        self._passed = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float | None) -> None:
        self._passed += max(seconds or 0.0, 0.001)


@dataclass
class Bench:
    """Holds a sandbox with a contact of a customer's, the connection of the suite, and its lines."""

    sandbox: Sandbox
    clock: Any
    options: dict[str, Any]
    read_timeout_s: float = 10.0
    lines: list[str] = field(default_factory=list)
    run: Run = field(default_factory=Run)
    lab: Lab | None = None
    customer: str = ""
    opened: list[Connection] = field(default_factory=list)

    def connect(self, settings: Settings | None = None, clock: object = None) -> Connection:
        return Connection.open(
            instance_id=self.sandbox.instance_id,
            region="us-east-1",
            channels=[Channel.TASK, Channel.EMAIL],
            workers=2,
            rates={},
            share=0.8,
            now=self.clock.now,
            monotonic=self.clock.monotonic,
            wait=lambda _, seconds: self.clock.sleep(seconds),
            pause=self.clock.sleep,
            read_timeout_s=self.read_timeout_s,
        )

    def perform(self, *, prove: Callable[[Lab], list[ProofStep]] | None = None, **options: Any) -> Run:
        """Runs the suite once."""
        self.lab, self.run = self.open_lab(**options), Run()
        run_suite(self.lab, self.run, report=self.lines.append, prove=prove)
        return self.run

    def open_lab(self, **options: Any) -> Lab:
        """Returns a lab with a connection of its own, which ends with the bench."""
        os.environ["AWS_ENDPOINT_URL_CONNECT"] = self.sandbox.endpoint
        connection = self.connect()
        self.opened.append(connection)
        return Lab(
            calls=connection.plain_calls(self.clock.now),
            clock=self.clock,
            options=Options(**{**self.options, **options}),
            sleep=self.clock.sleep,
            skew=connection.skew,
        )

    def remains(self) -> list[str]:
        """Returns what the suite has left in the sandbox."""
        state = self.sandbox.world.state
        contacts = [each.id for each in self.sandbox.world.open() if each.id != self.customer]
        things = (*state.register.queues.values(), *state.register.flows.values(), *state.register.hours.values())
        return [*contacts, *(thing.name for thing in things if thing.name.startswith(PREFIX))]


@contextmanager
def open_bench(behaviours: Behaviours | None = None, **options: Any) -> Iterator[Bench]:
    """Opens a tagged instance with AWS's quotas, one agent and one waiting contact."""
    clock = LeapClock()
    identity = Identity(tags=dict(ALLOWED), email_addresses=(EMAIL,))
    scenario = Scenario(behaviours=behaviours or Behaviours(), quotas="aws", identity=identity)
    with Sandbox(scenario, clock=clock.now) as sandbox:
        sandbox.world.add_queue("Billing")
        sandbox.world.add_user(AGENT, queues=["Billing"])
        chosen = {"setup": True, "agent": AGENT, "email": EMAIL, "length": "full", **options}
        bench = Bench(sandbox, clock, chosen, customer=sandbox.world.enqueue(waited=timedelta(hours=1)))
        yield bench
        for connection in bench.opened:
            connection.close()
