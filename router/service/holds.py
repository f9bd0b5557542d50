"""Tells why contacts are held: one line when a contact's reason changes, not one each cycle."""

from __future__ import annotations

from router.decide.decide import Decided
from router.decide.decision import Hold
from router.model import ContactId, Directory, HoldReason
from router.service import tell
from router.service.performing import Came, Result


class HoldsTold:
    """Remembers what was last told of each contact."""

    def __init__(self) -> None:
        self._told: dict[ContactId, tuple[str | None, HoldReason]] = {}

    def tell(
        self, decided: Decided, results: list[Result], directory: Directory, *, cycle: int, whole: bool
    ) -> None:
        """``whole``: every waiting contact was looked at, so that what is not seen any more can be forgotten."""
        current: dict[ContactId, tuple[str | None, HoldReason]] = {}
        for hold in (one for one in decided.decisions if isinstance(one, Hold)):
            current[hold.contact.id] = (hold.rule, hold.reason)
            if self._told.get(hold.contact.id) != (hold.rule, hold.reason):
                tell.held(hold, hold.reason, directory, cycle=cycle, detail=hold.detail)
        for result in results:
            if result.came is Came.HELD and result.reason is not None:
                current[result.decision.contact.id] = (result.decision.rule, result.reason)
                tell.held(result.decision, result.reason, directory, cycle=cycle)
        if whole:
            self._told = current
            return
        for contact_id in decided.accounts:
            self._told.pop(contact_id, None)
        self._told.update(current)
