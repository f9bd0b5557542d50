"""Keys of the language that this version reads and does not evaluate: refused at load, never ignored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from router.problems import Problem
from router.toml_source import Path, TomlSource

NOT_EVALUATED: dict[str, tuple[str, ...]] = {
    "step": ("routing",),
    "expect": ("routing",),
}
"""By the table a key stands in; ``key=value`` where only that value is not evaluated. Whoever evaluates one
deletes it."""


def not_evaluated(source: TomlSource) -> list[Problem]:
    """A line for every such key. Reads the plain data, so that other mistakes of the file hide nothing."""
    found: list[Problem] = []
    for kind, path, table in _tables(source.data):
        for entry in NOT_EVALUATED.get(kind, ()):
            key, _, value = entry.partition("=")
            if key in table and (not value or table[key] == value):
                shown = f"`{kind}.{key}`" if not value else f'`{kind}.{key} = "{value}"`'
                found.append(source.problem((*path, key), f"{shown} is not evaluated by this version", of="key"))
    return found


Found = tuple[str, Path, dict[str, Any]]


def _tables(data: dict[str, Any]) -> Iterator[Found]:
    yield from _under(data, (), "defaults", _defaults)
    for name in _table(data.get("lists")):
        yield from _destinations(data["lists"][name], ("lists", name))
    for index, rule in _each(data.get("rule")):
        yield from _rule(rule, ("rule", index))
    for index, example in _each(data.get("example")):
        path: Path = ("example", index)
        yield "example", path, example
        yield from _under(example, path, "expect", lambda table, path: iter([("expect", path, table)]))


def _under(table: dict[str, Any], path: Path, key: str, walk: Any) -> Iterator[Found]:
    if isinstance(table.get(key), dict):
        yield from walk(table[key], (*path, key))


def _defaults(table: dict[str, Any], path: Path) -> Iterator[Found]:
    for key in ("sla", "guard"):
        if isinstance(table.get(key), dict):
            yield key, (*path, key), table[key]


def _rule(rule: dict[str, Any], path: Path) -> Iterator[Found]:
    yield from _defaults(rule, path)
    for index, step in _each(rule.get("step")):
        here = (*path, "step", index)
        yield "step", here, step
        yield from _destinations(step.get("to"), (*here, "to"))


def _destinations(value: object, path: Path) -> Iterator[Found]:
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(entry, dict):
            yield "to", (*path, index), entry
        elif isinstance(entry, list):
            yield from ((kind, where, table) for kind, where, table in _destinations(entry, (*path, index)))


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _each(value: object) -> Iterator[tuple[int, dict[str, Any]]]:
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict):
            yield index, one
