"""Records in the waiting list what came of each decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from router.decide.decision import Transfer
from router.execute.result import Outcome, Result
from router.lookup.details import DetailsCache
from router.model import Contact, ContactId, HoldReason
from router.rules.rule import Mode
from router.search.contact_readings import ContactReadings
from router.search.waiting_list import ENDED_REASONS, WaitingList

MAX_ROUNDS = 8
"""How often in one cycle a refused destination is followed by the next one of the step."""
UNLIKE_EVENT = frozenset({*ENDED_REASONS, HoldReason.NO_LONGER_MATCHES, HoldReason.NOT_FOUND})
"""The holds by which a reading can show that an event was wrong about a contact."""


@dataclass(frozen=True, slots=True)
class ResultsRecord:
    """Removes contacts that were moved or have gone, and marks those that wait for a landing slot.

    ``readings`` is ``None`` if no events are received.
    """

    waiting_list: WaitingList
    details: DetailsCache
    readings: ContactReadings | None
    now: datetime

    def record(self, results: Iterable[Result], *, refusals: Callable[[Contact], int]) -> list[ContactId]:
        """Returns the contacts to decide on again: those that were refused, or not begun because others were more
        urgent. ``refusals`` counts the refusals of a contact in this cycle."""
        again: list[ContactId] = []
        without_slot: list[ContactId] = []
        for result in results:
            contact, decision = result.decision.contact, result.decision
            moved = isinstance(decision, Transfer) and decision.mode is Mode.ENFORCE and result.outcome is Outcome.DONE
            if moved:
                self.waiting_list.remove(contact)
            elif self._is_corrected(result):
                continue
            elif result.outcome is Outcome.HELD and result.reason in ENDED_REASONS:
                for_good = result.reason is HoldReason.DISCONNECTED
                self.waiting_list.record_ended(contact, self.now, for_good=for_good)
            elif result.outcome in (Outcome.INTERRUPTED, Outcome.LEARNT) or (
                result.outcome is Outcome.REFUSED and refusals(contact) < MAX_ROUNDS
            ):
                again.append(contact.id)
            elif result.reason is HoldReason.FLOW_SUSPENDED:
                without_slot.append(contact.id)
        self.waiting_list.await_slot(without_slot)
        return again

    def _is_corrected(self, result: Result) -> bool:
        """Replaces what an event has shown of a contact by the reading, if the contact waits; returns whether it does.

        A contact that Connect does not know is removed. If there is one, the metrics show it.
        """
        contact = result.decision.contact
        if self.readings is None or not contact.partial or result.reason not in UNLIKE_EVENT:
            return False
        if result.reason is HoldReason.NOT_FOUND:
            self.waiting_list.take_out(contact.id)
            return True
        read = self.details.last_reading(contact.id, self.now)
        return read is not None and self.readings.record(read, self.now)
