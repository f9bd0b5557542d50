"""Holds one call of an operation, with what all operations need: look-up, pages, tokens, conditions."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from router.sandbox.contacts import SandboxContact
from router.sandbox.directory import Thing, look_up
from router.sandbox.faults import invalid_parameter, not_found
from router.sandbox.instance import Resource
from router.sandbox.state import State
from router.sandbox.world import World

TOKEN_LIFE = timedelta(minutes=5)
"""GetCurrentMetricData: "the token expires after 5 minutes from the time it is created". It applies to every list."""

PAGE_SIZE = 100
"""The rows of a page if the call does not set MaxResults."""

OFFERED = {"OrConditions", "AndConditions", "StringCondition", "QueueTypeCondition"}
"""The search criteria of SearchQueues and SearchUsers that the sandbox offers."""

Params = Mapping[str, Any]
Result = dict[str, Any]

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class OperationCall:
    """Holds one call, with the state as of now."""

    world: World
    state: State
    operation: str
    params: Params

    @property
    def now(self) -> datetime:
        return self.state.now

    def contact(self, member: str = "ContactId") -> SandboxContact:
        contact = self.state.contacts.get(self.params[member].rsplit("/", 1)[-1])
        if contact is None:
            raise not_found(f"Contact not found: {self.params[member]}")
        return contact

    def one(self, things: Mapping[str, Thing], reference: str, kind: str) -> Thing:
        try:
            return look_up(things, reference)
        except KeyError:
            raise not_found(f"{kind} not found: {reference}") from None

    def listed(self, things: Mapping[str, Thing], references: Sequence[str], kind: str) -> list[Thing]:
        """Returns the things that a list in a request names. One that does not exist refuses the call, or is left
        out, as the behaviour ``unknown_id`` has it."""
        found = []
        for reference in references:
            try:
                found.append(look_up(things, reference))
            except KeyError:
                if self.world.behaviours.unknown_id == "not_found":
                    raise not_found(f"{kind} not found: {reference}") from None
                if self.world.behaviours.unknown_id == "invalid":
                    raise invalid_parameter(f"{kind} is not valid: {reference}") from None
        return found

    def modified(self, thing: Resource) -> Result:
        return {"LastModifiedTime": thing.modified_at, "LastModifiedRegion": self.world.identity.region}

    def searched(self, things: Collection[_Item], fields: Callable[[_Item], Mapping[str, str]]) -> list[_Item]:
        """Returns the things whose fields fulfil SearchCriteria.

        Raises ``Refusal`` if the call also filters by tags or hierarchy."""
        if self.params.get("SearchFilter"):
            raise invalid_parameter("the sandbox does not offer SearchFilter")
        criteria = self.params.get("SearchCriteria") or {}
        return [thing for thing in things if fits(criteria, fields(thing))]

    def rows(
        self, member: str, items: Collection[_Item], row: Callable[[_Item], Result], *, total: str | None = None
    ) -> Result:
        """Returns the requested page with a row for each item, and the token of the next page.

        ``total`` names the member for the number of all items; ``None``: the operation has none."""
        start = self.token().start
        end = start + int(self.params.get("MaxResults") or PAGE_SIZE)
        page = {member: [row(item) for item in list(items)[start:end]]}
        counted = {total: len(items)} if total is not None else {}
        return {**page, **counted, "NextToken": self.next_token(end) if end < len(items) else None}

    def token(self) -> Token:
        """Returns the call's token, or that of the first page. Raises ``Refusal`` for a token of another request."""
        text = self.params.get("NextToken")
        if text is None:
            return Token(start=0, made_at=self.now, as_of=self.now)
        try:
            start, made_at, as_of, digest = json.loads(base64.urlsafe_b64decode(text.encode()))
            token = Token(
                start=int(start),
                made_at=datetime.fromisoformat(made_at),
                as_of=datetime.fromisoformat(as_of),
            )
        except (ValueError, TypeError):
            raise invalid_parameter("NextToken is not valid") from None
        if digest != self.digest():
            raise invalid_parameter("NextToken belongs to a request with other parameters")
        if self.now - token.made_at > TOKEN_LIFE:
            raise invalid_parameter("NextToken has expired")
        return token

    def next_token(self, start: int) -> str:
        as_of = self.token().as_of
        text = json.dumps([start, self.now.isoformat(), as_of.isoformat(), self.digest()])
        return base64.urlsafe_b64encode(text.encode()).decode()

    def digest(self) -> str:
        """Returns what all pages of one request have in common."""
        request = {key: value for key, value in self.params.items() if key not in ("NextToken", "MaxResults")}
        text = json.dumps([self.operation, request], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    start: int
    made_at: datetime
    as_of: datetime
    """The time of the request for the first page."""


Handler = Callable[[OperationCall], Result]


def fits(criteria: Mapping[str, Any], fields: Mapping[str, str]) -> bool:
    """Returns whether the fields fulfil the criteria; upper and lower case are the same.

    Raises ``Refusal`` for an unknown field or a condition that the sandbox does not offer."""
    other = set(criteria) - OFFERED
    if other:
        raise invalid_parameter(f"the sandbox does not offer {', '.join(sorted(other))} in SearchCriteria")
    if criteria.get("OrConditions") and not any(fits(each, fields) for each in criteria["OrConditions"]):
        return False
    if not all(fits(each, fields) for each in criteria.get("AndConditions") or ()):
        return False
    return "StringCondition" not in criteria or _matches(criteria["StringCondition"], fields)


def _matches(condition: Mapping[str, Any], fields: Mapping[str, str]) -> bool:
    name = condition.get("FieldName", "")
    known = {key.lower(): value for key, value in fields.items()}
    if name.lower() not in known:
        raise invalid_parameter(f"unknown field {name!r}; there are {', '.join(fields)}")
    value, wanted = known[name.lower()].lower(), condition.get("Value", "").lower()
    how = condition.get("ComparisonType", "EXACT")
    if how == "STARTS_WITH":
        return value.startswith(wanted)
    return wanted in value if how == "CONTAINS" else value == wanted
