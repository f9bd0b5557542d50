"""Publishes notices on an SNS topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from router.connect.answers import Failure, Full, Rejected
from router.connect.client import make_topic_client
from router.connect.errors import answer_of
from router.model import Notice

_OF_THE_MESSAGE = frozenset({"InvalidParameter", "InvalidParameterValue", "ParamValidationError"})
"""Codes of a refusal that repeating the same message does not change (API_Publish, errors)."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Publishes on one topic; each method makes one HTTP call. Region and partition are those of its ARN."""

    client: Any
    arn: str

    @classmethod
    def open(cls, arn: str) -> Topic:
        """Opens the client without a call. Raises ``Unreachable``."""
        return cls(make_topic_client(region=arn.split(":")[3]), arn)

    def publish(self, notice: Notice) -> Failure | Full | None:
        """Publishes a notice; ``None`` means that SNS accepted it."""
        try:
            self.client.publish(
                TopicArn=self.arn,
                Subject=notice.subject,
                Message=notice.body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in notice.attributes.items()
                },
            )
        except Exception as error:
            return answer_of(error)
        return None

    def check(self) -> Failure | Full | None:
        """Returns why the topic cannot be read; ``None`` if it can. Publishes nothing."""
        try:
            self.client.get_topic_attributes(TopicArn=self.arn)
        except Exception as error:
            return answer_of(error)
        return None


def is_of_message(failure: Failure | Full) -> bool:
    """Returns whether SNS refused this message, and would refuse it again, although it accepts others."""
    refused = isinstance(failure, Rejected) and failure.code in _OF_THE_MESSAGE
    return refused and "TopicArn" not in failure.message
