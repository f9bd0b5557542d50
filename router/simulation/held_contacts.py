"""Finds the held contacts on which a poll has to decide again, because something that could end their hold changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from router.decide.decision import Hold
from router.model import METRICS, Channel, HoldReason, QueueId, QueueMetrics
from router.rules.bound import BoundEntry
from router.simulation.centre import Seconds
from router.simulation.simulated_router import SimulatedRouter
from router.simulation.wait_record import SimulatedContact

OTHER_HOLDS: Seconds = 60.0
"""How often a contact is decided on again that anything else than its destinations holds."""
LASTING = frozenset(
    {
        HoldReason.UNRESOLVED,
        HoldReason.EXCLUDED,
        HoldReason.CLOSED,
        HoldReason.MAX_TRANSFERS,
        HoldReason.TRANSFER_BUDGET,
        HoldReason.UNREADABLE,
    }
)
"""The holds that nothing ends in a simulation, except that the next step falls due or the hours open."""

_Watched = tuple[QueueId, Channel, str, int]
"""A metric of a queue and channel, and +1 if more of it may end a hold, -1 if less of it may."""


@dataclass(slots=True)
class _Group:
    """Holds contacts that wait for the same destinations; ``seen`` are the figures when they were last decided on."""

    watched: tuple[_Watched, ...] | None
    seen: tuple[int, ...] = ()
    contacts: dict[SimulatedContact, None] = field(default_factory=dict)
    next_at: Seconds = 0.0


class HeldContacts:
    """Groups held contacts by the destinations that could end their hold.

    The service decides on all held contacts at each poll. Here a group is left out if its decisions would be the same.
    """

    def __init__(self, router: SimulatedRouter, figures: Callable[[QueueId, Channel], QueueMetrics]) -> None:
        self._router = router
        self._rules = {rule.name: rule for rule in router.rules.rules}
        self._figures = figures
        self._groups: dict[tuple[str, str, Channel], _Group] = {}
        self._group_of: dict[SimulatedContact, _Group] = {}
        self._planned = False

    def add(self, contact: SimulatedContact, hold: Hold, now: Seconds) -> None:
        if hold.reason in LASTING:
            return
        key = (hold.reason.value, hold.rule or "", contact.seen.channel)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(self._watched(hold, contact.seen.channel))
        if not group.contacts:
            group.seen = self._shown(group.watched or (), now)
            group.next_at = now if hold.reason is HoldReason.PER_CYCLE else now + OTHER_HOLDS
        group.contacts[contact] = None
        self._group_of[contact] = group

    def remove(self, contact: SimulatedContact) -> None:
        group = self._group_of.pop(contact, None)
        if group is not None:
            group.contacts.pop(contact, None)

    def next_poll(self, now: Seconds) -> Seconds | None:
        """Returns when the next poll has anything to decide, once for each; ``None`` if it is planned already or
        nothing is held."""
        if self._planned or not self._group_of:
            return None
        self._planned = True
        every = self._router.centre.poll_every
        held = [group for group in self._groups.values() if group.contacts]
        first = min(now if group.watched is not None else group.next_at for group in held)
        return (max(first - every, now) // every + 1) * every

    def polled(self) -> None:
        self._planned = False

    def changed(self, now: Seconds) -> list[SimulatedContact]:
        """Returns the contacts to decide on again."""
        found: list[SimulatedContact] = []
        for group in self._groups.values():
            if not group.contacts:
                continue
            if group.watched is None:
                if now >= group.next_at:
                    group.next_at = now + OTHER_HOLDS
                    found.extend(group.contacts)
                continue
            figures = self._shown(group.watched, now)
            if any(one > before for one, before in zip(figures, group.seen, strict=True)):
                found.extend(group.contacts)
            group.seen = figures
        return found

    def _watched(self, hold: Hold, channel: Channel) -> tuple[_Watched, ...] | None:
        """Returns the figures that can make a destination eligible; ``None`` if other things can, too."""
        rule = self._rules.get(hold.rule or "")
        if hold.reason is not HoldReason.NO_ELIGIBLE_DESTINATION or rule is None:
            return None
        entries = [entry for step in rule.to_steps for entry in step.entries]
        if any(not _is_by_counts(entry) for entry in entries):
            return None
        return tuple(dict.fromkeys(_watched_of(entries, channel)))

    def _shown(self, watched: Iterable[_Watched], now: Seconds) -> tuple[int, ...]:
        """Returns the figures as ``decide()`` corrects them: with the contacts that were just sent there."""
        known: dict[tuple[QueueId, Channel], tuple[QueueMetrics, int]] = {}
        found: list[int] = []
        for queue_id, channel, metric, sign in watched:
            key = (queue_id, channel)
            if key not in known:
                known[key] = self._figures(queue_id, channel), self._router.sent_to(queue_id, channel, now)
            metrics, sent = known[key]
            found.append(sign * (getattr(metrics, metric) + sent * _BY_A_MOVE[metric]))
        return tuple(found)


_BY_A_MOVE = {metric.name: metric.by_a_move or 0 for metric in METRICS}


def _is_by_counts(entry: BoundEntry) -> bool:
    """Returns whether only whole numbers decide on a destination: no agent, no hours, no time."""
    one = entry.entry
    by_time = one.shorter_wait or one.open is not None
    return (
        one.queue is not None
        and not by_time
        and not any(limit.metric.endswith(("age", "time")) for limit in one.limits)
    )


def _watched_of(entries: Iterable[BoundEntry], channel: Channel) -> Iterator[_Watched]:
    for entry in entries:
        for limit in entry.entry.limits:
            if entry.target is None or entry.target.queue_id is None:
                continue
            if limit.min is not None:
                yield entry.target.queue_id, channel, limit.metric, 1
            if limit.max is not None:
                yield entry.target.queue_id, channel, limit.metric, -1
