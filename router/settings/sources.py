"""Reads settings from the command line, the environment and the file. Each source names its places in messages."""

from __future__ import annotations

import re
import types
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from router.problems import Problem, Problems, did_you_mean, nearest
from router.settings.model import Settings
from router.toml_source import Finding, TomlSource
from router.toml_source.validation_errors import same_key

ENVIRONMENT = "CONNECT_ROUTER_"

_LINK = re.compile(
    rf"{ENVIRONMENT}([A-Z0-9]+_)*(SERVICE_(HOST|PORT(_[A-Z0-9]+)*)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
_LINKED = re.compile(r"(tcp|udp|sctp)://\S+|tcp|udp|sctp|\d+|[0-9a-fA-F:.]+|None")
"""The values of such variables: an address with its protocol, a protocol, a port, an address. A Service without an
address has ``None`` (Kubernetes, "Accessing the Service")."""

KeyPath = tuple[str, ...]

_WITHOUT_QUOTES: Mapping[Any, type] = {bool: bool, int: int, float: float}


@cache
def keys() -> Mapping[KeyPath, Any]:
    """Returns the annotation of every key and table, by path."""
    return dict(_keys(Settings, ()))


def variable(path: KeyPath) -> str:
    """Returns the environment variable of a key: ``CONNECT_ROUTER_POLL__EVERY``."""
    return ENVIRONMENT + "__".join(path).upper()


@cache
def variables() -> Mapping[str, KeyPath]:
    """Returns every variable with the path of its key."""
    return {variable(path): path for path in keys()}


def from_text(path: KeyPath, text: str) -> Any:
    """Returns the value that the text means: itself if the key takes text, otherwise what TOML reads in it.

    ``8``, ``true``, ``TASK,EMAIL`` and ``{ rate = 1, burst = 2 }`` can be given. Text that cannot be read is left as it
    is, and the key's own type then refuses it.
    """
    kind = _kind(keys()[path])
    if kind is bool:
        text = text.lower() if text.lower() in {"true", "false"} else text
    if kind is tuple and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",")] if text.strip() else []
    return text if kind is str or "\n" in text else _toml_value(text)


def _toml_value(text: str) -> Any:
    try:
        return TomlSource.parse("", f"value = {text}".encode()).data["value"]
    except Problems:
        return text


def _keys(model: type[BaseModel], above: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    for name, field in model.model_fields.items():
        yield (*above, name), field.annotation
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, (*above, name))


