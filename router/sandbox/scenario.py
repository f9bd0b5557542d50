"""What a sandbox starts with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Literal

from router.sandbox.behaviours import Behaviours
from router.sandbox.identity import Identity
from router.sandbox.instance import FlowOutcome
from router.sandbox.quotas import CallQuotas, CallRate
from router.sandbox.world import World

Setting = Callable[[World], None]

TO_QUEUE = "Overflow to queue"
TO_AGENT = "Escalate to agent"
INBOUND = "Inbound tasks"

DEFAULT_FILE = "contact-centre.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``settings`` furnish the world, in order. By itself: an instance with AWS's own flows and the three that the
    shipped rules use, no queues, no users, and no throttling.

    ``quotas``: ``"aws"`` throttles as documented, ``"none"`` not at all, a mapping only the operations named in it.
    ``latency``: the least and the most that an answer takes.
    """

    identity: Identity = field(default_factory=Identity)
    seed: int = 1
    behaviours: Behaviours = field(default_factory=Behaviours)
    quotas: Literal["aws", "none"] | Mapping[str, CallRate] = "none"
    latency: tuple[timedelta, timedelta] = (timedelta(0), timedelta(0))
    default_flows: bool = True
    settings: tuple[Setting, ...] = ()

    @staticmethod
    def load(path: str | Path) -> Scenario:
        """From a TOML file. Raises ``router.problems.Problems`` with every mistake in it, located."""
        # Imported here: a sandbox built in Python needs neither pydantic nor a TOML reader.
        from router.sandbox.scenario_file import load_scenario

        return load_scenario(Path(path))

    @staticmethod
    def default() -> Scenario:
        """The lively contact centre that is shipped."""
        from router.sandbox.scenario_file import parse_scenario

        file = files("router.sandbox") / "scenarios" / DEFAULT_FILE
        return parse_scenario(DEFAULT_FILE, file.read_bytes())

    def furnish(self, world: World) -> None:
        if self.default_flows:
            add_default_flows(world)
        for setting in self.settings:
            setting(world)

    def make_quotas(self) -> CallQuotas:
        if isinstance(self.quotas, str):
            return CallQuotas(limited=self.quotas == "aws")
        return CallQuotas(self.quotas, limited=False)


def add_default_flows(world: World) -> None:
    world.add_flow(TO_QUEUE, type="QUEUE_TRANSFER", description="Puts the contact into the queue it is sent to")
    world.add_flow(TO_AGENT, type="AGENT_TRANSFER", description="Puts the contact into the agent's own queue")
    world.add_flow(
        INBOUND,
        type="CONTACT_FLOW",
        outcome=FlowOutcome(queue_from="queue"),
        description="Puts a new task into the queue that its attribute `queue` names",
    )
    world.add_flow(
        "Default queue transfer",
        type="QUEUE_TRANSFER",
        outcome=FlowOutcome(unstaffed="disconnect", full="disconnect"),
        description="AWS's own: disconnects where no agent serves the queue",
    )
    world.add_flow("Default agent transfer", type="AGENT_TRANSFER", outcome=FlowOutcome(full="disconnect"))
    world.add_flow("Default customer queue", type="CUSTOMER_QUEUE")
    world.add_flow("Default agent hold", type="AGENT_HOLD")
