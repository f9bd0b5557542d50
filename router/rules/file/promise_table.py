"""``[[promise]]`` as a file writes it: what must hold of every contact, whatever it is."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, Tag, model_validator

from router.rules.file.field_types import LongerThanNothing, RuleName, Text, TomlTable, complaint, one_of, shape
from router.rules.file.match_table import HoursCondition, MatchTable, OneOrSeveral
from router.rules.value_test import QUEUES_OWN
from router.toml_source import at_key

ActName = Literal["move", "warn", "routing", "any"]
AssumptionName = Literal["destination", "agents", "no_guard", "open"]


class WithinAge(TomlTable):
    """Counts the time of a promise from the begin of the contact's chain."""

    age: LongerThanNothing


Within = Annotated[
    Annotated[LongerThanNothing, Tag("text")] | Annotated[WithinAge, Tag("table")],
    one_of(
        'expected a duration such as "1h", or { age = "1h" }',
        lambda value: "text" if shape(value) == "number" else shape(value),
    ),
]
State = Annotated[str, AfterValidator(lambda text: _state(text)), Field(json_schema_extra={"enum": ["open", "closed"]})]


def _state(text: str) -> str:
    if text not in ("open", "closed"):
        raise complaint("hours_state", 'expected "open", "closed", or { name = "Office hours", is = "closed" }')
    return text


HoursState = Annotated[
    Annotated[State, Tag("text")] | Annotated[HoursCondition, Tag("table")],
    one_of('expected "open", "closed", or { name = "Office hours", is = "closed" }'),
]


DayName = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
DAYS: tuple[DayName, ...] = get_args(DayName)
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24(?=:00)):([0-5]\d)")


def minutes_of(window: str) -> tuple[int, int]:
    """Returns the begin and the end, in minutes after midnight. Raises if the text is no window."""
    if (parts := _WINDOW.fullmatch(window)) is None:
        raise complaint("window", 'expected times of day such as "09:00-17:30" or "22:00-06:00"')
    begin, minute, end, last = map(int, parts.groups())
    return begin * 60 + minute, end % 24 * 60 + last


def _window(text: str) -> str:
    minutes_of(text)
    return text


TimesOfDay = Annotated[str, AfterValidator(_window), Field(json_schema_extra={"pattern": f"^{_WINDOW.pattern}$"})]


class OpenOnDays(TomlTable):
    """Gives times of day in UTC, on some days; a window over midnight belongs to the day on which it begins."""

    synonyms = ("hours-of-promise",)
    between: TimesOfDay
    days: Annotated[list[DayName], Field(min_length=1)] | None = None


SomeDays = Annotated[list[OpenOnDays], Field(min_length=1)]
OpenTimes = Annotated[
    Annotated[TimesOfDay, Tag("text")] | Annotated[OpenOnDays, Tag("table")] | Annotated[SomeDays, Tag("list")],
    one_of('expected times of day such as "09:00-17:30", or { days = ["MONDAY"], between = "09:00-17:30" }'),
]


def _not_of_queues(name: str) -> str:
    if name == QUEUES_OWN:
        raise complaint("own_hours", "a promise gives the times of named hours, not those of queues")
    return name


class NeverTable(TomlTable):
    """Describes a move that no rule may make. ``hours`` as a text are those of the queue that it leads to."""

    synonyms = ("never",)
    to: OneOrSeveral
    hours: HoursState | None = None


Few = Annotated[int, Field(ge=0, le=11)]


class AtMostTable(TomlTable):
    """Limits what may happen in one wait."""

    moves: Few | None = None
    visits_of_a_queue: Annotated[int, Field(ge=1, le=12)] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.moves is None and self.visits_of_a_queue is None:
            raise complaint("empty_limits", "needs moves, visits_of_a_queue or both")
        return self


class PromiseTable(TomlTable):
    """Holds one promise. Exactly one of ``within``, ``never`` and ``at_most`` is given."""

    synonyms = ("promise",)
    name: RuleName
    says: Text | None = None
    match: MatchTable | None = None
    within: Within | None = None
    act: Annotated[list[ActName], Field(min_length=1)] | None = None
    never: NeverTable | None = None
    at_most: AtMostTable | None = None
    assume: list[AssumptionName] = Field(default_factory=list)
    hours: dict[Annotated[Text, AfterValidator(_not_of_queues)], OpenTimes] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_claim(self) -> Self:
        given = [name for name in ("within", "never", "at_most") if getattr(self, name) is not None]
        if len(given) != 1:
            raise complaint("one_claim", "needs exactly one of within, never and at_most")
        if self.within is None and self.act is not None:
            raise at_key("act", "act is about a promise with within")
        if self.within is not None and self.match is not None and _timed(self.match):
            raise at_key("within", "within is the only time of this promise: leave waited and age out of its match")
        return self


def _timed(match: MatchTable) -> bool:
    inside = (one for lists in (match.any_, match.all_, match.none_) for one in lists or ())
    return match.waited is not None or match.age is not None or any(map(_timed, inside))
