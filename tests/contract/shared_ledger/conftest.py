"""Opens several routers on one table, in a DynamoDB of either kind, through a proxy that loses chosen messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.config import Config

from router.connect.client import refuse_foreign_body
from router.ledger.shared import changes
from router.ledger.shared.ledger import SharedLedger
from router.ledger.shared.table import DynamoTable
from router.model import Action, ActionKind, ContactId, FirstAct, FlowId, Landing, QueueId, Target, WaitKey
from tests.builders import tables
from tests.builders.losing import LosingProxy

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEEP = timedelta(days=120)
numbers = count()


class Shared:
    """A table, in it an instance that has no ledger yet, the way to it, and routers that use it."""

    def __init__(self, endpoint: str, stack: ExitStack) -> None:
        self.now = NOW
        self.proxy = stack.enter_context(LosingProxy(endpoint))
        self.name = "connect-router"
        self.instance = f"instance-{next(numbers)}"
        self.direct = DynamoTable(tables.client_of(endpoint), self.name)
        self._stack = stack

    def begin_anew(self) -> None:
        """Takes another instance, as if there were nothing."""
        self.now = NOW
        self.instance = f"instance-{next(numbers)}"
        self.proxy.lose_answers.clear()
        self.proxy.lose_requests.clear()

    @cache  # noqa: B019 - a client takes longer to make than most tests, and ends with its test
    def table(self, tries: int = 2) -> DynamoTable:
        config = Config(retries={"mode": "standard", "total_max_attempts": tries}, connect_timeout=1, read_timeout=2)
        client = boto3.Session(**tables.KEYS).client("dynamodb", endpoint_url=self.proxy.endpoint, config=config)
        client.meta.events.register("before-parse.dynamodb", refuse_foreign_body)
        return DynamoTable(client, self.name)

    def router(self, name: str, *, instance: str | None = None, tries: int = 2) -> SharedLedger:
        ledger = SharedLedger.open_shared(
            self.table(tries), instance_id=instance or self.instance, name=name, keep=KEEP, clock=lambda: self.now
        )
        return self._stack.enter_context(ledger)

    def entries(self) -> list[dict[str, Any]]:
        found = self.direct.between(self.instance, "log#", "log#9")
        return [dict(item) for item in found]


@pytest.fixture(params=["moto", "dynalite"])
def shared(request, endpoint_of) -> Iterator[Shared]:
    with ExitStack() as stack:
        yield Shared(endpoint_of(request.param), stack)


@pytest.fixture
def held() -> Callable[[SharedLedger], list[Any]]:
    """Returns all that a router's copy holds, in an order of its own."""

    def rows(ledger: SharedLedger) -> list[Any]:
        with ledger._alone() as connection:
            return sorted(changes.everything(connection, ledger.instance_id), key=lambda one: (one[0], str(one[1])))

    return rows


@pytest.fixture
def act() -> Callable[..., Action]:
    def built(contact: str = "c-1", **fields: Any) -> Action:
        contact_id = ContactId(contact)
        given: dict[str, Any] = {
            "kind": ActionKind.TRANSFER,
            "wait": WaitKey(contact_id, NOW - timedelta(hours=1)),
            "chain_id": contact_id,
            "contact_id": contact_id,
            "queue_id": QueueId("billing"),
            "enqueued_at": NOW - timedelta(hours=1),
            "rule": "late",
            "step": 1,
            "at": timedelta(hours=1),
            "first": FirstAct(
                clock_started_at=NOW - timedelta(hours=1), queue_id=QueueId("billing"), waited=timedelta(hours=1)
            ),
            "revision": "r1",
            "fingerprint": "f1",
            "cycle": 7,
            "decided_at": NOW,
            "target": Target(flow_id=FlowId("flow-1"), queue_id=QueueId("overflow")),
            "landing": Landing.PENDING,
        }
        return Action(**{**given, **fields})

    return built
