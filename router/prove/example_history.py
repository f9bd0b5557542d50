"""What an example says was before: where its contact has been, and what its rule has done."""

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
"""Who moved the contact, where the example names queues that it has been in and no progress of its rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was before. ``clock`` is the rule's, which is of its ``chain`` or of the queue. ``sources`` are the queues
    that the wait was moved out of, oldest first, of which the rule itself moved it out of those from ``own`` on."""

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
        """When the wait did: with the clock, or as the contact, never moved, entered the queue it is in."""
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
        """The contact before its first move is segment 0, and the one that is seen is the last."""
        return CONTACT if number == len(self.sources) else ContactId(f"example-{number + 1}")

    def history(self) -> tuple[Action, ...]:
        """The moves, and what else the rule has done by then: its bumps and warnings up to the last ``to`` step."""
        return (*self._without_transfer(), *(self._move(number) for number in range(len(self.sources))))

    def lately(self) -> tuple[Action, ...]:
        """Moves of other contacts by the rule, out of the queue that the contact is in, in an earlier cycle."""
        if self.rule is None:
            return ()
        act = replace(self._act(0, rule=self.rule.name), queue_id=self.queue_id, cycle=-1, decided_at=self.now)
        return tuple(
            replace(act, chain_id=other, contact_id=other, wait=WaitKey(other, self.began_at))
            for other in (ContactId(f"another-{number}") for number in range(self.example.moved))
        )

    def _without_transfer(self) -> tuple[Action, ...]:
        """A clock that started in another queue, though no ``to`` step has acted, says that a warning has."""
        if self.rule is None:
            return ()
        done = self._act(min(self.own, max(len(self.sources) - 1, 0)), rule=self.rule.name)
        if self.own < len(self.sources):
            return replace(done, kind=ActionKind.WARN), replace(done, kind=ActionKind.ROUTING)
        warned = self.clock != self.waited and not self.chain
        return (replace(done, kind=ActionKind.WARN),) if warned else ()

    def _move(self, number: int) -> Action:
        """One move, made as the contact entered the next queue; only the last is known to the instant."""
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
    """What the chain clock shows: hours of operation are open in an example until now."""
    contact = example.contact
    return contact.age if contact.clock is None else contact.clock


def _times(
    waited: timedelta | None, clock: timedelta | None, progress: timedelta | None
) -> tuple[timedelta, timedelta]:
    """The time in this queue and what the rule's clock shows, each from the other where one is not given: the same,
    before the rule has moved the contact; after that the clock is ahead by the time at which it did."""
    ahead = progress or timedelta()
    if waited is None:
        waited = max(clock - ahead, timedelta()) if clock is not None else timedelta()
    return waited, clock if clock is not None else waited + ahead


def _first_own(rule: BoundRule, visited: tuple[QueueId, ...], directory: Directory) -> int:
    """The first of the queues in which the rule could have met the contact: what was before, another rule did."""
    met = (number for number, queue in enumerate(visited) if _meets(rule, queue, directory))
    return next(met, len(visited) - 1)


def _source_of(rule: BoundRule, queue_id: QueueId, directory: Directory) -> QueueId:
    """A queue out of which the rule may have moved the contact to where it is."""
    others = (queue.id for queue in directory.queues if queue.id != queue_id)
    return next((other for other in others if _meets(rule, other, directory)), queue_id)


def _meets(rule: BoundRule, queue_id: QueueId, directory: Directory) -> bool:
    return could_match(rule.rule.condition, (directory.queue_name(queue_id) or queue_id, queue_id))
