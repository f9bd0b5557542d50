"""Opens a sandbox, and an unmodified boto3 client for it."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from router.sandbox import Behaviours, Sandbox, Scenario, World

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class HandClock:
    """Shows the same time until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Bench:
    sandbox: Sandbox
    clock: HandClock
    client: Any
    """One call is one HTTP request: the SDK's retries are off."""

    @property
    def world(self) -> World:
        return self.sandbox.world

    def call(self, operation: str, **params: Any) -> Any:
        """Calls an operation by its Python name, in this instance."""
        answer = getattr(self.client, operation)(**{"InstanceId": self.sandbox.instance_id, **params})
        assert self.sandbox.problems == [], "an answer broke AWS's own model"
        return answer

    def refused(self, operation: str, **params: Any) -> tuple[int, str]:
        """Returns the status and the code of a call that must fail."""
        with pytest.raises(ClientError) as caught:
            self.call(operation, **params)
        response = caught.value.response
        return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]

    def describe(self, contact_id: str) -> Any:
        return self.call("describe_contact", ContactId=contact_id)["Contact"]

    def search(self, *, kind: str = "ENQUEUE_TIMESTAMP", days: float = 50, **rest: Any) -> Any:
        span = {
            "Type": kind,
            "StartTime": self.clock.now - timedelta(days=days),
            "EndTime": self.clock.now + timedelta(days=1),
        }
        return self.call("search_contacts", TimeRange=span, **rest)

    def found(self, **rest: Any) -> list[str]:
        return [row["Id"] for row in self.search(**rest)["Contacts"]]

    def queue(self, name: str) -> str:
        return next(each.id for each in self.world.state.register.queues.values() if each.name == name)

    def flow(self, name: str = "Overflow to queue") -> str:
        return next(each.id for each in self.world.state.register.flows.values() if each.name == name)

    def user(self, name: str) -> str:
        return next(each.id for each in self.world.state.register.users.values() if each.name == name)

    def transfer(self, contact_id: str, queue: str = "General", flow: str = "Overflow to queue", **more: Any) -> Any:
        answer = self.call(
            "transfer_contact",
            ContactId=contact_id,
            QueueId=self.queue(queue),
            ContactFlowId=self.flow(flow),
            **more,
        )
        return answer["ContactId"]


Make = Callable[..., Bench]


@pytest.fixture(scope="session")
def session():
    return boto3.session.Session(aws_access_key_id="sandbox", aws_secret_access_key="sandbox", region_name="us-east-1")


@pytest.fixture
def make(session):
    """Returns ``make(scenario, **behaviours)``, which opens a sandbox with the queues Billing and General.

    Its agent ``agent.one`` serves General, and takes contacts only on request."""
    with ExitStack() as stack:

        def build(scenario: Scenario | None = None, *, furnish: bool = True, **behaviours: Any) -> Bench:
            clock = HandClock()
            chosen = scenario or Scenario()
            if behaviours:
                chosen = replace(chosen, behaviours=Behaviours(**behaviours))
            sandbox = stack.enter_context(Sandbox(chosen, clock=clock))
            client = session.client(
                "connect",
                endpoint_url=sandbox.endpoint,
                config=Config(
                    retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=0.5, connect_timeout=2
                ),
            )
            stack.callback(client.close)
            if furnish:
                sandbox.world.add_queue("Billing")
                sandbox.world.add_queue("General")
                sandbox.world.add_user("agent.one", queues=["General"], slots={"TASK": 2, "EMAIL": 1})
            return Bench(sandbox, clock, client)

        yield build


@pytest.fixture
def bench(make):
    return make()
