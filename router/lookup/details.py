"""Reads what only DescribeContact returns of waiting contacts, and remembers it while it can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from router.connect.answers import Denied, Missing, Reading, Rejected, Unknown
from router.decide.snapshot import NEVER_PAUSED, Snapshot
from router.lookup.background import Background, ReadFailure
from router.lookup.readings import OnDemandReader, Readings
from router.model import Contact, ContactId, Details
from router.ports import Describer
from router.rules.condition import Unread

FRESH_FOR = timedelta(minutes=1)
"""Flows, agents and programs change attributes and priorities at any time; after so long a contact is read again."""
USABLE_FOR = timedelta(minutes=15)
"""How long a reading counts while others are read for the first time. A move never rests on it, because the contact is
read again right before the call, and every value that the move relies on must be unchanged."""
DETAILS_PER_LOOK = 60
"""DescribeContact allows 10 calls a second (Amazon Connect service quotas), and every move needs one as well. Twice as
many as may be moved in a cycle are read in any case; the others are held as ``unreadable`` and come first next time."""
KEPT = 20_000
"""More than are read in ``USABLE_FOR``; bounds the memory."""


class DetailsCache:
    """Remembers contacts as DescribeContact last returned them; thread-safe.

    A reading counts for one wait: a contact that is queued again is read again. Every move adds its reading, and a
    reading that is too old is dropped as others are added.
    """

    def __init__(self) -> None:
        self.readings: Readings[Contact] = Readings(usable_for=USABLE_FOR, kept=KEPT)
        self._unanswered: Readings[bool] = Readings(usable_for=USABLE_FOR, kept=KEPT)

    def __len__(self) -> int:
        return len(self.readings)

    def remember(self, contact: Contact, now: datetime) -> None:
        """Remembers a contact as DescribeContact has just returned it."""
        self.readings.put(contact.id, contact, now)

    def remember_unanswered(self, contact: Contact, now: datetime) -> None:
        """Remembers that Connect did not respond to a reading of the contact, so that it is read after the others."""
        self._unanswered.put(contact.id, True, now)

    def is_unanswered(self, contact: Contact, now: datetime) -> bool:
        """Returns whether Connect did not respond when the contact was read lately."""
        return self._unanswered.get(contact.id, now) is not None

    def of(self, contact: Contact, now: datetime) -> Details | None:
        """Returns the details of the contact's wait; ``None`` if no usable reading has them."""
        found = self.readings.get(contact.id, now)
        return found[0].details if found is not None and is_same_wait(contact, found[0]) else None

    def last_reading(self, contact_id: ContactId, now: datetime) -> Contact | None:
        """Returns the contact as last read, in whatever wait; ``None`` if no usable reading has it."""
        found = self.readings.get(contact_id, now)
        return None if found is None else found[0]

    def paused_reading_age(self, contact: Contact, now: datetime) -> timedelta | None:
        """Returns the age of a reading that shows the contact's wait paused; ``None`` if no usable reading does."""
        found = self.readings.get(contact.id, now)
        if found is None or not found[0].paused or not is_same_wait(contact, found[0]):
            return None
        return found[1]


def is_same_wait(contact: Contact, reading: Contact) -> bool:
    """Returns whether a reading shows the contact in the same queue since the same instant."""
    return reading.is_in_place(contact.queue_id, contact.enqueued_at)


class DetailsReader:
    """Reads details and pauses of contacts; both share one cache.

    With ``assume_unpaused`` a contact without a reading counts as never paused. It is read before anything is done to
    it, and a decision that did not know of a pause is not carried out. Therefore no contact waits for a reading that
    every move makes anyway.
    """

    def __init__(
        self,
        reader: Describer,
        cache: DetailsCache,
        background: Background | None = None,
        *,
        assume_unpaused: bool,
    ) -> None:
        background = background or Background()
        self.reader = reader
        self.cache = cache
        self._assume_unpaused = assume_unpaused
        self._details = OnDemandReader(
            key=_id_of,
            read=self._read_details,
            fresh_for=FRESH_FOR,
            budget=DETAILS_PER_LOOK,
            readings=cache.readings,
            fits=is_same_wait,
            background=background,
        )
        self._pauses = OnDemandReader(
            key=_id_of,
            read=self._read_pauses,
            fresh_for=USABLE_FOR,
            budget=DETAILS_PER_LOOK,
            readings=cache.readings,
            fits=is_same_wait,
            background=background,
        )

    def details(self, look: Snapshot, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Details | Unread]:
        """Returns the details of contacts, of which the first are the most urgent."""
        found = self._details.read_all(_contacts(look, contact_ids), look.now, budget=_budget(look))
        return {ContactId(str(key)): _details_of(value) for key, value in found.items()}

    def pauses(self, look: Snapshot, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Details | Unread]:
        """Returns the details that show when contacts were paused; any usable reading does.

        A contact that no longer exists has no pauses, nor has one that IAM does not allow to read: both are found out
        and logged before anything is done to the contact.
        """
        contacts = _contacts(look, contact_ids)
        if self._assume_unpaused:
            return {one.id: self.cache.of(one, look.now) or NEVER_PAUSED for one in contacts}
        found = self._pauses.read_all(contacts, look.now, budget=_budget(look))
        return {ContactId(str(key)): _pauses_of(value) for key, value in found.items()}

    def read_pauses(self, contact: Contact, now: datetime) -> Details | None:
        """Reads when one contact was paused; ``None`` if Connect does not respond, and would not for others.

        A contact that Connect refuses or no longer has is not remembered, and has no pauses.
        """
        answer = self.reader.describe(contact.id)
        if isinstance(answer, Missing | Rejected):
            return Details()
        if not isinstance(answer, Reading):
            if isinstance(answer, Unknown):
                self.cache.remember_unanswered(contact, now)
            return None
        self.cache.remember(answer.contact, now)
        return answer.contact.details or Details()

    def _read_details(self, contact: Contact, now: datetime) -> Contact | ReadFailure:
        answer = self.reader.describe(contact.id)
        if isinstance(answer, Reading):
            return answer.contact
        failure = ReadFailure.of(answer)
        return replace(failure, stops=False) if isinstance(answer, Denied) else failure

    def _read_pauses(self, contact: Contact, now: datetime) -> Contact | ReadFailure:
        answer = self.reader.describe(contact.id)
        return answer.contact if isinstance(answer, Reading) else ReadFailure.of(answer)


def _id_of(contact: Contact) -> ContactId:
    return contact.id


def _contacts(look: Snapshot, contact_ids: Iterable[ContactId]) -> list[Contact]:
    by_id = {contact.id: contact for contact in look.contacts}
    return [by_id[contact_id] for contact_id in contact_ids]


def _budget(look: Snapshot) -> int:
    return max(DETAILS_PER_LOOK, 2 * look.limits.per_cycle)


def _details_of(value: Contact | ReadFailure) -> Details | Unread:
    """Returns the details, or why they are not known, without Connect's message: it may repeat a customer's data."""
    if isinstance(value, Contact):
        return value.details or Details()
    if value.pending:
        return Unread("DescribeContact has not answered yet")
    if value.requested:
        return Unread(f"DescribeContact failed{value.suffix}")
    if value.code:
        return Unread("DescribeContact did not answer for another contact")
    return Unread("more contacts wait to be described than one look allows")


def _pauses_of(value: Contact | ReadFailure) -> Details | Unread:
    if isinstance(value, Contact):
        return value.details or Details()
    if isinstance(value.answer, Denied | Missing):
        return Details()
    return Unread(f"whether it was paused could not be read{value.suffix}")
