"""What watching costs while nothing falls due: calls a minute by operation, CPU and memory.

python bench/idle.py [--minutes 10] [--contacts 3000] [--queues 100]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report
from support.process import cpu_seconds, resident_mb
from support.stage import Stage, open_stage, wait_for

POLL = 15.0
PAGE = 100
RULE = """
[[rule]]
name = "queue-{n}"
match.queue = "Queue {n}"
sla.target = "4h"
step = [{{ at = "breach", to = [{{ queue = "Overflow" }}] }}]
"""


def complete(stage: Stage) -> bool:
    return any(one["event"] == "cycle.finished" and one["complete"] for one in stage.told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--contacts", type=int, default=3000)
    parser.add_argument("--queues", type=int, default=100)
    args = parser.parse_args()
    print(f"idle: some {args.minutes + 2} minutes", flush=True)
    random, queues = Random(1), [f"Queue {n}" for n in range(args.queues)]
    with tempfile.TemporaryDirectory() as scratch, open_stage(Path(scratch), queues=(*queues, "Overflow")) as stage:
        for number in range(args.contacts):
            waited = timedelta(seconds=random.uniform(0, 3 * 3600))
            stage.sandbox.world.enqueue(("TASK", "EMAIL")[number % 2], random.choice(queues), waited=waited)
        rules = "".join(RULE.format(n=n) for n in range(args.queues))
        stage.configure(f'[defaults]\nflow = "Overflow to queue"\n{rules}')
        process = stage.router()
        after = wait_for(lambda: complete(stage), seconds=400, what="a complete cycle")
        print(f"  everything was looked at after {after:.0f} s", flush=True)
        before = Counter(call.operation for call in stage.sandbox.calls)
        cpu, began = cpu_seconds(process.pid), time.time()
        for minute in range(args.minutes):
            threading.Event().wait(60)
            print(f"  minute {minute + 1}", flush=True)
        seconds = time.time() - began
        used, memory = cpu_seconds(process.pid) - cpu, resident_mb(process.pid)
        calls = Counter(call.operation for call in stage.sandbox.calls) - before
        assert not stage.sandbox.world.transfers, "something was moved"
    pages = -(-args.contacts // PAGE)
    sweeps = calls["SearchContacts"] // pages
    rest = (calls["SearchContacts"] - sweeps * pages) * 60 / seconds
    a_poll = calls["GetCurrentMetricData"] * POLL / seconds
    busy = used / seconds
    naive = f"{pages * 60 / POLL:.0f} if each poll reads everything"
    rows = [
        ("SearchContacts a minute, without full scans", f"{rest:.2f}", naive, f"0.3: {met(rest <= 0.3)}"),
        ("full scans (every 5 minutes)", f"{sweeps} of {pages} calls", "", f"{pages} calls each: {met(rest <= 0.3)}"),
        ("GetCurrentMetricData a poll", f"{a_poll:.2f}", "", f"2: {met(a_poll <= 2.1)}"),
        ("CPU of a core", f"{busy:.2%}", f"{used:.1f} s in {seconds:.0f} s", f"1 %: {met(busy <= 0.01)}"),
        ("memory", f"{memory:.0f} MB", "", f"120 MB: {met(memory <= 120)}"),
    ]
    method = (
        f"{args.contacts} contacts wait in {args.queues} queues, and nothing is due. Polls take place every 15 s, and"
        f" full scans every 5 minutes. The measurement lasts {seconds / 60:.0f} minutes after the first complete scan."
        " All calls: " + ", ".join(f"{operation} {count}" for operation, count in sorted(calls.items())) + "."
    )
    report("idle", rows, method=method)


if __name__ == "__main__":
    main()
