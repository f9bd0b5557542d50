"""Resolves an entry of ``to`` for one contact."""

from __future__ import annotations

from router.decide.waiting_contact import WaitingContact
from router.model import Agent, Target
from router.rules.bound import BoundEntry
from router.rules.condition import ReliedOnValue, Test, Truth, Unread
from router.rules.value_test import TextForm


def not_in_instance(bound: BoundEntry, waiting: WaitingContact) -> str | None:
    """Returns why a destination does not exist in the instance, for people; ``None`` if it may exist."""
    target, directory, missing = bound.target, waiting.snapshot.directory, waiting.snapshot.read.metrics.missing
    if bound.entry.agent_from is not None:
        return "its flow does not exist" if bound.flow_id is None else None
    if target is None:
        return "its name is not known"
    if directory.flows and directory.flow(target.flow_id) is None:
        return "its flow no longer exists"
    if target.queue_id is not None and (target.queue_id in missing or directory.queue(target.queue_id) is None):
        return "the queue no longer exists"
    unlisted = bool(directory.agents) and directory.agent(target.agent_id or "") is None
    if target.agent_id is not None and (target.agent_id in missing or unlisted):
        return "the agent no longer exists"
    return None


def target_of(bound: BoundEntry, waiting: WaitingContact) -> Target | None:
    """Returns the target; ``None`` if the instance lacks a name, or if the contact names no agent for
    ``agent_from``."""
    if bound.entry.agent_from is None:
        return bound.target
    agent = named_agent(bound.entry.agent_from, waiting)
    if not isinstance(agent, Agent) or bound.flow_id is None:
        return None
    return Target(flow_id=bound.flow_id, agent_id=agent.id)


def named_agent(attribute: str, waiting: WaitingContact) -> Agent | Unread | None:
    """Returns the agent whose user name or id a contact attribute holds; ``None`` if it holds none of the instance."""
    details = waiting.details
    if isinstance(details, Unread):
        return details
    name = details.attributes.get(attribute)
    return waiting.snapshot.directory.agent(name) if name else None


def condition_on_agent(attribute: str, waiting: WaitingContact) -> ReliedOnValue | None:
    """Returns a condition that holds while a contact's attribute names the same agent; ``None`` if it was not read."""
    details = waiting.details
    if isinstance(details, Unread):
        return None
    named = details.attributes.get(attribute)
    same = TextForm(present=False) if named is None else TextForm(literals=(named,))
    key = f"attributes.{attribute}"
    return ReliedOnValue(Test(key, f'agent_from = "{key}"', same, costs_a_call=True), Truth.YES, named)
