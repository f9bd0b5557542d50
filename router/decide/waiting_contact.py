"""Joins one waiting contact with its wait and its snapshot, and derives the values that rules and guards need."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from router.decide.snapshot import CHAIN_TRANSFERS, Snapshot
from router.decide.wait import Wait, queues_before
from router.model import DEFAULT_PRIORITY, Contact, Details, Need, NeedKind, QueueId
from router.rules.bound import Values
from router.rules.condition import Match, Unread
from router.rules.value_test import Value

if TYPE_CHECKING:
    from router.decide.clocks import Standstill

if TYPE_CHECKING or sys.version_info >= (3, 12):
    lazy_value = cached_property
else:

    class lazy_value(cached_property):
        """Computes a value when it is first needed, without the lock that ``cached_property`` takes before Python 3.12.

        Ten thousand contacts have fifty thousand such values, and the lock costs more than most of them.
        """

        def __get__(self, instance, owner=None):
            found = instance.__dict__[self.attrname] = self.func(instance)
            return found


@dataclass(frozen=True)
class WaitingContact:
    """Joins a waiting contact with its wait and the snapshot."""

    contact: Contact
    wait: Wait
    snapshot: Snapshot

    @property
    def queue_id(self) -> QueueId:
        assert self.contact.queue_id is not None, "a waiting contact has a queue"
        return self.contact.queue_id

    @lazy_value
    def values(self) -> Values:
        """Returns the values of a search and those of the details, if they were read, by match key, as seen by a rule
        while no rule has acted on it."""
        return _Values(self.contact, self.snapshot, None if isinstance(self.details, Unread) else self.details)

    @lazy_value
    def standstills(self) -> dict[datetime, Standstill]:
        """Returns where ``clocks`` stores the pauses that it has found, by the start of the clock."""
        return {}

    @lazy_value
    def unread_matches(self) -> dict[Hashable, Match]:
        """Returns where ``govern`` stores how the conditions of a kind came out while the details are unread."""
        return {}

    @property
    def lasted(self) -> timedelta:
        """Returns how long the wait has lasted, the router's own moves included."""
        return max(self.snapshot.now - self.wait.key.began_at, timedelta())

    @lazy_value
    def in_listed_queue(self) -> bool:
        """Returns whether the queue is a standard queue of the directory: no agent's own, and none made since."""
        queue = self.snapshot.directory.queue(self.queue_id)
        return queue is not None and queue.agent_id is None

    @lazy_value
    def began_at(self) -> datetime:
        """Returns the earliest known instant of the chain: initiated, scheduled if later, or queued."""
        chain = self.chain_began_at
        began = self.contact.began_at if isinstance(chain, Unread) else chain
        return self.wait.key.began_at if began is None else min(began, self.wait.key.began_at)

    @lazy_value
    def chain_began_at(self) -> datetime | Unread:
        """Returns when the chain's first contact was initiated, or was scheduled for, if later.

        The contact itself shows it if it is the first one. The router's own moves show which contact is first if
        Connect's ids do not.
        """
        first_id = self.wait.chain_id
        if first_id == self.contact.id and self.contact.previous_id is None and self.contact.began_at is not None:
            return self.contact.began_at
        known = self.snapshot.read.origins.get(self.contact.id)
        need = Need(NeedKind.ORIGIN, self.contact.id, first_id)
        return Unread("when its chain began has not been read yet", need) if known is None else known

    @lazy_value
    def details(self) -> Details | Unread:
        """Returns the details as they were last read, or an ``Unread`` that names the need."""
        if self.contact.details is not None:
            return self.contact.details
        known = self.snapshot.read.details.get(self.contact.id)
        if known is not None:
            return known
        return Unread("DescribeContact has not been called", Need(NeedKind.DETAILS, self.contact.id))

    @property
    def pauses(self) -> Details | Unread:
        """Returns the details from which the pauses of the contact are known."""
        read = self.details
        if not isinstance(read, Unread):
            return read
        known = self.snapshot.read.pauses.get(self.contact.id)
        if known is not None:
            return known
        return Unread("whether it was paused has not been read yet", Need(NeedKind.PAUSES, self.contact.id))

    @property
    def earlier(self) -> tuple[Contact, ...] | Unread:
        """Returns the contacts that it came from, newest first."""
        if not self.has_past:
            return ()
        known = self.snapshot.read.pasts.get(self.contact.id)
        if known is not None:
            return known
        return Unread("the contacts that it came from have not been read yet", Need(NeedKind.PAST, self.contact.id))

    @lazy_value
    def visited(self) -> frozenset[QueueId] | Unread:
        """Returns the queues that this wait has been moved out of: by the ledger and, before it began, by Connect's
        records."""
        wait = self.wait
        if not self.has_past or not self._older_than_the_ledger:
            return wait.visited
        past = self.earlier
        return past if isinstance(past, Unread) else wait.visited | queues_before(wait.key.wait_id, self.contact, past)

    @property
    def _older_than_the_ledger(self) -> bool:
        """Returns whether the wait began before the ledger did, so that the router may have moved it without a
        record."""
        ledger, contact = self.snapshot.moves.ledger_began_at, self.contact
        began = contact.initiated_at if self.wait.key.wait_id == contact.id else None
        return ledger is not None and (began or self.wait.key.began_at) < ledger

    @property
    def has_past(self) -> bool:
        """Returns whether it came from another contact."""
        return self.wait.chain_id != self.contact.id or self.contact.previous_id is not None

    @property
    def transfers_behind(self) -> int | Unread:
        """Returns ``transfers``, or an ``Unread`` that names the need if they must be read first."""
        known = self.transfers
        if known is not None:
            return known
        return Unread("its transfers have not been counted yet", Need(NeedKind.TRANSFERS, self.contact.id))

    @property
    def transfers(self) -> int | Unread | None:
        """Returns the transfers that the chain has behind it; ``None`` if they must be read first.

        The first contact of a chain has none. The router's own moves count even if Connect's ids do not show them, and
        so do the transfers before them.
        """
        first = self.contact.previous_id is None and self.contact.initial_id in (None, self.contact.id)
        read = 0 if first else self.snapshot.read.transfers.get(self.contact.id)
        return max(read, self._recorded_transfers) if isinstance(read, int) else read

    @property
    def _recorded_transfers(self) -> int:
        moves = self.wait.chain_moves()
        return max((len(moves) - n + (move.first.transfers or 0) for n, move in enumerate(moves)), default=0)

    @property
    def transfers_allowed(self) -> int:
        """Returns the 11 transfers of a chain (API_TransferContact), less the reserve for people and flows."""
        return CHAIN_TRANSFERS - self.snapshot.limits.reserve_transfers


