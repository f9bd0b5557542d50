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

    ``contacts`` describes the class, and ``to`` the destinations of a move. ``given`` is what else must be so.
    ``since`` is the time in the queue from which on it is so. ``other`` is when the other set begins to do the same,
    ``None`` for never. If that is earlier, the other set does something else since.
    """

    more: str
    less: str
    act: str
    rule: str
    place: Place
    contacts: str
    to: str
    given: str
    since: timedelta
    other: timedelta | None

    def __str__(self) -> str:
        when = "never" if self.other is None else f"from {format_duration(self.other)}"
        until = ", but no longer" if self.other is not None and self.other < self.since else ""
        since = f"from {format_duration(self.since)}"
        what = f"{self.more} {self.act} {self.contacts}{self.to} {since}{self.given}; {self.less} {when}{until}"
        return f"{what} (rule '{self.rule}', {self.place})"


AGE, BEGAN = "age", "began"


def given_in_words(names: Iterable[str], found: Answer) -> str:
    """Returns which hours must be open or closed, and which times the contact must have; empty if none must be so."""
    parts = []
    for name in names:
        if name == AGE:
            parts.append(f"its chain is {format_duration(found.age)} old when its wait begins")
        elif name == BEGAN:
            parts.append(f"its wait begins at {found.began_at:%Y-%m-%d %H:%M:%SZ}")
        elif name.startswith("\x01"):
            parts.append(f"the hours of {name[1:]} are {_state(found.own[name[1:]])}")
        else:
            parts.append(f'"{name}" is {_state(found.hours[name])}')
    return f" while {' and '.join(parts)}" if parts else ""


def _state(is_open: bool) -> str:
    return "open" if is_open else "closed"


def act_in_words(act: Act) -> str:
    kind = act[0]
    return {"to": "moves", "warn": "warns about", "routing": "changes the routing of"}[str(kind)]


def destinations_in_words(step: Step) -> str:
    named = (one.queue or one.agent or f"the agent in {one.agent_from}" for one in step.entries)
    return f" to {' or '.join(dict.fromkeys(named))}"


def condition_in_words(key: str, value: str | int | None, *, tested: bool) -> str:
    """Describes a value. No value means any that fits no rule, except if a rule is ``tested`` for whether there is
    one."""
    head, dot, name = key.partition(".")
    full = head + dot + (written_key(name) if name else "")
    if value is not None:
        return f"{full} = {written(value)}"
    return f"no {full}" if tested else f"no {full} of the rules"
