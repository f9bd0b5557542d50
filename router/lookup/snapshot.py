"""From the instance to a ``Snapshot``: what waits, what was done to it before, and what deciding asked to have read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from router import events
from router.decide.capacity import METRICS_LAG
from router.decide.decide import Decided, decide
from router.decide.snapshot import Blocks, Limits, RecordedMoves, Snapshot
from router.lookup.fetch import Fetcher
from router.model import Action, AgentId, Channel, Contact, ContactId, Directory, Pauses, QueueId, Target
from router.ports import Clock, Ledger
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode
from router.settings import Settings

# The service's own limits on moves, as deciding takes them.

def limits_of(settings: Settings) -> Limits:
    guard = settings.guard
    return Limits(
        max_transfers=guard.max_transfers,
        reserve_transfers=guard.reserve_transfers,
        cooldown=guard.cooldown,
        per_cycle=guard.per_cycle,
        per_hour=guard.per_hour,
    )


ROUNDS = 12
"""How often deciding may ask for more: clocks, conditions, transfers, then metrics, tier by tier and step by step."""
HOUR = timedelta(hours=1)
NOTHING_PAUSED = Pauses()
NO_OTHERS: Mapping[tuple[QueueId, Channel], int] = MappingProxyType({})


@dataclass(kw_only=True)
class Lookup:
    """``observed`` is the ledger in memory of what was only observed: histories are read from both."""

    needs: Fetcher
    ledger: Ledger
    observed: Ledger
    clock: Clock
    limits: Limits
    _last: dict[tuple[str, timedelta], Target] | None = None

    def reconfigure(self, settings: Settings) -> None:
        """Takes up the limits of new settings."""
        self.limits = limits_of(settings)

    def look(
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
        """One look, with the histories and with what the router itself did lately. ``others`` are how many are known to
        wait besides these contacts, by queue and channel."""
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
                sent_to_queues=_sent_lately(recent, METRICS_LAG, now),
                sent_to_agents=_at_agents(followed),
                last_targets=self._last_targets(recent),
                in_progress=in_progress,
                ledger_began_at=self.ledger.began_at or now,
            ),
            limits=self.limits,
            blocks=blocks or Blocks(),
            paused=paused.at(now),
            unseen=_by_queue(others),
            occupied_by_others=frozenset(others),
        )

    def decide(self, look: Snapshot, rules: BoundRuleSet) -> Decided:
        return self.read_and_decide(look, rules)[0]

    def read_and_decide(self, look: Snapshot, rules: BoundRuleSet) -> tuple[Decided, Snapshot]:
        """Decides, reads what deciding asks for, and decides again, until it asks no more or the bound is reached; with
        the look that it came to, in which is all that was read."""
        decided, look = _decide(look, rules)
        for _ in range(ROUNDS):
            if not decided.needs:
                break
            decided, look = _decide(self.needs.read(look, decided.needs), rules)
        return decided, look

    def _last_targets(self, recent: Iterable[Action]) -> Mapping[tuple[str, timedelta], Target]:
        """Where each step moved its last contact: by the whole ledger once, and by what is recent from then on."""
        if self._last is None:
            self._last = dict(self.ledger.last_targets())
        self._last.update({(move.rule, move.at): move.target for move in recent if move.target is not None})
        return dict(self._last)

    def _histories(self, contacts: tuple[Contact, ...]) -> dict[ContactId, tuple[Action, ...]]:
        lasting = self.ledger.histories(contacts)
        observed = self.observed.histories(contacts)
        return {one: (*lasting.get(one, ()), *observed.get(one, ())) for one in {*lasting, *observed}}


def _decide(look: Snapshot, rules: BoundRuleSet) -> tuple[Decided, Snapshot]:
    """A contact on which deciding fails is a bug; it is told and left out, and the others are decided on."""
    try:
        return decide(look, rules), look
    except Exception:
        sound = tuple(contact for contact in look.contacts if _decidable(contact, look, rules))
        if len(sound) == len(look.contacts):
            raise
        look = replace(look, contacts=sound)
        return decide(look, rules), look


def _decidable(contact: Contact, look: Snapshot, rules: BoundRuleSet) -> bool:
    try:
        decide(replace(look, contacts=(contact,)), rules)
    except Exception:
        events.log_broken(contact_id=contact.id, chain_id=contact.chain_id, cycle=look.cycle, revision=rules.revision)
        return False
    return True


def _sent_lately(recent: tuple[Action, ...], lag: timedelta, now: datetime) -> Mapping[QueueId, int]:
    sent: Counter[QueueId] = Counter()
    for move in recent:
        if move.target is not None and move.target.queue_id is not None and not _shown(move, lag, now):
            sent[move.target.queue_id] += 1
    return sent


def _shown(move: Action, lag: timedelta, now: datetime) -> bool:
    """Whether the metrics of the queue can be taken to count the contact already."""
    if move.landing is None or move.landing.unlanded or move.landed_at is None:
        return False
    return now - move.landed_at > lag


def _at_agents(followed: tuple[Action, ...]) -> Mapping[AgentId, int]:
    """By agent: contacts sent there that nobody has answered."""
    return Counter(
        action.target.agent_id for action in followed if action.target is not None and action.target.agent_id
    )


def _by_queue(others: Mapping[tuple[QueueId, Channel], int]) -> Mapping[QueueId, int]:
    found: Counter[QueueId] = Counter()
    for (queue_id, _), count in others.items():
        found[queue_id] += count
    return found
