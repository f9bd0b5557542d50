"""Builds the history of an example: where its contact has been, and what its rule has done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.model import Action, ActionKind, ContactId, Directory, FirstAct, FlowId, Landing, QueueId, Target, WaitKey
from router.prove.example_instance import queue_id_of
from router.rules.bound import BoundRule
from router.rules.example import Example
from router.rules.queue_index import could_match

CONTACT = ContactId("example")
ANOTHER_RULE = "(another rule)"
"""The rule that moved the contact if the example names visited queues and no progress of its rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Holds the past of an example's contact.

    ``clock`` is what the rule's clock shows; ``chain`` is true if that is the chain clock. ``sources`` are the queues
    that the wait was moved out of, oldest first; the rule itself moved it out of those from ``own`` on.
    """

    example: Example
    rule: BoundRule | None
    queue_id: QueueId
    now: datetime
    waited: timedelta
    clock: timedelta
    chain: bool
    sources: tuple[QueueId, ...]
    own: int

    @classmethod
    def of(cls, example: Example, rule: BoundRule | None, directory: Directory, now: datetime) -> Past:
        contact = example.contact
        visited = tuple(queue_id_of(name, directory) for name in contact.visited)
        progress = contact.progress if rule is not None else None
        chain = on_chain_clock(rule)
        if progress is not None and rule is not None and not visited:
            visited = (_source_of(rule, queue_id_of(contact.queue, directory), directory),)
        waited, clock = _times(contact.waited, age_of(example) if chain else contact.clock, progress)
        return cls(
            example=example,
            rule=rule,
            queue_id=queue_id_of(contact.queue, directory),
            now=now,
            waited=waited,
            clock=clock,
            chain=chain,
            sources=visited,
            own=_first_own(rule, visited, directory) if progress is not None and rule is not None else len(visited),
        )

    @property
    def enqueued_at(self) -> datetime:
        return self.now - self.waited

    @property
    def began_at(self) -> datetime:
        """Returns when the wait began: with the clock, or when a contact without moves entered its queue."""
        if self.chain and not self.sources:
            return self.enqueued_at
        return min(self.now - self.clock, self.enqueued_at)

    @property
    def chain_began_at(self) -> datetime:
        age = self.example.contact.age
        if self.chain:
            return min(self.now - self.clock, self.enqueued_at)
        return self.began_at if age is None else min(self.now - age, self.began_at)

    @property
    def wait(self) -> WaitKey:
        return WaitKey(self.segment(0), self.began_at)

    def segment(self, number: int) -> ContactId:
        """Returns the contact after so many moves; the last one is the contact that waits."""
        return CONTACT if number == len(self.sources) else ContactId(f"example-{number + 1}")

    def history(self) -> tuple[Action, ...]:
        """Returns the moves, and the rule's warnings and routing updates up to the last ``to`` step."""
        return (*self._without_transfer(), *(self._move(number) for number in range(len(self.sources))))

    def moves_of_others(self) -> tuple[Action, ...]:
        """Returns moves of other contacts by the rule, out of the same queue, in an earlier cycle."""
        if self.rule is None or not self.example.moved:
            return ()
        act = replace(self._act(0, rule=self.rule.name), queue_id=self.queue_id, cycle=-1, decided_at=self.now)
        return tuple(
            replace(act, chain_id=other, contact_id=other, wait=WaitKey(other, self.began_at))
            for other in (ContactId(f"another-{number}") for number in range(self.example.moved))
        )

    def _without_transfer(self) -> tuple[Action, ...]:
        """Returns the warning and routing update that must have acted: also a warning if the clock started in
        another queue."""
        warned = self.clock != self.waited and not self.chain
        if self.rule is None or not (warned or self.own < len(self.sources)):
            return ()
        done = self._act(min(self.own, max(len(self.sources) - 1, 0)), rule=self.rule.name)
        if self.own < len(self.sources):
            return replace(done, kind=ActionKind.WARN), replace(done, kind=ActionKind.ROUTING)
        return (replace(done, kind=ActionKind.WARN),)

    def _move(self, number: int) -> Action:
        """Returns one move, made when the contact entered the next queue; only the last one's instant is known."""
        share = (number + 1) / len(self.sources)
        at = self.began_at + (self.enqueued_at - self.began_at) * share
        to = self.sources[number + 1] if number + 1 < len(self.sources) else self.queue_id
        mine = self.rule is not None and number >= self.own
        rule = self.rule.name if self.rule is not None and mine else ANOTHER_RULE
        return replace(
            self._act(number, rule=rule),
            decided_at=at,
            settled_at=at,
            target=Target(flow_id=FlowId("example"), queue_id=to),
            new_contact_id=self.segment(number + 1),
            landing=Landing.QUEUED,
            landed_at=at,
            landed_queue_id=to,
            landed_enqueued_at=self.enqueued_at if number + 1 == len(self.sources) else at,
        )

    def _act(self, number: int, *, rule: str) -> Action:
        source = self.sources[number] if self.sources else self.queue_id
        return Action(
            kind=ActionKind.TRANSFER,
            wait=self.wait,
            chain_id=self.segment(0),
            contact_id=self.segment(number),
            queue_id=source,
            enqueued_at=self.began_at,
            rule=rule,
            step=0,
            at=self.example.contact.progress or timedelta(),
            first=self._first_seen(),
            revision="example",
            fingerprint="example",
            cycle=0,
            decided_at=self.began_at,
        )

    def _first_seen(self) -> FirstAct:
        contact, first = self.example.contact, min(self.own, max(len(self.sources) - 1, 0))
        return FirstAct(
            clock_started_at=self.now - self.clock,
            queue_id=self.sources[first] if self.sources else self.queue_id,
            waited=contact.progress or self.waited,
            initiation_method=contact.initiation_method,
            priority=contact.priority,
            transfers=max((contact.transfers or 0) - (len(self.sources) - first), first),
        )


def on_chain_clock(rule: BoundRule | None) -> bool:
    return rule is not None and rule.rule.sla.clock == "chain"


def age_of(example: Example) -> timedelta | None:
    """Returns what the chain clock shows, because an example's hours of operation have been open until now."""
    contact = example.contact
    return contact.age if contact.clock is None else contact.clock


def _times(
    waited: timedelta | None, clock: timedelta | None, progress: timedelta | None
) -> tuple[timedelta, timedelta]:
    """Returns the time in this queue and on the rule's clock, each from the other if it is not given.

    They are equal before the rule has moved the contact; after that the clock is ahead by the time of the move.
    """
    ahead = progress or timedelta()
    if waited is None:
        waited = max(clock - ahead, timedelta()) if clock is not None else timedelta()
    return waited, clock if clock is not None else waited + ahead


def _first_own(rule: BoundRule, visited: tuple[QueueId, ...], directory: Directory) -> int:
    """Returns the first queue in which the rule could have met the contact; another rule made the moves before."""
    met = (number for number, queue in enumerate(visited) if _meets(rule, queue, directory))
    return next(met, len(visited) - 1)


def _source_of(rule: BoundRule, queue_id: QueueId, directory: Directory) -> QueueId:
    """Returns a queue out of which the rule may have moved the contact."""
    others = (queue.id for queue in directory.queues if queue.id != queue_id)
    return next((other for other in others if _meets(rule, other, directory)), queue_id)


def _meets(rule: BoundRule, queue_id: QueueId, directory: Directory) -> bool:
    return could_match(rule.rule.condition, (directory.queue_name(queue_id) or queue_id, queue_id))
