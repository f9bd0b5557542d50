"""Puts into parsed rule files what they only name: vars, the tables of extended rules, shares of other targets.

It works on the values before the models of the tables read them. A message about such a value names both places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from router.durations import parse_duration
from router.problems import Place, Problem, did_you_mean
from router.toml_source import Graft, KeyPath, TomlSource

VAR = re.compile(r"\$(\$*)([A-Za-z][A-Za-z0-9_-]*)")
"""A whole value. With more than one ``$`` it means the text itself, without its first ``$``."""
SHARE = re.compile(r"([1-9][0-9]{0,2})% of ([A-Za-z0-9_-]{1,100})")
ONE_BY_ONE = ("rule", "example", "promise", "lists", "vars")
"""Tables whose entries are read one by one: a mistake in one of them hides none in another."""

Deeper = Mapping[str, "Deeper"]
TAKEN_OVER: Deeper = {
    "match": {"segment_attributes": {}, "tags": {}, "attributes": {}},
    "sla": {},
    "guard": {},
    "step": {},
    "on_hold": {},
}
"""What a rule takes over. Tables named here are taken over key by key."""


def part_of(path: KeyPath) -> KeyPath:
    """Returns the part of a file that cannot be read if there is a mistake at that path."""
    return path[: 2 if path and path[0] in ONE_BY_ONE else 1]


@dataclass(slots=True)
class Expansion:
    """Holds what the expansion found. ``broken`` are the paths, by file, at which there is no value to read."""

    problems: list[Problem]
    warnings: list[Problem] = field(default_factory=list)
    broken: dict[str, set[KeyPath]] = field(default_factory=dict)

    def complain(self, source: TomlSource, path: KeyPath, message: str) -> None:
        self.problems.append(source.problem(path, message))
        self.broken[source.file].add(path)


def expand(sources: list[TomlSource], problems: list[Problem]) -> Expansion:
    """Changes the values of the files and adds the mistakes to ``problems``."""
    expansion = Expansion(problems, broken={source.file: set() for source in sources})
    _put_in_vars(sources, expansion)
    rules: dict[str, _RuleText] = {}
    for source in sources:
        for rule in _rules_of(source):
            rules.setdefault(rule.name, rule)
    for rule in rules.values():
        _take_over(rule, rules, expansion)
    shares = _Shares(rules, expansion)
    for name in rules:
        shares.target(name)
    return expansion


# Vars


def _put_in_vars(sources: list[TomlSource], expansion: Expansion) -> None:
    known: dict[str, tuple[TomlSource, Place]] = {}
    for source in sources:
        table = source.data.get("vars")
        for name in table if isinstance(table, dict) else ():
            place = source.place(("vars", name), of="key")
            if name in known:
                message = f"a var called {_quoted(name)} exists already at {known[name][1]}"
                expansion.problems.append(place.problem(message))
            known.setdefault(name, (source, place))
    for source in sources:
        for path, table, key, found in list(_uses(source, ("vars",))):
            if found[1]:
                table[key] = found[0][1:]
            else:
                expansion.complain(source, path, f"{_quoted(found[0])} is within [vars], and a var uses no other var")
    used = {name for source in sources for name in _used(source, known, expansion)}
    unused = "no rule, example, list or default uses this var"
    expansion.warnings += [place.problem(unused, "warning") for name, (_, place) in known.items() if name not in used]


def _used(source: TomlSource, known: Mapping[str, tuple[TomlSource, Place]], expansion: Expansion) -> Iterator[str]:
    """Puts vars into one file, and yields the names of the vars that it uses."""
    tops = tuple(key for key in source.data if key != "vars")
    for path, table, key, found in list(_uses(source, tops)):
        name = found[2]
        if found[1]:
            table[key] = found[0][1:]
        elif name in known:
            yield name
            where, place = known[name][0], source.place(path)
            source.grafts[path] = Graft(where, ("vars", name), f'as "${name}" at {place}')
            table[key] = where.data["vars"][name]
        else:
            text = f'for the text itself write "${found[0]}"'
            expansion.complain(source, path, f"no var is called '{name}'{did_you_mean(name, known)}; {text}")


def _uses(source: TomlSource, tops: tuple[str, ...]) -> Iterator[tuple[KeyPath, Any, Any, re.Match[str]]]:
    """Yields each value of the form of a var: its path, the table or list that holds it, its key, and the match."""
    waiting: list[tuple[KeyPath, Any, Any]] = [((top,), source.data, top) for top in tops if top in source.data]
    while waiting:
        path, holder, key = waiting.pop()
        value = holder[key]
        if isinstance(value, dict | list):
            inside = value if isinstance(value, dict) else range(len(value))
            waiting.extend(((*path, one), value, one) for one in inside)
        elif isinstance(value, str) and value.startswith("$") and (found := VAR.fullmatch(value)) is not None:
            yield path, holder, key, found


# Extended rules


@dataclass(frozen=True, slots=True)
class _RuleText:
    """Holds one ``[[rule]]`` as it was parsed."""

    name: str
    source: TomlSource
    path: KeyPath
    table: dict[str, Any]

    def broken(self, expansion: Expansion) -> bool:
        return any(part_of(path) == self.path for path in expansion.broken[self.source.file])

    @property
    def target(self) -> object:
        sla = self.table.get("sla")
        return sla.get("target") if isinstance(sla, dict) else None


def _rules_of(source: TomlSource) -> Iterator[_RuleText]:
    tables = source.data.get("rule")
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        if isinstance(table, dict) and isinstance(table.get("name"), str):
            yield _RuleText(table["name"], source, ("rule", index), table)


def _take_over(rule: _RuleText, rules: Mapping[str, _RuleText], expansion: Expansion) -> None:
    name, path = rule.table.get("extends"), (*rule.path, "extends")
    if not isinstance(name, str):
        return
    base = rules.get(name)
    if base is None:
        expansion.complain(rule.source, path, f"no rule is called '{name}'{did_you_mean(name, rules)}")
    elif "extends" in base.table:
        where = base.source.place((*base.path, "extends"))
        expansion.complain(
            rule.source, path, f"'{name}' cannot be extended, because it extends a rule itself ({where})"
        )
    elif base.broken(expansion):
        expansion.broken[rule.source.file].add(path)
    else:
        own = {key: value for key, value in base.table.items() if key in TAKEN_OVER}
        use = f"taken over by '{rule.name}' at {rule.source.place(path)}"
        _merge(rule, rule.table, own, (), TAKEN_OVER, base, use)


def _merge(
    rule: _RuleText, own: dict[str, Any], others: Mapping[str, Any], below: KeyPath, deeper: Deeper,
    base: _RuleText, use: str,
) -> None:  # fmt: skip
    """Adds to ``own`` what it lacks. ``below`` is the path of both tables within their rules."""
    for key, value in others.items():
        path = (*below, key)
        if key not in own:
            own[key] = value
            rule.source.grafts[*rule.path, *path] = Graft(base.source, (*base.path, *path), use, copied=True)
        elif key in deeper and isinstance(value, dict) and isinstance(own[key], dict):
            own[key] = dict(own[key])  # a var's value, perhaps, which other rules have too
            _merge(rule, own[key], value, path, deeper[key], base, use)


# Shares of targets


@dataclass(frozen=True, slots=True)
class _Shares:
    """Computes the targets that are written as shares, such as ``50% of refunds``."""

    rules: Mapping[str, _RuleText]
    expansion: Expansion
    _known: dict[str, timedelta | None] = field(default_factory=dict)

    def target(self, name: str, above: tuple[str, ...] = ()) -> timedelta | None:
        """Returns the target of a rule, ``None`` if it is not known; ``above`` are the rules that need it."""
        if name not in self._known:
            self._known[name] = self._computed(self.rules[name], above)
        return self._known[name]

    def _computed(self, rule: _RuleText, above: tuple[str, ...]) -> timedelta | None:
        text = rule.target
        share = SHARE.fullmatch(text) if isinstance(text, str) else None
        if share is None:
            return _duration(text)
        path = (*rule.path, "sla", "target")
        if (wrong := self._wrong(share[2], (*above, rule.name))) is not None:
            self.expansion.complain(rule.source, path, wrong)
            return None
        whole = self.target(share[2], (*above, rule.name))
        if whole is None:
            self.expansion.broken[rule.source.file].add(path)
            return None
        part = timedelta(seconds=int(whole.total_seconds()) * int(share[1]) // 100)
        rule.table["sla"] = {**rule.table["sla"], "target": f"{int(part.total_seconds())}s"}
        return part

    def _wrong(self, name: str, above: tuple[str, ...]) -> str | None:
        if name not in self.rules:
            return f"no rule is called '{name}'{did_you_mean(name, self.rules)}"
        if name in above:
            circle = " -> ".join((*above[above.index(name) :], name))
            return f"these targets are shares of each other: {circle}; give one of them a duration"
        return f"rule '{name}' has no target" if self.rules[name].target is None else None


def _duration(text: object) -> timedelta | None:
    try:
        return parse_duration(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
