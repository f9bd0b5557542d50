"""Parses the content of a flow: JSON in the Amazon Connect Flow language, version 2019-10-30."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

VERSION = "2019-10-30"

TO_QUEUE, SET_QUEUE = "TransferContactToQueue", "UpdateContactTargetQueue"
DISCONNECT, END, WAIT = "DisconnectParticipant", "EndFlowExecution", "Wait"
STAFFING, ROUTING_DATA = "CheckMetricData", "UpdateContactRoutingBehavior"
AT_CAPACITY, ANY_ERROR = "QueueAtCapacity", "NoMatchingError"

ALWAYS_FAIL = ("InvokeLambdaFunction", "TransferContactToAgent")
"""There is no function in the sandbox, and "Transfer to agent" is for voice only (admin guide)."""
WITHOUT_EFFECT = ("UpdateContactEventHooks", "UpdateFlowLoggingBehavior")
RUN = {TO_QUEUE, SET_QUEUE, DISCONNECT, END, WAIT, STAFFING, ROUTING_DATA, *ALWAYS_FAIL, *WITHOUT_EFFECT}


@dataclass(frozen=True, slots=True)
class FlowBlock:
    """Holds one action of a flow. ``condition`` follows if its condition holds, else ``following``."""

    kind: str
    parameters: Mapping[str, Any]
    following: str
    condition: str
    errors: Mapping[str, str]

    def error(self, kind: str = ANY_ERROR) -> str:
        return self.errors.get(kind) or self.errors.get(ANY_ERROR, "")


@dataclass(frozen=True, slots=True)
class FlowBlocks:
    """Holds the blocks of a flow by identifier, and their ``text``."""

    text: str
    start: str
    blocks: Mapping[str, FlowBlock]

    @classmethod
    def parse(cls, text: str) -> FlowBlocks:
        """Raises ``ValueError`` for a text in another language, and for a block that the sandbox does not run."""
        try:
            flow = json.loads(text)
            version, start = flow["Version"], str(flow["StartAction"])
            blocks = {str(action["Identifier"]): _block(action) for action in flow["Actions"]}
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            message = "no flow in the Amazon Connect Flow language, or with a value that the sandbox cannot read"
            raise ValueError(message) from None
        if version != VERSION:
            raise ValueError(f"the flow has version {version!r}; the sandbox runs {VERSION!r}")
        other = sorted({block.kind for block in blocks.values()} - RUN)
        if other:
            raise ValueError(f"the sandbox does not run the block {other[0]}")
        return cls(text, start, blocks)


def _block(action: Mapping[str, Any]) -> FlowBlock:
    transitions = action.get("Transitions") or {}
    conditions = transitions.get("Conditions") or ()
    block = FlowBlock(
        kind=str(action["Type"]),
        parameters=dict(action.get("Parameters") or {}),
        following=str(transitions.get("NextAction") or ""),
        condition=str(conditions[0]["NextAction"]) if conditions else "",
        errors={str(each["ErrorType"]): str(each["NextAction"]) for each in transitions.get("Errors") or ()},
    )
    if block.kind in (WAIT, ROUTING_DATA):
        (wait_seconds if block.kind == WAIT else routing_data)(block)
    return block


def wait_seconds(block: FlowBlock) -> float:
    """Returns the time of a block Wait. The API Reference names the parameter ``TimeoutSeconds``."""
    return float(block.parameters.get("TimeoutSeconds") or block.parameters["TimeLimitSeconds"])


def routing_data(block: FlowBlock) -> dict[str, Any]:
    """Returns the changes of the contact that a block Change routing priority / age makes."""
    found = block.parameters
    priority = {"priority": int(found["QueuePriority"])} if "QueuePriority" in found else {}
    age = found.get("QueueTimeAdjustmentSeconds")
    return priority if age is None else priority | {"adjustment": timedelta(seconds=int(age))}