def _kind(annotation: Any) -> type:
    """Returns ``bool``, ``int``, ``float``, ``tuple``, ``dict`` for a table, or ``str`` for everything written in
    quotes."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return _kind(get_args(annotation)[0])
    if origin is tuple:
        return tuple
    if annotation in _WITHOUT_QUOTES:
        return _WITHOUT_QUOTES[annotation]
    if origin is not Literal and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return dict
    return str


NOT_TEXT = "the value is not UTF-8"


class Layer(PydanticBaseSettingsSource):
    """Holds one source. ``data`` is what it sets, as nested tables; its relative paths are relative to ``folder``.

    ``problems`` are those that it can find by itself.
    """

    def __init__(self, data: dict[str, Any], *, folder: Path, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(Settings)
        self.data = data
        self.folder = folder
        self.problems = problems

    def __call__(self) -> dict[str, Any]:
        return self.data

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self.data.get(field_name), field_name, isinstance(self.data.get(field_name), dict)

    def sets(self, path: tuple[str | int, ...]) -> bool:
        """Returns whether it sets anything at that path."""
        return self.value(path) is not None

    def value(self, path: tuple[str | int, ...]) -> Any:
        """Returns what it sets at that path; ``None`` if it sets nothing there."""
        value: Any = self.data
        for part in path:
            if not same_key(part, value):
                return None
            value = value[part]
        return value

    @abstractmethod
    def problem(self, finding: Finding) -> Problem:
        """Returns the finding with its place in this source."""


class FileLayer(Layer):
    def __init__(self, source: TomlSource, *, folder: Path) -> None:
        super().__init__(source.data, folder=folder)
        self.source = source

    def problem(self, finding: Finding) -> Problem:
        return self.source.problem(finding.path, finding.message, of=finding.of)


class NamedLayer(Layer):
    """Holds single values, each under a name of its own: a variable or an option."""

    def __init__(self, named: Mapping[str, tuple[KeyPath, Any]], problems: tuple[Problem, ...]) -> None:
        super().__init__(_nested(dict(named.values())), folder=Path(), problems=problems)
        self._names = {path: name for name, (path, _) in named.items()}

    def problem(self, finding: Finding) -> Problem:
        name = self._name(finding.path)
        return Problem(name, 0, 0, finding.message)

    def _name(self, path: tuple[str | int, ...]) -> str:
        """Returns the name that set the path or what holds it; otherwise one that set something in it."""
        holding = [known for known in self._names if known == path[: len(known)]]
        within = [known for known in self._names if known[: len(path)] == path]
        return self._names[max(holding, key=len) if holding else min(within)]


def environment_layer(environ: Mapping[str, str]) -> NamedLayer:
    """Reads every ``CONNECT_ROUTER_`` variable that is not empty.

    An unknown one is a problem, because it would have no effect, unless Kubernetes has set it for a Service."""
    known, links = variables(), service_links(environ)
    named: dict[str, tuple[KeyPath, Any]] = {}
    problems: list[Problem] = []
    for name in sorted(name for name, value in environ.items() if name.startswith(ENVIRONMENT) and value):
        if name in links:
            continue
        if name in known and not _is_text(environ[name]):
            problems.append(Problem(f"environment:{name}", 0, 0, NOT_TEXT))
        elif name in known:
            named[f"environment:{name}"] = known[name], from_text(known[name], environ[name])
        else:
            message = f"unknown variable{_meant(name)}"
            problems.append(Problem(f"environment:{name}", 0, 0, message))
    return NamedLayer(named, tuple(problems))


def service_links(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the variables that Kubernetes sets in every container for a Service named ``connect-router``, or
    ``connect-router-…``."""
    links = (name for name, value in environ.items() if _LINK.fullmatch(name) and _LINKED.fullmatch(value))
    return tuple(sorted(name for name in links if name not in variables()))


def _is_text(value: str) -> bool:
    """Returns whether the value is UTF-8. Other bytes come from the operating system as lone surrogates, which no
    encoder takes."""
    return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)


def _meant(name: str) -> str:
    """Returns a hint at the nearest variable. The beginning that all have in common is left out, because all would be
    alike by it."""
    bare = {each.removeprefix(ENVIRONMENT): each for each in variables()}
    near = nearest(name.removeprefix(ENVIRONMENT), bare)
    return f" (did you mean '{bare[near]}'?)" if near is not None else ""


def command_line_layer(overrides: Mapping[str, object]) -> NamedLayer:
    """Reads ``{"execute.mode": "enforce"}``: keys as on the command line, values as text or of the key's type."""
    known = keys()
    named: dict[str, tuple[KeyPath, Any]] = {}
    problems: list[Problem] = []
    for name, value in overrides.items():
        path = tuple(name.split("."))
        if isinstance(value, str) and not _is_text(value):
            problems.append(Problem(f"--set {name}", 0, 0, NOT_TEXT))
        elif path in known:
            named[f"--set {name}"] = path, from_text(path, value) if isinstance(value, str) else value
        else:
            near = did_you_mean(name, [".".join(each) for each in known])
            problems.append(Problem(f"--set {name}", 0, 0, f"unknown key '{name}'{near}"))
    return NamedLayer(named, tuple(problems))


def merged(layers: tuple[Layer, ...]) -> dict[str, Any]:
    """Returns the values of all layers, the strongest first, merged as the settings library does."""
    together: dict[str, Any] = {}
    for layer in reversed(layers):
        _merge(together, layer.data)
    return together


def _merge(into: dict[str, Any], stronger: Mapping[str, Any]) -> None:
    for key, value in stronger.items():
        below = into.get(key)
        if isinstance(value, dict):
            into[key] = dict(below) if isinstance(below, dict) else {}
            _merge(into[key], value)
        else:
            into[key] = value


def _nested(values: Mapping[KeyPath, Any]) -> dict[str, Any]:
    """Returns nested tables. Whole tables are set first: a variable for one does not undo one for a key in it."""
    data: dict[str, Any] = {}
    for path in sorted(values, key=len):
        table = data
        for part in path[:-1]:
            inside = table.setdefault(part, {})
            if not isinstance(inside, dict):
                break
            table = inside
        else:
            table[path[-1]] = values[path]
    return data
