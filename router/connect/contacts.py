"""Reads one contact by its id: DescribeContact, and the contacts it belongs with."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from router.connect.answers import DescribeAnswer, Failure, Missing, Reading, Rejected, SearchPage, Unknown
from router.connect.api import Answered
from router.connect.contact_rows import associated, described
from router.connect.fields import part
from router.connect.reads import BRIEF, Patience, Reads, readable
from router.connect.search import Search
from router.model import Contact, ContactId, QueueId

PAGE_SIZE = 100
"""ListAssociatedContacts takes a MaxResults of up to 100 (botocore service model)."""

SLOW = 1.5
"""Seconds; DescribeContact takes a tenth of that."""


class ConnectReader:
    """Reads contacts. Thread-safe, except that one thread reads the pages of one search."""

    def __init__(self, reads: Reads, search: Search, *, patience: Patience = BRIEF) -> None:
        self._reads = reads
        self._search = search
        self._patience = patience

    def search(
        self, *, queue_ids: Collection[QueueId] | None, since: datetime, until: datetime
    ) -> Iterator[SearchPage]:
        """Yields candidates, one page after the other; see ``Search.run``."""
        return self._search.run(queue_ids=queue_ids, since=since, until=until)

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
        contact = readable(lambda body: described(part(body, "Contact")), answer.body, answer.request_id)
        if isinstance(contact, Unknown):
            return contact
        if contact.id != contact_id:
            return Unknown(code="OtherContact", message="the answer is another contact's", request_id=answer.request_id)
        return Reading(contact=contact, answered_at=self._answered_at(answer), request_id=answer.request_id)

    def _answered_at(self, answer: Answered) -> float:
        """Returns now, or the time of the request if the answer took long.

        The answer may have lain here for most of that time, while this process was stopped.
        """
        now = self._reads.monotonic
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
        return self._reads.rows(
            "ListAssociatedContacts",
            "ContactSummaryList",
            lambda rows: tuple(associated(row) for row in rows),
            ContactId=contact_id,
            MaxResults=PAGE_SIZE,
        )
