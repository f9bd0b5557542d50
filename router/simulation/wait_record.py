"""Records what became of each simulated wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from router.decide.decide import Account
from router.model import Action, Contact, QueueId
from router.rules.clock import OpenTimes, elapsed
from router.simulation.centre import Arrival, Seconds

AGENT_QUEUE = "agent/"
"""The beginning of the id of an agent's own queue, as in its ARN."""


class Ending(StrEnum):
    """Names how a simulated wait ended."""

    ANSWERED = "answered"
    EXPIRED = "expired"
    """The contact ended by itself, before an agent had it."""
    OPEN = "open"
    """It still waited when the simulation ended."""


@dataclass(frozen=True, slots=True)
class PromisedWait:
    """Holds how long one wait may last on a rule's clock: open hours only, if there are ``hours``."""

    started_at: datetime
    target: timedelta
    hours: OpenTimes | None = None

    def late(self, at: datetime) -> float:
        """Returns the seconds past the target; negative before it."""
        return (elapsed(self.started_at, at, self.hours) - self.target).total_seconds()

    @classmethod
    def of(cls, account: Account) -> PromisedWait | None:
        """Returns the promise of the rules to a contact, the most used one; ``None`` if they promise nothing."""
        found = account.promise()
        governance = account.governance
        if found is None or governance is None:
            return None
        for tried in (*governance.acting, *governance.promising):
            if tried.rule.name == found.rule and tried.started_at is not None:
                return cls(tried.started_at, found.target, tried.calendar)
        return None


@dataclass(slots=True, kw_only=True)
class SimulatedWait:
    """Records one wait, from the queue that it began in to its end.

    ``moves`` has the queues that the router moved it to, with the instants. ``late`` is in seconds, negative if the
    promise was held, ``None`` without a promise. ``turn`` counts the waits of one contact that agents put back.
    """

    arrival: Arrival
    queue_id: QueueId
    began: Seconds
    turn: int = 0
    promise: PromisedWait | None = None
    moves: list[tuple[Seconds, QueueId]] = field(default_factory=list)
    ending: Ending = Ending.OPEN
    ended: Seconds = 0.0
    late: float | None = None

    @property
    def waited(self) -> Seconds:
        return self.ended - self.began

    @property
    def answered_in(self) -> QueueId:
        """Returns the queue in which the wait ended."""
        return self.moves[-1][1] if self.moves else self.queue_id


class WaitState(StrEnum):
    """Names where a simulated contact is."""

    ARRIVING = "arriving"
    QUEUED = "queued"
    MOVING = "moving"
    GONE = "gone"


@dataclass(slots=True, kw_only=True, eq=False)
class SimulatedContact:
    """Holds a contact while it is simulated.

    ``seen`` is what the router would see of it. ``since`` is what its age in the queue counts from, and ``place``
    counts its changes of place. ``version`` counts what makes a planned decision outdated. ``number`` counts the
    segments of its chain.
    """

    seen: Contact
    wait: SimulatedWait
    queue_id: QueueId
    priority: int
    enqueued_at: Seconds
    since: Seconds
    number: int = 0
    state: WaitState = WaitState.ARRIVING
    version: int = 0
    place: int = 0
    actions: tuple[Action, ...] = ()

    @property
    def own_agent(self) -> str | None:
        """Returns the agent in whose own queue the contact is; ``None`` in a standard queue."""
        return self.queue_id.removeprefix(AGENT_QUEUE) if self.queue_id.startswith(AGENT_QUEUE) else None
