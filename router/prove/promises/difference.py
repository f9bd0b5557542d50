"""Describes in words what one rule set does to contacts and another does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from router.durations import format_duration
from router.problems import Place
from router.prove.promises.acts import Act
from router.prove.promises.answer import Answer
from router.rules.file.field_types import written, written_key
from router.rules.rule import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Holds one class of contacts to which one rule set does something that the other does not do then.

    ``contacts`` describes the class, and ``to`` the destinations of a move. ``hours`` are those that must be open or
    closed for the difference. ``since`` is the time in the queue from which on it is so. ``other`` is when the other
    set begins to do the same, ``None`` for never. If that is earlier, the other set does something else since.
    """

    more: str
    less: str
    act: str
    rule: str
    place: Place
    contacts: str
    to: str
    hours: str
    since: timedelta
    other: timedelta | None

    def __str__(self) -> str:
        when = "never" if self.other is None else f"from {format_duration(self.other)}"
        until = ", but no longer" if self.other is not None and self.other < self.since else ""
        since = f"from {format_duration(self.since)}"
        what = f"{self.more} {self.act} {self.contacts}{self.to} {since}{self.hours}; {self.less} {when}{until}"
        return f"{what} (rule '{self.rule}', {self.place})"


def hours_in_words(hours: Iterable[str], found: Answer) -> str:
    """Returns which hours must be open or closed; empty if none need be."""
    states = [
        f"the hours of {name[1:]} are {_state(found.own[name[1:]])}"
        if name.startswith("\x01")
        else f'"{name}" is {_state(found.hours[name])}'
        for name in hours
    ]
    return f" while {' and '.join(states)}" if states else ""


def _state(is_open: bool) -> str:
    return "open" if is_open else "closed"


def act_in_words(act: Act) -> str:
    kind = act[0]
    return {"to": "moves", "warn": "warns about", "routing": "changes the routing of"}[str(kind)]


def destinations_in_words(step: Step) -> str:
    named = (one.queue or one.agent or f"the agent in {one.agent_from}" for one in step.entries)
    return f" to {' or '.join(dict.fromkeys(named))}"


def condition_in_words(key: str, value: str | int | None) -> str:
    head, dot, name = key.partition(".")
    full = head + dot + (written_key(name) if name else "")
    return f"no {full}" if value is None else f"{full} = {written(value)}"
