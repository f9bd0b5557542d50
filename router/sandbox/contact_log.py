"""Records every contact as it is and as it was. A lagging search index and lagging metrics read the past."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from router.sandbox.contacts import SandboxContact

KEPT = timedelta(minutes=15)
"""How far back, beyond the lag, the past can be read. The pages of one search need it: they show one moment."""


class ContactLog:
    """Holds all versions of all contacts. ``lag``: how far back the slowest reader looks. ``watch`` gets each change,
    and ``changes`` counts them."""

    def __init__(self, *, lag: timedelta = timedelta(0)) -> None:
        self.changes = 0
        self._keep = KEPT + lag
        self._versions: dict[str, list[tuple[datetime, SandboxContact]]] = {}
        self._chains: dict[str, list[str]] = defaultdict(list)
        self._waiting: dict[str, dict[str, None]] = defaultdict(dict)
        self._held: dict[str, dict[str, None]] = defaultdict(dict)
        self._open: dict[str, None] = {}
        self._ended: list[tuple[datetime, str]] = []
        self.watch: Callable[[SandboxContact | None, SandboxContact], object] = lambda before, after: None

    def put(self, contact: SandboxContact, at: datetime) -> SandboxContact:
        """Records the contact's new state, valid from ``at`` on."""
        self.changes += 1
        versions = self._versions.setdefault(contact.id, [])
        before = versions[-1][1] if versions else None
        if before is None:
            self._chains[contact.chain.root].append(contact.id)
        elif versions[-1][0] >= at:
            at = versions.pop()[0]
        versions.append((at, contact))
        self._prune(versions, at - self._keep)
        self._index(before, contact)
        self.watch(before, contact)
        return contact

    def get(self, contact_id: str) -> SandboxContact | None:
        versions = self._versions.get(contact_id)
        return versions[-1][1] if versions else None

    def at(self, contact_id: str, instant: datetime) -> SandboxContact | None:
        """Returns the contact as it was, ``None`` if it did not exist yet."""
        for at, contact in reversed(self._versions[contact_id]):
            if at <= instant:
                return contact
        return None

    def all_at(self, instant: datetime) -> Iterator[SandboxContact]:
        """Yields every contact that existed then, ended ones too."""
        return self._seen(list(self._versions), instant)

    def live_at(self, instant: datetime) -> Iterator[SandboxContact]:
        """Yields the contacts that had not ended then."""
        first = bisect.bisect_right(self._ended, (instant, "~"))
        candidates = [*self._open, *(contact_id for _, contact_id in self._ended[first:])]
        return (contact for contact in self._seen(candidates, instant) if not contact.ended)

    def chain(self, root: str) -> list[SandboxContact]:
        """Returns the contacts of the chain, first to last."""
        return [self._versions[contact_id][-1][1] for contact_id in self._chains[root]]

    def waiting(self, queue_id: str) -> list[SandboxContact]:
        """Returns the contacts that wait in the queue now, in no order."""
        return [self._versions[contact_id][-1][1] for contact_id in self._waiting[queue_id]]

    def held(self, agent_id: str) -> list[SandboxContact]:
        """Returns the contacts that the agent has now."""
        return [self._versions[contact_id][-1][1] for contact_id in self._held[agent_id]]

    def open(self) -> list[SandboxContact]:
        return [self._versions[contact_id][-1][1] for contact_id in self._open]

    def __len__(self) -> int:
        return len(self._versions)

    def _seen(self, contact_ids: list[str], instant: datetime) -> Iterator[SandboxContact]:
        for contact_id in contact_ids:
            contact = self.at(contact_id, instant)
            if contact is not None:
                yield contact

    def _index(self, before: SandboxContact | None, after: SandboxContact) -> None:
        if before is not None:
            if before.queued and before.queue_id:
                self._waiting[before.queue_id].pop(before.id, None)
            if before.with_agent and before.agent_id:
                self._held[before.agent_id].pop(before.id, None)
        if after.queued and after.queue_id:
            self._waiting[after.queue_id][after.id] = None
        if after.with_agent and after.agent_id:
            self._held[after.agent_id][after.id] = None
        if after.life.disconnected_at is None:
            self._open[after.id] = None
        elif self._open.pop(after.id, 0) is None:
            bisect.insort(self._ended, (after.life.disconnected_at, after.id))

    @staticmethod
    def _prune(versions: list[tuple[datetime, SandboxContact]], horizon: datetime) -> None:
        """Deletes the versions older than the horizon, except the newest of them."""
        stale = sum(at <= horizon for at, _ in versions)
        del versions[: max(stale - 1, 0)]
