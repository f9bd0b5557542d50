"""Joins one waiting contact with its wait and its snapshot, and answers what rules and guards ask about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from router.decide.snapshot import CHAIN_TRANSFERS, Snapshot
from router.decide.wait import Wait, queues_before
from router.model import Contact, Details, Need, NeedKind, QueueId
from router.rules.bound import Values
from router.rules.condition import Unread
from router.rules.value_test import Value


@dataclass(frozen=True)
class WaitingContact:
    contact: Contact
    wait: Wait
    snapshot: Snapshot

    @property
    def queue_id(self) -> QueueId:
        assert self.contact.queue_id is not None, "a waiting contact has a queue"
        return self.contact.queue_id

    @cached_property
    def values(self) -> Values:
        """What a search tells of it, by match key, as a rule sees it that has not acted on it."""
        return _Values(self)

    @property
    def lasted(self) -> timedelta:
        """How long the wait has waited, the router's own moves included."""
        return max(self.snapshot.now - self.wait.key.began_at, timedelta())

    @cached_property
    def in_listed_queue(self) -> bool:
        """Whether the queue is one of the instance's standard queues: an agent's own is not, nor is one that was made
        since the directory was read."""
        queue = self.snapshot.directory.queue(self.queue_id)
        return queue is not None and queue.agent_id is None

    @property
    def began_at(self) -> datetime:
        """The earliest that is known of the chain: when it was initiated, or scheduled for if later, or queued."""
        chain = self.chain_began_at
        known = (self.contact.began_at if isinstance(chain, Unread) else chain, self.wait.key.began_at)
        return min(at for at in known if at is not None)

    @cached_property
    def chain_began_at(self) -> datetime | Unread:
        """When the chain's first contact was initiated, or was scheduled for, if later. The contact itself tells it
        where it is the first; which one is, the router's own moves tell where Connect's ids do not."""
        first_id = self.wait.chain_id
        if first_id == self.contact.id and self.contact.previous_id is None and self.contact.began_at is not None:
            return self.contact.began_at
        need = Need(NeedKind.ORIGIN, self.contact.id, first_id)
        return self.snapshot.read.origins.get(
            self.contact.id, Unread("when its chain began has not been read yet", need)
        )

    @property
    def details(self) -> Details | Unread:
        """Returns the details as they were last read, or an ``Unread`` that names the need."""
        if self.contact.details is not None:
            return self.contact.details
        unread = Unread("DescribeContact has not been asked", Need(NeedKind.DETAILS, self.contact.id))
        return self.snapshot.read.details.get(self.contact.id, unread)

    @property
    def pauses(self) -> Details | Unread:
        """When it was paused."""
        read = self.details
        if not isinstance(read, Unread):
            return read
        unread = Unread("whether it was paused has not been read yet", Need(NeedKind.PAUSES, self.contact.id))
        return self.snapshot.read.pauses.get(self.contact.id, unread)

    @property
    def earlier(self) -> tuple[Contact, ...] | Unread:
        """The contacts that it came from, newest first."""
        if not self.has_past:
            return ()
        unread = Unread("the contacts that it came from have not been read yet", Need(NeedKind.PAST, self.contact.id))
        return self.snapshot.read.pasts.get(self.contact.id, unread)

    @cached_property
    def visited(self) -> frozenset[QueueId] | Unread:
        """The queues that this wait has been moved out of: by the ledger and, before it began, by Connect's records."""
        wait = self.wait
        if not self.has_past or not self._older_than_the_ledger:
            return wait.visited
        past = self.earlier
        return past if isinstance(past, Unread) else wait.visited | queues_before(wait.key.wait_id, self.contact, past)

    @property
    def _older_than_the_ledger(self) -> bool:
        """Whether the wait goes back to a time that the ledger knows nothing of: what came before its first contact may
        have been the router's doing."""
        ledger, contact = self.snapshot.moves.ledger_began_at, self.contact
        began = contact.initiated_at if self.wait.key.wait_id == contact.id else None
        return ledger is not None and (began or self.wait.key.began_at) < ledger

    @property
    def has_past(self) -> bool:
        """Whether it came from another contact."""
        return self.wait.chain_id != self.contact.id or self.contact.previous_id is not None

    @property
    def transfers_behind(self) -> int | Unread:
        """As ``transfers``; an ``Unread`` that says what to read where that must be read first."""
        unread = Unread("its transfers have not been counted yet", Need(NeedKind.TRANSFERS, self.contact.id))
        return unread if self.transfers is None else self.transfers

    @property
    def transfers(self) -> int | Unread | None:
        """Transfers that the chain has behind it; ``None`` where that must be read first.

        The first contact of a chain has none. The router's own moves count even where Connect's ids do not show them,
        and so does what was behind the chain when they were made.
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
        """Connect allows 11 a chain, whoever makes them (API_TransferContact); some are kept for people and flows."""
        return CHAIN_TRANSFERS - self.snapshot.limits.reserve_transfers


class _Values(dict[str, Value | None]):
    def __init__(self, waiting: WaitingContact) -> None:
        self._wait = waiting

    def __missing__(self, key: str) -> Value | None:
        found = self[key] = self._told(key)
        return found

    def _told(self, key: str) -> Value | None:
        waiting, (group, _, name) = self._wait, key.partition(".")
        contact = waiting.contact
        if group == "tags":
            return contact.tags.get(name)
        if group == "segment_attributes":
            return contact.segment_attributes.get(name)
        match key:
            case "channel":
                return contact.channel.value
            case "queue":
                named = waiting.snapshot.directory.queue_name(waiting.queue_id)
                return (named, waiting.queue_id) if named and named != waiting.queue_id else (waiting.queue_id,)
            case "name":
                return contact.name
            case "initiation_method":
                return contact.initiation_method
            case "subtype":
                return contact.segment_attributes.get("connect:Subtype")
        raise KeyError(key)
