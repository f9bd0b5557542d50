"""A reader that describes the contacts it is given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from router.connect.answers import DescribeAnswer, Failure, Missing, Reading, SearchPage
from router.model import Contact, ContactId, QueueId


@dataclass
class Describing:
    """Describes these contacts and records the requested ids in ``asked``.

    For the ids in ``failing`` it returns the answer that is given there.
    """

    contacts: dict[str, Contact]
    failing: dict[str, DescribeAnswer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, contacts: Iterable[Contact], **failing: DescribeAnswer) -> Describing:
        return cls({one.id: one for one in contacts}, failing)

    def describe(self, contact_id: ContactId) -> DescribeAnswer:
        self.asked.append(contact_id)
        if contact_id in self.failing:
            return self.failing[contact_id]
        found = self.contacts.get(contact_id)
        return Reading(contact=found, answered_at=0.0) if found else Missing(contact_id=contact_id)

    def chain(self, contact_id: ContactId) -> tuple[Contact, ...] | Failure:
        """Returns all contacts, as if they were one chain."""
        self.asked.append(contact_id)
        failure = self.failing.get(contact_id)
        if failure is not None:
            assert not isinstance(failure, Reading | Missing), "a chain is there, or fails"
            return failure
        return tuple(self.contacts.values())

    def search(
        self, *, queue_ids: Collection[QueueId] | None, since: datetime, until: datetime
    ) -> Iterator[SearchPage]:
        raise AssertionError("not searched")
