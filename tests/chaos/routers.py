"""Runs several routers on one DynamoDB table and one contact centre, and ends one of them every few seconds.

python tests/chaos/routers.py [--routers 3] [--ends 12] [--seed 1] [--store moto|dynalite]

Real processes of the command. The one that holds the lease is killed (signal 9), stopped and let go on later (SIGSTOP,
SIGCONT), or ended in order (SIGTERM); now and then it is a standby router. A new one takes its place. Contacts keep
coming, all the time. At the end: how long it took until another had taken over, what was moved, and whether anything
was moved twice. The exit status is 1 where anything was, or was lost, or a take-over took longer than 30 seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # as a script; the tests have their own ways
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from router.sandbox import Sandbox, Scenario
from tests.builders import tables
from tests.e2e.bench import run_here

TAKES_OVER_WITHIN_S = 30.0
CONFIG = """
[connect]
instance = "{instance}"
region = "us-east-1"
[execute]
mode = "enforce"
[ledger]
url = "dynamodb:{table}"
[poll]
every = "1s"
lookback = "7d"
[guard]
cooldown = "0s"
[quotas]
share = 1.0
SearchContacts = {{ rate = 50, burst = 50 }}
TransferContact = {{ rate = 8, burst = 2 }}
DescribeContact = {{ rate = 100, burst = 100 }}
ListQueues = {{ rate = 50, burst = 50 }}
ListContactFlows = {{ rate = 50, burst = 50 }}
"""
RULES = """
[defaults]
flow = "Overflow to queue"
[[rule]]
name = "late"
match.queue = "Billing"
[[rule.step]]
at = "1h"
to = [{ queue = "Billing Overflow" }]
"""


class Router:
    """Runs a process of the command in a folder of its own, and holds the lines of its log."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.lines: list[tuple[float, dict[str, Any]]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "router", "run"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                told = json.loads(line)
            except ValueError:
                told = {"event": "not a log line", "text": line}
            self.lines.append((time.monotonic(), told))

    def told(self, event: str) -> list[tuple[float, dict[str, Any]]]:
        return [(at, told) for at, told in list(self.lines) if told.get("event") == event]

    @property
    def holding_since(self) -> float | None:
        """Returns when it last took over; ``None`` if it has lost the lease since, or never had it."""
        acquired, lost = self.told("lease.acquired"), self.told("lease.lost")
        if not acquired or (lost and lost[-1][0] > acquired[-1][0]):
            return None
        return acquired[-1][0]

    def end(self, number: int = signal.SIGKILL) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(40)
        self._thread.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status


