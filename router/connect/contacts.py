"""Reads one contact by its id: DescribeContact, and the contacts it belongs with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from router.connect.answers import DescribeAnswer, Failure, Missing, Reading, Rejected, SearchPage, Unknown
from router.connect.api import Answered
from router.connect.contact_rows import associated, described
from router.connect.fields import Unreadable, part
from router.connect.reads import BRIEF, Patience, Reads, all_rows
from router.connect.search import Search
from router.model import Contact, ContactId, QueueId

PAGE_SIZE = 100
"""ListAssociatedContacts takes a MaxResults of up to 100 (botocore service model)."""

SLOW = 1.5
"""Seconds; DescribeContact takes a tenth of that."""


class Contacts:
    def __init__(self, reads: Reads, *, monotonic: Callable[[], float], patience: Patience = BRIEF) -> None:
        self._reads = reads
        self._monotonic = monotonic
        self._patience = patience

    def describe(self, contact_id: ContactId) -> DescribeAnswer:
        """Returns the contact as Connect has it now.

        ``Missing`` means that Connect reported "not found" and does have the instance, because it reports "not found"
        for either. An answer that cannot be read, or that is about another contact, is ``Unknown``: nothing may rest on
        it.
        """
        return self._reads.record_health("DescribeContact", self._describe(contact_id))

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
        """Returns now, or the time of the request if the answer took long.

        The answer may have lain here for most of that time, while this process was stopped.
        """
        now = self._monotonic()
        return now if now - answer.requested_at <= SLOW else answer.requested_at

    def _missing(self, contact_id: ContactId, answer: Rejected) -> DescribeAnswer:
        there = self._reads.get("ListQueues", patience=self._patience, QueueTypes=["STANDARD"], MaxResults=1)
        if isinstance(there, Answered):
            return Missing(contact_id=contact_id, request_id=answer.request_id)
        message = "neither the contact nor the instance was found"
        return Unknown(code=answer.code, message=message, request_id=answer.request_id)

    def chain(self, contact_id: ContactId) -> tuple[Contact, ...] | Failure:
        """Returns the tree that the contact belongs to, itself included, with linked tasks and e-mail threads.

        ListAssociatedContacts lists it. One row that cannot be read fails it all, because transfers are counted on it.
        """
        return self._reads.record_health("ListAssociatedContacts", self._chain(contact_id))

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


@dataclass(frozen=True, slots=True)
class ConnectReader:
    """Reads contacts. Thread-safe, except that one thread reads the pages of one search."""

    searching: Search
    contacts: Contacts

    def search(
        self, *, queue_ids: Collection[QueueId] | None, since: datetime, until: datetime
    ) -> Iterator[SearchPage]:
        """Yields candidates, one page after the other; see ``Search.run``."""
        return self.searching.run(queue_ids=queue_ids, since=since, until=until)

    def describe(self, contact_id: ContactId) -> DescribeAnswer:
        return self.contacts.describe(contact_id)

    def chain(self, contact_id: ContactId) -> tuple[Contact, ...] | Failure:
        return self.contacts.chain(contact_id)
