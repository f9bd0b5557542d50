"""A value, or ``{ min = …, max = … }`` with both ends inclusive."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import Discriminator, Field, Tag, model_validator

from router.durations import Duration
from router.rules.words import Count, Priority, Table, complaint

V = TypeVar("V")


class Range(Table, Generic[V]):
    """Both ends inclusive; at least one of them is given."""

    min: V | None = None
    max: V | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        low: Any = self.min
        high: Any = self.max
        if low is None and high is None:
            raise complaint("empty_range", "needs min, max or both")
        if low is not None and high is not None and low > high:
            raise complaint("range_backwards", "min is above max: no value fits")
        return self

    @property
    def ends(self) -> tuple[V | None, V | None]:
        return self.min, self.max


class SpanRange(Range[Duration]):
    """Durations."""


class CountRange(Range[Count]):
    """Whole numbers from 0."""


class PriorityRange(Range[Priority]):
    """Priorities from 1, the highest, to 10."""


Number = Annotated[int, Field()] | Annotated[float, Field(allow_inf_nan=False)]


class NumberRange(Range[Number]):
    """Any numbers."""


def shape(value: object) -> str | None:
    """Which form a value of the file has; a model stands for the table that it came from."""
    if isinstance(value, str | timedelta):
        return "text"
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict | Table):
        return "table"
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else None


def _either(expected: str) -> Discriminator:
    return Discriminator(shape, custom_error_type="wrong_form", custom_error_message=expected)


SpanOrRange = Annotated[
    Annotated[Duration, Tag("text")] | Annotated[SpanRange, Tag("table")],
    _either('expected a duration such as "15m", or { min = "15m", max = "1h" }'),
]
CountOrRange = Annotated[
    Annotated[Count, Tag("number")] | Annotated[CountRange, Tag("table")],
    _either("expected a whole number, or { min = 1, max = 5 }"),
]
PriorityOrRange = Annotated[
    Annotated[Priority, Tag("number")] | Annotated[PriorityRange, Tag("table")],
    _either("expected a priority from 1 to 10, or { min = 1, max = 5 }"),
]


def only_a_table(example: str) -> Discriminator:
    return Discriminator(
        lambda value: "table" if shape(value) == "table" else None,
        custom_error_type="wrong_form",
        custom_error_message=f"expected {{ min = …, max = … }}, such as {example}",
    )
