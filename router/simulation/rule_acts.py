"""Carries out what the rules decide: moves, changes of priority, and the polls of held contacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from router.decide.decide import Account
from router.decide.decision import Hold, RoutingUpdate, Transfer
from router.execute.routing_update import update_for
from router.model import QueueId, RoutingData
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode
from router.simulation.centre import Seconds
from router.simulation.held_contacts import HeldContacts
from router.simulation.simulated_router import SimulatedRouter
from router.simulation.wait_record import AGENT_QUEUE, SimulatedContact, WaitState

if TYPE_CHECKING:
    from router.simulation.engine import Engine


class RuleActs:
    """Decides on contacts when a step of theirs falls due, when they land, and at polls while they are held."""

    def __init__(self, engine: Engine, rules: BoundRuleSet) -> None:
        self._engine = engine
        self.router = SimulatedRouter(engine.centre, rules, engine.staff, engine.lines.by_queue, engine.figures)
        self._held = HeldContacts(self.router, engine.figures)

    def plan(self, contact: SimulatedContact, due_at: Seconds) -> None:
        """Decides on the contact at that instant, if nothing has changed by then."""
        self._engine.at(max(due_at, self._engine.now), self._due, (contact, contact.version))

    def left(self, contact: SimulatedContact) -> None:
        """Forgets a contact that has left its queue."""
        self._held.remove(contact)
        if contact.own_agent is not None:
            self.router.record_departure(contact.own_agent)

    def lost(self, contact: SimulatedContact) -> None:
        """Takes up that a moved contact ended before it landed."""
        self.router.record_loss(contact, self._engine.now)

    def _due(self, about: tuple[SimulatedContact, int]) -> None:
        contact, version = about
        if contact.state is WaitState.QUEUED and contact.version == version:
            self.decide([contact])

    def decide(self, contacts: Sequence[SimulatedContact]) -> None:
        """Decides on contacts that wait in a queue, and acts on them, the most overdue first."""
        by_id = {one.seen.id: one for one in contacts}
        decided = self.router.decide(contacts, self._engine.now)
        for contact_id, account in decided.accounts.items():
            self._act(by_id[contact_id], account)
        self._plan_poll()

    def _plan_poll(self) -> None:
        poll_at = self._held.next_poll(self._engine.now)
        if poll_at is not None:
            self._engine.at(poll_at, self._poll, None)

    def _poll(self, _: None) -> None:
        self._held.polled()
        changed = self._held.changed(self._engine.now)
        if changed:
            self.decide(changed)
        self._plan_poll()

    def _act(self, contact: SimulatedContact, account: Account) -> None:
        contact.version += 1
        self._held.remove(contact)
        for decision in account.decisions:
            enforced = not isinstance(decision, Hold) and decision.mode is Mode.ENFORCE
            if isinstance(decision, Hold):
                self._held.add(contact, decision, self._engine.now)
            elif isinstance(decision, Transfer) and enforced:
                self._move(contact, decision)
                return
            elif isinstance(decision, RoutingUpdate) and enforced:
                self._update_routing(contact, decision)
            else:
                self.router.record(contact, decision, self._engine.now)
        if account.next_due_at is not None:
            due_at = self._engine.centre.since_start(account.next_due_at)
            if due_at > self._engine.now:
                self.plan(contact, due_at)

    def _move(self, contact: SimulatedContact, decision: Transfer) -> None:
        engine, target = self._engine, decision.target
        left = contact.queue_id
        engine.leave(contact, WaitState.MOVING)
        self.router.record_move(contact, decision, engine.now)
        reached = target.queue_id if target.queue_id is not None else QueueId(f"{AGENT_QUEUE}{target.agent_id}")
        if engine.trace is not None:
            engine.trace.moves.append((engine.now, left, reached))
        contact.wait.moves.append((engine.now, reached))
        share = engine.streams.uniform(contact.wait.arrival.contact.id, f"landing {contact.number}")
        engine.at(engine.now + engine.centre.landing.at(share), self._land, (contact, contact.version, reached))

    def _land(self, about: tuple[SimulatedContact, int, QueueId]) -> None:
        """Puts a moved contact into its new queue, with the place that it had, if places are restored."""
        contact, version, queue_id = about
        engine = self._engine
        if contact.state is not WaitState.MOVING or contact.version != version:
            return
        engine.renew(contact, queue_id)
        self.router.record_landing(contact, contact.seen.id, queue_id, engine.now)
        if not engine.centre.keep_place:
            contact.since = engine.now
        if not engine.offer(contact):
            engine.line_up(contact)
            self.decide([contact])

    def _update_routing(self, contact: SimulatedContact, decision: RoutingUpdate) -> None:
        """Changes priority or age at once; Connect takes up to a minute."""
        before = RoutingData(
            priority=contact.priority, age=timedelta(seconds=max(contact.enqueued_at - contact.since, 0.0))
        )
        update = update_for(decision.routing, before, adds=False)
        self.router.record_routing(contact, decision, update, before, self._engine.now)
        if update is None or contact.seen.details is None:
            return
        if update.priority is not None:
            contact.priority = update.priority
        if update.age is not None:
            contact.since = contact.enqueued_at - update.age.total_seconds()
        age = update.age or before.age
        details = replace(contact.seen.details, priority=contact.priority, queue_time_adjustment=age)
        contact.seen = replace(contact.seen, details=details)
        self._engine.lines.place(contact)
