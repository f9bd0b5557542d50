"""How long 300 contacts take that fall overdue at once, slow responses included, beside the bound of the quota.

python bench/surge.py [--contacts 300] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report
from support.stage import FLOW, open_stage, wait_for

from router.sandbox import FlowOutcome

SHARE, RATE, BURST = 0.8, 2.0, 5.0
TARGETS = {"Slow": 600.0, "Middle": 300.0, "Fast": 120.0}
"""Seconds: all are late at the same instant, and from then on the shorter the promise the more overdue."""
LEAD = 45.0
LATENCIES = tuple(timedelta(milliseconds=ms) for ms in (80, 200, 350))
LANDS_AFTER_S = 0.5, 5.0
ONE_THREAD = Path(__file__).parent / "support" / "one_thread.py"


def rules() -> str:
    parts = ['[defaults]\nflow = "Overflow to queue"\n']
    for queue, target in TARGETS.items():
        parts.append(f"""
[[rule]]
name = "{queue.lower()}"
match.queue = "{queue}"
sla.target = "{target:.0f}s"
step = [{{ at = "breach", to = [{{ queue = "Overflow" }}] }}]
""")
    return "".join(parts)


def inversions(order: list[str]) -> int:
    """How many contacts went after one of a longer promise had gone."""
    rank = {queue: place for place, queue in enumerate(TARGETS)}
    wrong, lowest = 0, len(rank)
    for queue in order:
        wrong += rank[queue] > lowest
        lowest = min(lowest, rank[queue])
    return wrong


@dataclass(frozen=True, kw_only=True)
class Drained:
    """How long a surge took, the bound of the quota, and what went wrong meanwhile."""

    took: float
    bound: float
    wrong: int
    throttled: int

    @property
    def ratio(self) -> float:
        return self.took / self.bound


def drain(latency: timedelta, *, contacts: int, seed: int, alone: bool) -> Drained:
    """Has a surge drained by the router, or by the alternative (``alone``), in a contact centre of its own."""
    bound, random = (contacts - BURST * SHARE) / (RATE * SHARE), Random(seed)
    queues = (*TARGETS, "Overflow")
    with (
        tempfile.TemporaryDirectory() as scratch,
        open_stage(Path(scratch), queues=queues, latency=latency, seed=seed) as stage,
    ):
        world, breach = stage.sandbox.world, time.time() + LEAD

        def land_later(_: object) -> None:
            after = timedelta(seconds=round(random.uniform(*LANDS_AFTER_S), 3))
            world.set_flow(FLOW, outcome=FlowOutcome(after=after))

        stage.sandbox.before("TransferContact", land_later)
        queue_of: dict[str, str] = {}
        for number in range(contacts):
            queue = list(TARGETS)[number % len(TARGETS)]
            waited = timedelta(seconds=TARGETS[queue] - (breach - time.time()))
            queue_of[world.enqueue(random.choice(("TASK", "EMAIL")), queue, waited=waited)] = queue
        if alone:
            ids, flow = stage.ids()
            order = sorted(queue_of, key=lambda contact_id: TARGETS[queue_of[contact_id]])
            limits = (str(breach), str(RATE * SHARE), str(BURST * SHARE))
            stage.other(ONE_THREAD, stage.sandbox.instance_id, flow, ids["Overflow"], *limits, *order)
        else:
            stage.configure(rules(), execute="keep_place = false", unlanded=10)
            stage.router()
        wait_for(lambda: len(world.transfers) >= contacts, seconds=6 * bound + LEAD, what="the last move")
        at = [move.at.timestamp() for move in world.transfers]
        wrong = inversions([queue_of[move.contact_id] for move in world.transfers])
        throttled = stage.calls("TransferContact").count(429)
    assert min(at) >= breach, "moved before the breach"
    took = max(at) + latency.total_seconds() - breach
    print(f"  {latency.total_seconds():.2f} s, {'one thread' if alone else 'router'}: {took:.1f} s", flush=True)
    return Drained(took=took, bound=bound, wrong=wrong, throttled=throttled)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    bound = (args.contacts - BURST * SHARE) / (RATE * SHARE)
    print(f"surge: {args.contacts} contacts, at least {LEAD + bound:.0f} s", flush=True)
    with ThreadPoolExecutor(2 * len(LATENCIES)) as pool:
        runs = {
            (latency, alone): pool.submit(drain, latency, contacts=args.contacts, seed=args.seed, alone=alone)
            for latency in LATENCIES
            for alone in (False, True)
        }
        done = {of: run.result() for of, run in runs.items()}
    rows = []
    for latency in LATENCIES:
        own, other = done[latency, False], done[latency, True]
        rows.append((
            f"responses after {latency / timedelta(milliseconds=1):.0f} ms: all moved after",
            f"{own.took:.1f} s, {own.ratio:.3f} times the bound",
            f"{other.took:.1f} s, {other.ratio:.2f} times",
            f"1.05 times: {met(own.ratio <= 1.05)}",
        ))  # fmt: skip
    routers = [done[latency, False] for latency in LATENCIES]
    wrong, throttled = sum(one.wrong for one in routers), sum(one.throttled for one in routers)
    rows += [
        ("less overdue moved before more overdue", str(wrong), "", f"0: {met(wrong == 0)}"),
        ("throttled (429)", str(throttled), "", f"0: {met(throttled == 0)}"),
    ]
    method = (
        f"{args.contacts} contacts of three promises are late at the same instant. TransferContact has AWS's default"
        f" quota (2 a second, burst 5), and the router uses {SHARE:.0%} of it. With this share, no program can move"
        f" all contacts in less than {bound:.1f} s (the bound). Contacts land {LANDS_AFTER_S[0]} to"
        f" {LANDS_AFTER_S[1]:.0f} s"
        " after the move, and `guard` has its defaults for landing slots. The alternative makes the same calls with one"
        " thread, and has ten landing slots (`bench/support/one_thread.py`). All six runs take place at the same time."
    )
    report("surge", rows, method=method)


if __name__ == "__main__":
    main()
