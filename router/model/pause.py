"""What an operator has paused: contacts that it concerns are held, and nobody else gets them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.model.action import Target
from router.model.ids import ContactId, QueueId


class PauseKind(StrEnum):
    RULE = "rule"
    QUEUE = "queue"
    """As the place a contact waits in, and as a destination."""
    FLOW = "flow"
    CONTACT = "contact"
    """By any id of its chain that the router knows."""
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """``subject`` is a rule's name or an id, empty for everything; ``name`` is what people call it. It ends at
    ``until`` by itself. ``who`` is the user who set it."""

    kind: PauseKind
    subject: str
    name: str
    until: datetime
    comment: str
    who: str
    set_at: datetime

    def __str__(self) -> str:
        what = "everything" if self.kind is PauseKind.ALL else f'{self.kind.value} "{self.name}"'
        return f"{what} is paused by {self.who} until {self.until:%Y-%m-%d %H:%M:%SZ}: {self.comment}"


@dataclass(frozen=True, slots=True)
class Pauses:
    """Those in force; ``concerning`` and ``destination`` answer the first that applies, or ``None``."""

    all: tuple[Pause, ...] = ()

    def at(self, now: datetime) -> Pauses:
        """Without those that are over by then."""
        return Pauses(tuple(one for one in self.all if one.until > now)) if self.all else self

    def concerning(
        self, *, rule: str | None, queue_id: QueueId | None, contact_ids: Collection[ContactId]
    ) -> Pause | None:
        """Of a contact and the rule that would act on it, whatever that would do."""
        subjects = {
            PauseKind.RULE: (rule,),
            PauseKind.QUEUE: (queue_id,),
            PauseKind.CONTACT: contact_ids,
            PauseKind.FLOW: (),
        }
        return next(
            (one for one in self.all if one.kind is PauseKind.ALL or one.subject in subjects[one.kind]), None
        )

    def destination(self, target: Target | None) -> Pause | None:
        """Of a move there."""
        if target is None:
            return None
        subjects = {PauseKind.QUEUE: target.queue_id, PauseKind.FLOW: target.flow_id}
        return next((one for one in self.all if one.subject == subjects.get(one.kind, "")), None)
