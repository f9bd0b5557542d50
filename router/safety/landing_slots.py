"""Counts the moved contacts of each flow that have not landed: a move needs a landing slot before it is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime
from threading import Condition

from router.model import Action, ContactId, FlowId, Landing


class LandingSlots:
    """Holds ``limit`` landing slots per flow; thread-safe. At the start the taken ones are read from the ledger.

    A slot belongs to a contact, so that freeing it twice does no harm. It is taken before the intent is written, and
    freed when the contact has landed or the intent is settled without effect. An open intent retains it.
    """

    def __init__(self, limit: int, monotonic: Callable[[], float]) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._taken: defaultdict[FlowId, set[ContactId]] = defaultdict(set)
        self._strays: defaultdict[FlowId, set[ContactId]] = defaultdict(set)
        self._forgiven: dict[FlowId, datetime] = {}
        self._changed = Condition()
        self._closed = False

    def reset(self, actions: Collection[Action]) -> None:
        """Counts again: of these actions, each open intent and each move that has not landed takes a slot."""
        with self._changed:
            self._taken.clear()
            self._strays.clear()
            for action in actions:
                if action.target is None or self._is_forgiven(action):
                    continue
                if action.open or (action.landing is not None and action.landing.unlanded):
                    self._taken[action.target.flow_id].add(action.contact_id)
                if action.landing is Landing.STRAY:
                    self._strays[action.target.flow_id].add(action.contact_id)
            self._changed.notify_all()

    def take(self, flow: FlowId, contact_id: ContactId) -> bool:
        """Takes a slot for the contact; returns whether there was one."""
        with self._changed:
            if self._closed or len(self._taken[flow]) >= self._limit:
                return False
            self._taken[flow].add(contact_id)
            return True

    def free(self, flow: FlowId, contact_id: ContactId) -> None:
        """Frees the contact's slot, if it has one."""
        with self._changed:
            self._taken[flow].discard(contact_id)
            self._strays[flow].discard(contact_id)
            self._changed.notify_all()

    def stray(self, flow: FlowId, contact_id: ContactId) -> None:
        """Records that the contact is a stray: its slot stays taken until it ends."""
        with self._changed:
            self._strays[flow].add(contact_id)
            self._changed.notify_all()

    def forgive(self, flow: FlowId, at: datetime) -> int:
        """Frees the slots of strays that were moved until then; returns how many there are."""
        with self._changed:
            self._forgiven[flow] = at
            strays = self._strays.pop(flow, set())
            self._taken[flow] -= strays
            self._changed.notify_all()
            return len(strays)

    def _is_forgiven(self, action: Action) -> bool:
        at = self._forgiven.get(action.target.flow_id) if action.target is not None else None
        return at is not None and action.landing is Landing.STRAY and (action.settled_at or action.decided_at) <= at

    def taken(self, flow: FlowId) -> int:
        """Returns how many slots of the flow are taken."""
        with self._changed:
            return len(self._taken[flow])

    def await_one(self, flows: Collection[FlowId], *, until: float | None) -> bool:
        """Waits until one of the flows has a free slot.

        Returns ``False`` if ``until`` (monotonic seconds) is reached first, or the service stops. It also returns
        ``False`` if strays have all slots, because no caller waits for those.
        """
        with self._changed:
            while not self._closed:
                if any(len(self._taken[flow]) < self._limit for flow in flows):
                    return True
                left = None if until is None else until - self._monotonic()
                if (left is not None and left <= 0) or all(len(self._strays[flow]) >= self._limit for flow in flows):
                    return False
                self._changed.wait(left)
            return False

    def close(self) -> None:
        """Ends every wait, because the service stops."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
