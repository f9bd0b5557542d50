"""Runs one contact centre in which routers die again and again, and judges them by its own record in the end."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from router.daemon.router import Router
from router.sandbox import Behaviours, EventTraps
from tests.chaos.crash import POINTS, Crash, Plan, bury, mortal
from tests.e2e.centre import Centre, open_centre

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
CONTACTS = 8

RULES = """
[defaults]
flow = "Overflow to queue"
guard = { cooldown = "0s" }

[[rule]]
name = "late"
match.queue = "Billing"
sla.target = "1h"
[[rule.step]]
at = "30m"
routing = { priority = 2 }
[[rule.step]]
at = "breach"
to = [{ queue = "Billing Overflow" }]
[[rule.step]]
at = "breach + 1h"
to = [{ queue = "General" }]
"""

CONNECTS = (
    Behaviours(),
    Behaviours(answer_id="old"),
    Behaviours(transfer="same_contact"),
    Behaviours(repeated_token="refused"),
    Behaviours(repeated_token="unknown"),
    Behaviours(new_segment_initial_id="lost", new_segment_previous_id="lost"),
    Behaviours(index_lag=30 * SECOND),
    Behaviours(not_exists="ignored", queue_info="arn"),
    Behaviours(not_exists="refused", throttle_code="TooManyRequestsException", error_bodies="empty"),
    Behaviours(answer_id="old", repeated_token="unknown", new_segment_previous_id="lost"),
)
"""Answers to what AWS leaves open that matter to who was moved."""

TRAPS = EventTraps(lost=0.05, doubled=0.05, delay=30 * SECOND)
POLL_S = 60.0
"""Seconds: a poll of a trial ends when it has nothing left to do."""

SETTLES_WITHIN = 10 * MINUTE


@dataclass(kw_only=True)
class Toll:
    """Counts what the trial led to. The four of ``wrong`` must be empty."""

    kills: int = 0
    at: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    inside: int = 0
    traceless: int = 0
    """Of those inside the window, taken in a Connect that retains the id and forgets the agent: nobody could see it."""
    unreported: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, list[str]]:
        named = {
            "moved twice": self.twice,
            "lost": self.lost,
            "taken from an agent who had accepted before the last reading was answered": self.taken,
            "intents without outcome": self.unsettled,
            "taken inside the reading's window and not reported": self.unreported,
        }
        return {name: found for name, found in named.items() if found}

    def add(self, other: Toll) -> None:
        self.kills += other.kills
        self.at.update(other.at)
        self.moved += other.moved
        self.inside += other.inside
        self.traceless += other.traceless
        for mine, theirs in (
            (self.twice, other.twice),
            (self.lost, other.lost),
            (self.taken, other.taken),
            (self.unsettled, other.unsettled),
            (self.unreported, other.unreported),
        ):
            mine.extend(theirs)


def trial(folder: Path, seed: int, kills: int, *, events: bool = False) -> Toll:
    """Runs so many deaths in one centre, and then a router that lives. With ``events`` the routers know of contacts
    from events, of which some are lost, doubled, late and out of order."""
    chance = random.Random(seed)
    behaviours = CONNECTS[seed % len(CONNECTS)]
    traps = TRAPS if events else None
    with open_centre(folder, behaviours, events=traps) as centre, capture_logs() as told:
        os.environ["AWS_ENDPOINT_URL_CONNECT"] = centre.sandbox.endpoint
        run = _Trial(centre, chance, f"seed {seed}")
        for _ in range(kills):
            run.die()
        run.live()
        return run.toll(told)


class _Trial:
    def __init__(self, centre: Centre, chance: random.Random, name: str) -> None:
        self.centre, self.chance, self.name = centre, chance, name
        self.contacts: dict[str, str] = {}
        self.accepted: dict[str, datetime] = {}
        self.read: dict[str, datetime] = {}
        self.tolls = Toll()
        centre.sandbox.after("DescribeContact", self._note_reading)
        self.basis: dict[str, datetime] = {}
        self.events = centre.sandbox.queue is not None
        centre.sandbox.before("TransferContact", self._before_transfer)

    @property
    def world(self) -> Any:
        return self.centre.sandbox.world

    def _note_reading(self, params: Any) -> None:
        self.read[params["ContactId"]] = self.centre.clock.now()

    def _before_transfer(self, params: Any) -> None:
        """Reads what the call rests on. Now and then an agent accepts between the two: Connect has no
        conditional transfer."""
        contact_id = params["ContactId"]
        latest = self.world.contact(contact_id)
        if contact_id in self.read and not latest.ended:
            self.basis[contact_id] = self.read[contact_id]
        if self.chance.random() < 0.03:
            self._accept(contact_id)

    def _accept(self, contact_id: str) -> None:
        contact = self.world.contact(contact_id)
        if not contact.ended and contact.agent_id is None and contact.queue_id is not None:
            try:
                self.world.accept(contact_id, "supervisor.one")
            except Exception:
                return  # no free slot, or paused
            self.accepted[contact_id] = self.centre.clock.now()

    def _arrive(self) -> None:
        while sum(self._waits(one) for one in self.contacts) < CONTACTS:
            waited = timedelta(minutes=self.chance.uniform(20, 80))
            channel = self.chance.choice(("TASK", "EMAIL"))
            contact = self.world.enqueue(channel, "Billing", waited=waited)
            self.contacts[contact] = contact

    def _waits(self, contact_id: str) -> bool:
        return bool(self.world.queue_of(self.world.latest(contact_id).id) == "Billing")

    def _faults(self) -> None:
        faults = self.world.faults
        faults.clear()
        for kind in self.chance.sample(
            ["throttle", "timeout_after", "reset_after", "reset_before", "error_500", "garbage"], 2
        ):
            operation = self.chance.choice(["TransferContact", "DescribeContact", "UpdateContactRoutingData"])
            delay = timedelta(milliseconds=20) if kind.startswith("timeout") else timedelta()
            faults.add(kind, operation, probability=0.3, count=3, delay=delay)

    def _router(self, **overrides: Any) -> Router:
        queue: dict[str, Any] = {"events.queue": self.centre.sandbox.queue_url} if self.events else {}
        return self.centre.router(RULES, **overrides, **queue)

    def _cycle(self, app: Router, *, arrive: bool = True) -> None:
        """Runs a cycle as ``run --once``, or with events as the service does; contacts then arrive before it too."""
        if not self.events:
            app.cycle.run(until=None)
            return
        if arrive:
            self._arrive()
        self.centre.drain(app)
        app.acting.poll(until=app.clock.monotonic() + POLL_S, every=15 * SECOND)
        for _ in range(3):
            app.acting._step()

    def die(self) -> None:
        """Runs one life: from its start to the point at which it dies, or to its end if that is never reached."""
        self._arrive()
        self._faults()
        plan = Plan(self.chance.choice(POINTS), self.chance.choice((1, 1, 2, 3)))
        hasty: dict[str, Any] = {"execute.retry.attempts": 2, "execute.retry.max_delay": "1s"}
        app = self._router(**hasty)
        self.centre.disown(app)
        mortal(app, plan)
        try:
            for _ in range(3):
                self._cycle(app)
                self.centre.clock.travel(self.chance.choice((SECOND, 20 * SECOND, 4 * MINUTE)))
                app.follower.look()
                if plan.dead:
                    break
                if self.chance.random() < 0.3 and self.contacts:
                    self._accept(self.world.latest(self.chance.choice(list(self.contacts))).id)
        except Crash:
            pass
        finally:
            reached = plan.dead
            bury(app, plan)
        if reached:
            self.tolls.kills += 1
            self.tolls.at[str(plan.point)] += 1

    def live(self) -> None:
        """Clears the faults, and leaves more than ten minutes to settle what is open."""
        self.world.faults.clear()
        app = self._router()
        for _ in range(14):
            self._cycle(app, arrive=False)
            for _ in range(4):
                self.centre.clock.travel(15 * SECOND)
                app.follower.look()
        self.tolls.unsettled = [f"{self.name}: {one.contact_id}" for one in app.ledger.open_intents()]
        self.holds = {
            decision.contact.id
            for account in app.acting.waiting_list.accounts.values()
            for decision in account.decisions
        }  # fmt: skip

    def toll(self, told: Any) -> Toll:
        toll, transfers = self.tolls, self.world.transfers
        toll.moved = len(transfers)
        steps = Counter((self._first(move.contact_id), move.to_queue) for move in transfers)
        toll.twice = [f"{self.name}: {contact} to {queue}" for (contact, queue), count in steps.items() if count > 1]
        toll.lost = [f"{self.name}: {one}" for one in self.contacts if self._is_lost(one)]
        reported = {line["contact_id"] for line in told if line["event"] == "contact.taken_from_agent"}
        for move in self.world.taken_from_agents:
            accepted, read = self.accepted.get(move.contact_id), self.basis.get(move.contact_id)
            if accepted is not None and read is not None and accepted >= read:
                toll.inside += 1
                if move.new_contact_id == move.contact_id:
                    toll.traceless += 1
                elif move.contact_id not in reported:
                    toll.unreported.append(f"{self.name}: {move.contact_id}")
            else:
                toll.taken.append(f"{self.name}: {move.contact_id}")
        return toll

    def _first(self, contact_id: str) -> str:
        at = contact_id
        while (before := self._moved_from().get(at)) is not None:
            at = before
        return at

    def _moved_from(self) -> dict[str, str]:
        return {
            move.new_contact_id: move.contact_id
            for move in self.world.transfers
            if move.new_contact_id != move.contact_id
        }

    def _is_lost(self, contact_id: str) -> bool:
        """Returns whether it waits where it arrived, late by more than ten minutes, and no line gives a reason."""
        latest = self.world.latest(contact_id)
        if self.world.queue_of(latest.id) != "Billing" or latest.agent_id is not None:
            return False
        entered = latest.enqueued_at
        late = entered is not None and self.centre.clock.now() - entered > HOUR + SETTLES_WITHIN
        return late and latest.id not in self.holds
