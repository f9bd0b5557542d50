"""Counts the moved contacts of each flow that have not landed: a move needs a landing slot before it is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil
from threading import Condition

from router.model import Action, ContactId, FlowId, Landing

SPARE = 2.0
"""A flow gets twice the landing slots that it needs on average, because contacts do not land at regular intervals."""
WEIGHT = 1 / 8
"""The weight of the last landing in the mean time."""


@dataclass(slots=True)
class FlowSlots:
    """Holds the landing slots of one flow: their number, and the monotonic time since which each contact has one.

    The time is ``None`` if an earlier process took the slot. ``seconds`` is the mean time from taking a slot to the
    landing, ``None`` before the first landing and after a stray. ``refuses``: it refused a contact, and has not been
    reopened.
    """

    limit: int
    taken: dict[ContactId, float | None] = field(default_factory=dict)
    strays: set[ContactId] = field(default_factory=set)
    seconds: float | None = None
    refuses: bool = False

    @property
    def is_full(self) -> bool:
        return len(self.taken) >= self.limit

    @property
    def can_reopen(self) -> bool:
        return self.refuses and not self.is_full

    def free(self, contact_id: ContactId) -> float | None:
        """Frees the contact's slot; returns since when it had the slot, ``None`` if that is unknown, or for a stray."""
        since = self.taken.pop(contact_id, None)
        if contact_id in self.strays:
            self.strays.discard(contact_id)
            return None
        return since

    def learn(self, took: float, *, rate: float, start: int, most: int) -> None:
        """Adds one slot after a landing, up to the need at ``rate`` moves a second (Little's law)."""
        self.seconds = took if self.seconds is None else self.seconds + WEIGHT * (took - self.seconds)
        need = ceil(SPARE * rate * self.seconds)
        self.limit = max(start, min(self.limit + 1, need, most))


class LandingSlots:
    """Holds the landing slots of each flow; thread-safe. At the start the taken ones are read from the ledger.

    A slot belongs to a contact, so that freeing it twice does no harm. It is taken before the intent is written, and
    freed when the contact has landed or the intent is settled without effect. An open intent retains it.

    A flow begins with ``start`` slots, and gets one more with each landing. It never gets more than the flow's own
    landing time needs at ``rate`` moves a second, nor more than ``most``. A stray takes the flow back to ``start``. A
    flow that has never landed a contact therefore stops after ``start`` moves.

    A flow that has refused a contact gives no slot to another one before ``reopen``, because that one may be less
    urgent.
    """

    def __init__(
        self, start: int, monotonic: Callable[[], float], *, most: int = 0, rate: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._start = start
        self._most = most
        self._rate = rate
        self._monotonic = monotonic
        self._flows: defaultdict[FlowId, FlowSlots] = defaultdict(lambda: FlowSlots(start))
        self._forgiven: dict[FlowId, datetime] = {}
        self._changed = Condition()
        self._closed = False

    def reset(self, actions: Collection[Action]) -> None:
        """Counts again: of these actions, each open intent and each move that has not landed takes a slot.

        Every flow begins again with the slots of a start.
        """
        with self._changed:
            self._flows.clear()
            for action in actions:
                if action.target is None or self._is_forgiven(action):
                    continue
                flow = self._flows[action.target.flow_id]
                if action.open or (action.landing is not None and action.landing.unlanded):
                    flow.taken[action.contact_id] = None
                if action.landing is Landing.STRAY:
                    flow.strays.add(action.contact_id)
            self._changed.notify_all()

    def take(self, flow: FlowId, contact_id: ContactId) -> bool:
        """Takes a slot for the contact; returns whether there was one."""
        with self._changed:
            slots = self._flows[flow]
            slots.refuses = slots.refuses or slots.is_full
            if self._closed or slots.refuses:
                return False
            slots.taken[contact_id] = self._monotonic()
            return True

    def can_reopen(self) -> bool:
        """Returns whether a flow that refused a contact has a free slot again."""
        with self._changed:
            return any(slots.can_reopen for slots in self._flows.values())

    def reopen(self) -> bool:
        """Lets flows with a free slot give slots again after they refused a contact; returns whether there are any.

        The caller tries all contacts again that were refused, the most urgent first.
        """
        with self._changed:
            found = [slots for slots in self._flows.values() if slots.can_reopen]
            for slots in found:
                slots.refuses = False
            return bool(found)

    def free(self, flow: FlowId, contact_id: ContactId, *, landed: bool = False) -> None:
        """Frees the contact's slot, if it has one. With ``landed`` the contact has reached a destination in time."""
        with self._changed:
            slots = self._flows[flow]
            since = slots.free(contact_id)
            if landed and since is not None:
                took = self._monotonic() - since
                slots.learn(took, rate=self._rate(), start=self._start, most=self._most)
            self._changed.notify_all()

    def stray(self, flow: FlowId, contact_id: ContactId) -> None:
        """Records that the contact is a stray: its slot stays taken until it ends, and the flow learns again."""
        with self._changed:
            slots = self._flows[flow]
            slots.strays.add(contact_id)
            slots.limit, slots.seconds = self._start, None
            self._changed.notify_all()

    def forgive(self, flow: FlowId, at: datetime) -> int:
        """Frees the slots of strays that were moved until then; returns how many there are."""
        with self._changed:
            self._forgiven[flow] = at
            strays = tuple(self._flows[flow].strays)
            for contact_id in strays:
                self._flows[flow].free(contact_id)
            self._changed.notify_all()
            return len(strays)

    def _is_forgiven(self, action: Action) -> bool:
        at = self._forgiven.get(action.target.flow_id) if action.target is not None else None
        return at is not None and action.landing is Landing.STRAY and (action.settled_at or action.decided_at) <= at

    def taken(self, flow: FlowId) -> int:
        """Returns how many slots of the flow are taken."""
        with self._changed:
            return len(self._flows[flow].taken)

    def now(self) -> dict[FlowId, FlowSlots]:
        """Returns a copy of the slots of each flow that was used since the start."""
        with self._changed:
            return {flow: replace(slots, taken=dict(slots.taken)) for flow, slots in self._flows.items()}

    def await_one(self, flows: Collection[FlowId], *, until: float | None) -> bool:
        """Waits until one of the flows has a free slot.

        Returns ``False`` if ``until`` (monotonic seconds) is reached first, or the service stops. It also returns
        ``False`` if strays have all slots, because no caller waits for those.
        """
        with self._changed:
            while not self._closed:
                slots = [self._flows[flow] for flow in flows]
                if not all(one.is_full for one in slots):
                    return True
                left = None if until is None else until - self._monotonic()
                if (left is not None and left <= 0) or all(len(one.strays) >= one.limit for one in slots):
                    return False
                self._changed.wait(left)
            return False

    def close(self) -> None:
        """Ends every wait, because the service stops."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
