"""Finds the operation of a request by the service model, and checks values against the model.

The check is stricter than botocore's own. botocore checks types, required members and lower bounds. A service also
checks upper bounds, enums and patterns.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

SERVICE = "connect"
API_VERSION = "2017-08-08"


@functools.cache
def service_model() -> ServiceModel:
    """Reads Amazon Connect's model as botocore ships it, once in a process. This takes a tenth of a second."""
    loader = botocore.session.Session().get_component("data_loader")
    return ServiceModel(loader.load_service_model(SERVICE, "service-2", API_VERSION), SERVICE)


def modelled_errors(operation: OperationModel) -> frozenset[str]:
    return frozenset(shape.name for shape in operation.error_shapes)


@dataclass(frozen=True, slots=True)
class Template:
    """Holds the parts of one operation's path. A part in braces is a label: the member of that name."""

    operation: OperationModel
    parts: tuple[str, ...]

    def match(self, parts: tuple[str, ...]) -> Mapping[str, str] | None:
        """Returns the labels and their values, ``None`` if the path does not match.

        Each part is unquoted by itself, because an ARN has its slashes as ``%2F``."""
        labels = {}
        for mine, theirs in zip(self.parts, parts, strict=True):
            if mine.startswith("{"):
                if not theirs:
                    return None
                labels[mine.strip("{}+")] = unquote(theirs, errors="replace")
            elif mine != theirs:
                return None
        return labels

    @property
    def literals(self) -> int:
        return sum(not part.startswith("{") for part in self.parts)


@dataclass(frozen=True, slots=True)
class Resolved:
    operation: OperationModel
    labels: Mapping[str, str]


def resolve(method: str, raw_path: str) -> Resolved | None:
    """Returns the operation and the labels, ``None`` if the model has no such operation.

    ``raw_path`` is still quoted and has no query string."""
    parts = tuple(raw_path.strip("/").split("/"))
    for template in _templates().get((method, len(parts)), ()):
        labels = template.match(parts)
        if labels is not None:
            return Resolved(template.operation, labels)
    return None


@functools.cache
def _templates() -> Mapping[tuple[str, int], tuple[Template, ...]]:
    found: dict[tuple[str, int], list[Template]] = defaultdict(list)
    model = service_model()
    for name in model.operation_names:
        operation = model.operation_model(name)
        parts = tuple(operation.http["requestUri"].split("?")[0].strip("/").split("/"))
        found[operation.http["method"], len(parts)].append(Template(operation, parts))
    return {key: tuple(sorted(some, key=lambda each: -each.literals)) for key, some in found.items()}


def violations(value: Any, shape: Shape) -> list[str]:
    """Returns a line for every breach of the model. The list is empty for a valid value."""
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        return [line.strip() for line in report.generate_report().splitlines()]
    return list(_beyond(value, shape, ""))


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
