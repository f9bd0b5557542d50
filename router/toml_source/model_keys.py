"""Finds the keys and tables that a model permits, by their path in the file."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, RootModel
from pydantic.fields import FieldInfo

DEEPEST_TABLE = 4


def known_keys(model: type[BaseModel], path: Iterable[str | int], loc: Iterable[str | int] = ()) -> list[str]:
    """Returns the keys that are possible in the table at that path, in the model's order.

    ``loc`` is pydantic's own location. If it names one of several models that are possible there, only that model's
    keys are returned.
    """
    return list(dict.fromkeys(name for each in models_at(model, path, loc) for name in _field_names(each)))


def models_at(model: type[BaseModel], path: Iterable[str | int], loc: Iterable[str | int]) -> list[type[BaseModel]]:
    """Returns the models of the tables that are possible at that path."""
    possible = list(_models_and_containers(model))
    for part in path:
        possible = [inner for outer in possible for inner in _models_inside(outer, part)]
    models = [each for each in possible if _is_model(each)]
    tags = {part for part in loc if isinstance(part, str)}
    return [each for each in models if each.__name__ in tags] or models


def places_of(model: type[BaseModel], key: str) -> list[str]:
    """Returns the tables that know the key, in words, except those within lists of alternatives."""
    found = []
    waiting: list[tuple[type[BaseModel], tuple[str, ...]]] = [(model, ())]
    while waiting:
        table, path = waiting.pop(0)
        if key in _field_names(table):
            found.append(f"in [{'.'.join(path)}]" if path else "at the top of the file, before every [table]")
        if len(path) < DEEPEST_TABLE:
            for name, info in table.model_fields.items():
                inner: Any = info.annotation
                waiting += [(inner, (*path, name))] if _is_model(inner) else []
    return found


def _models_inside(outer: Any, part: str | int) -> Iterable[Any]:
    if _is_model(outer):
        for name, info in outer.model_fields.items():
            if part in _model_names(name, info):
                yield from _models_and_containers(info.annotation)
    elif isinstance(part, int):
        for item in get_args(outer)[:1]:
            yield from _models_and_containers(item)
    else:
        for item in get_args(outer)[1:2]:
            yield from _models_and_containers(item)


def _models_and_containers(annotation: Any) -> Iterable[Any]:
    """Yields the alternatives of an annotation, unwrapped."""
    annotation = getattr(annotation, "__value__", annotation)  # a TypeAliasType
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _models_and_containers(get_args(annotation)[0])
    elif origin in {Union, types.UnionType}:
        for member in get_args(annotation):
            yield from _models_and_containers(member)
    elif _is_model(annotation) and issubclass(annotation, RootModel):
        yield from _models_and_containers(annotation.model_fields["root"].annotation)
    elif _is_model(annotation) or (isinstance(origin, type) and issubclass(origin, Sequence | Mapping)):
        yield annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _field_names(model: type[BaseModel]) -> list[str]:
    return [name for field, info in model.model_fields.items() for name in _model_names(field, info)]


def _model_names(name: str, info: FieldInfo) -> list[str]:
    """Returns the names that the file may use for the field: its aliases if it has some, because then its own is not
    accepted."""
    match info.validation_alias:
        case str(alias):
            return [alias]
        case AliasChoices(choices=choices):
            return [choice for choice in choices if isinstance(choice, str)] or [name]
        case _:
            return [info.alias or name]
