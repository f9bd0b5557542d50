"""Finds the operation of a request, by the methods and paths of the service model."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import botocore.session
from botocore.model import OperationModel, ServiceModel

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
