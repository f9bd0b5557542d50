"""Simulates one standard queue of Amazon SQS, as far as a consumer of contact events calls it."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from router.sandbox.faults import Refusal
from router.sandbox.wire.answer import WireAnswer

TARGET = "AmazonSQS."
"""Begins the header ``X-Amz-Target`` of every call of SQS's JSON protocol."""
NAME = "contact-events"
VISIBLE_AFTER_S = 30.0
"""AWS's default for the time after which a message that was received and not deleted is shown again."""
STEP_S = 0.05
GONE = "AWS.SimpleQueueService.NonExistentQueue"


@dataclass(slots=True)
class QueuedMessage:
    message_id: str
    body: str
    sent_ms: int
    receipts: int = 0
    visible_at: float = 0.0


@dataclass
class MessageQueue:
    """Holds messages in memory, and performs the operations of SQS on them. Thread-safe.

    ``account`` is in the queue's URL. ``tick`` is called while a long poll waits, because it may bring messages.
    ``over`` ends the wait.
    """

    account: str
    now_ms: Callable[[], int]
    tick: Callable[[], object] = lambda: None
    over: Callable[[], bool] = lambda: False
    deleted: int = 0
    _ready: deque[QueuedMessage] = field(default_factory=deque)
    _shown: dict[str, QueuedMessage] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __len__(self) -> int:
        return len(self._ready) + len(self._shown)

    @property
    def ready(self) -> int:
        """Returns how many messages the next calls would get."""
        return len(self._ready)

    @property
    def path(self) -> str:
        return f"/{self.account}/{NAME}"

    def put(self, body: str) -> str:
        with self._changed:
            message = QueuedMessage(f"message-{next(self._numbers)}", body, self.now_ms())
            self._ready.append(message)
            self._changed.notify()
            return message.message_id

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Performs an operation and returns its result. Raises ``Refusal``."""
        operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._delete_batch,
            "GetQueueAttributes": self._attributes,
            "SendMessage": self._send,
        }
        if operation not in operations:
            raise Refusal("InvalidAction", f"the sandbox's SQS offers {', '.join(sorted(operations))}", status=400)
        if not str(params.get("QueueUrl", "")).endswith(self.path):
            raise Refusal(GONE, "The specified queue does not exist.", status=400)
        return operations[operation](params)

    def _receive(self, params: Mapping[str, Any]) -> dict[str, Any]:
        most = int(params.get("MaxNumberOfMessages", 1))
        end = time.monotonic() + float(params.get("WaitTimeSeconds", 0))
        while True:
            self.tick()
            with self._changed:
                taken = self._take(most, float(params.get("VisibilityTimeout", VISIBLE_AFTER_S)))
                left = end - time.monotonic()
                if taken or left <= 0 or self.over():
                    return {"Messages": taken} if taken else {}
                self._changed.wait(min(left, STEP_S))

    def _take(self, most: int, hidden_s: float) -> list[dict[str, Any]]:
        now = time.monotonic()
        taken: list[dict[str, Any]] = []
        for handle in [handle for handle, one in self._shown.items() if one.visible_at <= now]:
            self._ready.append(self._shown.pop(handle))
        while self._ready and len(taken) < most:
            message = self._ready.popleft()
            message.receipts += 1
            message.visible_at = now + hidden_s
            handle = f"{message.message_id}.{message.receipts}"
            self._shown[handle] = message
            taken.append(
                {
                    "MessageId": message.message_id,
                    "ReceiptHandle": handle,
                    "MD5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
                    "Body": message.body,
                    "Attributes": {"SentTimestamp": str(message.sent_ms)},
                }
            )
        return taken

    def _delete(self, params: Mapping[str, Any]) -> dict[str, Any]:
        with self._changed:
            if self._shown.pop(str(params.get("ReceiptHandle")), None) is None:
                raise Refusal("ReceiptHandleIsInvalid", "The input receipt handle is invalid.", status=400)
            self.deleted += 1
        return {}

    def _delete_batch(self, params: Mapping[str, Any]) -> dict[str, Any]:
        done: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for entry in params.get("Entries", ()):
            try:
                self._delete(entry)
                done.append({"Id": entry["Id"]})
            except Refusal as refusal:
                failed.append({"Id": entry["Id"], "SenderFault": True, "Code": refusal.code})
        return {"Successful": done, "Failed": failed}

    def _attributes(self, params: Mapping[str, Any]) -> dict[str, Any]:
        with self._changed:
            waiting, shown = str(len(self._ready)), str(len(self._shown))
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": waiting,
                "ApproximateNumberOfMessagesNotVisible": shown,
            }
        }

    def _send(self, params: Mapping[str, Any]) -> dict[str, Any]:
        body = str(params.get("MessageBody", ""))
        digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        return {"MessageId": self.put(body), "MD5OfMessageBody": digest}


def read_call(headers: Mapping[str, str], body: bytes) -> tuple[str, Mapping[str, Any]] | None:
    """Returns operation and parameters of a call of SQS; ``None`` for a call of another service."""
    target = headers.get("x-amz-target", "")
    if not target.startswith(TARGET):
        return None
    try:
        params = json.loads(body or b"{}")
    except ValueError:
        params = None
    return target.removeprefix(TARGET), params if isinstance(params, dict) else {}


def write_refused(refusal: Refusal) -> WireAnswer:
    """Returns an error in SQS's JSON protocol, whose body names it."""
    body = json.dumps({"__type": f"com.amazonaws.sqs#{refusal.code}", "message": refusal.message}).encode()
    return WireAnswer(refusal.status or 500, body, {"x-amzn-ErrorType": refusal.code}, refusal.code)
