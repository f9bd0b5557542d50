"""Writes the journal of a service that worked for some days, by its own decisions and the journal's own encoder.

Contacts arrive, wait, are answered, or are moved when their rule says so. There is no network and no waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from uuid import UUID

from router.decide.decide import Decided, decide
from router.decide.decision import RuleDecision, Transfer, Warn
from router.decide.snapshot import NEVER_PAUSED, Limits, LiveMetrics, ReadValues, RecordedMoves, Snapshot
from router.execute.result import Outcome, Result
from router.history.disclosure import Disclosure
from router.history.journal_encoder import JournalEncoder
from router.history.journal_files import JournalFiles
from router.model import (
    Action,
    ActionKind,
    Channel,
    Contact,
    ContactId,
    Directory,
    Flow,
    FlowId,
    FlowType,
    Landing,
    Queue,
    QueueId,
    QueueMetrics,
    Target,
)
from router.rules.bind import bind
from router.rules.load import parse_rules
from router.rules.rule import Mode
from router.search.due_times import NextDue

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUEUES = ("Billing", "Orders", "Returns", "General", "Overflow")
RULES = """
[defaults]
flow = "To queue"

[[rule]]
name = "urgent"
match = { queue = ["Billing", "Orders"], channel = "EMAIL" }
sla.target = "40m"
[[rule.step]]
at = "50%"
warn = "half of the time is gone"
[[rule.step]]
at = "breach"
to = [{ queue = "Overflow", slots_available = { min = 1 } }, { queue = "General" }]

