"""``match`` tables to conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from router.rules.condition import AllOf, AnyOf, Condition, NoneOf, Test
from router.rules.form import Form, HoursForm, RangeForm, TextForm
from router.rules.match_document import AttributeTable, ChannelTable, HoursCondition, Match, TextTable
from router.rules.place import Place
from router.rules.ranges import Range
from router.rules.written import written, written_key
from router.toml_source import Path

KEYS = tuple(name for name in Match.model_fields if not name.endswith("_"))
GROUPS = ("segment_attributes", "tags", "attributes")
NAMES = frozenset({"queue", "task_template"})
"""What the file gives by name, id or ARN."""
FOLDED = frozenset({"to_address", "from_address"})
COSTS_A_CALL = frozenset({"age", "attributes", "priority", "task_template", "to_address", "from_address", "transfers"})
"""What no search tells: it is read by DescribeContact and ListAssociatedContacts."""


def compile_match(match: Match, path: Path, place: Callable[[Path], Place]) -> Condition:
    """The condition of a ``match`` table, one test a key, in the order of the documented keys. ``place`` tells where
    the value of a path stands."""
    children = tuple(_children(match, path, place))
    return children[0] if len(children) == 1 else AllOf(children)


NESTED: tuple[tuple[str, type[AnyOf | AllOf | NoneOf]], ...] = (("any", AnyOf), ("all", AllOf), ("none", NoneOf))


def _children(match: Match, path: Path, place: Callable[[Path], Place]) -> Iterator[Condition]:
    for key in KEYS:
        value = getattr(match, key)
        if key in GROUPS:
            for name, one in value.items():
                yield _test(f"{key}.{name}", one, f"{key}.{written_key(name)}", place((*path, key, name)))
        elif value is not None:
            yield _test(key, value, key, place((*path, key)))
    for key, kind in NESTED:
        inside: list[Match] = getattr(match, key + "_") or []
        if inside:
            yield kind(tuple(compile_match(one, (*path, key, index), place) for index, one in enumerate(inside)))


def _test(key: str, value: Any, shown: str, place: Place) -> Test:
    form = form_of(key, value)
    return Test(
        key=key,
        text=f"{shown} = {written(value)}",
        fits=form,
        costs_a_call=key.partition(".")[0] in COSTS_A_CALL,
        references=form.literals if key == "queue" and isinstance(form, TextForm) else (),
        patterns=form.globs if key == "queue" and isinstance(form, TextForm) else (),
        place=place,
        form=form,
    )


def form_of(key: str, value: Any) -> Form:
    """What a value of the file, of any of the forms that its key allows, says."""
    names, folded = key in NAMES, key in FOLDED
    match value:
        case HoursCondition():
            return HoursForm(value.name, value.is_)
        case Range():
            return RangeForm.of(*value.ends)
        case AttributeTable() if value.min is not None or value.max is not None:
            return RangeForm.of(value.min, value.max)
        case TextTable() | AttributeTable() | ChannelTable() if value.not_ is not None:
            return TextForm.of(_list(value.not_), negated=True, names=names, folded=folded)
        case TextTable() | AttributeTable():
            return TextForm(present=value.present, pattern=value.matches, names=names, folded=folded)
        case int() | float() | timedelta():
            return RangeForm.of(value, value)
        case _:
            return TextForm.of(_list(value), names=names, folded=folded)


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
