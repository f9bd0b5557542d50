"""One contact by its id: DescribeContact, and the contacts it belongs with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from router.connect.answers import DescribeAnswer, Failure, Missing, Reading, Rejected, SearchPage, Unknown
from router.connect.api import Answered
from router.connect.fields import Unreadable, part
from router.connect.parse import associated, described
from router.connect.read import BRIEF, Patience, Reads, all_rows
from router.connect.search import Search
from router.model import Contact, ContactId, QueueId

PAGE_SIZE = 100
"""MaxResults of ListAssociatedContacts goes up to 100 (botocore service model)."""

SLOW = 1.5
"""Seconds; DescribeContact takes a tenth of that."""


class Contacts:
    def __init__(self, reads: Reads, *, monotonic: Callable[[], float], patience: Patience = BRIEF) -> None:
        self._reads = reads
        self._monotonic = monotonic
        self._patience = patience

    def describe(self, contact_id: ContactId) -> DescribeAnswer:
        """The contact as Connect has it now; ``Missing`` only where Connect itself says that there is none, and that
        it has the instance: it says "not found" for either.

        An answer that cannot be read, or that is about another contact, is ``Unknown``: nothing may rest on it.
        """
        return self._reads.told("DescribeContact", self._describe(contact_id))

    def _describe(self, contact_id: ContactId) -> DescribeAnswer:
        answer = self._reads.get("DescribeContact", patience=self._patience, ContactId=contact_id)
        if isinstance(answer, Rejected) and answer.code == "ResourceNotFoundException":
            return self._missing(contact_id, answer)
        if not isinstance(answer, Answered):
            return answer
        try:
            contact = described(part(answer.body, "Contact"))
        except Unreadable as problem:
            return Unknown(code="UnreadableAnswer", message=str(problem), request_id=answer.request_id)
        if contact.id != contact_id:
            return Unknown(code="OtherContact", message="the answer is another contact's", request_id=answer.request_id)
        return Reading(contact=contact, answered_at=self._answered_at(answer), request_id=answer.request_id)

    def _answered_at(self, answer: Answered) -> float:
        """Now. But an answer that took long may have lain here for most of it, while this process was stopped: then it
        is not known to be any younger than its question."""
        now = self._monotonic()
        return now if now - answer.asked_at <= SLOW else answer.asked_at

    def _missing(self, contact_id: ContactId, answer: Rejected) -> DescribeAnswer:
        there = self._reads.get("ListQueues", patience=self._patience, QueueTypes=["STANDARD"], MaxResults=1)
        if isinstance(there, Answered):
            return Missing(contact_id=contact_id, request_id=answer.request_id)
        message = "neither the contact nor the instance was found"
        return Unknown(code=answer.code, message=message, request_id=answer.request_id)

    def chain(self, contact_id: ContactId) -> tuple[Contact, ...] | Failure:
        """The tree that the contact belongs to, itself included, with linked tasks and e-mail threads, as
        ListAssociatedContacts lists it. One row that cannot be read fails it all: transfers are counted on it."""
        return self._reads.told("ListAssociatedContacts", self._chain(contact_id))

    def _chain(self, contact_id: ContactId) -> tuple[Contact, ...] | Failure:
        rows = all_rows(
            self._reads, "ListAssociatedContacts", "ContactSummaryList", ContactId=contact_id, MaxResults=PAGE_SIZE
        )
        if not isinstance(rows, list):
            return rows
        try:
            return tuple(associated(row) for row in rows)
        except Unreadable as problem:
            return Unknown(code="UnreadableAnswer", message=str(problem))


# Everything that is read about contacts, behind one face.

@dataclass(frozen=True, slots=True)
class ConnectReader:
    """Thread-safe, but for the pages of one search, which one thread reads."""

    searching: Search
    contacts: Contacts

    def search(
        self, *, queue_ids: Collection[QueueId] | None, since: datetime, until: datetime
    ) -> Iterator[SearchPage]:
        """Candidates, page by page as they come; see ``Search.run``."""
        return self.searching.run(queue_ids=queue_ids, since=since, until=until)

    def describe(self, contact_id: ContactId) -> DescribeAnswer:
        return self.contacts.describe(contact_id)

    def chain(self, contact_id: ContactId) -> tuple[Contact, ...] | Failure:
        return self.contacts.chain(contact_id)
