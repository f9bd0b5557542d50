"""Checks that errors of nested models, unions and lists are reported at their place and in plain words."""

# ruff: noqa: E501 - one case a line, the file and what is reported of it side by side

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core._pydantic_core import list_all_errors

from router.durations import Duration
from router.toml_source import TomlSource, at_key, located


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Pick(StrEnum):
    FIRST = "first"
    MOST_SLOTS = "most-slots"


class Limits(Table):
    min: int | Duration | None = None
    max: int | Duration | None = None


class QueueEntry(Table):
    queue: str
    slots_available: Limits | None = None
    revisit: bool = False


class AgentEntry(Table):
    agent: str
    require_available: bool = True


Entry = QueueEntry | AgentEntry


class Negation(Table):
    not_: str | list[str] = Field(alias="not")


class Presence(Table):
    present: bool


TextMatch = str | list[str] | Negation | Presence


class Match(Table):
    queue: TextMatch | None = None
    waited: Duration | Limits | None = None
    tags: dict[str, TextMatch] = {}
    any_of: list[Match] | None = Field(default=None, alias="any")

    @model_validator(mode="after")
    def says_something(self) -> Match:
        if not self.model_fields_set:
            raise ValueError("an empty match matches nothing")
        return self


class Step(Table):
    at: str
    to: str | list[Entry] | list[list[Entry]] | None = None
    pick: Annotated[Pick, Strict(False)] = Pick.FIRST
    priority: int | None = Field(default=None, ge=1, le=10)

    @field_validator("at")
    @classmethod
    def at_is_a_time(cls, text: str) -> str:
        if "?" in text:
            raise ValueError(f"{text} is no time")
        return text


class Rule(Table):
    name: str = Field(min_length=1)
    mode: Literal["enforce", "observe", "off"] = "enforce"
    from_at: AwareDatetime | None = Field(default=None, alias="from")
    until: datetime | None = None
    share: float = Field(default=0.5, gt=0, le=1)
    match: Match
    step: list[Step] = []

    @model_validator(mode="after")
    def ends_after_it_begins(self) -> Rule:
        if self.from_at and self.until and self.until <= self.from_at:
            raise at_key("until", "lies before 'from'")
        return self


class Document(Table):
    rule: list[Rule] = []


def problems(text: str) -> list[str]:
    source = TomlSource.parse("r.toml", text.encode())
    with pytest.raises(ValidationError) as caught:
        Document.model_validate(source.data)
    return [str(problem) for problem in located(caught.value, source, Document)]


