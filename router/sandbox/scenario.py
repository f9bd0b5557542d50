"""Holds what a sandbox starts with, and builds it from a scenario file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Literal

from router.sandbox.behaviours import Behaviours
from router.sandbox.identity import Identity
from router.sandbox.instance import FlowOutcome
from router.sandbox.quotas import CallQuotas, CallRate
from router.sandbox.scenario_file import parse_document, read_scenario
from router.sandbox.scenario_setup import Setting, settings_of
from router.sandbox.scenario_tables import ScenarioDocument
from router.sandbox.world import World

TO_QUEUE = "Overflow to queue"
TO_AGENT = "Escalate to agent"
INBOUND = "Inbound tasks"

DEFAULT_FILE = "contact-centre.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Describes the instance that a sandbox simulates, and the changes (``settings``) that furnish it, in order.

    By default it is an instance with AWS's own flows and the three that the shipped rules use. It then has no queues,
    no users and no throttling. ``quotas``: ``"aws"`` throttles as documented, ``"none"`` not at all, a mapping only the
    operations named in it. ``latency``: the shortest and the longest time that a response takes.
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
        """Reads a TOML file. Raises ``router.problems.Problems`` with every mistake in it, each with its place."""
        return Scenario.parse(str(path), read_scenario(Path(path)))

    @staticmethod
    def parse(file: str, data: bytes) -> Scenario:
        """Reads the content of a TOML file, as ``load`` does. ``file`` is the name that messages show."""
        return _scenario_of(parse_document(file, data))

    @staticmethod
    def default() -> Scenario:
        """Reads the busy contact centre that is part of the package."""
        return Scenario.parse(DEFAULT_FILE, (files("router.sandbox") / "scenarios" / DEFAULT_FILE).read_bytes())

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
        description="AWS's own: disconnects if no agent serves the queue",
    )
    world.add_flow("Default agent transfer", type="AGENT_TRANSFER", outcome=FlowOutcome(full="disconnect"))
    world.add_flow("Default customer queue", type="CUSTOMER_QUEUE")
    world.add_flow("Default agent hold", type="AGENT_HOLD")


def _scenario_of(document: ScenarioDocument) -> Scenario:
    instance, quotas, latency = document.instance, document.quotas, document.latency_ms
    return Scenario(
        identity=Identity(
            instance_id=instance.id, account=instance.account, region=instance.region, alias=instance.alias
        ),
        seed=document.seed,
        behaviours=Behaviours(**dict(document.behaviours)),
        quotas=quotas
        if isinstance(quotas, str)
        else {operation: CallRate(each.rate, each.burst) for operation, each in quotas.items()},
        latency=(timedelta(milliseconds=latency[0]), timedelta(milliseconds=latency[1])),
        default_flows=document.default_flows,
        settings=settings_of(document),
    )
