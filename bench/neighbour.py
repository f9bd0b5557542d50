"""Who else is in the account: a neighbour takes half of the quota of TransferContact; how much of the rest is used.

python bench/neighbour.py [--seconds 300] [--seed 1]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from random import Random

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report
from support.stage import Stage, open_stage

RATE = 2.0
WARM = 60.0
NOBODY = "00000000-0000-4000-8000-000000000000"
RULES = """
[defaults]
flow = "Overflow to queue"
[[rule]]
name = "late"
match.queue = "Long"
sla.target = "10m"
step = [{ at = "breach", to = [{ queue = "Overflow" }] }]
"""


class Neighbour(threading.Thread):
    """Poisson arrivals of calls that are never repeated, each in a thread of its own as their programs would be."""

    def __init__(self, stage: Stage, rate: float, seed: int) -> None:
        super().__init__(daemon=True)
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=20)
        endpoint = stage.sandbox.endpoint
        self._connect = boto3.client("connect", region_name="us-east-1", endpoint_url=endpoint, config=config)
        self._instance, self._rate, self._random = stage.sandbox.instance_id, rate, Random(seed)
        queues, self._flow = stage.ids()
        self._queue = queues["Overflow"]
        self.over = threading.Event()
        self.calls: list[tuple[float, bool]] = []

    def run(self) -> None:
        next_at = time.monotonic()
        while not self.over.is_set():
            next_at += self._random.expovariate(self._rate)
            if self.over.wait(max(next_at - time.monotonic(), 0)):
                return
            threading.Thread(target=self._call, daemon=True).start()

    def _call(self) -> None:
        """A contact that there is not: the quota is used up all the same."""
        at, status = time.time(), 200
        try:
            self._connect.transfer_contact(
                InstanceId=self._instance, ContactId=NOBODY, QueueId=self._queue, ContactFlowId=self._flow
            )
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        self.calls.append((at, status != 429))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID="sandbox", AWS_SECRET_ACCESS_KEY="sandbox")
    whole = WARM + args.seconds
    print(f"neighbour: {whole:.0f} s", flush=True)
    with tempfile.TemporaryDirectory() as scratch, open_stage(Path(scratch), queues=("Long", "Overflow")) as stage:
        world = stage.sandbox.world
        for number in range(int(whole * RATE)):
            world.enqueue("TASK", "Long", waited=timedelta(seconds=900 + number))
        neighbour = Neighbour(stage, RATE / 2, args.seed)
        neighbour.start()
        stage.configure(RULES, execute="keep_place = false")
        stage.router()
        start = time.time() + WARM
        for part in range(1, 7):
            threading.Event().wait(whole / 6)
            print(f"  {len(world.transfers)} moved after {part * whole / 6:.0f} s", flush=True)
        end = time.time()
        neighbour.over.set()
        moved = sum(start <= move.at.timestamp() < end for move in world.transfers)
        wanted = [ok for at, ok in neighbour.calls if start <= at < end]
        calls = [call for call in stage.sandbox.calls if call.operation == "TransferContact"]
        statuses = [call.status for call in calls if start <= call.at.timestamp() < end]
    own, throttled = len(statuses) - len(wanted), statuses.count(429) - wanted.count(False)
    left = RATE * (end - start) - len(wanted)
    used, refused, kept = moved / left, throttled / own, wanted.count(True) / len(wanted)
    room, demand = f"{moved} of {left:.0f} moves", f"{wanted.count(True)} of {len(wanted)} calls"
    rows = [
        ("used part of the remaining quota", f"{used:.1%}", room, f"85 %: {met(used >= 0.85)}"),
        ("own calls throttled", f"{refused:.1%}", f"{throttled} of {own} calls", f"3 %: {met(refused <= 0.03)}"),
        ("accepted part of the neighbour's calls", f"{kept:.1%}", demand, f"93 %: {met(kept >= 0.93)}"),
    ]
    method = (
        "Another program in the account (the neighbour) calls TransferContact once a second, which is half of the"
        " quota. The neighbour's calls are a Poisson process and are never repeated. The measurement lasts"
        f" {end - start:.0f} s"
        f" after a first minute that does not count, with seed {args.seed}. More contacts are overdue than"
        " the router can move, and the"
        " router uses 80 % of the quota (`share = 0.8`)."
    )
    report("neighbour", rows, method=method)


if __name__ == "__main__":
    main()