RULE = '[[rule]]\nname = "a"\n[rule.match]\nqueue = "Q"\n'


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        (RULE + 'quue = "x"\n', ["5:1: unknown key 'quue' (did you mean 'queue'?)"]),
        (RULE + "queue2 = 5\n[[rule.step]]\n", ["5:1: unknown key 'queue2' (did you mean 'queue'?)", "6:1: 'at' is missing in [[rule.step]]"]),
        ('[[rule]]\nnme = "a"\nmatch = { queue = "Q" }\n', ["2:1: unknown key 'nme' (did you mean 'name'?)"]),
        ('[[rule]]\nname = "a"\n', ["1:1: 'match' is missing in [[rule]]"]),
        ('[[rule]]\nname = ""\nmatch = { queue = "Q" }\n', ["2:8: must not be empty"]),
        ('[[rule]]\nname = 5\nmatch = { queue = 7 }\n', ["2:8: expected text, got 5", "3:19: expected text or a list or a table (its keys: not, present), got 7"]),
        ('[[rule]]\nname = "a"\nmatch = {}\n', ["3:9: an empty match matches nothing"]),
        ('[[rule]]\nname = "a"\nmode = "obsrve"\nmatch = { queue = "Q" }\n', ['3:8: expected "enforce", "observe" or "off", got "obsrve" (did you mean \'observe\'?)']),
        ('[[rule]]\nname = "a"\nfrm = 2026-01-01T00:00:00Z\nmatch = { queue = "Q" }\n', ["3:1: unknown key 'frm' (did you mean 'from'?)"]),
        ('[[rule]]\nname = "a"\nfrom = 2026-01-01T00:00:00\nmatch = { queue = "Q" }\n', ["3:8: 2026-01-01T00:00:00 needs an offset, as in 2026-01-31T08:00:00Z"]),
        ('[[rule]]\nname = "a"\nfrom = 2026-01-02T00:00:00Z\nuntil = 2026-01-01T00:00:00Z\nmatch = { queue = "Q" }\n', ["4:9: lies before 'from'"]),
        ('[[rule]]\nname = "a"\nshare = 2\nmatch = { queue = ["a", 5] }\n', ["3:9: must be at most 1, got 2", "4:25: expected text, got 5"]),
        ('[[rule]]\nname = "a"\nmatch = { queue = { nt = "x" } }\n', ["3:21: unknown key 'nt' (did you mean 'not'?)"]),
        ('[[rule]]\nname = "a"\nmatch = { queue = { present = "yes" } }\n', ['3:31: expected true or false, got "yes"']),
        ('[[rule]]\nname = "a"\nmatch = { tags.lang = { not = 1 } }\n', ["3:31: expected text or a list, got 1"]),
        ('[[rule]]\nname = "a"\nmatch = { any = [{ queue = "a" }, { any = [{ queu = "b" }] }] }\n', ["3:46: unknown key 'queu' (did you mean 'queue'?)"]),
        ('[[rule]]\nname = "a"\nmatch = { waited = "4 hours" }\n', ['3:20: expected a duration such as "90s", "15m", "1h30m" or "2d", got "4 hours": write "4h"']),
        ('[[rule]]\nname = "a"\nmatch = { waited = 15 }\n', ['3:20: expected a duration such as "15m" or a table (its keys: min, max), got 15: write the unit, as in "15s" or "15m"']),
        (RULE + '[[rule.step]]\nat = "?"\nto = [{ queue = "B", slots_availble = { min = 1 } }]\n', ["6:6: ? is no time", "7:22: unknown key 'slots_availble' (did you mean 'slots_available'?)"]),
        (RULE + '[[rule.step]]\nat = "1m"\nto = [[{ queue = "B" }], [{ agnt = "C" }]]\n', ["7:29: unknown key 'agnt' (did you mean 'agent'?)"]),
        (RULE + '[[rule.step]]\nat = "1m"\n[[rule.step.to]]\nqueue = 5\n', ["8:9: expected text, got 5"]),
        (RULE + '[[rule.step]]\nat = "1m"\npick = "most-slot"\n', ['7:8: expected "first" or "most-slots", got "most-slot" (did you mean \'most-slots\'?)']),
        (RULE + '[[rule.step]]\nat = "1m"\npriority = 11\n[[rule.step]]\nat = "2m"\npriority = "1"\n', ["7:12: must be at most 10, got 11", '10:12: expected a whole number, got "1"']),
        ('rule = 5\n', ["1:8: expected a list of tables (their keys: name, mode, from, until, share, …), got 5"]),
        ('[rule]\nname = "x"\n', ["1:1: expected a list of tables (their keys: name, mode, from, until, share, …), got a table"]),
        ('rules = []\n', ["1:1: unknown key 'rules' (did you mean 'rule'?)"]),
        ('zebra = []\n', ["1:1: unknown key 'zebra' (known here: rule)"]),
    ],
)  # fmt: skip
def test_each_mistake_is_reported_once_at_its_place(text, reported):
    assert problems(text) == [f"r.toml:{line}" for line in reported]


def test_an_alternatives_name_that_is_also_a_key_does_not_lead_astray():
    class Tagged(Table):
        kind: Literal["kind"]
        queue: str
        flow: str

    class Other(Table):
        kind: Literal["queue"]
        queue: str
        flow: str

    class Tags(Table):
        to: list[Annotated[Tagged | Other, Field(discriminator="kind")]]

    source = TomlSource.parse("t.toml", b'[[to]]\nkind = "queue"\nqueue = 5\n[[to]]\nkind = "elephant"\n')
    with pytest.raises(ValidationError) as caught:
        Tags.model_validate(source.data)
    assert [str(problem) for problem in located(caught.value, source, Tags)] == [
        "t.toml:1:1: 'flow' is missing in [[to]]",
        "t.toml:3:9: expected text, got 5",
        "t.toml:4:1: 'kind' must be one of 'kind', 'queue', got 'elephant'",
    ]


def test_deeply_nested_rules_are_reported_in_reasonable_time():
    depth = 60
    text = '[[rule]]\nname = "a"\nmatch = ' + "{ any = [" * depth + "{ quue = 1 }" + "] }" * depth
    assert problems(text) == [f"r.toml:3:{9 + 9 * depth + 2}: unknown key 'quue' (did you mean 'queue'?)"]


@pytest.mark.parametrize("kind", [error["type"] for error in list_all_errors()])
def test_no_error_of_pydantics_reaches_the_user_in_its_own_words(kind):
    from router.toml_source.wording import message

    example: Any = next(error for error in list_all_errors() if error["type"] == kind)
    details: Any = {"type": kind, "loc": ("a",), "input": "x", "msg": example["example_message_python"]}
    details["ctx"] = example.get("example_context") or {}
    if kind in {"missing", "extra_forbidden"}:
        return  # reported by the table that they belong to
    reported = message(details)
    assert reported
    for jargon in ("Input should", "valid", "instance", "literal", "pydantic", "dictionary", "string", "parse", "JSON"):
        assert jargon not in reported, reported