def queue_names(queue_id: QueueId, snapshot: Snapshot) -> tuple[str, ...]:
    """Returns the name and the id of a queue, or the id alone if no name is known."""
    name = snapshot.directory.queue_name(queue_id)
    return (name, queue_id) if name and name != queue_id else (queue_id,)


def detail(details: Details, key: str) -> Value | None:
    """Returns the value of a key that only DescribeContact has; ``None`` if the contact has none."""
    group, _, name = key.partition(".")
    if group == "attributes":
        return details.attributes.get(name)
    if group == "priority":
        return priority_of(details)
    if group == "task_template":
        names = (details.task_template, details.task_template_id)
        return tuple(one for one in names if one is not None) or None
    value: Value | None = getattr(details, key)
    return value


def priority_of(details: Details) -> int:
    """Returns the priority; a contact without one has the default."""
    return DEFAULT_PRIORITY if details.priority is None else details.priority


class _Values(dict[str, Value | None]):
    """Holds the values by match key, each computed when a rule first needs it.

    It does not refer to the waiting contact: the snapshot of each decision would wait for the garbage collector.
    """

    def __init__(self, contact: Contact, snapshot: Snapshot, details: Details | None) -> None:
        self._contact = contact
        self._snapshot = snapshot
        self._details = details

    def __missing__(self, key: str) -> Value | None:
        found = self[key] = self._value(key)
        return found

    def _value(self, key: str) -> Value | None:
        contact, (group, _, name) = self._contact, key.partition(".")
        match group:
            case "channel":
                return contact.channel.value
            case "queue":
                assert contact.queue_id is not None, "a waiting contact has a queue"
                return queue_names(contact.queue_id, self._snapshot)
            case "name":
                return contact.name
            case "initiation_method":
                return contact.initiation_method
            case "subtype":
                return contact.segment_attributes.get("connect:Subtype")
            case "segment_attributes":
                return contact.segment_attributes.get(name)
            case "tags":
                return contact.tags.get(name)
        if self._details is None:
            raise KeyError(key)
        return detail(self._details, key)
