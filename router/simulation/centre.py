"""Describes the simulated contact centre: its queues, its teams, and the contacts that arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.decide.snapshot import Limits
from router.model import Channel, Contact, Directory, HoursId, QueueId
from router.rules.clock import OpenTimes
from router.simulation.randomness import Exponential, Fixed, Spread

Seconds = float
"""Time since the start of the simulation."""

USUAL_HANDLING = Exponential(300.0)
"""The handle times of a queue for which nobody gave any."""


USUAL_LANDING = Fixed(5.0)
"""The time from a move to the contact's arrival in the other queue, if nobody gave any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Describes agents that are alike: the queues of their routing profile, their slots, and when they work.

    ``served`` has the profile's priority of each queue, 1 the highest. ``presence`` are their shifts in order, ``None``
    if they always work. An agent finishes the contacts at hand after the shift. A slot is as fast when the agent's
    other slots are busy: contacts share no time.
    """

    name: str
    agents: tuple[str, ...]
    served: Mapping[QueueId, int]
    slots: Mapping[Channel, int]
    presence: tuple[tuple[Seconds, Seconds], ...] | None = None
    handling: Spread | None = None
    put_back: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTurn:
    """Describes what is known of one answer to a contact.

    ``quantile`` places its handle time among those of the queue that it is answered in; ``None``: drawn.
    An agent puts the contact back if ``kept`` is below the agent's share of contacts that are put back.
    """

    quantile: float | None
    kept: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Describes one contact that enters a queue.

    ``contact`` is as the router would see it then. ``patience`` is how long it waits before it ends by itself.
    ``turns`` are the answers to it that are known, in order; everything of the others is drawn. ``work`` fixes the
    handle time for every queue. ``waited`` is how long it had waited at ``at``. ``unit`` numbers the day, or whatever
    else the effects are counted by.
    """

    contact: Contact
    at: Seconds
    waited: Seconds = 0.0
    patience: Seconds | None = None
    turns: tuple[KnownTurn, ...] = ()
    work: Seconds | None = None
    unit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCentre:
    """Describes everything of a contact centre that does not change while it is simulated.

    ``handling`` are the handle times by queue and channel. ``promises`` are the waits that queues promise by
    themselves; they win over the target of a rule. ``landing`` is the time from a move to the contact's arrival in the
    other queue. Contacts that arrive before ``measured_from`` warm the queues up and are not counted. The simulation
    runs on for ``runs_on`` after the last arrival, if contacts still wait.
    """

    start: datetime
    directory: Directory
    teams: tuple[Team, ...]
    handling: Mapping[tuple[QueueId, Channel], Spread] = field(default_factory=dict)
    hours: Mapping[HoursId, OpenTimes] = field(default_factory=dict)
    promises: Mapping[QueueId, timedelta] = field(default_factory=dict)
    landing: Spread = USUAL_LANDING
    keep_place: bool = True
    poll_every: Seconds = 15.0
    limits: Limits = field(default_factory=Limits)
    measured_from: Seconds = 0.0
    runs_on: Seconds = 14 * 86_400.0

    def instant(self, at: Seconds) -> datetime:
        return self.start + timedelta(seconds=at)

    def since_start(self, at: datetime) -> Seconds:
        return (at - self.start).total_seconds()

    def work_of(self, queue_id: QueueId, channel: Channel, team: Team) -> Spread:
        """Returns the handle times of a contact that this team takes from the queue."""
        return team.handling or self.handling.get((queue_id, channel)) or USUAL_HANDLING


def shifts_of(hours: OpenTimes, start: datetime, until: datetime) -> tuple[tuple[Seconds, Seconds], ...]:
    """Returns when hours of operation are open between two instants, in seconds from the first."""
    found: list[tuple[Seconds, Seconds]] = []
    opens = hours.after(start, timedelta())
    while opens < until:
        closes = hours.open_until(opens)
        shift = ((opens - start).total_seconds(), (closes - start).total_seconds())
        if found and found[-1][1] == shift[0]:
            found[-1] = (found[-1][0], shift[1])
        else:
            found.append(shift)
        opens = hours.after(closes, timedelta())
    return tuple(found)
