"""Holds one call of an operation, with what all operations need: look-up, pages, tokens."""

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
"""GetCurrentMetricData: "the token expires after 5 minutes from the time it is created". It applies to every list."""

Params = Mapping[str, Any]
Result = dict[str, Any]

_Thing = TypeVar("_Thing", SandboxQueue, SandboxFlow, SandboxHours, Profile, User)
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

    def one(self, things: Mapping[str, _Thing], reference: str, kind: str) -> _Thing:
        try:
            return look_up(things, reference)
        except KeyError:
            raise not_found(f"{kind} not found: {reference}") from None

    def listed(self, things: Mapping[str, _Thing], references: Sequence[str], kind: str) -> list[_Thing]:
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

    def page(self, items: Sequence[_Item], *, default: int) -> tuple[list[_Item], str | None]:
        """Returns the requested page, and the token of the next one."""
        start = self.token().start
        end = start + int(self.params.get("MaxResults") or default)
        return list(items[start:end]), self.next_token(end) if end < len(items) else None

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
