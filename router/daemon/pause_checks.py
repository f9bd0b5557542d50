"""Selects the contacts to read because they may have been paused, or may no longer be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from router.decide.decide import Account
from router.decide.decision import Hold
from router.lookup.details import DetailsCache
from router.lookup.snapshot import Lookup
from router.model import Contact, ContactId, Details
from router.ports import Clock

JUST_READ = timedelta(seconds=1)
PAUSES_READ = 60
"""Contacts whose pauses are read in one go: DescribeContact allows 10 calls a second, and moves come first."""


def read_changed_pauses(
    accounts: Iterable[Account], lookup: Lookup, clock: Clock, *, every: timedelta, over: Callable[[], bool]
) -> list[ContactId]:
    """Reads the contacts that ``pause_checks`` selects, and returns those whose reading shows other pauses than were
    known.

    Contacts whose last reading got no response come last. It ends when two get none, at a refusal that
    concerns them all, or when it is ``over``.
    """
    changed: list[ContactId] = []
    now, unanswered = clock.now(), 0
    due = pause_checks(accounts, lookup.details, now=now, every=every)
    for contact in sorted(due, key=lambda one: lookup.details.is_unanswered(one, now))[:PAUSES_READ]:
        if over() or unanswered > 1:
            break
        known = lookup.details.of(contact, clock.now()) or Details()
        details = lookup.read_pauses(contact)
        if details is None and not lookup.details.is_unanswered(contact, clock.now()):
            break  # Connect refuses them all
        if details is None:
            unanswered += 1
        elif (details.paused_at, details.resumed_at) != (known.paused_at, known.resumed_at):
            changed.append(contact.id)
    return changed


def pause_checks(
    accounts: Iterable[Account], known: DetailsCache, *, now: datetime, every: timedelta
) -> Iterator[Contact]:
    """Yields held contacts that are only assumed not to have been paused, so that no log line rests on the assumption.

    Then it yields contacts that were found paused, if a step of theirs may fall due before the next poll, which is
    ``every`` later. At the earliest, they were resumed right after they were read. The longest unread are first.
    """
    found_paused: list[tuple[timedelta, Contact]] = []
    for account in accounts:
        contact = account.contact
        if any(isinstance(one, Hold) for one in account.decisions) and known.of(contact, now) is None:
            yield contact
            continue
        age, left = known.paused_reading_age(contact, now), account.clock_left
        if age is not None and left is not None and age > max(every / 2, JUST_READ) and left <= age + every:
            found_paused.append((age, contact))
    found_paused.sort(key=lambda one: one[0], reverse=True)
    yield from (contact for _, contact in found_paused)
