"""Derives ids and ARNs from names. They are stable; therefore configuration files can quote them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

DEFAULT_INSTANCE = "11111111-2222-3333-4444-555555555555"
DEFAULT_ACCOUNT = "111122223333"
DEFAULT_REGION = "us-east-1"

QUEUE = "queue"
AGENT_QUEUE = "queue/agent"
FLOW = "contact-flow"
CONTACT = "contact"
USER = "agent"
PROFILE = "routing-profile"
HOURS = "operating-hours"
STATUS = "agent-state"
TASK_TEMPLATE = "task-template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Names the instance, and gives everything in it an id and an ARN."""

    instance_id: str = DEFAULT_INSTANCE
    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    alias: str = "sandbox"

    @property
    def arn(self) -> str:
        return f"arn:aws:connect:{self.region}:{self.account}:instance/{self.instance_id}"

    def arn_of(self, kind: str, resource_id: str) -> str:
        return f"{self.arn}/{kind}/{resource_id}"

    def id_of(self, kind: str, name: str) -> str:
        """Returns the id of a name, the same in every run."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.instance_id}/{kind}/{name}"))

    def is_this(self, reference: str) -> bool:
        return reference in (self.instance_id, self.arn)


def bare(reference: str) -> str:
    """Returns the id, given an id or an ARN."""
    return reference.rsplit("/", 1)[-1]
