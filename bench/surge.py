"""How long 300 contacts take that fall overdue at once, beside the quota's own bound, and in which order they go.

python bench/surge.py [--contacts 300] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report
from support.stage import LATENCY, open_stage, wait_for

SHARE, RATE, BURST = 0.8, 2.0, 5.0
TARGETS = {"Slow": 600.0, "Middle": 300.0, "Fast": 120.0}
"""Seconds: all are late at the same instant, and from then on the shorter the promise the more overdue."""
LEAD = 45.0


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    bound = (args.contacts - BURST * SHARE) / (RATE * SHARE)
    print(f"surge: {args.contacts} contacts, at least {LEAD + bound:.0f} s", flush=True)
    random = Random(args.seed)
    queues = (*TARGETS, "Overflow")
    with tempfile.TemporaryDirectory() as scratch, open_stage(Path(scratch), queues=queues, seed=args.seed) as stage:
        world, breach = stage.sandbox.world, time.time() + LEAD
        queue_of: dict[str, str] = {}
        for number in range(args.contacts):
            queue = list(TARGETS)[number % len(TARGETS)]
            waited = timedelta(seconds=TARGETS[queue] - (breach - time.time()))
            queue_of[world.enqueue(random.choice(("TASK", "EMAIL")), queue, waited=waited)] = queue
        stage.configure(rules(), execute="keep_place = false")
        stage.router()
        for part in range(1, 5):
            share = args.contacts * part // 4
            wait_for(lambda share=share: len(world.transfers) >= share, seconds=2 * bound + LEAD, what="the next move")
            print(f"  {part * 25} % moved {time.time() - breach:.0f} s after the breach", flush=True)
        at = [move.at.timestamp() for move in world.transfers]
        wrong = inversions([queue_of[move.contact_id] for move in world.transfers])
        throttled = stage.calls("TransferContact").count(429)
    assert min(at) >= breach, "moved before the breach"
    took = max(at) + LATENCY.total_seconds() - breach
    reached = f"1.05 times: {met(took <= 1.05 * bound)}"
    rows = [
        ("all moved after", f"{took:.1f} s", f"bound {bound:.1f} s, {took / bound:.3f} times", reached),
        ("less overdue moved before more overdue", str(wrong), "", f"0: {met(wrong == 0)}"),
        ("throttled (429)", str(throttled), "", f"0: {met(throttled == 0)}"),
    ]
    method = (
        f"{args.contacts} contacts of three promises are late at the same instant. TransferContact has AWS's default"
        f" quota (2 a second, burst 5), and the router uses its part of that (`share = {SHARE}`). The bound is (N -"
        " burst) / rate of that share. Responses arrive after 80 ms."
    )
    report("surge", rows, method=method)


if __name__ == "__main__":
    main()
