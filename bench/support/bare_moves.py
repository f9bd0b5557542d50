"""The same calls with nothing around them: DescribeContact and TransferContact of each contact, in so many threads.

python bare_moves.py INSTANCE FLOW_ID TO_QUEUE_ID THREADS < CONTACT_IDS      prints the seconds it took
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config


def main() -> None:
    instance, flow, queue, threads = sys.argv[1:]
    contacts = sys.stdin.read().split()
    connect = boto3.client("connect", config=Config(max_pool_connections=int(threads)))

    def move(contact_id: str) -> None:
        contact = connect.describe_contact(InstanceId=instance, ContactId=contact_id)["Contact"]
        if "AgentInfo" not in contact and "DisconnectTimestamp" not in contact:
            connect.transfer_contact(InstanceId=instance, ContactId=contact_id, QueueId=queue, ContactFlowId=flow)

    move(contacts[0])
    began = time.monotonic()
    with ThreadPoolExecutor(int(threads)) as pool:
        list(pool.map(move, contacts[1:]))
    print(time.monotonic() - began)


if __name__ == "__main__":
    main()
