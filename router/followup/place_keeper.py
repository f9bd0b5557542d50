"""Gives a contact that was moved into a queue the place back that its waiting had earned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from router import events
from router.connect.answers import Reading, UpdateAnswer
from router.decide.act import ROUTING_APPLIES_WITHIN
from router.execute.routing_update import Shown, place_to_give, routing_of, shown
from router.followup.follow_up_call import FollowUp, Look
from router.model import Action, ActionKind, Contact, RoutingData
from router.ports import REROUTE


class PlaceKeeper(FollowUp):
    """Gives places back."""

    kind = ActionKind.RESTORE_PLACE
    operation = REROUTE

    def looks(self) -> list[Look]:
        """Returns the looks at what can be given back, and one that learns how Connect applies an age."""
        return [*super().looks(), Look(self._learn)]

    def _learn(self) -> None:
        contact_id = self.settler.ages.to_read(sent_before=self.runtime.clock.now() - ROUTING_APPLIES_WITHIN)
        if contact_id is None or self.runtime.stopping.is_set():
            return
        reading = self.reader.describe(contact_id)
        if isinstance(reading, Reading):
            self.settler.ages.seen(reading.contact)

    def plan(self, action: Action, contact: Contact) -> Action | None:
        """Returns the action with the update that improves the contact's place, ``None`` if it is as good already."""
        self.settler.ages.seen(contact)
        has, before = routing_of(contact.details), action.before or routing_of(None)
        assert action.landed_enqueued_at is not None, "it is where it landed"
        waited = action.landed_enqueued_at - action.wait.began_at
        adds, given = self.settler.ages.adds, self._given_before(action, contact)
        update = place_to_give(before, waited, has, adds=adds, given=given)
        sent = action.routing
        if update is None or (sent is not None and shown(sent, _as_landed(before, has), has) is Shown.NEW):
            return None
        return replace(action, routing=update)

    def call(self, action: Action) -> UpdateAnswer:
        """Makes the update."""
        assert action.routing is not None, "a planned action has it"
        return self.mover.reroute(contact_id=action.acts_on, routing=action.routing)

    def log_done(self, action: Action) -> None:
        events.log_place_kept(action)

    def log_lost(self, action: Action, *, code: str, message: str) -> None:
        events.log_place_lost(action, code=code, message=message)

    def _given_before(self, action: Action, contact: Contact) -> timedelta:
        """Returns the time that the wait's move before this one gave back as an age; zero if none did."""
        chain = self.ledger.histories((contact,)).get(contact.id, ())
        given = [
            (one.parent, one.landed_enqueued_at - one.wait.began_at)
            for one in chain
            if one.kind is ActionKind.RESTORE_PLACE
            and one.wait.is_same(action.wait)
            and one.parent is not None
            and action.parent is not None
            and one.parent < action.parent
            and one.routing is not None
            and one.routing.age is not None
            and one.landed_enqueued_at is not None
        ]
        return max(given)[1] if given else timedelta()


def _as_landed(before: RoutingData, has: RoutingData) -> RoutingData:
    """Returns what the contact had when it landed. The flow had set nothing. Therefore these are the defaults, or the
    values that the contact had before."""
    return RoutingData(priority=before.priority if has.priority == before.priority else None, age=before.age)
