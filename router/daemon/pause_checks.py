"""Selects the contacts to read because they may have been paused, or may no longer be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from router.decide.decide import Account
from router.decide.decision import Hold
from router.lookup.details import DetailsCache
from router.model import Contact

JUST_READ = timedelta(seconds=1)


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
