"""From the start of the process to ready, with a directory of 100 queues, 50 flows and 500 users.

python bench/start.py [--times 5]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report
from support.process import resident_mb
from support.stage import Contender, open_stage

RULES = """
[defaults]
flow = "Overflow to queue"
agent_flow = "Escalate to agent"
[[rule]]
name = "late"
match.queue = "Queue 1"
sla.target = "4h"
step = [{ at = "breach", to = [{ agent = "user-1" }, { queue = "Queue 2" }] }]
"""
IMPORTS = "import boto3, apscheduler, pydantic_settings, structlog, tenacity; boto3.client('connect', 'us-east-1')"


def imports_alone() -> float:
    began = time.perf_counter()
    environment = Contender.environment("http://127.0.0.1:9")
    subprocess.run([sys.executable, "-c", IMPORTS], check=True, env=environment)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    print(f"start: {args.times} times", flush=True)
    took, memory, alone = [], 0.0, []
    queues = [f"Queue {n}" for n in range(100)]
    for number in range(args.times):
        with (
            tempfile.TemporaryDirectory() as scratch,
            open_stage(Path(scratch), queues=queues, quotas="none", latency=timedelta()) as stage,
        ):
            world = stage.sandbox.world
            for n in range(47):
                world.add_flow(f"Flow {n}", type="QUEUE_TRANSFER")
            for n in range(500):
                world.add_user(f"user-{n}", queues=["Queue 1"], slots={"TASK": 1})
            stage.configure(RULES)
            began = time.perf_counter()
            process = stage.router()
            took.append(time.perf_counter() - began)
            memory = max(memory, resident_mb(process.pid))
            alone.append(imports_alone())
        print(f"  {number + 1}: {took[-1]:.2f} s; the imports alone {alone[-1]:.2f} s", flush=True)
    best = min(took)
    beside = f"{min(alone):.2f} s to import the given packages and create a client, {best / min(alone):.1f} times"
    rows = [
        ("start to ready", f"{best:.2f} s", beside, f"1.5 s: {met(best <= 1.5)}"),
        ("memory when ready", f"{memory:.0f} MB", "", f"120 MB: {met(memory <= 120)}"),
    ]
    method = (
        "The time is from the start of a new process to `service.ready`. This time includes the interpreter, the"
        " rules, the"
        " ledger, and the lists of 100 queues, 50 flows and 500 users over HTTP. Responses arrive at once. The time"
        f" is the best of {args.times} runs, and the memory is the largest of these runs. Sandbox and service share the"
        " machine."
    )
    report("start", rows, method=method)


if __name__ == "__main__":
    main()
