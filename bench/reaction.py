"""How long from the breach to the accepted TransferContact: the service beside a plain boto3 poll loop.

python bench/reaction.py [--seeds 1,2,3,4,5] [--contacts 120] [--at-once 5]

Polls of 15 s, AWS's default quotas, answers delayed by 80 ms, an index that lags 5 s, and contacts whose breaches fall
at random in two minutes; a quarter of them is enqueued during the run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report
from support.stage import LATENCY, Stage, open_stage, percentile, wait_for

SPAN = 120.0
LEAD = 30.0
"""Seconds from the start to the first breach: both contenders are up by then."""
LONG, SHORT = 600.0, 45.0
"""Seconds: the promise of what waits already, and of what comes during the run."""
POLL = 15.0
RULES = """
[defaults]
flow = "Overflow to queue"
[[rule]]
name = "long"
match.queue = "Long"
sla.target = "10m"
step = [{ at = "breach", to = [{ queue = "Overflow" }] }]
[[rule]]
name = "short"
match.queue = "Short"
sla.target = "45s"
step = [{ at = "breach", to = [{ queue = "Overflow" }] }]
"""


def run(contender: str, seed: int, contacts: int, folder: Path) -> list[float]:
    """Seconds from breach to acceptance, contact by contact; one that is not moved within a minute counts as that."""
    random = Random(seed)
    queues = ("Long", "Short", "Overflow")
    with open_stage(folder, queues=queues, index_lag=timedelta(seconds=5), seed=seed) as stage:
        breaches = sorted(LEAD + random.uniform(0, SPAN) for _ in range(contacts))
        coming = set(random.sample(range(contacts), contacts // 4))
        began = time.time()
        due: dict[str, float] = {}
        for number, at in enumerate(breaches):
            if number not in coming:
                waited = timedelta(seconds=LONG - at + (time.time() - began))
                due[stage.sandbox.world.enqueue("TASK", "Long", waited=waited)] = began + at
        arrivals = threading.Thread(target=_arrive, args=(stage, [breaches[n] for n in sorted(coming)], began, due))
        arrivals.start()
        _start(contender, stage)
        arrivals.join()
        world = stage.sandbox.world
        deadline = began + LEAD + SPAN + 60
        wait_for(
            lambda: time.time() > deadline or len(world.transfers) >= contacts, seconds=400, what="the last transfer"
        )
        at = {move.contact_id: move.at.timestamp() + LATENCY.total_seconds() for move in world.transfers}
        return [at.get(contact, deadline) - instant for contact, instant in due.items()]


def _arrive(stage: Stage, breaches: list[float], began: float, due: dict[str, float]) -> None:
    pause = threading.Event()
    for number, at in enumerate(breaches):
        entered = began + at - SHORT
        pause.wait(max(entered - time.time(), 0))
        waited = timedelta(seconds=max(time.time() - entered, 0))
        due[stage.sandbox.world.enqueue(("TASK", "EMAIL")[number % 2], "Short", waited=waited)] = began + at


def _start(contender: str, stage: Stage) -> None:
    if contender == "router":
        stage.configure(RULES, execute="keep_place = false", more=f'[poll]\nevery = "{POLL:.0f}s"')
        stage.router()
        return
    queues, flow = stage.ids()
    thresholds = [f"{LONG}={queues['Long']}", f"{SHORT}={queues['Short']}"]
    script = Path(__file__).parent / "support" / "poll_loop.py"
    stage.other(script, stage.sandbox.instance_id, str(POLL), flow, queues["Overflow"], *thresholds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--contacts", type=int, default=120)
    parser.add_argument("--at-once", type=int, default=5)
    args = parser.parse_args()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    print(f"reaction: {args.contacts} breaches in {SPAN:.0f} s, seeds {args.seeds}, some four minutes", flush=True)
    took: dict[str, list[float]] = {"router": [], "loop": []}
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(2 * args.at_once) as pool:
        runs = {
            (contender, seed): pool.submit(run, contender, seed, args.contacts, Path(scratch) / f"{contender}-{seed}")
            for seed in seeds
            for contender in took
        }
        for (contender, seed), done in runs.items():
            seconds = done.result()
            took[contender].extend(seconds)
            print(f"  {contender}, seed {seed}: p50 {percentile(seconds, 0.5):.2f} s", flush=True)
    ours, theirs = took["router"], took["loop"]
    rows = []
    for name, part, limit in (("p50", 0.5, 2 * LATENCY.total_seconds() + 0.1), ("p99", 0.99, 2.5)):
        mine, other = percentile(ours, part), percentile(theirs, part)
        beside = f"{other:.2f} s, {other / mine:.0f} times as long"
        rows.append((name, f"{mine:.2f} s", beside, f"{limit:.2f} s: {met(mine <= limit)}"))
    rows.append(("worst", f"{max(ours):.2f} s", f"{max(theirs):.2f} s", ""))
    method = (
        "The benchmark measures the time from the breach to the response of the accepted TransferContact."
        f" {len(seeds)} runs (seeds {args.seeds}) move {args.contacts} contacts each. The breaches fall at random in"
        " two"
        " minutes, and a quarter"
        f" of the contacts is enqueued during the run. Polls take place every {POLL:.0f} s, with AWS's default quotas,"
        " responses after 80 ms and a search index that lags 5 s. The alternative is a plain boto3 loop with the same"
        " polls and boto3's own retries (`bench/support/poll_loop.py`)."
    )
    report("reaction", rows, method=method)


if __name__ == "__main__":
    main()
