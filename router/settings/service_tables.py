"""Holds the tables of config.toml about services other than Amazon Connect: notices, events and metrics."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from router.problems import as_written
from router.settings.field_types import REGION, Number, Positive, Section, refusal

_LISTEN = r"(127(?:\.[0-9]{1,3}){3}|localhost|\[::1\]):([0-9]{1,5})"
"""Only loopback, because the figures show how a contact centre works, and the endpoint has no authentication."""


def _listen(address: str) -> str:
    found = re.fullmatch(_LISTEN, address)
    if address and (found is None or not 1 <= int(found[2]) <= 65535):
        raise refusal(
            'expected a loopback address and a port, as in "127.0.0.1:9464", got {got}', got=as_written(address)
        )
    return address


_TOPIC = re.compile(f"arn:aws[a-z-]*:sns:{REGION}:[0-9]{{12}}:[A-Za-z0-9_-]{{1,256}}")


def _topic(arn: str) -> str:
    if arn and not _TOPIC.fullmatch(arn):
        raise refusal(
            "{got} is no ARN of a standard SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME; a FIFO topic sends no e-mail)",
            got=as_written(arn),
        )
    return arn


class NotifySettings(Section):
    """Holds ``[notify]``: where people are warned."""

    sns_topic: Annotated[
        str, AfterValidator(_topic), Field(json_schema_extra={"pattern": f"^(?:{_TOPIC.pattern})?$"})
    ] = Field("", description="ARN of an SNS topic for warnings and errors; empty: none")
    per_hour: Number = Field(60, description="messages in any 3,600 seconds; one more counts the rest")


_QUEUE = re.compile(
    r"(?:https://[a-zA-Z0-9.-]+|http://(?:127(?:\.[0-9]{1,3}){3}|localhost):[0-9]{1,5})/[0-9]{12}/[A-Za-z0-9_-]{1,80}"
)
"""http only on this machine: whoever could read or change messages on their way would learn of contacts."""


def _queue(url: str) -> str:
    if url and not _QUEUE.fullmatch(url):
        raise refusal(
            "{got} is no URL of a standard SQS queue (https://sqs.REGION.amazonaws.com/ACCOUNT/NAME)",
            got=as_written(url),
        )
    return url


class EventsSettings(Section):
    """Holds ``[events]``: the queue of contact events."""

    queue: Annotated[str, AfterValidator(_queue), Field(json_schema_extra={"pattern": f"^(?:{_QUEUE.pattern})?$"})] = (
        Field("", description="URL of an SQS queue with contact events; empty: none")
    )
    sweep: Positive = Field(timedelta(hours=1), description="poll.sweep while events arrive")


class MetricsSettings(Section):
    """Holds ``[metrics]``: where Prometheus reads."""

    listen: Annotated[str, AfterValidator(_listen), Field(json_schema_extra={"pattern": f"^(?:{_LISTEN})?$"})] = Field(
        "", description="loopback address and port; empty: none"
    )

    @property
    def address(self) -> tuple[str, int] | None:
        """Returns host and port; ``None`` means that metrics are not served."""
        found = re.fullmatch(_LISTEN, self.listen)
        return (found[1].strip("[]"), int(found[2])) if found is not None else None
