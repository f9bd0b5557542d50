"""Reads the content of a flow and finds what would keep a moved contact from reaching its destination.

The content is JSON in the Amazon Connect Flow language, version 2019-10-30. The facts about its actions are from the
Amazon Connect API Reference ("Actions in the Flow language") and from the administrator guide's pages of the blocks.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

VERSION = "2019-10-30"

TO_QUEUE, SET_QUEUE, TO_AGENT = "TransferContactToQueue", "UpdateContactTargetQueue", "TransferContactToAgent"
DISCONNECT, END, WAIT, LAMBDA = "DisconnectParticipant", "EndFlowExecution", "Wait", "InvokeLambdaFunction"
TO_FLOW, MODULE = "TransferToFlow", "InvokeFlowModule"
AT_CAPACITY, ANY_ERROR = "QueueAtCapacity", "NoMatchingError"

BLOCKS: Mapping[str, str] = {
    TO_QUEUE: "Transfer to queue",
    SET_QUEUE: "Set working queue",
    TO_AGENT: "Transfer to agent",
    DISCONNECT: "Disconnect",
    END: "End flow",
    WAIT: "Wait",
    LAMBDA: "AWS Lambda function",
    TO_FLOW: "Transfer to flow",
    MODULE: "Invoke module",
    "CheckHoursOfOperation": "Check hours of operation",
    "CheckMetricData": "Check queue status",
    "Compare": "Check contact attributes",
}
"""The names of the blocks as the flow designer shows them, by type of action."""


class FlowUnreadableError(ValueError):
    """A content that is not in the Flow language; the text states why."""


@dataclass(frozen=True, slots=True)
class FlowFinding:
    """Describes one thing in a flow that endangers moved contacts, or that cannot be judged from outside."""

    severity: Literal["error", "warning"]
    """An error: a moved contact may be ended, or may reach another queue than its destination."""
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """Holds one action of a flow with its ways out."""

    identifier: str
    kind: str
    parameters: Mapping[str, Any]
    following: str | None
    errors: Mapping[str, str]
    conditions: tuple[str, ...]

    @property
    def name(self) -> str:
        return f'"{BLOCKS.get(self.kind, self.kind)}"'

    @property
    def ways_out(self) -> tuple[str, ...]:
        """Returns the identifiers of the blocks that may follow.

        The branch Error of "Set working queue" is left out: it is taken only if the queue does not exist.
        """
        if self.kind == SET_QUEUE:
            return (self.following,) if self.following else ()
        ways = (*((self.following,) if self.following else ()), *self.conditions, *self.errors.values())
        return tuple(dict.fromkeys(ways))


class QueueTarget(Enum):
    """Names where "Transfer to queue" would put the contact."""

    DESTINATION = "destination"
    """The destination of the call of TransferContact, because no block has set another queue."""
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class FlowContent:
    """Holds the blocks of a flow by identifier."""

    start: str
    blocks: Mapping[str, Block]

    def findings(self) -> tuple[FlowFinding, ...]:
        """Returns what is wrong with the flow as the way of a moved contact, errors first."""
        walk = _FlowWalk(self)
        found = dict.fromkeys((*walk.before_the_queue(), *walk.after_a_failure()))
        return tuple(sorted(found, key=lambda each: each.severity != "error"))


def read_flow(content: str) -> FlowContent:
    """Reads the ``Content`` of DescribeContactFlow. Raises ``FlowUnreadableError``."""
    try:
        flow = json.loads(content)
        blocks = [_block(action) for action in flow["Actions"]]
        start = str(flow["StartAction"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FlowUnreadableError("its content is not in the Amazon Connect Flow language") from error
    if flow.get("Version") != VERSION:
        raise FlowUnreadableError(f"its content has version {flow.get('Version')!r}; only {VERSION!r} is known")
    return FlowContent(start, {block.identifier: block for block in blocks})


def _block(action: Mapping[str, Any]) -> Block:
    transitions = action.get("Transitions") or {}
    return Block(
        identifier=str(action["Identifier"]),
        kind=str(action["Type"]),
        parameters=dict(action.get("Parameters") or {}),
        following=transitions.get("NextAction") or None,
        errors={str(each["ErrorType"]): str(each["NextAction"]) for each in transitions.get("Errors") or ()},
        conditions=tuple(str(each["NextAction"]) for each in transitions.get("Conditions") or ()),
    )


@dataclass(slots=True)
class _FlowWalk:
    """Follows all ways through a flow: up to "Transfer to queue", and on from there when it fails."""

    flow: FlowContent
    transfers: list[tuple[Block, QueueTarget]] = field(default_factory=list)

    def before_the_queue(self) -> Iterator[FlowFinding]:
        """Yields what is wrong on the ways from the start to each first "Transfer to queue"."""
        for block, target in self._ways(self.flow.start, QueueTarget.DESTINATION):
            if block is None:
                yield _error("the flow can end before the contact is in a queue, and Connect then ends the contact")
            elif block.kind == TO_QUEUE:
                self.transfers.append((block, target))
            else:
                yield from _on_the_way(block)
        if not self.transfers:
            yield _error(f"no {_name(TO_QUEUE)} block can be reached: the contact gets into no queue")
        fixed = [block for block, target in self.transfers if target is QueueTarget.FIXED]
        if fixed and len(fixed) == len(self.transfers):
            yield _error(f"{_name(SET_QUEUE)} sets a fixed queue: the destination of the rule is ignored")
        elif fixed:
            text = f"{_name(SET_QUEUE)} sets a fixed queue on some ways: there the rule's destination is ignored"
            yield _warning(text)

    def after_a_failure(self) -> Iterator[FlowFinding]:
        """Yields what is wrong behind the branches "At capacity" and "Error" of each first "Transfer to queue"."""
        for block, target in self.transfers:
            for error in (AT_CAPACITY, ANY_ERROR):
                yield from self._behind(block, error, target)

    def _behind(self, block: Block, error: str, target: QueueTarget) -> Iterator[FlowFinding]:
        branch = "At capacity" if error == AT_CAPACITY else "Error"
        first = block.errors.get(error) or block.errors.get(ANY_ERROR)
        if first is None:
            yield _error(f"the branch {branch} of {block.name} leads nowhere, and Connect ends the contact")
            return
        for found, queue in self._ways(first, target):
            if found is None or found.kind in (DISCONNECT, END):
                yield _error(f"the branch {branch} of {block.name} ends the contact: lead it to a fallback queue")
            elif found.kind == TO_QUEUE and queue is QueueTarget.DESTINATION:
                yield _warning(f"the branch {branch} of {block.name} tries the same queue again: name a fallback queue")

    def _ways(self, start: str, target: QueueTarget) -> Iterator[tuple[Block | None, QueueTarget]]:
        """Yields each block that can be reached from ``start``, up to "Transfer to queue". ``None`` is an end."""
        waiting, seen = deque([(start, target)]), {(start, target)}
        while waiting:
            identifier, queue = waiting.popleft()
            block = self.flow.blocks.get(identifier)
            yield block, queue
            if block is None or block.kind in (TO_QUEUE, DISCONNECT, END, TO_FLOW):
                continue
            if block.kind == SET_QUEUE:
                queue = QueueTarget.FIXED if _is_fixed(block) else QueueTarget.DESTINATION
            if not block.ways_out:
                yield None, queue
            for step in ((way, queue) for way in block.ways_out):
                if step not in seen:
                    seen.add(step)
                    waiting.append(step)


def _on_the_way(block: Block) -> Iterator[FlowFinding]:
    match block.kind:
        case "DisconnectParticipant" | "EndFlowExecution":
            yield _error(f"{block.name} can be reached before the contact is in a queue: the contact ends")
        case "TransferContactToAgent":
            yield _error(f"{block.name} is for voice only, and tasks take its branch Error: use {_name(TO_QUEUE)}")
        case "Wait":
            yield _warning(f"{block.name} precedes {_name(TO_QUEUE)}: the contact lands late, or counts as stray")
        case "InvokeLambdaFunction":
            yield _warning(f"an {block.name} precedes {_name(TO_QUEUE)}: the move fails with the function")
        case "TransferToFlow" | "InvokeFlowModule":
            yield _warning(f"{block.name} leads out of this flow: what happens there was not checked")


def _is_fixed(block: Block) -> bool:
    """Returns whether the block sets a queue or agent that is written in the flow, not one that a JSONPath names."""
    named = block.parameters.get("QueueId") or block.parameters.get("AgentId")
    return not str(named or "").startswith("$.")


def _name(kind: str) -> str:
    return f'"{BLOCKS[kind]}"'


def _error(text: str) -> FlowFinding:
    return FlowFinding("error", text)


def _warning(text: str) -> FlowFinding:
    return FlowFinding("warning", text)


def flow_template(kind: Literal["queue", "agent"], fallback: str) -> dict[str, Any]:
    """Returns the content of a flow that puts a moved contact where the rule sends it.

    TransferContact itself names the destination, a queue or an agent. Both kinds therefore have the same blocks. If the
    destination is full or fails, the contact is queued in ``fallback``, the id or ARN of a queue. The block "End flow"
    does not exist in flows of this type. A contact is therefore disconnected if the fallback queue is full too.
    """
    to_fallback = _errors("set-fallback-queue")
    give_up = _errors("disconnect")
    return {
        "Version": VERSION,
        "StartAction": "transfer-to-destination",
        "Metadata": {
            "entryPointPosition": {"x": 20, "y": 20},
            "ActionMetadata": {
                identifier: {"position": {"x": 200 + 240 * place, "y": 20}}
                for place, identifier in enumerate(
                    ("transfer-to-destination", "set-fallback-queue", "transfer-to-fallback-queue", "disconnect")
                )
            },
            "name": f"connect-router to {kind}",
            "description": "Puts a contact that connect-router moves into its destination.",
        },
        "Actions": [
            _action("transfer-to-destination", TO_QUEUE, "set-fallback-queue", to_fallback),
            _action("set-fallback-queue", SET_QUEUE, "transfer-to-fallback-queue", give_up[1:], QueueId=fallback),
            _action("transfer-to-fallback-queue", TO_QUEUE, "disconnect", give_up),
            {"Identifier": "disconnect", "Type": DISCONNECT, "Parameters": {}, "Transitions": {}},
        ],
    }


def _errors(following: str) -> list[dict[str, str]]:
    return [{"NextAction": following, "ErrorType": error} for error in (AT_CAPACITY, ANY_ERROR)]


def _action(
    identifier: str, kind: str, following: str, errors: list[dict[str, str]], **parameters: str
) -> dict[str, Any]:
    transitions = {"NextAction": following, "Errors": errors, "Conditions": []}
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters, "Transitions": transitions}
