"""Lists the keys of ``match``: the source of each value, what it costs and what may change it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Source(Enum):
    """Names the API operation, or the table, that is the source of a value."""

    SEARCH = "search"
    """SearchContacts: known of every waiting contact."""
    DETAILS = "details"
    """DescribeContact: one call a contact."""
    CHAIN = "chain"
    """DescribeContact or ListAssociatedContacts for the chain: one call or more."""
    HOURS = "hours"
    """Hours of operation: read once for all contacts."""


class ChangedBy(Enum):
    """Names what may change a value while the wait lasts."""

    NOTHING = "nothing"
    """Not even a move: a rule that has moved the contact sees the queue where it first acted."""
    MOVE = "move"
    """A move or a routing update of the router, whose rule then sees the value from before."""
    ANYTHING = "anything"
    """Time, flows or people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchKey:
    """Describes one key of ``match``. ``group`` keys are written with a name behind a dot: ``tags.team``.

    ``timed`` values change with the time alone. ``few_values`` marks keys of which an instance has so few values that
    results are kept by value. The file gives ``by_reference`` values by name, id or ARN; letters of ``folded`` values
    compare without regard to upper and lower case.
    """

    source: Source
    changed_by: ChangedBy = ChangedBy.ANYTHING
    group: bool = False
    timed: bool = False
    few_values: bool = False
    by_reference: bool = False
    folded: bool = False

    @property
    def costs_a_call(self) -> bool:
        return self.source in (Source.DETAILS, Source.CHAIN)


MATCH_KEYS: dict[str, MatchKey] = {
    "channel": MatchKey(source=Source.SEARCH, changed_by=ChangedBy.NOTHING, few_values=True),
    "queue": MatchKey(source=Source.SEARCH, changed_by=ChangedBy.NOTHING, few_values=True, by_reference=True),
    "waited": MatchKey(source=Source.SEARCH, changed_by=ChangedBy.MOVE, timed=True),
    "age": MatchKey(source=Source.CHAIN, timed=True),
    "initiation_method": MatchKey(source=Source.SEARCH, changed_by=ChangedBy.MOVE, few_values=True),
    "name": MatchKey(source=Source.SEARCH, changed_by=ChangedBy.NOTHING),
    "subtype": MatchKey(source=Source.SEARCH, few_values=True),
    "segment_attributes": MatchKey(source=Source.SEARCH, group=True),
    "tags": MatchKey(source=Source.SEARCH, group=True),
    "attributes": MatchKey(source=Source.DETAILS, group=True),
    "priority": MatchKey(source=Source.DETAILS, changed_by=ChangedBy.MOVE),
    "task_template": MatchKey(source=Source.DETAILS, changed_by=ChangedBy.NOTHING, by_reference=True),
    "to_address": MatchKey(source=Source.DETAILS, changed_by=ChangedBy.NOTHING, folded=True),
    "from_address": MatchKey(source=Source.DETAILS, changed_by=ChangedBy.NOTHING, folded=True),
    "transfers": MatchKey(source=Source.CHAIN, changed_by=ChangedBy.MOVE),
    "hours": MatchKey(source=Source.HOURS, timed=True),
}
"""In the order of the documentation, which is the order in which conditions are tested. ``file/match_table.py`` holds
the types of the values, ``decide/match_subject.py`` reads them."""


def match_key(key: str) -> MatchKey:
    """Returns the description of a key as conditions write it, with or without a name behind the dot."""
    return MATCH_KEYS[key.partition(".")[0]]
