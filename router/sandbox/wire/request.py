"""Reads a request on the wire, and checks its parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.parsers import RestJSONParser

from router.sandbox.faults import Refusal, invalid_parameter, invalid_request
from router.sandbox.wire.model import Resolved, modelled_errors, violations

Params = dict[str, Any]


def read_params(resolved: Resolved, query: str, body: bytes) -> Params:
    """Returns the parameters. Raises ``Refusal`` (400) with every breach of the service model in one message."""
    shape = resolved.operation.input_shape
    if shape is None:
        return {}
    assert isinstance(shape, StructureShape)
    document = _document(body)
    mistyped = _mistyped(document, shape)
    if mistyped:
        raise Refusal("SerializationException", "; ".join(mistyped))
    raw = _raw(shape, resolved.labels, query, document)
    try:
        params = _PARSER._parse_shape(shape, raw)  # type: ignore[attr-defined]  # held by a test
    except (ValueError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise Refusal("SerializationException", f"a value of the wrong type: {type(error).__name__}") from error
    found = _unknown(raw, shape) + violations(params, shape)
    if found:
        has_request = "InvalidRequestException" in modelled_errors(resolved.operation)
        refuse = invalid_request if has_request else invalid_parameter
        raise refuse("; ".join(found))
    return dict(params)


def read_time(value: object) -> datetime:
    """Reads seconds since the epoch, or ISO 8601. Returns UTC."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    raise ValueError("no timestamp")


_PARSER = RestJSONParser(timestamp_parser=read_time)


def _document(body: bytes) -> Mapping[str, Any]:
    if not body:
        return {}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal("SerializationException", "the body is not JSON") from error
    if not isinstance(document, dict):
        raise Refusal("SerializationException", "the body is not a JSON object")
    return document


def _raw(shape: StructureShape, labels: Mapping[str, str], query: str, document: Mapping[str, Any]) -> Params:
    """Collects all members from path, query and body, by their names on the wire."""
    given = parse_qs(query, keep_blank_values=True)
    raw: Params = dict(document)
    for member, inner in shape.members.items():
        place = inner.serialization.get("location")
        name = inner.serialization.get("name", member)
        if place is not None:
            raw.pop(name, None)
        if place == "uri":
            raw[name] = labels[name]
        elif place == "querystring" and name in given:
            raw[name] = given[name] if isinstance(inner, ListShape) else given[name][-1]
    return raw


JSON_TYPES: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "structure": ("an object", (dict,)),
    "map": ("an object", (dict,)),
    "list": ("a list", (list,)),
    "string": ("a text", (str,)),
    "blob": ("a text", (str,)),
    "boolean": ("true or false", (bool,)),
    "integer": ("a whole number", (int,)),
    "long": ("a whole number", (int,)),
    "float": ("a number", (int, float)),
    "double": ("a number", (int, float)),
    "timestamp": ("a number of seconds since 1970", (int, float)),
}


def _mistyped(given: Any, shape: Shape, name: str = "") -> list[str]:
    """Returns a line for each JSON value of the wrong type, because botocore's parser converts some. Null is absent."""
    if given is None:
        return []
    wanted, types = JSON_TYPES[shape.type_name]
    if not isinstance(given, types) or (isinstance(given, bool) and bool not in types):
        return [f"{name.lstrip('.') or 'the body'}: {wanted} is expected"]
    value: Any = given  # a name of its own: isinstance has narrowed the other one
    found = []
    if isinstance(shape, StructureShape):
        for member, inner in shape.members.items():
            if "location" not in inner.serialization:
                wire = inner.serialization.get("name", member)
                found += _mistyped(value.get(wire), inner, f"{name}.{wire}")
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value):
            found += _mistyped(item, shape.member, f"{name}[{index}]")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            found += _mistyped(item, shape.value, f"{name}.{key}")
    return found


def _unknown(raw: Any, shape: Shape, name: str = "") -> list[str]:
    """Returns a line for each member that the model does not have, because botocore's parser ignores them."""
    found = []
    if isinstance(shape, StructureShape) and isinstance(raw, dict):
        known = {inner.serialization.get("name", member): inner for member, inner in shape.members.items()}
        found = [f"unknown member {name}{key!r}" for key in raw if key not in known]
        for key, inner in known.items():
            found += _unknown(raw.get(key), inner, f"{name}{key}.")
    elif isinstance(shape, ListShape) and isinstance(raw, list):
        for item in raw:
            found += _unknown(item, shape.member, name)
    return found
