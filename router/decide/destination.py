"""Which queue or agent an entry of ``to`` means for one contact."""

from __future__ import annotations

from router.decide.wait import Wait
from router.model import Agent, Target
from router.rules.bound import BoundEntry
from router.rules.condition import Seen, Test, Truth, Unread
from router.rules.form import TextForm


def target_of(bound: BoundEntry, wait: Wait) -> Target | None:
    """``None`` where the instance lacks a name or, for ``agent_from``, where the contact names no agent it has."""
    if bound.entry.agent_from is None:
        return bound.target
    agent = named_agent(bound.entry.agent_from, wait)
    if not isinstance(agent, Agent) or bound.flow_id is None:
        return None
    return Target(flow_id=bound.flow_id, agent_id=agent.id)


def named_agent(attribute: str, wait: Wait) -> Agent | Unread | None:
    """The agent whose user name or id stands in a contact attribute; ``None`` where it has none, or none of the
    instance's."""
    details = wait.details
    if isinstance(details, Unread):
        return details
    name = details.attributes.get(attribute)
    return wait.look.directory.agent(name) if name else None


def naming(attribute: str, wait: Wait) -> Seen | None:
    """What a contact says in an attribute that names an agent, as a condition that holds while it says the same;
    ``None`` where that was not read."""
    details = wait.details
    if isinstance(details, Unread):
        return None
    named = details.attributes.get(attribute)
    same = TextForm(present=False) if named is None else TextForm(literals=(named,))
    key = f"attributes.{attribute}"
    return Seen(Test(key, f'agent_from = "{key}"', same, costs_a_call=True), Truth.YES, named)
