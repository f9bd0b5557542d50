"""Opens an SNS topic of moto's server with a queue that receives its messages, behind a proxy that fails on order."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import boto3

from tests.builders import tables
from tests.builders.losing import LosingProxy

PUBLISH = ""
"""The name by which the proxy knows calls of SNS: they have no header that names the operation."""
numbers = count()


@dataclass(frozen=True)
class Message:
    """Holds a message as a subscriber receives it."""

    subject: str
    body: str
    attributes: dict[str, str]


@dataclass
class OpenTopic:
    """Holds a topic, the proxy in front of it, and the messages that were delivered so far."""

    arn: str
    proxy: LosingProxy
    _queue_url: str
    _queues: Any
    _received: list[Message]

    def received(self) -> list[Message]:
        """Returns every message that was delivered, in the order in which they were read."""
        while found := self._queues.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10).get("Messages"):
            for one in found:
                self._queues.delete_message(QueueUrl=self._queue_url, ReceiptHandle=one["ReceiptHandle"])
                told = json.loads(one["Body"])
                attributes = {name: value["Value"] for name, value in told["MessageAttributes"].items()}
                self._received.append(Message(told["Subject"], told["Message"], attributes))
        return self._received

    def until(self, number: int, *, within: float = 15.0) -> list[Message]:
        """Waits until so many messages were delivered."""
        end = time.monotonic() + within
        while len(self.received()) < number:
            assert time.monotonic() < end, self._received
            time.sleep(0.02)
        return self._received

    def refuse(self, code: str = "AuthorizationError", status: int = 403) -> None:
        """Answers every call with an error, until ``accept``."""
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>not now</Message></Error>"
        self.proxy.answers[PUBLISH] = (status, f"<ErrorResponse>{error}</ErrorResponse>".encode())

    def accept(self) -> None:
        self.proxy.answers.clear()


@contextmanager
def open_topic() -> Iterator[OpenTopic]:
    with tables.moto() as endpoint, LosingProxy(endpoint) as proxy:
        topics, queues = (boto3.Session(**tables.KEYS).client(name, endpoint_url=endpoint) for name in ("sns", "sqs"))
        name = f"connect-router-{next(numbers)}"
        arn = topics.create_topic(Name=name)["TopicArn"]
        url = queues.create_queue(QueueName=name)["QueueUrl"]
        queue_arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topics.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
        yield OpenTopic(arn, proxy, url, queues, [])
