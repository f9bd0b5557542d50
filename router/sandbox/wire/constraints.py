"""Checks values against the service model, more strictly than botocore's own validator.

botocore checks types, required members and lower bounds. A service also checks upper bounds, enums and patterns.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator


def violations(value: Any, shape: Shape) -> list[str]:
    """Returns a line for every breach of the model. The list is empty for a valid value."""
    problems = [line.strip() for line in _types(value, shape)]
    return problems or list(_beyond(value, shape, ""))


def _types(value: Any, shape: Shape) -> Iterator[str]:
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        yield from report.generate_report().splitlines()


def _beyond(value: Any, shape: Shape, name: str) -> Iterator[str]:
    yield from _bounds(value, shape, name)
    if isinstance(shape, StructureShape):
        for member, inner in value.items():
            yield from _beyond(inner, shape.members[member], f"{name}.{member}")
    elif isinstance(shape, ListShape):
        for index, inner in enumerate(value):
            yield from _beyond(inner, shape.member, f"{name}[{index}]")
    elif isinstance(shape, MapShape):
        for key, inner in value.items():
            yield from _beyond(key, shape.key, f"{name} (a key)")
            yield from _beyond(inner, shape.value, f"{name} (the value of a key)")


def _bounds(value: Any, shape: Shape, name: str) -> Iterator[str]:
    where = name.lstrip(".") or "input"
    most = shape.metadata.get("max")
    if most is not None:
        size = value if isinstance(value, (int, float)) and not isinstance(value, bool) else _length(value)
        if size is not None and size > most:
            yield f"Value at '{where}' failed to satisfy constraint: at most {most}, got {size}"
    if isinstance(shape, StringShape):
        if shape.enum and value not in shape.enum:
            yield f"Value at '{where}' failed to satisfy constraint: one of [{', '.join(shape.enum)}]"
        pattern = _pattern(shape.metadata.get("pattern"))
        if pattern is not None and not pattern.search(value):
            yield f"Value at '{where}' failed to satisfy constraint: pattern {shape.metadata['pattern']}"


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, (str, bytes, list, tuple, dict)) else None


@functools.cache
def _pattern(text: str | None) -> re.Pattern[str] | None:
    """Compiles a pattern. Returns ``None`` for the few that Python's ``re`` cannot read.

    They are ``\\P{C}`` and bytes that the model quotes twice."""
    if text is None or "\\P{" in text or "\\\\" in text:
        return None
    try:
        return re.compile(text)
    except re.error:
        return None
