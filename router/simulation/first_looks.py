"""Decides once on each contact when its wait begins: what it is promised, and when a rule is due."""

from __future__ import annotations

from router.decide.decide import Account
from router.model import QueueMetrics
from router.rules.bound import BoundRuleSet
from router.simulation.centre import Seconds, SimulatedCentre
from router.simulation.simulated_router import SimulatedRouter
from router.simulation.staff import Staff
from router.simulation.wait_record import PromisedWait, SimulatedContact


class FirstLooks:
    """Remembers the first decisions, because the same arrivals are simulated again and again.

    The promises are those of one set of rules, whichever rules move the contacts: a change of a target must not look
    like an effect. A queue's own promise wins.
    """

    def __init__(self, centre: SimulatedCentre, promising: BoundRuleSet | None) -> None:
        self._centre = centre
        self._judge = None
        if promising is not None:
            self._judge = SimulatedRouter(centre, promising, Staff(centre.teams), {}, lambda *_: QueueMetrics())
        self._promises: dict[str, PromisedWait | None] = {}
        self._due: dict[tuple[int, str], Seconds | None] = {}

    def look(
        self, contact: SimulatedContact, now: Seconds, router: SimulatedRouter | None
    ) -> tuple[PromisedWait | None, Seconds | None]:
        """Returns the promise of a new wait, and when ``router`` has to decide on it."""
        contact_id, first = contact.wait.arrival.contact.id, contact.wait.turn == 0
        key = (id(router.rules), contact_id) if router is not None else None
        if first and contact_id in self._promises and (key is None or key in self._due):
            return self._promises[contact_id], self._due[key] if key is not None else None
        accounts: dict[int, Account] = {}
        judge = self._judge if contact.queue_id not in self._centre.promises else None
        for one in (judge, router):
            if one is not None and id(one.rules) not in accounts:
                accounts[id(one.rules)] = self._account(one, contact, now)
        promise = self._promise(contact, now, accounts)
        due_at = self._due_at(accounts[id(router.rules)], now) if router is not None else None
        if first:
            self._promises[contact_id] = promise
            if key is not None:
                self._due[key] = due_at
        return promise, due_at

    def _account(self, router: SimulatedRouter, contact: SimulatedContact, now: Seconds) -> Account:
        return router.first_look([contact], now).accounts[contact.seen.id]

    def _promise(self, contact: SimulatedContact, now: Seconds, accounts: dict[int, Account]) -> PromisedWait | None:
        own = self._centre.promises.get(contact.queue_id)
        if own is not None:
            began = contact.wait.arrival.contact.enqueued_at if contact.wait.turn == 0 else None
            return PromisedWait(began or self._centre.instant(now), own)
        if self._judge is None:
            return None
        return PromisedWait.of(accounts[id(self._judge.rules)])

    def _due_at(self, account: Account, now: Seconds) -> Seconds | None:
        """Returns when to decide: at once, if a step is due or held already."""
        if account.decisions:
            return now
        return None if account.next_due_at is None else self._centre.since_start(account.next_due_at)
