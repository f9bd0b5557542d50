"""Intents without an answer, of an earlier run or of this one, settled by reading first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from router.connect.answers import Missing, Reading, Transferred
from router.model import Action, ActionState, ContactId, HoldReason, Landing
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode
from router.service import tell
from router.service.attempts import Attempts, Effort
from router.service.enforce import GONE
from router.service.follow import Follower
from router.service.landing import LandingPlaces
from router.service.ports import Clock, Ledger, Reader
from router.service.reread import changed

REPEATABLE = timedelta(minutes=10)
"""How long the same call with the same token is still worth repeating; an older intent of a contact that has not moved
is recorded as never sent. The life of a token is documented for another operation only (7 days,
StartOutboundVoiceContact), so it is not relied on."""


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Settles what is open. ``attempts`` repeats a call under all its checks."""

    reader: Reader
    ledger: Ledger
    attempts: Attempts
    follower: Follower
    places: LandingPlaces
    clock: Clock

    def settle_open(self, rules: BoundRuleSet, mode: Mode, busy: frozenset[ContactId], *, until: float | None) -> int:
        """Settles every open intent that no worker of this process is on; answers how many were settled."""
        modes = {rule.name: rule.rule.mode.weaker(mode) for rule in rules.rules}
        settled = 0
        for action in self.ledger.open_intents():
            if action.contact_id in busy:
                continue
            may_send = modes.get(action.rule) is Mode.ENFORCE
            settled += self._settle(action, may_send=may_send, until=until)
        return settled

    def _settle(self, action: Action, *, may_send: bool, until: float | None) -> bool:
        found = self._look(action)
        if found in GONE:
            self._acted(action)
            return True
        if found is not None:
            return False
        if self.clock.now() - action.decided_at > REPEATABLE:
            self._never_sent(action)
            return True
        return may_send and self._repeat(action, until=until)

    def _look(self, action: Action) -> HoldReason | None:
        """What reading the contact shows: ``None`` where it is untouched; ``UNREADABLE`` where it could not be read."""
        reading = self.reader.describe(action.contact_id)
        if isinstance(reading, Missing):
            return HoldReason.LEFT_QUEUE
        if not isinstance(reading, Reading):
            return HoldReason.UNREADABLE
        now = self.clock.now()
        return changed(reading.contact, queue_id=action.queue_id, enqueued_at=action.enqueued_at, now=now)

    def _repeat(self, action: Action, *, until: float | None) -> bool:
        effort = Effort(action=action, until=until, uncertain=True)
        tried = self.attempts.make(effort)
        if isinstance(tried.answer, Transferred):
            answer = tried.answer
            moved = replace(effort.action, new_contact_id=answer.contact_id, request_id=answer.request_id)
            self._acted(moved, outcome="repeated")
            return True
        if tried.hold in GONE:
            self._acted(effort.action)
            return True
        return False

    def _acted(self, action: Action, *, outcome: str = "acted") -> None:
        settled = replace(
            action, state=ActionState.ACTED, settled_at=self.clock.now(), landing=Landing.PENDING
        )
        self.ledger.settle(settled)
        self.follower.watch(settled, read_age=None)
        tell.recovered(settled, outcome=outcome)

    def _never_sent(self, action: Action) -> None:
        settled = replace(action, state=ActionState.NEVER_SENT, settled_at=self.clock.now())
        self.ledger.settle(settled)
        if action.target is not None:
            self.places.free(action.target.flow_id)
        tell.recovered(settled, outcome="never_sent")
