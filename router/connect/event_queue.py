"""Receives and deletes the messages of the SQS queue that EventBridge fills with contact events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from router.connect.answers import Denied, Failure, Full
from router.connect.client import make_queue_client
from router.connect.contact_events import QueueMessage, region_of
from router.connect.errors import answer_of

AT_ONCE = 10
"""Messages of one call (API_ReceiveMessage, API_DeleteMessageBatch)."""
LONG_POLL_S = 20
"""Seconds that SQS waits for a message (API_ReceiveMessage, WaitTimeSeconds: at most 20)."""
NOBODY = "connect-router-check"
"""A receipt handle of no message: IAM decides before SQS looks at it."""


@dataclass(frozen=True, slots=True)
class EventQueue:
    """Calls one queue; each method makes one HTTP call, except ``check``. Region and partition are those of its URL."""

    client: Any
    url: str

    @classmethod
    def open(cls, url: str, *, region: str | None) -> EventQueue:
        """Opens the client without a call. ``region`` is used if the URL names none. Raises ``Unreachable``."""
        return cls(make_queue_client(region=region_of(url) or region, url=url), url)

    def receive(self, *, wait_s: int = LONG_POLL_S) -> tuple[QueueMessage, ...] | Failure | Full:
        """Returns up to ten messages, as soon as there is one; none after ``wait_s`` seconds without one."""
        try:
            answer = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=AT_ONCE,
                WaitTimeSeconds=wait_s,
                AttributeNames=["SentTimestamp"],
            )
        except Exception as error:
            return answer_of(error)
        return tuple(_message(one) for one in answer.get("Messages") or ())

    def delete(self, messages: Iterable[QueueMessage]) -> Failure | Full | None:
        """Deletes up to ten messages; ``None`` means that SQS accepted it. A message that it could not delete is shown
        again."""
        entries = [{"Id": str(number), "ReceiptHandle": one.handle} for number, one in enumerate(messages)]
        try:
            self.client.delete_message_batch(QueueUrl=self.url, Entries=entries)
        except Exception as error:
            return answer_of(error)
        return None

    def check(self) -> Failure | Full | None:
        """Returns why the queue cannot be read; ``None`` if it can. Receives and deletes nothing.

        Whether ReceiveMessage is allowed cannot be tried without taking a message.
        """
        try:
            self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])
        except Exception as error:
            return answer_of(error)
        try:
            self.client.delete_message(QueueUrl=self.url, ReceiptHandle=NOBODY)
        except Exception as error:
            answer = answer_of(error)
            return answer if isinstance(answer, Denied) else None
        return None

    def close(self) -> None:
        self.client.close()


def _message(row: Mapping[str, Any]) -> QueueMessage:
    sent_ms = str((row.get("Attributes") or {}).get("SentTimestamp"))
    return QueueMessage(
        message_id=str(row.get("MessageId") or ""),
        handle=str(row.get("ReceiptHandle") or ""),
        body=str(row.get("Body") or ""),
        sent_at=datetime.fromtimestamp(int(sent_ms) / 1000, UTC) if sent_ms.isdecimal() else None,
    )
