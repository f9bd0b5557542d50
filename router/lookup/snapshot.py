"""Makes snapshots for decisions: waiting contacts, earlier actions, and the values that a decision needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from router import events
from router.decide.capacity import METRICS_LAG
from router.decide.decide import Decided, DecidingStopped, decide
from router.decide.decision import Decision, Hold
from router.decide.snapshot import Blocks, Limits, RecordedMoves, Snapshot
from router.lookup.background import Background
from router.lookup.details import DetailsCache
from router.lookup.fetcher import Fetcher
from router.model import (
    Action,
    ActionState,
    AgentId,
    Channel,
    Contact,
    ContactId,
    Details,
    Directory,
    HoldReason,
    HoursId,
    Need,
    Pauses,
    QueueId,
    Target,
)
from router.ports import Clock, Ledger
from router.rules.bound import BoundRuleSet
from router.rules.calendar import Calendar
from router.rules.rule import Mode
from router.settings import Settings

if TYPE_CHECKING:
    from router.connect.connection import Connection


CREDENTIALS_REFUSED = "AWS refuses the credentials, and nothing is read"
ROUNDS = 12
"""How often a decision may need more values: clocks, conditions, transfers, then metrics by tier and step."""
HOUR = timedelta(hours=1)
NOTHING_PAUSED = Pauses()
NO_OTHERS: Mapping[tuple[QueueId, Channel], int] = MappingProxyType({})


@dataclass(kw_only=True)
class Lookup:
    """Makes snapshots and decides on them.

    Histories are read from ``ledger`` and from ``observed``, a ledger in memory of what was only observed.
    """

    fetcher: Fetcher
    ledger: Ledger
    observed: Ledger
    clock: Clock
    limits: Limits
    _last: dict[tuple[str, timedelta], Target] | None = None

    @classmethod
    def open(
        cls,
        connection: Connection,
        ledger: Ledger,
        observed: Ledger,
        clock: Clock,
        settings: Settings,
        *,
        in_service: bool,
        background: Background | None = None,
    ) -> Lookup:
        """Opens it over a connection. ``in_service``: moves follow, each of which reads its contact again, so that
        contacts are assumed not to be paused, and background calls give way to those of moves. Without a
        ``background`` decisions wait for every reading."""
        fetcher = Fetcher(
            connection.background if in_service else connection.reader,
            connection.instance,
            channels=frozenset(Channel(channel) for channel in settings.poll.channels),
            fresh_for=settings.poll.sweep,
            lookback=settings.poll.lookback,
            assume_unpaused=in_service,
            background=background,
        )
        return cls(fetcher=fetcher, ledger=ledger, observed=observed, clock=clock, limits=Limits.of(settings.guard))

    @property
    def details(self) -> DetailsCache:
        """Returns the cache of contacts as last read; whoever reads a contact adds it."""
        return self.fetcher.details.cache

    def is_open(self, hours_id: HoursId) -> bool:
        """Returns whether hours of operation are known to be open now."""
        now = self.clock.now()
        hours = self.fetcher.hours.read([hours_id], now).get(hours_id)
        return isinstance(hours, Calendar) and hours.is_open(now)

    def read_pauses(self, contact: Contact) -> Details | None:
        """Reads when a contact was paused; ``None`` if Connect does not respond."""
        return self.fetcher.details.read_pauses(contact, self.clock.now())

    def knows_pauses(self, contact: Contact) -> bool:
        """Returns whether it was read recently when the contact was paused."""
        return self.details.of(contact, self.clock.now()) is not None

    def reconfigure(self, settings: Settings) -> None:
        """Takes up the limits of new settings."""
        self.limits = Limits.of(settings.guard)

    def snapshot(
        self,
        contacts: tuple[Contact, ...],
        directory: Directory,
        *,
        mode: Mode,
        cycle: int,
        followed: tuple[Action, ...] = (),
        blocks: Blocks | None = None,
        in_progress: frozenset[ContactId] = frozenset(),
        paused: Pauses = NOTHING_PAUSED,
        others: Mapping[tuple[QueueId, Channel], int] = NO_OTHERS,
    ) -> Snapshot:
        """Returns a snapshot of these contacts with the router's earlier actions, and without values read on demand.

        ``followed`` are the moves whose landing is followed. ``others`` counts the contacts that wait in addition, by
        queue and channel. Raises ``LedgerUnavailable``.
        """
        now = self.clock.now()
        recent = self.ledger.moves_since(now - HOUR)
        return Snapshot(
            now=now,
            mode=mode,
            contacts=contacts,
            directory=directory,
            cycle=cycle,
            moves=RecordedMoves(
                histories=self._histories(contacts),
                recent=recent,
                sent_to_queues=_count_sent(recent, METRICS_LAG, now),
                sent_to_agents=_count_at_agents(followed, recent),
                last_targets=self._last_targets(recent),
                in_progress=in_progress,
                ledger_began_at=self.ledger.began_at or now,
            ),
            limits=self.limits,
            blocks=blocks or Blocks(),
            paused=paused.at(now),
            unseen=_count_by_queue(others),
            occupied_by_others=frozenset(others),
        )

    def decide(
        self,
        look: Snapshot,
        rules: BoundRuleSet,
        *,
        reading: bool = True,
        stopping: Callable[[], bool] = lambda: False,
    ) -> tuple[Decided, Snapshot]:
        """Decides, reads the values that are needed, and decides again, until none is needed or ``ROUNDS`` are over.
        All readings together take ``READ_WITHIN`` at most.

        Without ``reading`` a contact that needs a value is held. Returns the decisions and the snapshot that they are
        made from. Raises ``DecidingStopped`` if the service is ``stopping``.
        """
        decided, look = _decide(look, rules, stopping)
        if not reading:
            return decided, look
        with self.fetcher.background.look():
            needs: tuple[Need, ...] = ()
            for _ in range(ROUNDS):
                if decided.needs == needs:
                    break  # there is none, or what is left is still being read
                needs = decided.needs
                decided, look = _decide(self.fetcher.read(look, needs), rules, stopping)
        return decided, look

    def _last_targets(self, recent: Iterable[Action]) -> Mapping[tuple[str, timedelta], Target]:
        """Returns where each step moved its last contact: from the whole ledger once, then from the recent moves."""
        if self._last is None:
            self._last = dict(self.ledger.last_targets())
        self._last.update({(move.rule, move.at): move.target for move in recent if move.target is not None})
        return dict(self._last)

    def _histories(self, contacts: tuple[Contact, ...]) -> dict[ContactId, tuple[Action, ...]]:
        lasting = self.ledger.histories(contacts)
        observed = self.observed.histories(contacts)
        return {one: (*lasting.get(one, ()), *observed.get(one, ())) for one in {*lasting, *observed}}


def _decide(look: Snapshot, rules: BoundRuleSet, stopping: Callable[[], bool]) -> tuple[Decided, Snapshot]:
    """Decides; a contact on which that fails is a bug, which is logged, and the others are decided on without it."""
    try:
        return decide(look, rules, stopping=stopping), look
    except DecidingStopped:
        raise
    except Exception:
        sound = tuple(contact for contact in look.contacts if _is_decidable(contact, look, rules))
        if len(sound) == len(look.contacts):
            raise
        look = replace(look, contacts=sound)
        return decide(look, rules, stopping=stopping), look


def held_as_denied(decided: Decided) -> Decided:
    """Returns the decisions with the reason for which values were not read: AWS refuses the credentials."""
    return _with_reason(decided, (HoldReason.UNREADABLE,), HoldReason.DENIED, CREDENTIALS_REFUSED)


def held_for_the_ledger(decided: Decided, problem: str) -> Decided:
    """Returns the decisions with the reason for which nothing moves, also where a limit would let none move either:
    the ledger cannot be written. Attempts that failed use the limit up."""
    limits = (HoldReason.PER_CYCLE, HoldReason.PER_HOUR, HoldReason.PERCENT_OF_QUEUE)
    return _with_reason(decided, limits, HoldReason.LEDGER, problem)


def _with_reason(decided: Decided, instead_of: tuple[HoldReason, ...], reason: HoldReason, detail: str) -> Decided:
    def held(decision: Decision) -> Decision:
        if isinstance(decision, Hold) and decision.reason in instead_of:
            return replace(decision, reason=reason, detail=detail)
        return decision

    return replace(
        decided,
        decisions=tuple(map(held, decided.decisions)),
        accounts={
            contact_id: replace(account, decisions=tuple(map(held, account.decisions)))
            for contact_id, account in decided.accounts.items()
        },
    )


def _is_decidable(contact: Contact, look: Snapshot, rules: BoundRuleSet) -> bool:
    try:
        decide(replace(look, contacts=(contact,)), rules)
    except Exception:
        events.log_broken(
            contact_id=contact.id,
            channel=contact.channel.value,
            chain_id=contact.chain_id,
            cycle=look.cycle,
            revision=rules.revision,
        )
        return False
    return True


def _count_sent(
    recent: tuple[Action, ...], lag: timedelta, now: datetime
) -> Mapping[tuple[QueueId, Channel | None], int]:
    """Returns by queue and channel the number of contacts sent there that its metrics may not show yet."""
    sent: Counter[tuple[QueueId, Channel | None]] = Counter()
    for move in recent:
        if move.target is not None and move.target.queue_id is not None and not _is_shown(move, lag, now):
            sent[move.target.queue_id, move.channel] += 1
    return sent


def _is_shown(move: Action, lag: timedelta, now: datetime) -> bool:
    """Returns whether the queue's metrics count the contact already."""
    if move.landing is None or move.landing.unlanded or move.landed_at is None:
        return False
    return now - move.landed_at > lag


def _count_at_agents(followed: tuple[Action, ...], recent: tuple[Action, ...]) -> Mapping[AgentId, int]:
    """Counts the contacts sent to each agent that the agent is not known to have answered."""
    unknown = (move for move in recent if move.state is ActionState.INTENDED)  # Connect may have accepted the call
    sent = (move.target for move in (*followed, *unknown))
    return Counter(target.agent_id for target in sent if target is not None and target.agent_id)


def _count_by_queue(others: Mapping[tuple[QueueId, Channel], int]) -> Mapping[QueueId, int]:
    found: Counter[QueueId] = Counter()
    for (queue_id, _), count in others.items():
        found[queue_id] += count
    return found
