"""The loop that anyone would write: search for what has waited too long, move it, sleep. boto3's own retries and pages.

python poll_loop.py INSTANCE EVERY_S FLOW_ID TO_QUEUE_ID SECONDS=QUEUE_ID...
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

STILL_WAITING = [
    {"TimestampCondition": {"Type": kind, "ConditionType": "NOT_EXISTS"}}
    for kind in ("DISCONNECT_TIMESTAMP", "CONNECTED_TO_AGENT_TIMESTAMP")
]


def late(connect: Any, instance: str, seconds: str, queue: str) -> Iterator[str]:
    now = datetime.now(UTC)
    pages = connect.get_paginator("search_contacts").paginate(
        InstanceId=instance,
        TimeRange={
            "Type": "ENQUEUE_TIMESTAMP",
            "StartTime": now - timedelta(days=55),
            "EndTime": now - timedelta(seconds=float(seconds)),
        },
        SearchCriteria={
            "Channels": ["TASK", "EMAIL"],
            "QueueIds": [queue],
            "AdditionalTimeRange": {"MatchType": "MATCH_ALL", "Criteria": STILL_WAITING},
        },
        PaginationConfig={"PageSize": 100},
    )
    for page in pages:
        yield from (contact["Id"] for contact in page["Contacts"])


def main() -> None:
    instance, every, flow, to_queue, *thresholds = sys.argv[1:]
    connect = boto3.client("connect")
    moved: set[str] = set()
    while True:
        began = time.monotonic()
        for threshold in thresholds:
            try:
                for contact_id in late(connect, instance, *threshold.split("=")):
                    if contact_id not in moved:
                        connect.transfer_contact(
                            InstanceId=instance, ContactId=contact_id, QueueId=to_queue, ContactFlowId=flow
                        )
                        moved.add(contact_id)
            except ClientError as error:
                print(error, file=sys.stderr)
        time.sleep(max(float(every) - (time.monotonic() - began), 0))


if __name__ == "__main__":
    main()
