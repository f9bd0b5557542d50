"""Reads the contacts of chains: when a chain began, the contacts that one came from, and how many transfers it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from router.connect.answers import Failure, Missing, Reading
from router.decide.snapshot import CHAIN_TRANSFERS, Snapshot
from router.lookup.background import Background, ReadFailure
from router.lookup.readings import OnDemandReader, Readings
from router.model import Action, Contact, ContactId, Details, Need, transfers_behind
from router.ports import Describer, Reader
from router.rules.condition import Unread

ENDED_KEPT = 20_000
"""More than the contacts that waiting ones came from by default quotas; bounds the memory."""
TRANSFERS_PER_LOOK = 60
"""ListAssociatedContacts allows 2 calls a second (Amazon Connect service quotas, the general rule): this many take half
a minute of it. The others are held as ``unreadable`` and come first next time."""
ORIGINS_PER_LOOK = 120
"""DescribeContact allows 10 calls a second (Amazon Connect service quotas): this many take some 15 s of a usual share
of it. The others are held as ``unreadable`` and come first next time."""
PASTS_PER_LOOK = 30
"""Up to 11 calls each, and each contact only once, because an ended contact no longer changes."""

Value = TypeVar("Value")


@dataclass(kw_only=True)
class EarlierContacts:
    """Reads contacts by id, and remembers those that have ended, because they no longer change."""

    reader: Describer
    _ended: Readings[Contact] = field(default_factory=lambda: Readings(kept=ENDED_KEPT))

    def read(self, contact_id: ContactId, now: datetime) -> Contact | Missing | Failure:
        """Reads one contact; an ended one only once."""
        known = self._ended.get(contact_id, now)
        if known is not None:
            return known[0]
        answer = self.reader.describe(contact_id)
        if not isinstance(answer, Reading):
            return answer
        if answer.contact.disconnected_at is not None:
            self._ended.put(contact_id, _without_customer_data(answer.contact), now)
        return answer.contact

    def read_past(self, contact: Contact, history: Iterable[Action], now: datetime) -> tuple[Contact, ...] | Failure:
        """Reads the contacts that a contact came from, newest first, as far back as Connect knows them.

        The router's own moves (``history``) count before Connect's ids.
        """
        moved_from = {
            action.new_contact_id: action.contact_id
            for action in history
            if action.moved and action.new_contact_id not in (None, action.contact_id)
        }
        found: list[Contact] = []
        at, seen = contact, {contact.id}
        while len(found) < CHAIN_TRANSFERS:
            previous = moved_from.get(at.id) or at.previous_id or at.initial_id
            if previous is None or previous in seen:
                break
            answer = self.read(previous, now)
            if isinstance(answer, Missing):
                break
            if not isinstance(answer, Contact):
                return answer
            found.append(answer)
            seen.add(previous)
            at = answer
        return tuple(found)

    def read_first(self, first_id: ContactId, contact: Contact | None, now: datetime) -> Contact | Failure | None:
        """Reads the first contact of a chain, beginning with the one that the ids name, which may have one before it.

        Returns the earliest contact that Connect knows, ``contact`` itself if it knows none.
        """
        found, at, seen = contact, first_id, {contact.id} if contact is not None else set()
        for _ in range(CHAIN_TRANSFERS + 1):
            answer = self.read(at, now)
            if isinstance(answer, Missing):
                break
            if not isinstance(answer, Contact):
                return answer
            found = answer
            seen.add(at)
            before = next((one for one in (found.initial_id, found.previous_id) if one and one not in seen), None)
            if before is None:
                break
            at = before
        return found


class ChainReader:
    """Reads when chains began, which contacts they consist of, and how many transfers a contact has behind it."""

    def __init__(self, reader: Reader, background: Background | None = None) -> None:
        background = background or Background()
        self._reader = reader
        self._earlier = earlier = EarlierContacts(reader=reader)
        self._transfers = OnDemandReader(
            key=str, read=self._read_transfers, budget=TRANSFERS_PER_LOOK, background=background
        )
        self._origins = OnDemandReader(
            key=_first_id,
            read=lambda item, now: _origin_of(earlier.read_first(*item, now)),
            budget=ORIGINS_PER_LOOK,
            background=background,
            keeps=lambda began_at, now: began_at <= now,  # a contact that is still scheduled may be scheduled again
        )
        self._pasts = OnDemandReader(
            key=_past_id,
            read=lambda item, now: _past_of(earlier.read_past(*item, now)),
            budget=PASTS_PER_LOOK,
            background=background,
            fresh_for=timedelta(),
            keeps=lambda past, now: False,
        )

    def transfers(self, look: Snapshot, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, int | Unread]:
        """Returns how many transfers the contacts have behind them, which never changes."""
        found = self._transfers.read_all(contact_ids, look.now)
        unread = Unread("how often it was transferred has not been read")
        return {ContactId(str(key)): value if isinstance(value, int) else unread for key, value in found.items()}

    def origins(self, look: Snapshot, needs: Iterable[Need]) -> Mapping[ContactId, datetime | Unread]:
        """Returns when the chains of the contacts began."""
        contacts = {contact.id: contact for contact in look.contacts}
        items = {
            contact_id: (first_id or contact_id, contacts.get(contact_id))
            for contact_id, first_id in ((ContactId(need.id), need.first_id) for need in needs)
        }
        found = self._origins.read_all(items.values(), look.now)
        return {
            contact_id: _or_unread(found[_first_id(item)], lambda code: f"when its chain began could not be read{code}")
            for contact_id, item in items.items()
        }

    def pasts(
        self, look: Snapshot, contact_ids: Iterable[ContactId]
    ) -> Mapping[ContactId, tuple[Contact, ...] | Unread]:
        """Returns the contacts that each contact came from, newest first."""
        contacts = {contact.id: contact for contact in look.contacts}
        items = [(contacts[contact_id], look.moves.histories.get(contact_id, ())) for contact_id in contact_ids]
        found = self._pasts.read_all(items, look.now)
        return {
            one.id: _or_unread(found[one.id], lambda code: f"the contacts that it came from could not be read{code}")
            for one, _ in items
        }

    def _read_transfers(self, contact_id: ContactId, now: datetime) -> int | ReadFailure:
        chain = self._reader.chain(contact_id)
        return transfers_behind(contact_id, chain) if isinstance(chain, tuple) else ReadFailure.of(chain)


def _first_id(item: tuple[ContactId, Contact | None]) -> ContactId:
    return item[0]


def _past_id(item: tuple[Contact, tuple[Action, ...]]) -> ContactId:
    return item[0].id


def _origin_of(first: Contact | Failure | None) -> datetime | ReadFailure:
    if not isinstance(first, Contact):
        return ReadFailure() if first is None else ReadFailure.of(first)
    return first.began_at if first.began_at is not None else ReadFailure()


def _past_of(past: tuple[Contact, ...] | Failure) -> tuple[Contact, ...] | ReadFailure:
    return past if isinstance(past, tuple) else ReadFailure.of(past)


def _or_unread(value: Value | ReadFailure, why: Callable[[str], str]) -> Value | Unread:
    return Unread(why(value.suffix)) if isinstance(value, ReadFailure) else value


def _without_customer_data(contact: Contact) -> Contact:
    """Returns the contact with the times and places that may be needed again, and nothing about a customer."""
    known = contact.details or Details()
    details = Details(
        paused_at=known.paused_at,
        resumed_at=known.resumed_at,
        paused_for=known.paused_for,
        pauses=known.pauses,
        accepted_at=known.accepted_at,
    )
    return replace(contact, name=None, segment_attributes={}, tags={}, details=details)
