"""Routing updates without an answer, settled by reading: there is no token that would make a repeat safe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from router.connect.answers import Missing, Reading, Updated
from router.decide.act import ROUTING_APPLIES_WITHIN
from router.model import Action, ActionState, Contact
from router.service import tell
from router.service.attempts import Attempts, Effort
from router.service.blocked import Blocked
from router.service.denials import Denials
from router.service.intent import SEND_BY
from router.service.ports import Clock, Ledger, Reader
from router.service.reread import GONE, changed
from router.service.routing import AgeMeaning, Shown, routing_of, shown


@dataclass(frozen=True, kw_only=True)
class RoutingRecovery:
    """``settle`` answers whether the intent is settled now. ``repeatable``: for how long the same call may be made."""

    reader: Reader
    ledger: Ledger
    attempts: Attempts
    blocked: Blocked
    denials: Denials
    clock: Clock
    ages: AgeMeaning
    repeatable: timedelta

    def settle(self, action: Action, *, may_send: bool, until: float | None) -> bool:
        """A contact that shows anything but the old value, or that has gone, has had the update, or has no use for it
        any more. One that shows the old value has not, once the time has passed that Connect may take to apply it."""
        reading = self.reader.describe(action.contact_id)
        if isinstance(reading, Missing):
            return self._settled(action, ActionState.ACTED, "acted")
        if not isinstance(reading, Reading):
            return False
        self.ages.seen(reading.contact)
        if not self._shows_the_old(action, reading.contact):
            return self._settled(action, ActionState.ACTED, "acted")
        if self._last_sent_ago(action) < ROUTING_APPLIES_WITHIN:
            return False
        if self.clock.now() - action.decided_at > self.repeatable:
            return self._settled(action, ActionState.NEVER_SENT, "never_sent")
        return may_send and not self.blocked.routing_stopped(self.clock.now()) and self._repeat(action, until)

    def _shows_the_old(self, action: Action, contact: Contact) -> bool:
        found = changed(contact, queue_id=action.queue_id, enqueued_at=action.enqueued_at, now=self.clock.now())
        if found in GONE or action.routing is None or action.before is None:
            return False
        return shown(action.routing, action.before, routing_of(contact.details)) is Shown.OLD

    def _last_sent_ago(self, action: Action) -> timedelta:
        """An intent is renewed with each attempt."""
        sent_at = action.send_by - SEND_BY if action.send_by is not None else action.decided_at
        return self.clock.now() - sent_at

    def _repeat(self, action: Action, until: float | None) -> bool:
        effort = Effort(action, until)
        tried = self.attempts.make(effort)
        self.denials.met_routing(tried)
        if isinstance(tried.answer, Updated):
            acted = replace(effort.action, request_id=tried.answer.request_id)
            return self._settled(acted, ActionState.ACTED, "repeated")
        return False

    def _settled(self, action: Action, state: ActionState, outcome: str) -> bool:
        settled = replace(action, state=state, settled_at=self.clock.now())
        self.ledger.settle(settled)
        tell.recovered(settled, outcome=outcome)
        return True
