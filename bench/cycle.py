"""A whole cycle where no quota holds it back, beside a bare boto3 loop that makes the same calls.

python bench/cycle.py [--contacts 2000] [--threads 1,2,4,8] [--times 2]
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import subprocess
import sys
import tempfile
import time
import urllib.parse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report
from support.process import cpu_seconds
from support.stage import FLOW, Contender, configure, wait_for

from router.sandbox import Sandbox, Scenario

RULES = """
[defaults]
flow = "Overflow to queue"
[[rule]]
name = "late"
match.queue = "Billing"
sla.target = "1h"
step = [{ at = "breach", to = [{ queue = "Overflow" }] }]
"""
OPERATIONS = (
    "SearchContacts",
    "TransferContact",
    "DescribeContact",
    "GetCurrentMetricData",
    "ListQueues",
    "ListContactFlows",
)
NO_QUOTA = "[quotas]\nshare = 1.0\n" + "".join(f"{one} = {{ rate = 10000, burst = 10000 }}\n" for one in OPERATIONS)
PROBES = 400


@dataclass(frozen=True)
class Told:
    """What a sandbox in a process of its own says of itself."""

    endpoint: str
    instance: str
    flow: str
    queue: str
    contacts: list[str]


class Centre:
    """A sandbox in a process of its own, with contacts that are overdue."""

    def __init__(self, contacts: int, *, customers: bool = False) -> None:
        """``customers``: each contact has another value of the attribute ``customer``."""
        self._here, there = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, contacts, customers))
        self._process.start()
        self.told: Told = self._here.recv()

    def moved(self) -> list[float]:
        """When each transfer was accepted, so far."""
        self._here.send("moved")
        found: list[float] = self._here.recv()
        return found

    def close(self) -> None:
        self._here.send("end")
        self._process.join(20)


def _serve(pipe: Connection, contacts: int, customers: bool) -> None:
    with Sandbox(Scenario(quotas="none")) as sandbox:
        world = sandbox.world
        world.add_queue("Billing")
        world.add_queue("Overflow")
        attributes = ({"customer": f"c{n}"} if customers else {} for n in range(contacts))
        ids = [
            world.enqueue("TASK", "Billing", waited=timedelta(hours=2, seconds=n), attributes=one)
            for n, one in enumerate(attributes)
        ]
        with world.present() as state:
            queue = next(one.id for one in state.register.queues.values() if one.name == "Overflow")
            flow = next(one.id for one in state.register.flows.values() if one.name == FLOW)
        pipe.send(Told(sandbox.endpoint, sandbox.instance_id, flow, queue, ids))
        while pipe.recv() == "moved":
            pipe.send([move.at.timestamp() for move in world.transfers])


def capacity(told: Told) -> float:
    """Calls a second that the sandbox answers, asked with nothing but a socket."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_probe, told.endpoint, told.instance, told.contacts[0]).result()


def _probe(endpoint: str, instance: str, contact: str) -> float:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc)
    path = f"/contacts/{instance}/{contact}"
    began = time.monotonic()
    for _ in range(PROBES):
        connection.request("GET", path)
        connection.getresponse().read()
    return PROBES / (time.monotonic() - began)


def bare(contacts: int, threads: int) -> tuple[float, float]:
    """Moves a second of the bare loop, and calls a second that the sandbox could answer."""
    centre = Centre(contacts)
    try:
        told = centre.told
        able = capacity(told)
        script = Path(__file__).parent / "support" / "bare_moves.py"
        done = subprocess.run(
            [sys.executable, str(script), told.instance, told.flow, told.queue, str(threads)],
            input="\n".join(told.contacts),
            env=Contender.environment(told.endpoint),
            capture_output=True,
            text=True,
            check=True,
        )
        return (contacts - 1) / float(done.stdout), able
    finally:
        centre.close()


def service(contacts: int, folder: Path) -> tuple[float, float]:
    """Moves a second of the service, from its first to its last, and its CPU seconds a move."""
    centre = Centre(contacts)
    contender = Contender(folder)
    try:
        told = centre.told
        folder.mkdir(parents=True)
        configure(folder, told.instance, RULES, execute="keep_place = false", more=NO_QUOTA)
        process = contender.router(told.endpoint)
        cpu = cpu_seconds(process.pid)
        wait_for(lambda: len(centre.moved()) >= contacts, seconds=300, what="the last move")
        used = cpu_seconds(process.pid) - cpu
        at = sorted(centre.moved())
        return (contacts - 1) / (at[-1] - at[0]), used / contacts
    finally:
        contender.close()
        centre.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=2000)
    parser.add_argument("--threads", default="1,2,4,8")
    parser.add_argument("--times", type=int, default=2)
    args = parser.parse_args()
    print(f"cycle: {args.contacts} overdue contacts over HTTP", flush=True)
    ours: list[tuple[float, float]] = []
    theirs: dict[int, float] = {}
    able = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(args.times):
            ours.append(service(args.contacts, Path(scratch) / str(number)))
            print(f"  service: {ours[-1][0]:.0f} moves a second", flush=True)
            for threads in (int(one) for one in args.threads.split(",")):
                pace, could = bare(args.contacts, threads)
                theirs[threads], able = max(theirs.get(threads, 0), pace), max(able, could)
                print(f"  bare loop, {threads} threads: {pace:.0f} moves a second", flush=True)
    best = max(theirs, key=lambda threads: theirs[threads])
    pace, cpu = max(ours)
    ratio, room = pace / theirs[best], able / (2 * theirs[best])
    beside = f"{theirs[best]:.0f} with {best} threads; ratio {ratio:.2f}"
    rows = [
        ("moves a second", f"{pace:.0f}", beside, f"0.75: {met(ratio >= 0.75)}"),
        ("CPU a move", f"{cpu * 1000:.1f} ms", "", ""),
        ("calls a second that the sandbox can serve", f"{able:.0f}", f"{room:.1f} times the loop's", "3 times"),
    ]
    method = (
        f"{args.contacts} tasks are overdue, and the router moves them over HTTP. The sandbox runs in its own process,"
        " without quotas, and `keep_place` is off. The time from the first accepted transfer to the last"
        " includes search, ledger, logs and the tracking of moved contacts. The alternative only calls"
        f" DescribeContact and TransferContact, by boto3, with the best number of threads (of {args.threads}). Each"
        f" figure is the best of {args.times} runs."
    )
    report("cycle", rows, method=method)


if __name__ == "__main__":
    main()
