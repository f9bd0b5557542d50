"""Ledgers in real files, and processes that open them."""

import base64
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from router.ledger import SqliteLedger
from router.model import Action, ActionKind, ContactId, FirstAct, FlowId, Landing, QueueId, Target, WaitKey

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEEP = timedelta(days=120)

PREAMBLE = """
import base64, os, pickle, sys
from datetime import datetime, timedelta, UTC
from pathlib import Path
from router.ledger import *
PATH, NOW, KEEP, ACTION = pickle.loads(base64.b64decode(sys.argv[1]))

def opened():
    return SqliteLedger.open(PATH, instance_id="instance-1", now=NOW, keep=KEEP)

def say(text):
    print(text, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    # Private, as a service's folder is: the permissions of temporary folders differ between machines.
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder / "ledger.db"


@pytest.fixture
def open_ledger(path) -> Iterator[Callable[..., SqliteLedger]]:
    with ExitStack() as opened:

        def opening(**given: Any) -> SqliteLedger:
            where = given.pop("path", path)
            with_defaults = {"instance_id": "instance-1", "now": NOW, "keep": KEEP, **given}
            return opened.enter_context(SqliteLedger.open(where, **with_defaults))

        yield opening


@pytest.fixture
def read_ledger(path) -> Iterator[Callable[..., SqliteLedger]]:
    with ExitStack() as opened:

        def reading(where: Path = path, instance_id: str = "instance-1") -> SqliteLedger:
            return opened.enter_context(SqliteLedger.read(where, instance_id=instance_id))

        yield reading


@pytest.fixture(scope="session")
def act() -> Callable[..., Action]:
    """Returns a builder of a transfer that has acted and landed. Any field can be replaced."""

    def built(contact: str = "c-1", **fields: Any) -> Action:
        contact_id, began_at = ContactId(contact), NOW - timedelta(hours=1)
        given: dict[str, Any] = {
            "kind": ActionKind.TRANSFER,
            "wait": WaitKey(contact_id, began_at),
            "chain_id": contact_id,
            "contact_id": contact_id,
            "queue_id": QueueId("billing"),
            "enqueued_at": began_at,
            "rule": "billing-email",
            "step": 2,
            "at": timedelta(hours=1),
            "first": FirstAct(clock_started_at=began_at, queue_id=QueueId("billing"), waited=timedelta(hours=1)),
            "revision": "r1",
            "fingerprint": "f1",
            "cycle": 7,
            "decided_at": NOW,
            "target": Target(flow_id=FlowId("flow-1"), queue_id=QueueId("overflow")),
            "landing": Landing.QUEUED,
        }
        return Action(**{**given, **fields})

    return built


@pytest.fixture
def start(path, act) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a Python process with the ledger's path and an action at hand; what is left of it is killed."""
    with ExitStack() as stack:

        def started(script: str, **given: Any) -> subprocess.Popen[str]:
            handed = (given.pop("path", path), NOW, KEEP, given.pop("action", act()))
            argument = base64.b64encode(pickle.dumps(handed)).decode()
            process = subprocess.Popen(
                [sys.executable, "-c", PREAMBLE + script, argument],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ,
                **given,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield started


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def keep() -> timedelta:
    return KEEP
