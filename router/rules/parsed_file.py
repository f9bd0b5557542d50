"""One rule file, read as far as it can be: one broken rule keeps nobody from hearing about the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from router.problems import Problem
from router.rules.depth import DEEPEST, too_deep
from router.rules.document import RuleFile
from router.toml_source import TomlSource, located

NAMED = ("rule", "example", "lists")


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """``document`` holds the parts that could be read, ``rules`` and ``examples`` their indexes in the file. ``whole``
    is false where defaults or lists are missing from it."""

    source: TomlSource
    document: RuleFile
    rules: tuple[int, ...]
    examples: tuple[int, ...]
    whole: bool

    @property
    def rule_names(self) -> list[tuple[int, str]]:
        """The names of all rules of the file with their indexes, of those that could not be read too."""
        rules = self.source.data.get("rule")
        found = enumerate(rules if isinstance(rules, list) else ())
        return [(index, rule["name"]) for index, rule in found if isinstance(rule, dict) and _is_text(rule.get("name"))]


def parse_file(source: TomlSource, problems: list[Problem]) -> ParsedFile:
    """Adds what is wrong to ``problems``, and answers with the rest."""
    deep = too_deep(source)
    if deep is not None:
        problems.append(source.problem(deep, f"nested deeper than {DEEPEST} tables and lists"))
        return ParsedFile(source, RuleFile(), (), (), False)
    try:
        document = RuleFile.model_validate(source.data)
    except ValidationError as error:
        problems.extend(located(error, source, RuleFile))
        return _rest(source, error)
    return ParsedFile(source, document, _indexes(document.rule), _indexes(document.example), True)


def _rest(source: TomlSource, error: ValidationError) -> ParsedFile:
    broken = {details["loc"][:2] for details in error.errors(include_url=False)} | {
        details["loc"][:1] for details in error.errors(include_url=False) if details["loc"][:1] not in _ONE_BY_ONE
    }
    data = source.data
    rules = _sound(data, "rule", broken)
    examples = _sound(data, "example", broken)
    lists = data.get("lists") if isinstance(data.get("lists"), dict) else {}
    kept: dict[str, Any] = {
        "rule": [data["rule"][index] for index in rules],
        "example": [data["example"][index] for index in examples],
        "lists": {name: value for name, value in (lists or {}).items() if ("lists", name) not in broken},
        "defaults": data.get("defaults", {}) if ("defaults",) not in broken else {},
    }
    whole = ("defaults",) not in broken
    return ParsedFile(source, RuleFile.model_validate(kept), rules, examples, whole)


_ONE_BY_ONE = {(name,) for name in NAMED}


def _sound(data: dict[str, Any], name: str, broken: set[Any]) -> tuple[int, ...]:
    values = data.get(name)
    if not isinstance(values, list):
        return ()
    return tuple(index for index in range(len(values)) if (name, index) not in broken)


def _indexes(values: list[Any]) -> tuple[int, ...]:
    return tuple(range(len(values)))


def _is_text(value: object) -> bool:
    return isinstance(value, str)