[[rule]]
name = "late"
match.queue = ["Billing", "Orders", "Returns"]
sla.target = "1h"
guard.per_hour = 40
[[rule.step]]
at = "breach"
to = [{ queue = "Overflow", slots_available = { min = 1 } }]
[[rule.step]]
at = "breach + 30m"
to = [{ queue = "General" }]
"""


@dataclass
class GeneratedService:
    """Works through ``days`` with ``contacts`` contacts, and reports to the ``encoder`` what a service reports."""

    encoder: JournalEncoder
    files: JournalFiles
    days: float
    contacts: int
    random: Random
    poll: timedelta
    waiting: dict[ContactId, Contact] = field(default_factory=dict)
    histories: dict[ContactId, tuple[Action, ...]] = field(default_factory=dict)
    recent: deque[Action] = field(default_factory=deque)
    last: dict[tuple[str, timedelta], Target] = field(default_factory=dict)
    ends: dict[ContactId, datetime] = field(default_factory=dict)
    decisions: int = 0
    moves: int = 0

    def __post_init__(self) -> None:
        self.ruleset = parse_rules([("rules.toml", RULES.encode())])
        self.directory = Directory(
            queues=tuple(Queue(id=QueueId(f"{n:08}-queue"), name=name) for n, name in enumerate(QUEUES)),
            flows=(Flow(id=FlowId("flow"), name="To queue", type=FlowType.QUEUE_TRANSFER),),
        )
        self.ids = {queue.name: queue.id for queue in self.directory.queues}
        self.rules = bind(self.ruleset, self.directory, agents_known=True)
        self.ahead = NextDue(self.rules, self.directory)
        self.due: list[tuple[datetime, int, ContactId]] = []
        self.numbers = count(1)

    def run(self) -> None:
        arrivals = deque(self._arrivals())
        at, end, cycle = BEGIN, BEGIN + timedelta(days=self.days), 0
        while at < end:
            cycle += 1
            self._poll(at, cycle, arrivals)
            at += self.poll
        self.files.close()

    def _arrivals(self) -> Iterator[Contact]:
        seconds = sorted(self.random.uniform(0, self.days * 86400) for _ in range(self.contacts))
        for second in seconds:
            at = BEGIN + timedelta(seconds=round(second, 3))
            name = self.random.choice(QUEUES[:4])
            yield Contact(
                id=self._id(),
                channel=self.random.choice((Channel.TASK, Channel.EMAIL)),
                initiation_method="API",
                queue_id=self.ids[name],
                enqueued_at=at,
                initiated_at=at - timedelta(seconds=2),
            )

    def _id(self) -> ContactId:
        return ContactId(str(UUID(int=self.random.getrandbits(128))))

    def _poll(self, at: datetime, cycle: int, arrivals: deque[Contact]) -> None:
        if self.files.begins(at):
            why = "hour" if cycle > 1 else "start"
            self.files.begin(at)
            self.encoder.begin(at, why=why)
        for contact_id in [one for one, ends in self.ends.items() if ends <= at]:
            self.waiting.pop(contact_id)
            self.ends.pop(contact_id)
        fresh = []
        while arrivals and arrivals[0].enqueued_at <= at:
            fresh.append(arrivals.popleft())
            self._enter(fresh[-1], at)
        self.encoder.record_metrics(self._rows(), at)
        while self.recent and self.recent[0].decided_at <= at - HOUR:
            self.recent.popleft()
        due = {one.id: one for one in fresh}
        while self.due and self.due[0][0] <= at:
            contact = self.waiting.get(heappop(self.due)[2])
            due |= {} if contact is None else {contact.id: contact}
        if due:
            self._round(tuple(due.values()), at, cycle)
        self.encoder.record_cycle(tuple(self.waiting.values()), at, cycle)

    def _enter(self, contact: Contact, at: datetime) -> None:
        self.waiting[contact.id] = contact
        self.ends[contact.id] = at + timedelta(seconds=self.random.expovariate(1 / 2400))

    def _round(self, contacts: tuple[Contact, ...], at: datetime, cycle: int) -> None:
        waiting = self.waiting.values()
        others = {(one.queue_id, one.channel) for one in waiting}
        look = Snapshot(
            now=at,
            mode=Mode.ENFORCE,
            contacts=contacts,
            directory=self.directory,
            cycle=cycle,
            moves=RecordedMoves(
                histories={one.id: self.histories[one.id] for one in contacts if one.id in self.histories},
                recent=tuple(self.recent),
                last_targets=dict(self.last),
                ledger_began_at=BEGIN,
            ),
            limits=Limits(),
            occupied_by_others=frozenset(others),
        )
        decided = decide(look, self.rules)
        for _ in range(5):
            if not decided.needs:
                break
            rows = self._rows()
            ids = frozenset(self.ids.values())
            look = replace(look, read=ReadValues(metrics=LiveMetrics(rows=rows, queues_read=ids)))
            pauses = {one.id: NEVER_PAUSED for one in contacts}
            look = replace(look, read=replace(look.read, pauses=pauses))
            decided = decide(look, self.rules)
        self.decisions += len(contacts)
        self.encoder.record_round(look, decided, self.rules, self.ruleset)
        self._act(decided, at, cycle)
        for account in decided.accounts.values():
            if account.wait is not None and account.contact.id in self.waiting:
                then, each_poll = self.ahead.next_decision(account, at)
                again = at + self.poll if each_poll else then
                heappush(self.due, (again, next(self.numbers), account.contact.id))

    def _act(self, decided: Decided, at: datetime, cycle: int) -> None:
        results = []
        for decision in decided.decisions:
            if isinstance(decision, Transfer | Warn):
                action = self._action(decision, at, cycle)
                self.histories[decision.contact.id] = (*self.histories.get(decision.contact.id, ()), action)
                results.append(Result(decision=decision, outcome=Outcome.DONE, action=action))
                if isinstance(decision, Transfer):
                    self._move(decision, action, at)
        if results:
            self.encoder.record_results(results, at)

    def _action(self, decision: RuleDecision, at: datetime, cycle: int) -> Action:
        moves = isinstance(decision, Transfer)
        return Action(
            id=next(self.numbers),
            kind=ActionKind.TRANSFER if moves else ActionKind.WARN,
            wait=decision.wait,
            chain_id=decision.chain_id,
            contact_id=decision.contact.id,
            queue_id=decision.contact.queue_id,
            enqueued_at=decision.contact.enqueued_at,
            rule=decision.rule,
            step=decision.step,
            at=decision.at,
            first=decision.first,
            revision=self.rules.revision,
            fingerprint=decision.fingerprint,
            cycle=cycle,
            decided_at=at,
            target=decision.target if moves else None,
            channel=decision.contact.channel,
        )

    def _move(self, decision: Transfer, action: Action, at: datetime) -> None:
        old = self.waiting.pop(decision.contact.id)
        self.ends.pop(old.id)
        landed = at + timedelta(seconds=3)
        new = replace(
            old,
            id=self._id(),
            initial_id=old.chain_id,
            previous_id=old.id,
            queue_id=decision.target.queue_id,
            enqueued_at=landed,
            initiated_at=landed,
        )
        action = replace(
            action,
            new_contact_id=new.id,
            landing=Landing.QUEUED,
            landed_at=landed,
            landed_queue_id=new.queue_id,
            landed_enqueued_at=landed,
        )
        self.histories[new.id] = (*self.histories.pop(old.id)[:-1], action)
        self.recent.append(action)
        self.last[decision.rule, decision.at] = decision.target
        self.moves += 1
        self._enter(new, at)
        heappush(self.due, (at + self.poll, next(self.numbers), new.id))

    def _rows(self) -> dict[tuple[QueueId, Channel], QueueMetrics]:
        """Returns metrics that change as those of a live queue do: free slots some times a minute."""
        if self.random.random() < 0.3 or not hasattr(self, "rows"):
            self.rows = {
                (queue_id, channel): QueueMetrics(
                    slots_available=max(self.random.randrange(-2, 5), 0), agents_staffed=4, contacts_in_queue=3
                )
                for queue_id in self.ids.values()
                for channel in (Channel.TASK, Channel.EMAIL)
            }
        return self.rows


def generate(
    folder: Path, *, days: float, contacts: int, poll: timedelta = timedelta(seconds=15), seed: int = 1
) -> GeneratedService:
    """Writes the journal of so many days into the folder."""
    files = JournalFiles(folder, timedelta(days=9999))
    encoder = JournalEncoder(
        write=files.write,
        disclosure=Disclosure(),
        origin={"version": "bench", "instance": "bench", "poll_s": poll.total_seconds(), "ids": "plain"},
    )
    service = GeneratedService(encoder, files, days, contacts, Random(seed), poll)
    service.run()
    return service
