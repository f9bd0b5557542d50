"""Moves contacts and follows them with one thread: reads, moves, and reads each moved contact until it is queued.

python one_thread.py INSTANCE FLOW_ID QUEUE_ID AT RATE BURST CONTACT_ID...
"""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import Any

import boto3

UNLANDED = 10
FIRST_LOOK, LONGEST_PAUSE = 0.5, 15.0


def main() -> None:
    instance, flow, queue, at, rate, burst, *ids = sys.argv[1:]
    connect: Any = boto3.client("connect")
    left, followed = deque(ids), dict[str, tuple[float, float]]()
    time.sleep(max(float(at) - time.time(), 0))
    tokens, counted_at = float(burst), time.time()
    while left or followed:
        now = time.time()
        for contact_id, (next_at, pause) in list(followed.items()):
            if next_at > now:
                continue
            contact = connect.describe_contact(InstanceId=instance, ContactId=contact_id)["Contact"]
            if contact.get("QueueInfo", {}).get("Id") == queue:
                del followed[contact_id]
            else:
                pause = min(pause * 2, LONGEST_PAUSE)
                followed[contact_id] = time.time() + pause, pause
        before, counted_at = counted_at, time.time()
        tokens = min(float(burst), tokens + (counted_at - before) * float(rate))
        if not left or len(followed) >= UNLANDED or tokens < 1:
            time.sleep(0.02)
            continue
        moved = left.popleft()
        connect.describe_contact(InstanceId=instance, ContactId=moved)
        answer = connect.transfer_contact(InstanceId=instance, ContactId=moved, QueueId=queue, ContactFlowId=flow)
        tokens -= 1
        followed[answer["ContactId"]] = time.time() + FIRST_LOOK, FIRST_LOOK


if __name__ == "__main__":
    main()
