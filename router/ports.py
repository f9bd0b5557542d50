"""Declares what the service needs of the world outside: small protocols, implemented by ``connect`` and ``ledger``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from router.connect.answers import (
    DescribeAnswer,
    Failure,
    SearchPage,
    TransferAnswer,
    UpdateAnswer,
)
from router.model import (
    Action,
    ActionState,
    AgentId,
    AgentState,
    Channel,
    Contact,
    ContactId,
    Directory,
    HoursId,
    Landing,
    Notice,
    OpeningHours,
    ProfileId,
    QueueId,
    QueueMetrics,
    RoutingData,
    RoutingProfile,
    Target,
)


class Describer(Protocol):
    def describe(self, contact_id: ContactId) -> DescribeAnswer: ...


class Clock(Protocol):
    """Reads the time, so that tests can inject another one."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


class Searcher(Protocol):
    """Finds what waits in queues, page by page."""

    def search(
        self, *, queue_ids: Collection[QueueId] | None, since: datetime, until: datetime
    ) -> Iterator[SearchPage]: ...


class Reader(Searcher, Protocol):
    """Makes the reading calls about contacts, paced by the quotas and retried if that is harmless."""

    def describe(self, contact_id: ContactId) -> DescribeAnswer: ...
    def chain(self, contact_id: ContactId) -> tuple[Contact, ...] | Failure: ...


class Mover(Protocol):
    """Makes the two writing calls, each exactly one HTTP call. A caller that repeats one must read the contact first.

    A call that could not be sent by ``before`` (monotonic seconds) raises ``TooLate``.
    """

    def transfer(
        self, *, contact_id: ContactId, target: Target, token: str, before: float | None = None
    ) -> TransferAnswer: ...
    def reroute(self, *, contact_id: ContactId, routing: RoutingData) -> UpdateAnswer: ...


class Pacer(Protocol):
    """Gives out tokens of the quotas.

    ``acquire`` returns ``False``, and takes no token, if ``until`` (monotonic seconds) is over, ``cancelled`` returns
    true (it is called at each ``nudge``) or the service stops before a token is there.
    """

    def acquire(
        self, operation: str, *, until: float | None = None, cancelled: Callable[[], bool] | None = None
    ) -> bool: ...
    def nudge(self, operation: str) -> None: ...
    def awaits_token(self, thread: int) -> bool:
        """Returns whether the thread waits in ``acquire``."""
        ...

    def seconds_to_token(self, operation: str) -> float: ...
    def give_back(self, operation: str) -> None: ...
    def pause(self, seconds: float) -> None:
        """Waits between two attempts; ends at once when the service stops."""
        ...

    def throttled(self, operation: str) -> object: ...
    def succeeded(self, operation: str) -> object: ...


class Gauge(Protocol):
    """Reads the live metrics of queues."""

    def queue_metrics(
        self, queue_ids: Collection[QueueId], channels: Collection[Channel]
    ) -> Mapping[tuple[QueueId, Channel], QueueMetrics] | Failure: ...


class Instance(Gauge, Protocol):
    """Reads what the instance consists of, and its live metrics.

    ``missing`` are the ids of queues and agents that Connect no longer knows, as found since the last directory.
    """

    @property
    def missing(self) -> frozenset[str]: ...
    def directory(self, *, with_agents: bool, with_hours: bool) -> Directory | Failure: ...
    def agent_states(self, agent_ids: Collection[AgentId]) -> Mapping[AgentId, AgentState] | Failure: ...
    def served_queues(self, profile_id: ProfileId) -> frozenset[tuple[QueueId, Channel]] | Failure: ...
    def routing_profiles(self) -> tuple[RoutingProfile, ...] | Failure: ...
    def opening_hours(self, hours_id: HoursId, *, since: date, until: date) -> OpeningHours | Failure: ...


class Records(Protocol):
    """Reads past actions for the commands that explain, list and undo. Raises ``LedgerUnavailable`` if they cannot be
    read."""

    def history(
        self,
        *,
        contact_id: ContactId | None = None,
        rule: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        outcome: ActionState | Landing | None = None,
        cycle: int | None = None,
        limit: int | None = None,
    ) -> tuple[Action, ...]:
        """Returns the newest ``limit`` actions that pass every filter given, newest last.

        ``contact_id`` is any id of a chain. ``since`` is inclusive, ``until`` is not; both are compared with the
        instant of the decision.
        """
        ...


class Ledger(Protocol):
    """Records intents and what came of them. Every method is atomic, and durable when it returns.

    Each raises ``LedgerUnavailable`` (router.ledger) if the ledger fails, and then nothing has changed.
    """

    @property
    def began_at(self) -> datetime | None:
        """Returns since when it knows the router's actions; ``None``: it knows none from before this process."""
        ...

    def histories(self, contacts: Iterable[Contact]) -> Mapping[ContactId, tuple[Action, ...]]:
        """Returns, by contact id, every action of that contact's chain, oldest first.

        A contact that is the result of one of the router's own moves belongs to the chain of the moved contact,
        whatever Connect's ids show.
        """
        ...

    def intend(self, action: Action) -> Action:
        """Writes an open intent and returns it with its id. Raises ``AlreadyIntended`` if its chain has an open move,
        if it is a routing update and another of its contact is under way, or if an action of the same wait, rule, kind
        and ``at`` has acted already."""
        ...

    def require_turn(self) -> None:
        """Raises ``LedgerUnavailable`` if another router may have taken over; called right before each call."""
        ...

    def renew(self, action: Action) -> None:
        """Writes ``send_by``, ``attempts`` and ``routing`` of an open intent. Raises ``NotOpen`` if it is not open, and
        ``AlreadyIntended`` if another routing update of the contact is under way."""
        ...

    def settle(self, action: Action) -> None:
        """Closes an open intent with the action's state and outcome. Raises ``NotOpen`` if it is not open."""
        ...

    def land(self, action: Action, *, follow_ups: Sequence[Action] = ()) -> tuple[Action, ...]:
        """Records the landing of a transfer that has acted, and its follow-ups, which are returned as written. Raises
        ``NotOpen`` if there is no such transfer."""
        ...

    def record(self, action: Action, *, notice: Notice | None = None) -> Action:
        """Writes an action that needs no intent (a warning, or what was only observed), and with it its notice. Raises
        ``AlreadyIntended`` if the same step of the same wait has acted."""
        ...

    def open_intents(self) -> tuple[Action, ...]: ...
    def followed(self) -> tuple[Action, ...]:
        """Returns the transfers that acted and whose landing is still followed (``Landing.followed``), oldest first."""
        ...

    def open_follow_ups(self) -> tuple[Action, ...]:
        """Returns the follow-ups that are due, or whose outcome is not known, oldest first."""
        ...

    def last_targets(self) -> Mapping[tuple[str, timedelta], Target]:
        """Returns, by rule and the step's time, where its last move that acted led."""
        ...

    def moves_since(self, instant: datetime) -> tuple[Action, ...]:
        """Returns the transfers that acted or are open, by ``decided_at``, for the limits per hour."""
        ...


TRANSFER = "TransferContact"

REROUTE = "UpdateContactRoutingData"


class Grant:
    """Holds a token of a quota that a worker has before it has work; the first call of that work uses it."""

    def __init__(self) -> None:
        self.there = True

    def use(self) -> bool:
        """Uses the token; returns whether it was still there."""
        was, self.there = self.there, False
        return was