@dataclass
class Fleet:
    """Holds routers on one ledger and one centre."""

    sandbox: Sandbox
    folder: Path
    endpoint: str
    environment: dict[str, str]
    table: str
    config: str = CONFIG
    routers: list[Router] = field(default_factory=list)
    contacts: list[str] = field(default_factory=list)
    started: int = 0

    def start(self) -> Router:
        self.started += 1
        folder = self.folder / f"router-{self.started}"
        (folder / "rules").mkdir(parents=True)
        (folder / "rules" / "10-late.toml").write_text(RULES)
        (folder / "config.toml").write_text(self.config.format(instance=self.sandbox.instance_id, table=self.table))
        router = Router(folder, self.environment)
        self.routers.append(router)
        return router

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs another command, in the folder of the router that was started last."""
        return run_here(self.folder / f"router-{self.started}", self.environment, arguments)

    def arrive(self, count: int) -> None:
        world = self.sandbox.world
        self.contacts += [world.enqueue("TASK", "Billing", waited=timedelta(hours=2)) for _ in range(count)]

    @property
    def holder(self) -> Router | None:
        """Returns the router that took over last, of those that live."""
        holding = [(one.holding_since, number) for number, one in enumerate(self.routers)]
        found = [(since, number) for since, number in holding if since is not None]
        return self.routers[max(found)[1]] if found else None

    def twice(self) -> list[str]:
        """Returns contacts that this one step moved more than once; a new segment counts as the contact it was."""
        moves = self.sandbox.world.transfers
        before = {move.new_contact_id: move.contact_id for move in moves if move.new_contact_id != move.contact_id}

        def first(contact_id: str) -> str:
            while contact_id in before:
                contact_id = before[contact_id]
            return contact_id

        counted = Counter(first(move.contact_id) for move in moves)
        return [contact for contact, count in counted.items() if count > 1]

    def waiting(self) -> list[str]:
        world = self.sandbox.world
        return [one for one in self.contacts if world.queue_of(world.latest(one).id) == "Billing"]

    def close(self) -> None:
        for router in self.routers:
            if router.process.poll() is None:
                router.process.send_signal(signal.SIGCONT)
            router.end()


@contextmanager
def fleet(
    folder: Path, store: str = "moto", *, scenario: Scenario | None = None, config: str = CONFIG
) -> Iterator[Fleet]:
    """Opens an empty fleet; the table is made by the command that people make it with."""
    open_store = {"moto": tables.moto, "dynalite": tables.dynalite}[store]
    with open_store() as endpoint, Sandbox(scenario or Scenario()) as sandbox:
        for queue in ("Billing", "Billing Overflow"):
            sandbox.world.add_queue(queue)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECT_ROUTER_"))}
        environment = {
            **kept,
            "AWS_ENDPOINT_URL_CONNECT": sandbox.endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "CONNECT_ROUTER_LOG__FORMAT": "json",
        }
        # A name of its own: moto retains its data for as long as its process runs.
        table = f"connect-router-{uuid.uuid4().hex[:8]}"
        found = Fleet(sandbox, folder, endpoint, environment, table, config)
        try:
            yield found
        finally:
            found.close()


def make_table(running: Fleet) -> None:
    (running.folder / "router-0").mkdir()
    config = running.config.format(instance=running.sandbox.instance_id, table=running.table)
    (running.folder / "router-0" / "config.toml").write_text(config)
    done = running.run("ledger", "create-table")
    assert done.returncode == 0, done.stderr


def until(condition: Callable[[], object], within: float) -> float | None:
    """Returns how long it took; ``None`` if it did not happen."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within:
            return None
        threading.Event().wait(0.05)
    return time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routers", type=int, default=3)
    parser.add_argument("--ends", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=("moto", "dynalite"), default="moto")
    args = parser.parse_args()
    chance = random.Random(args.seed)
    took: dict[str, list[float]] = {"killed": [], "stopped": [], "ended": []}
    problems: list[str] = []
    print(f"{args.routers} routers on one table ({args.store}), {args.ends} ends, seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory() as scratch, fleet(Path(scratch), args.store) as running:
        make_table(running)
        running.arrive(5)
        for _ in range(args.routers):
            running.start()
        assert until(lambda: running.holder is not None, 60) is not None, "nobody took the lease"
        over = threading.Event()
        feeding = threading.Thread(target=_feed, args=(running, over), daemon=True)
        feeding.start()
        for number in range(args.ends):
            over.wait(chance.uniform(1.0, 4.0))
            how = chance.choice(("killed", "killed", "stopped", "ended"))
            seconds, told = _one_end(running, how, chance)
            if seconds is None or seconds > TAKES_OVER_WITHIN_S:
                problems.append(f"end {number + 1} ({how}): {told}")
            if seconds is not None:
                took[how].append(seconds)
            moved = len(running.sandbox.world.transfers)
            print(f"  {number + 1:2}  {how:8} {told}; {moved} moved so far", flush=True)
        over.set()
        feeding.join()
        left = until(lambda: not running.waiting(), 90)
        twice, lost = running.twice(), running.waiting() if left is None else []
        statuses = [router.end(signal.SIGTERM) for router in running.routers if router.process.poll() is None]
        moved = len(running.sandbox.world.transfers)
    for how, times in took.items():
        if times:
            print(f"taken over after one was {how}: {len(times)} times, median {statistics.median(times):.1f} s, "
                  f"longest {max(times):.1f} s")  # fmt: skip
    print(f"contacts moved: {moved}, of {len(running.contacts)}")
    print(f"moved twice: {len(twice)}")
    print(f"lost: {len(lost)}")
    print(f"ended in order at the end: {statuses.count(0)} of {len(statuses)}")
    for problem in problems:
        print(f"  {problem}")
    return 1 if twice or lost or problems or any(statuses) else 0


def _feed(running: Fleet, over: threading.Event) -> None:
    """Adds contacts that are late as they arrive, some every second."""
    while not over.wait(0.7):
        running.arrive(1)


def _one_end(running: Fleet, how: str, chance: random.Random) -> tuple[float | None, str]:
    """Ends the one that works, and starts another in its place: how long nobody worked."""
    victim = running.holder
    assert victim is not None
    if how == "stopped":
        victim.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    if how != "stopped":
        victim.process.send_signal(signal.SIGKILL if how == "killed" else signal.SIGTERM)
        victim.process.wait(40)
        running.start()
    others = [one for one in running.routers if one is not victim]

    def taken() -> bool:
        return any(one.holding_since is not None and one.holding_since > began for one in others)

    waited = until(taken, 60)
    since = min((at for one in others if (at := one.holding_since) is not None and at > began), default=None)
    moves = len(running.sandbox.world.transfers)
    until(lambda: len(running.sandbox.world.transfers) > moves, 60)
    moving = time.monotonic() - began
    seconds = since - began if waited is not None and since is not None else None
    if how == "stopped":
        threading.Event().wait(chance.uniform(0.0, 2.0))
        victim.process.send_signal(signal.SIGCONT)
        assert until(lambda: victim.holding_since is None, 30) is not None, "it did not notice that its turn is over"
    if how != "stopped":
        running.routers.remove(victim)
    if seconds is None:
        return None, "nobody took over"
    return seconds, f"taken over after {seconds:4.1f} s, moving after {moving:4.1f} s"


if __name__ == "__main__":
    sys.exit(main())
