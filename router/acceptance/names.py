"""Finds the queues, the flows, the agent and the e-mail address that the user named, before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from router.acceptance.lab import Lab, RunResources
from router.acceptance.safeguards import SuiteRefused
from router.acceptance.setup import rows
from router.problems import as_written, did_you_mean

NEEDED = "needs two queues without agents and two flows: --setup makes them, or name yours with --queues and --flows"
FLOW_TYPES = ("CONTACT_FLOW", "QUEUE_TRANSFER")
"""Of the two flows of ``--flows``."""


def find_named(lab: Lab) -> None:
    """Sets the resources and the agent of the run, as far as the user named them.

    Raises ``SuiteRefused`` for a name that does not exist, ``Unsettled`` if a list fails."""
    options = lab.options
    if not options.setup:
        if options.queues is None or options.flows is None:
            raise SuiteRefused(NEEDED)
        lab.resources = _resources(lab, options.queues, options.flows)
    if options.agent is not None:
        users = rows(lab, "ListUsers", "UserSummaryList")
        lab.agent = _one("agent", options.agent, users, "Username")["Id"]
    if options.email is not None:
        _one("e-mail address", options.email, rows(lab, "SearchEmailAddresses", "EmailAddresses"), "EmailAddress")


def _resources(lab: Lab, queues: tuple[str, str], flows: tuple[str, str]) -> RunResources:
    known = rows(lab, "ListQueues", "QueueSummaryList", QueueTypes=["STANDARD"])
    first, second = (_one("queue", name, known, "Name")["Id"] for name in queues)
    if first == second:
        raise SuiteRefused(f"--queues names {as_written(queues[0])} twice: it needs two queues")
    known = rows(lab, "ListContactFlows", "ContactFlowSummaryList")
    found = [_one("flow", name, known, "Name") for name in flows]
    for flow, type in zip(found, FLOW_TYPES, strict=True):
        if flow.get("ContactFlowType") != type:
            name = as_written(flow["Name"])
            raise SuiteRefused(f"--flows: {name} has the type {flow.get('ContactFlowType')} and needs the type {type}")
    return RunResources(queue_a=first, queue_b=second, inbound=found[0]["Id"], transfer=found[1]["Id"])


def _one(kind: str, wanted: str, listed: list[Mapping[str, Any]], member: str) -> Mapping[str, Any]:
    """Returns the row with this name or id. E-mail addresses are the same in upper and lower case."""
    fold = str.casefold if member == "EmailAddress" else str
    for row in listed:
        if row.get("Id") == wanted or fold(str(row.get(member))) == fold(wanted):
            return row
    near = did_you_mean(wanted, [str(row[member]) for row in listed if member in row])
    raise SuiteRefused(f"the instance has no {kind} {as_written(wanted)}{near}")
