"""``match`` tables to conditions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from router.rules.condition import AllOf, AnyOf, Condition, NoneOf, Test
from router.rules.form import Form, HoursForm, RangeForm, TextForm
from router.rules.match_document import AttributeTable, ChannelTable, HoursCondition, Match, TextTable
from router.rules.ranges import Range
from router.rules.written import written, written_key

TEXTS = ("channel", "queue", "initiation_method", "name", "subtype", "task_template", "to_address", "from_address")
GROUPS = ("segment_attributes", "tags", "attributes")
RANGES = ("waited", "age", "priority", "transfers")
FOLDED = frozenset({"to_address", "from_address"})
COSTS_A_CALL = frozenset({"age", "attributes", "priority", "task_template", "to_address", "from_address", "transfers"})
"""What no search tells: it is read by DescribeContact and ListAssociatedContacts."""


def compile_match(match: Match) -> Condition:
    """The condition of a ``match`` table, one test a key, in the order of the documented keys."""
    children = tuple(_children(match))
    return children[0] if len(children) == 1 else AllOf(children)


def _children(match: Match) -> Iterator[Condition]:
    for key in (*TEXTS[:2], "waited", "age", *TEXTS[2:5]):
        yield from _test(key, getattr(match, key))
    for group in GROUPS:
        for name, value in getattr(match, group).items():
            yield from _test(f"{group}.{name}", value, shown=f"{group}.{written_key(name)}")
    for key in ("priority", *TEXTS[5:], "transfers", "hours"):
        yield from _test(key, getattr(match, key))
    if match.any_ is not None:
        yield AnyOf(tuple(compile_match(one) for one in match.any_))
    if match.all_ is not None:
        yield AllOf(tuple(compile_match(one) for one in match.all_))
    if match.none_ is not None:
        yield NoneOf(tuple(compile_match(one) for one in match.none_))


def _test(key: str, value: Any, *, shown: str | None = None) -> Iterator[Test]:
    if value is None:
        return
    form = form_of(key, value)
    yield Test(
        key=key,
        text=f"{shown or key} = {written(value)}",
        fits=form,
        costs_a_call=key.partition(".")[0] in COSTS_A_CALL,
        references=form.literals if key == "queue" and isinstance(form, TextForm) else (),
        patterns=form.globs if key == "queue" and isinstance(form, TextForm) else (),
        form=form,
    )


def form_of(key: str, value: Any) -> Form:
    """What a value of the file, of any of the forms that its key allows, says."""
    names, folded = key == "queue", key in FOLDED
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
