"""What only DescribeContact tells of a contact, as the conditions of ``match`` see it."""

from __future__ import annotations

from collections.abc import Iterable

from router.model import DEFAULT_PRIORITY, Contact, Details
from router.rules.condition import Match, Seen, Truth, Unread, Value

KEYS = frozenset({"attributes", "priority", "task_template", "to_address", "from_address"})
"""The match keys, without what follows a dot."""


def is_detail(key: str) -> bool:
    return key.partition(".")[0] in KEYS


def detail(details: Details, key: str) -> Value | None:
    """The value of one of the keys; ``None`` where the contact has none."""
    group, _, name = key.partition(".")
    if group == "attributes":
        return details.attributes.get(name)
    if group == "priority":
        return priority_of(details)
    if group == "task_template":
        names = (details.task_template, details.task_template_id)
        return tuple(one for one in names if one is not None) or None
    value: Value | None = getattr(details, key)
    return value


def priority_of(details: Details) -> int:
    """One that the answer does not say is the default."""
    return DEFAULT_PRIORITY if details.priority is None else details.priority


def seen_details(matched: Match | None) -> tuple[Seen, ...]:
    """The conditions that came out as they did because of what DescribeContact told."""
    seen = matched.seen if matched is not None else ()
    return tuple(one for one in seen if one.test.costs_a_call and is_detail(one.test.key) and _was_read(one))


def _was_read(seen: Seen) -> bool:
    return seen.truth is not Truth.UNREAD and not isinstance(seen.value, Unread)


def still_so(relied_on: Iterable[Seen], contact: Contact) -> bool:
    """Whether every condition that a decision rests on comes out as it did, on the contact as it was just read."""
    details = contact.details
    if details is None:
        return True
    return all(seen.test.fits(detail(details, seen.test.key)) is (seen.truth is Truth.YES) for seen in relied_on)
