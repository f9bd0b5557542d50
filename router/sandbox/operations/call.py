"""What an operation is given, and the things that every list has: looking up, paging, tokens."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from router.sandbox.contacts import SandboxContact
from router.sandbox.directory import look_up
from router.sandbox.instance import Profile, SandboxFlow, SandboxHours, SandboxQueue, User
from router.sandbox.refusal import invalid_parameter, not_found
from router.sandbox.state import State
from router.sandbox.world import World

TOKEN_LIFE = timedelta(minutes=5)
"""GetCurrentMetricData: "the token expires after 5 minutes from the time it is created"; taken for every list."""

Params = Mapping[str, Any]
Result = dict[str, Any]

_Thing = TypeVar("_Thing", SandboxQueue, SandboxFlow, SandboxHours, Profile, User)
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class OperationCall:
    """One call, on the state as of now."""

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

    def one(self, things: Mapping[str, _Thing], reference: str, kind: str) -> _Thing:
        try:
            return look_up(things, reference)
        except KeyError:
            raise not_found(f"{kind} not found: {reference}") from None

    def page(self, items: Sequence[_Item], *, default: int) -> tuple[list[_Item], str | None]:
        """The page asked for, and the token of the next."""
        start = self.token().start
        end = start + int(self.params.get("MaxResults") or default)
        return list(items[start:end]), self.next_token(end) if end < len(items) else None

    def token(self) -> Token:
        """Of this call: the start, where it brings none. Raises ``Refusal`` for one that is not this search's."""
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
        if digest != self._digest():
            raise invalid_parameter("NextToken belongs to a request with other parameters")
        if self.now - token.made_at > TOKEN_LIFE:
            raise invalid_parameter("NextToken has expired")
        return token

    def next_token(self, start: int) -> str:
        as_of = self.token().as_of
        text = json.dumps([start, self.now.isoformat(), as_of.isoformat(), self._digest()])
        return base64.urlsafe_b64encode(text.encode()).decode()

    def _digest(self) -> str:
        asked = {key: value for key, value in self.params.items() if key not in ("NextToken", "MaxResults")}
        text = json.dumps([self.operation, asked], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    start: int
    made_at: datetime
    as_of: datetime
    """When the first page was asked for."""


Handler = Callable[[OperationCall], Result]
