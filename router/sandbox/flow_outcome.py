"""Describes what a flow does by its outcome, and makes the blocks of a flow that does it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

from router.sandbox.flow_blocks import (
    ANY_ERROR,
    AT_CAPACITY,
    DISCONNECT,
    ROUTING_DATA,
    SET_QUEUE,
    STAFFING,
    TO_QUEUE,
    VERSION,
    WAIT,
    FlowBlocks,
)

LONGEST_WAIT_S = 604_800

OutcomeWord = Literal["queue", "never", "disconnect", "elsewhere"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowOutcome:
    """Describes what a flow does with a contact.

    - ``then``: puts it into the queue of the transfer, puts it into none, or disconnects it. ``after``: the delay.
    - ``queue`` names another queue than that of the transfer. ``queue_from`` names an attribute with the queue's name.
    - ``priority`` and ``age`` are set by its "Change routing priority / age" block.
    - ``full`` is the branch for a full or disabled queue. ``unstaffed`` is the branch for a queue that no agent serves.
    """

    then: Literal["queue", "never", "disconnect"] = "queue"
    after: timedelta = timedelta(0)
    queue: str | None = None
    queue_from: str | None = None
    priority: int | None = None
    age: timedelta | None = None
    full: Literal["never", "disconnect"] = "never"
    unstaffed: Literal["queue", "never", "disconnect"] = "queue"


def outcome_of(outcome: FlowOutcome | OutcomeWord, elsewhere: str | None) -> FlowOutcome:
    """Returns the outcome of that word. ``elsewhere`` names the queue of "elsewhere". Raises ``ValueError`` if only one
    of the two is given."""
    if isinstance(outcome, FlowOutcome):
        return outcome
    if (outcome == "elsewhere") != (elsewhere is not None):
        raise ValueError("the outcome 'elsewhere' and the name of that queue go together")
    return FlowOutcome(queue=elsewhere) if outcome == "elsewhere" else FlowOutcome(then=outcome)


@lru_cache(maxsize=256)
def blocks_of(outcome: FlowOutcome) -> FlowBlocks:
    """Returns the blocks of a flow with this outcome."""
    before = list(_before(outcome))
    following = [*(action["Identifier"] for action in before[1:]), outcome.then]
    for action, way in zip(before, following, strict=False):
        action["Transitions"]["NextAction"] = outcome.unstaffed if action["Type"] == STAFFING else way
    never = _action("never", WAIT, TimeoutSeconds=str(LONGEST_WAIT_S))
    never["Transitions"]["NextAction"] = "never"
    to_queue = _action("queue", TO_QUEUE, errors={AT_CAPACITY: outcome.full, ANY_ERROR: "never"})
    actions = [*before, to_queue, never, _action("disconnect", DISCONNECT)]
    start = before[0]["Identifier"] if before else outcome.then
    return FlowBlocks.parse(json.dumps({"Version": VERSION, "StartAction": start, "Actions": actions}))


def _before(outcome: FlowOutcome) -> Iterator[dict[str, Any]]:
    """Yields the blocks that run before the contact is put into a queue, ended, or left in the flow."""
    if outcome.after > timedelta(0):
        yield _action("after", WAIT, TimeoutSeconds=str(outcome.after.total_seconds()).removesuffix(".0"))
    if outcome.priority is not None:
        yield _action("priority", ROUTING_DATA, QueuePriority=str(outcome.priority))
    if outcome.age is not None:
        yield _action("age", ROUTING_DATA, QueueTimeAdjustmentSeconds=str(int(outcome.age.total_seconds())))
    if outcome.then != "queue":
        return
    if outcome.queue is not None:
        yield _action("fixed", SET_QUEUE, errors={ANY_ERROR: "never"}, QueueId=outcome.queue)
    if outcome.queue_from is not None:
        yield _action("named", SET_QUEUE, errors={ANY_ERROR: "queue"}, QueueId=f"$.Attributes.{outcome.queue_from}")
    if outcome.unstaffed != "queue":
        staffed = {"NextAction": "queue", "Condition": {"Operator": "NumberGreaterThan", "Operands": ["0"]}}
        action = _action("staffed", STAFFING, errors={ANY_ERROR: outcome.unstaffed}, MetricType="NumberOfAgentsStaffed")
        action["Transitions"]["Conditions"] = [staffed]
        yield action


def _action(
    identifier: str, kind: str, *, errors: Mapping[str, str] | None = None, **parameters: str
) -> dict[str, Any]:
    failed = [{"ErrorType": error, "NextAction": way} for error, way in (errors or {}).items()]
    transitions = {"NextAction": "", "Errors": failed, "Conditions": []}
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters, "Transitions": transitions}
