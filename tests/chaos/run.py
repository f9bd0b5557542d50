"""Kills a router a thousand times and more, and counts what came of it.

python tests/chaos/run.py [--kills 1000] [--real 40] [--seed 1] [--processes 2] [--events]

Most deaths are of a router in this process, at a named point between decision and settlement, its ledger reopened as
the system leaves it; ``--real`` are processes of the command that are killed with signal 9 at some moment. Progress is
shown; the exit status is 1 where anything went wrong.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from router.sandbox import Sandbox, Scenario
from tests.chaos.world import CONNECTS, TRAPS, Toll, trial

A_TRIAL = 8
"""Lives of one centre."""
CONFIG = """
[connect]
instance = "{instance}"
region = "us-east-1"
[execute]
mode = "enforce"
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


def one_trial(seed: int, events: bool) -> Toll:
    os.environ.update(AWS_ACCESS_KEY_ID="sandbox", AWS_SECRET_ACCESS_KEY="sandbox")
    with tempfile.TemporaryDirectory() as folder:
        return trial(Path(folder), seed, A_TRIAL, events=events)


def in_process(kills: int, seed: int, processes: int, *, events: bool) -> Iterator[Toll]:
    """Trials until so many have died."""
    context = multiprocessing.get_context("spawn")
    died, began = 0, time.monotonic()
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        running = {pool.submit(one_trial, seed + number, events) for number in range(2 * processes)}
        following = seed + 2 * processes
        while running:
            done = next(as_completed(running))
            running.discard(done)
            toll = done.result()
            died += toll.kills
            print(f"\r  {died} killed, {time.monotonic() - began:.0f} s", end="", flush=True)
            yield toll
            if died < kills:
                running.add(pool.submit(one_trial, following, events))
                following += 1
    print(flush=True)


def real(kills: int, seed: int, *, events: bool) -> Toll:
    """Kills processes of the command at some moment of their work, on one centre where contacts continue to arrive."""
    chance, toll = random.Random(seed), Toll()
    behaviours = CONNECTS[seed % len(CONNECTS)]
    scenario = Scenario(behaviours=behaviours, events=TRAPS if events else None)
    with tempfile.TemporaryDirectory() as scratch, Sandbox(scenario) as sandbox:
        folder = Path(scratch)
        for queue in ("Billing", "Billing Overflow"):
            sandbox.world.add_queue(queue)
        (folder / "rules").mkdir()
        (folder / "rules" / "10-late.toml").write_text(RULES)
        queue = f'[events]\nqueue = "{sandbox.queue_url}"\n' if events else ""
        (folder / "config.toml").write_text(CONFIG.format(instance=sandbox.instance_id) + queue)
        contacts: list[str] = []
        for number in range(kills):
            contacts += [
                sandbox.world.enqueue(chance.choice(("TASK", "EMAIL")), "Billing", waited=timedelta(hours=2))
                for _ in range(4)
            ]
            sandbox.world.faults.clear()
            sandbox.world.faults.add(chance.choice(("throttle", "reset_after")), "TransferContact", count=1)
            process = _start(folder, sandbox.endpoint)
            threading.Event().wait(chance.uniform(0.8, 3.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
            toll.kills += 1
            print(f"\r  {number + 1} processes killed, {len(sandbox.world.transfers)} moved", end="", flush=True)
        print(flush=True)
        sandbox.world.faults.clear()
        last = _start(folder, sandbox.endpoint)
        end = time.monotonic() + 120
        while time.monotonic() < end and any(
            sandbox.world.queue_of(sandbox.world.latest(one).id) == "Billing" for one in contacts
        ):
            threading.Event().wait(0.2)
        last.terminate()
        last.wait(30)
        moves = [move.contact_id for move in sandbox.world.transfers]
        toll.moved = len(moves)
        toll.twice = sorted({one for one in moves if moves.count(one) > 1})
        toll.lost = [one for one in contacts if sandbox.world.queue_of(sandbox.world.latest(one).id) == "Billing"]
    return toll


def _start(folder: Path, endpoint: str) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECT_ROUTER_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "router", "run"],
        cwd=folder,
        env={
            **kept,
            "AWS_ENDPOINT_URL_CONNECT": endpoint,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def tell(toll: Toll, killed: int, processes: int) -> None:
    print(f"killed at a named point, in process: {killed}; processes killed with signal 9: {processes}")
    print("  by point: " + ", ".join(f"{point} {count}" for point, count in sorted(toll.at.items())))
    print(f"contacts moved: {toll.moved}")
    print(f"moved twice: {len(toll.twice)}")
    print(f"lost (neither moved, nor held with a reason, nor settled ten minutes after the end): {len(toll.lost)}")
    print(f"taken from an agent who had accepted before the last reading was answered: {len(toll.taken)}")
    print(f"intents without outcome: {len(toll.unsettled)}")
    reported = toll.inside - toll.traceless - len(toll.unreported)
    print(f"accepted inside the reading's window: {toll.inside}; reported as contact.taken_from_agent: {reported};")
    print(f"  in a Connect that keeps the id and no trace of the agent: {toll.traceless}; else: {len(toll.unreported)}")
    for name, found in toll.wrong.items():
        for one in found:
            print(f"  {name}: {one}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--real", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--events", action="store_true", help="with contact events: lost, doubled, late, out of order")
    args = parser.parse_args()
    print(f"chaos: {args.kills} deaths, seed {args.seed}, on {args.processes} processors", flush=True)
    whole = Toll()
    for toll in in_process(args.kills, args.seed, args.processes, events=args.events):
        whole.add(toll)
    killed = whole.kills
    if args.real:
        whole.add(real(args.real, args.seed, events=args.events))
    tell(whole, killed, whole.kills - killed)
    return 1 if whole.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
