"""Every key of config.toml by its path, and how a text from outside a TOML file is read as its value."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import tomli
from pydantic import BaseModel

from router.settings.model import Settings

ENVIRONMENT = "CONNECT_ROUTER_"

KeyPath = tuple[str, ...]

_WITHOUT_QUOTES: Mapping[Any, type] = {bool: bool, int: int, float: float}


@cache
def keys() -> Mapping[KeyPath, Any]:
    """The annotation of every key and table, by path."""
    return dict(_keys(Settings, ()))


def variable(path: KeyPath) -> str:
    """The environment variable of a key: ``CONNECT_ROUTER_POLL__EVERY``."""
    return ENVIRONMENT + "__".join(path).upper()


@cache
def variables() -> Mapping[str, KeyPath]:
    """Every variable there is."""
    return {variable(path): path for path in keys()}


def from_text(path: KeyPath, text: str) -> Any:
    """The value that the text stands for: itself where the key takes text, else what TOML reads in it, so that
    ``8``, ``true``, ``TASK,EMAIL`` and ``{ rate = 1, burst = 2 }`` can be given. What cannot be read is left as
    it is, and the key's own type then refuses it."""
    kind = _kind(keys()[path])
    if kind is bool:
        text = text.lower() if text.lower() in {"true", "false"} else text
    if kind is tuple and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",")] if text.strip() else []
    return text if kind is str or "\n" in text else _toml_value(text)


def _toml_value(text: str) -> Any:
    try:
        return tomli.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _keys(model: type[BaseModel], above: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    for name, field in model.model_fields.items():
        yield (*above, name), field.annotation
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, (*above, name))


def _kind(annotation: Any) -> type:
    """``bool``, ``int``, ``float``, ``tuple``, ``dict`` for a table, else ``str``: everything that is written in
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
