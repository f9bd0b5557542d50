"""Converts the frozen values of the domain to JSON and back, by their fields: a value at its default is left out."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from router.ledger.rows import MICROSECOND, instant_of, micros
from router.rules.condition import Unread

UNREAD = "unread"
"""The only member of the JSON object of a value that could not be read."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""No contact, and no reading of one, is from before or after. Times far outside cannot be calculated with."""
LONGEST = LATEST - EARLIEST

Json = Any
T = TypeVar("T")
Decode = Callable[[Any], Any]


def encode(value: object) -> Json:
    """Returns the value as JSON. Instants and durations are whole microseconds, mappings with other keys than texts are
    lists of pairs."""
    if value is None or isinstance(value, str | bool | int | float):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return micros(value)
    if isinstance(value, timedelta):
        return value // MICROSECOND
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Unread):
        return {UNREAD: value.why}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {encode(key): encode(one) for key, one in value.items()}
        return [[encode(key), encode(one)] for key, one in value.items()]
    if isinstance(value, tuple | list | frozenset):
        return [encode(one) for one in value]
    fields = _defaults(cast("Hashable", type(value)))
    return {name: encode(one) for name, default in fields if (one := getattr(value, name)) != default}


@cache
def _defaults(of: Any) -> tuple[tuple[str, object], ...]:
    """Returns the fields of a dataclass with their defaults; the default of a required field equals nothing."""
    found = []
    for one in dataclasses.fields(of):
        default = one.default if one.default_factory is dataclasses.MISSING else one.default_factory()
        if one.init:
            found.append((one.name, default))
    return tuple(found)


def decode(of: type[T], value: Json) -> T:
    """Returns the value of this type. Raises ValueError, KeyError, TypeError or AttributeError for JSON that is none.
    Members that the type does not have, from another version, are left out."""
    return cast("T", decoder(cast("Hashable", of))(value))


def possible(at: datetime) -> datetime:
    """Returns the instant. Raises ``ValueError`` if nothing of a history can have happened then."""
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"an impossible time: {at}")
    return at


def _span(value: int) -> timedelta:
    span = timedelta(microseconds=value)
    if abs(span) > LONGEST:
        raise ValueError(f"an impossible duration: {span}")
    return span


@cache
def decoder(of: Any) -> Decode:
    """Returns the function that makes a value of this type of JSON."""
    if isinstance(of, NewType):
        return decoder(of.__supertype__)
    origin, inner = get_origin(of), get_args(of)
    if origin in (Union, types.UnionType):
        return _union(inner)
    if origin is tuple:
        if inner[-1] is Ellipsis:
            each = decoder(inner[0])
            return lambda value: tuple([each(one) for one in value])
        parts = [decoder(one) for one in inner]
        return lambda value: tuple([part(one) for part, one in zip(parts, value, strict=True)])
    if origin is frozenset:
        each = decoder(inner[0])
        return lambda value: frozenset([each(one) for one in value])
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(*inner)
    if of is datetime:
        return lambda value: possible(instant_of(value))
    if of is timedelta:
        return _span
    if of is date:
        return date.fromisoformat
    if of is Unread:
        return lambda value: Unread(value[UNREAD])
    if dataclasses.is_dataclass(of):
        return _dataclass(cast("type", of))
    if isinstance(of, type) and issubclass(of, Enum):
        return of
    return lambda value: value


def _union(inner: tuple[Any, ...]) -> Decode:
    others = [one for one in inner if one not in (type(None), Unread)]
    known = decoder(others[0]) if len(others) == 1 else lambda value: value
    may_be_unread = Unread in inner

    def union(value: Json) -> object:
        if value is None:
            return None
        if may_be_unread and isinstance(value, dict) and value.keys() == {UNREAD}:
            return Unread(value[UNREAD])
        return known(value)

    return union


def _mapping(key: Any, item: Any) -> Decode:
    each_key, each = decoder(key), decoder(item)

    def mapping(value: Json) -> dict[Any, Any]:
        pairs = value.items() if isinstance(value, dict) else value
        return {each_key(name): each(one) for name, one in pairs}

    return mapping


def _dataclass(of: type) -> Decode:
    hints = get_type_hints(of)
    fields: dict[str, Decode] = {}
    for one in dataclasses.fields(of):
        if one.init:
            fields[one.name] = decoder(hints[one.name])

    def make(value: Json) -> object:
        return of(**{name: fields[name](one) for name, one in value.items() if name in fields})

    return make
