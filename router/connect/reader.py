"""Everything that is read about contacts, behind one face."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from router.connect.answers import DescribeAnswer, Failure, SearchPage
from router.connect.contacts import Contacts
from router.connect.search import Search
from router.model import Contact, ContactId, QueueId


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
