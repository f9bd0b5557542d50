"""Defines an operator's pause: the contacts that it concerns are held, and no rule acts on them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.model.action import Target
from router.model.ids import ContactId, QueueId


class PauseKind(StrEnum):
    """Names the things that an operator can pause."""

    RULE = "rule"
    QUEUE = "queue"
    """As the queue that a contact waits in, and as a destination."""
    FLOW = "flow"
    CONTACT = "contact"
    """By any id of its chain that the router knows."""
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Describes one pause, which ends by itself at ``until``.

    ``subject`` is a rule's name or an id, empty for everything; ``name`` is what people call it. ``who`` is the user
    who set it.
    """

    kind: PauseKind
    subject: str
    name: str
    until: datetime
    comment: str
    who: str
    set_at: datetime

    def __str__(self) -> str:
        return f"{self._what} is {self._pause}"

    @property
    def lifted(self) -> str:
        """Returns the text of the pause when it is over."""
        return f"{self._what} was {self._pause}"

    @property
    def _what(self) -> str:
        return "everything" if self.kind is PauseKind.ALL else f'{self.kind.value} "{self.name}"'

    @property
    def _pause(self) -> str:
        return f"paused by {self.who} until {self.until:%Y-%m-%d %H:%M:%SZ}: {self.comment}"


@dataclass(frozen=True, slots=True)
class Pauses:
    """Holds the pauses in force; look-ups return the first that applies, or ``None``."""

    all: tuple[Pause, ...] = ()

    def at(self, now: datetime) -> Pauses:
        """Returns the pauses without those that have ended by then."""
        return Pauses(tuple(one for one in self.all if one.until > now)) if self.all else self

    def concerning(
        self, *, rule: str | None, queue_id: QueueId | None, contact_ids: Collection[ContactId]
    ) -> Pause | None:
        """Returns a pause of a contact, or of the rule that would act on it, whatever that rule would do."""
        subjects = {
            PauseKind.RULE: (rule,),
            PauseKind.QUEUE: (queue_id,),
            PauseKind.CONTACT: contact_ids,
            PauseKind.FLOW: (),
        }
        return next((one for one in self.all if one.kind is PauseKind.ALL or one.subject in subjects[one.kind]), None)

    def destination(self, target: Target | None) -> Pause | None:
        """Returns a pause of the destination of a move."""
        if target is None:
            return None
        subjects = {PauseKind.QUEUE: target.queue_id, PauseKind.FLOW: target.flow_id}
        return next((one for one in self.all if one.subject == subjects.get(one.kind, "")), None)
