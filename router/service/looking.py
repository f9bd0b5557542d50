"""From the instance to a ``Look``: what is waiting, what was done to it before, and what deciding asked to have read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from router.connect.answers import Failure, Unauthenticated
from router.decide.decide import Decided, decide
from router.decide.look import LiveMetrics, Limits, Look, NeedAgent, NeedMetrics, NeedTransfers
from router.model import Action, Channel, Contact, ContactId, Directory, Standing
from router.rules.bound import BoundRuleSet
from router.rules.condition import Unread
from router.rules.rule import Mode
from router.service.ports import Clock, Instance, Ledger, Reader

METRICS_LAG = timedelta(seconds=30)
"""How long a move is counted against its queue though the metrics may show it already: real-time metrics refresh
every 15 s in Connect's own pages; for the API no figure is documented."""
ROUNDS = 6
"""How often deciding may ask for more: transfers, then metrics, tier by tier and step by step."""
READS_PER_LOOK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a search returned: every contact once, in the order of first sight. ``complete`` is ``False`` where it could
    not be read to its end; then ``failure`` says why, and what was returned is acted on all the same."""

    contacts: tuple[Contact, ...]
    complete: bool
    failure: Failure | None = None


@dataclass(kw_only=True)
class Looking:
    """``ledgers`` are read for histories: the lasting one, and the one in memory of what was only observed."""

    reader: Reader
    instance: Instance
    ledger: Ledger
    observed: Ledger
    clock: Clock
    limits: Limits
    channels: frozenset[Channel]
    lookback: timedelta
    _transfers: dict[ContactId, int] = field(default_factory=dict)

    def search(self, rules: BoundRuleSet, extra: Iterable[Contact], *, stop: Callable[[], bool]) -> Sighting:
        """Everything that is waiting now, as far as the search tells; ``extra`` are contacts known by other ways."""
        now = self.clock.now()
        found: dict[ContactId, Contact] = {contact.id: contact for contact in extra}
        pages = self.reader.search(queue_ids=rules.queue_ids, since=now - self.lookback, until=now)
        for page in pages:
            for contact in page.contacts:
                if contact.channel in self.channels and contact.standing(now) is Standing.WAITING:
                    found.setdefault(contact.id, contact)
            if page.failure is not None or stop():
                return Sighting(contacts=tuple(found.values()), complete=False, failure=page.failure)
        return Sighting(contacts=tuple(found.values()), complete=True)

    def decide(self, look: Look, rules: BoundRuleSet) -> tuple[Look, Decided]:
        """Decides, reads what deciding asks for, and decides again, until it asks no more or the bound is reached."""
        decided = decide(look, rules)
        for _ in range(ROUNDS):
            if not decided.needs:
                break
            look = self._read(look, decided.needs)
            decided = decide(look, rules)
        return look, decided

    def histories(self, contacts: tuple[Contact, ...]) -> Mapping[ContactId, tuple[Action, ...]]:
        lasting = self.ledger.histories(contacts)
        observed = self.observed.histories(contacts)
        ids = {*lasting, *observed}
        return {one: (*lasting.get(one, ()), *observed.get(one, ())) for one in ids}

    def with_moves(self, look: Look, followed: Iterable[Action]) -> Look:
        """The look with what the router itself did lately: for the limits per hour, for capacity, for round-robin."""
        recent = self.ledger.moves_since(look.now - timedelta(hours=1))
        queues: Counter[str] = Counter()
        for move in recent:
            shown = move.settled_at is not None and look.now - move.settled_at > METRICS_LAG
            landed = move.landing is not None and not move.landing.unlanded
            if move.target is not None and move.target.queue_id is not None and not (shown and landed):
                queues[move.target.queue_id] += 1
        agents = Counter(
            action.target.agent_id
            for action in followed
            if action.target is not None and action.target.agent_id is not None
        )
        last = {(move.rule, move.at): move.target for move in recent if move.target is not None}
        return replace(look, recent_moves=recent, pending=dict(queues), at_agents=dict(agents), last_targets=last)

    def _read(self, look: Look, needs: tuple[object, ...]) -> Look:
        transfers = self._read_transfers(look, [need for need in needs if isinstance(need, NeedTransfers)])
        metrics = self._read_queues(look.metrics, [need for need in needs if isinstance(need, NeedMetrics)])
        metrics = self._read_agents(metrics, [need for need in needs if isinstance(need, NeedAgent)])
        return replace(look, transfers=transfers, metrics=metrics)

    def _read_transfers(self, look: Look, needs: list[NeedTransfers]) -> dict[ContactId, int | Unread]:
        """What a segment has behind it never changes, so it is read once for each."""
        known: dict[ContactId, int | Unread] = dict(look.transfers)
        for position, need in enumerate(needs):
            if need.contact_id in self._transfers:
                known[need.contact_id] = self._transfers[need.contact_id]
                continue
            if position >= READS_PER_LOOK:
                known[need.contact_id] = Unread("how often it was transferred: too many to read in one cycle")
                continue
            chain = self.reader.chain(need.contact_id)
            if isinstance(chain, tuple):
                known[need.contact_id] = self._transfers[need.contact_id] = transfers_behind(need.contact_id, chain)
            else:
                known[need.contact_id] = Unread("how often it was transferred could not be read")
        return known

    def _read_queues(self, metrics: LiveMetrics, needs: list[NeedMetrics]) -> LiveMetrics:
        if not needs:
            return metrics
        queues = frozenset(need.queue_id for need in needs)
        rows = self.instance.queue_metrics(queues, self.channels)
        if not isinstance(rows, Mapping):
            return replace(metrics, asked=metrics.asked | queues, failed=metrics.failed | queues)
        return replace(metrics, asked=metrics.asked | queues, rows={**metrics.rows, **rows})

    def _read_agents(self, metrics: LiveMetrics, needs: list[NeedAgent]) -> LiveMetrics:
        if not needs:
            return metrics
        asked = frozenset(need.agent_id for need in needs)
        states = self.instance.agent_states(asked)
        found = states if isinstance(states, Mapping) else {}
        return replace(metrics, agents_asked=metrics.agents_asked | asked, agents={**metrics.agents, **found})


def transfers_behind(contact_id: ContactId, chain: tuple[Contact, ...]) -> int:
    """The transfers a segment has behind it: its predecessors, walked by ``PreviousContactId``.

    Where a link is missing from the answer, every other contact initiated before it is counted instead: rather too many
    than a twelfth transfer. A tree of linked tasks is wider than a chain, so the walk comes first.
    """
    by_id = {contact.id: contact for contact in chain}
    count, at = 0, by_id.get(contact_id)
    while at is not None and at.previous_id is not None:
        count += 1
        if at.previous_id not in by_id:
            return max(count, _initiated_before(by_id.get(contact_id), chain))
        at = by_id[at.previous_id]
        if count > len(chain):
            break
    return count


def _initiated_before(contact: Contact | None, chain: tuple[Contact, ...]) -> int:
    if contact is None or contact.initiated_at is None:
        return len(chain)
    began: datetime = contact.initiated_at
    return sum(1 for one in chain if one.id != contact.id and (one.initiated_at is None or one.initiated_at <= began))


def credentials_refused(failure: Failure | None) -> bool:
    return isinstance(failure, Unauthenticated)


def look_at(
    now: datetime, mode: Mode, contacts: tuple[Contact, ...], directory: Directory, cycle: int, limits: Limits
) -> Look:
    """A look with nothing known yet but who is waiting."""
    return Look(now=now, mode=mode, contacts=contacts, directory=directory, cycle=cycle, limits=limits)
