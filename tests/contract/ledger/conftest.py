"""Opens every store of the ledger behind one fixture.

Another store is one more name in ``STORES``, and in ``DURABLE`` if it outlives its process.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from router.ledger import SqliteLedger
from router.ledger.shared.ledger import SharedLedger
from router.ledger.shared.table import DynamoTable
from router.model import (
    Action,
    ActionKind,
    Channel,
    Contact,
    ContactId,
    FirstAct,
    FlowId,
    Landing,
    QueueId,
    Target,
    WaitKey,
)
from tests.builders import tables

NOW = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
KEEP = timedelta(days=120)
numbers = count()

OpenLedger = Callable[[str], AbstractContextManager[SqliteLedger]]
"""Opens the store for an instance; what was written before by the same fixture is there."""


def _in_a_file(folder: Path) -> OpenLedger:
    @contextmanager
    def opened(instance_id: str) -> Iterator[SqliteLedger]:
        with SqliteLedger.open(folder / "ledger.db", instance_id=instance_id, now=NOW, keep=KEEP) as ledger:
            yield ledger

    return opened


def _in_memory(folder: Path) -> OpenLedger:
    @contextmanager
    def opened(instance_id: str) -> Iterator[SqliteLedger]:
        with SqliteLedger.in_memory(instance_id, keep=KEEP) as ledger:
            yield ledger

    return opened


def _in_a_table(endpoint: str) -> OpenLedger:
    table, number = DynamoTable(tables.client_of(endpoint), "connect-router"), next(numbers)

    @contextmanager
    def opened(instance_id: str) -> Iterator[SqliteLedger]:
        own = f"{instance_id} of test {number}"
        with SharedLedger.open_shared(table, instance_id=own, name="a", keep=KEEP, clock=lambda: NOW) as ledger:
            ledger.take_over()
            yield ledger

    return opened


STORES = ("sqlite", "memory", "moto", "dynalite")
DURABLE = ("sqlite", "moto", "dynalite")


@pytest.fixture
def store(tmp_path, endpoint_of) -> Callable[[str], OpenLedger]:
    """Opens an empty store of a kind."""

    def made(kind: str) -> OpenLedger:
        if kind in ("sqlite", "memory"):
            return {"sqlite": _in_a_file, "memory": _in_memory}[kind](tmp_path)
        return _in_a_table(endpoint_of(kind))

    return made


@pytest.fixture(params=STORES)
def ledger(request, store):
    with store(request.param)("instance-1") as opened:
        yield opened


@pytest.fixture(params=DURABLE)
def open_ledger(request, store):
    return store(request.param)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def task() -> Callable[..., Contact]:
    """Builds a task by its id, with whatever else Connect shows of its chain."""

    def built(contact_id: str, **ids: Any) -> Contact:
        return Contact(id=ContactId(contact_id), channel=Channel.TASK, **ids)

    return built


@pytest.fixture
def act() -> Callable[..., Action]:
    """Builds a transfer out of "billing" into "overflow", ``minutes`` after NOW; other fields may be given."""

    def built(contact: str = "c-1", *, minutes: float = 0, **fields: Any) -> Action:
        contact_id = ContactId(contact)
        given: dict[str, Any] = {
            "kind": ActionKind.TRANSFER,
            "wait": WaitKey(contact_id, NOW - timedelta(hours=1)),
            "chain_id": contact_id,
            "contact_id": contact_id,
            "queue_id": QueueId("billing"),
            "enqueued_at": NOW - timedelta(hours=1),
            "rule": "billing-email",
            "step": 2,
            "at": timedelta(hours=1),
            "first": FirstAct(
                clock_started_at=NOW - timedelta(hours=1), queue_id=QueueId("billing"), waited=timedelta(hours=1)
            ),
            "revision": "r1",
            "fingerprint": "f1",
            "cycle": 7,
            "decided_at": NOW + timedelta(minutes=minutes),
            "target": Target(flow_id=FlowId("flow-1"), queue_id=QueueId("overflow")),
        }
        return Action(**{**given, **fields})

    return built


@pytest.fixture
def move(act) -> Callable[..., Action]:
    """Builds a transfer that has acted and is not seen to have landed yet."""

    def moved(contact: str, new_contact: str | None, **fields: Any) -> Action:
        new_id = ContactId(new_contact) if new_contact else None
        built: Action = act(contact, **{"new_contact_id": new_id, "landing": Landing.PENDING, **fields})
        return built

    return moved
