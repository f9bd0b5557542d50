"""Turns what pydantic found in a document into problems with places in its file, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from router.problems import Problem, as_written, did_you_mean, nearest
from router.toml_source.model_keys import known_keys, models_at, places_of
from router.toml_source.source import KeyPath, TomlSource
from router.toml_source.wording import A_LIST, A_TABLE, AT_KEY, expected, kinds_message, message, with_key

MOST_LISTED = 12
FIRST_KEYS = 5
MOST_INSIDE = 3
LONGEST_WEIGHED = 40
"""Parts of a location. In longer ones (conditions nested by the dozen) every part that fits is taken for a key."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Holds a problem by its path in the document."""

    path: KeyPath
    message: str
    of: Literal["key", "value"] = "value"


def located(
    error: ValidationError, source: TomlSource, model: type[BaseModel], *, name_keys: bool = False
) -> list[Problem]:
    """Returns the problems of the file, sorted. Of a union, only the alternative that was most likely meant counts.

    A missing key is reported at its table, an unknown key at the key with the nearest that is possible there, and
    everything else at the value. With ``name_keys`` each message names its key.
    """
    found = findings(error, source.data, model)
    words = [with_key(one.path, one.message) if name_keys else one.message for one in found]
    return sorted({source.problem(one.path, text, of=one.of) for one, text in zip(found, words, strict=True)})


def findings(error: ValidationError, data: Any, model: type[BaseModel]) -> list[Finding]:
    """Returns the same by path, for documents that are made from several sources. ``data`` is what was validated."""
    tree = _Tree()
    for details in error.errors(include_url=False):
        tree.add(_steps(details, data), details)
    return [finding for found in _settle(tree, data, (), model) for finding in found.findings]


@dataclass(frozen=True, slots=True)
class _Tag:
    """A part of pydantic's location that is not in the file: which alternative of a union it tried."""

    name: str


@dataclass(slots=True)
class _Tree:
    """Errors by where they are and, below a union, by alternative."""

    here: list[ErrorDetails] = field(default_factory=list)
    below: dict[str | int, _Tree] = field(default_factory=dict)
    alternatives: dict[str, _Tree] = field(default_factory=dict)

    def add(self, steps: Iterable[str | int | _Tag], details: ErrorDetails) -> None:
        node = self
        for step in steps:
            if isinstance(step, _Tag):
                node = node.alternatives.setdefault(step.name, _Tree())
            else:
                node = node.below.setdefault(step, _Tree())
        node.here.append(details)


@dataclass(frozen=True, slots=True)
class _Found:
    """Findings, and, where the only trouble is that this very value is of another kind, what was expected of it."""

    findings: tuple[Finding, ...]
    kinds: tuple[str, ...] = ()


def _settle(node: _Tree, value: Any, path: KeyPath, model: type[BaseModel]) -> Iterator[_Found]:
    yield from _keys(node, path, model)
    for details in node.here:
        if details["type"] not in {"missing", "extra_forbidden"}:
            yield _one(details, path, model)
    for key, child in node.below.items():
        yield from _settle(child, _inside(value, key), (*path, key), model)
    if node.alternatives:
        yield _likeliest([list(_settle(each, value, path, model)) for each in node.alternatives.values()], value, path)


def _one(details: ErrorDetails, path: KeyPath, model: type[BaseModel]) -> _Found:
    if details["type"] == AT_KEY:
        key = details["ctx"]["key"]
        return _Found((Finding((*path, key), message(details)),))
    of: Literal["key", "value"] = "key" if details["loc"][-1:] == ("[key]",) else "value"
    kind = expected(details)
    if kind is None:
        return _Found((Finding(path, message(details), of),))
    noun = _with_example(kind, details["input"], path, model)
    return _Found((Finding(path, kinds_message([noun], details["input"]), of),), (noun,))


def _with_example(noun: str, value: Any, path: KeyPath, model: type[BaseModel]) -> str:
    """Returns the noun of a table with the keys that it may have, and that of a list with an example."""
    if noun == A_TABLE:
        return f"{noun}{_keys_in_words('its', known_keys(model, path))}"
    if noun == A_LIST and (keys := known_keys(model, (*path, 0))):
        return f"{noun} of tables{_keys_in_words('their', keys)}"
    return f"{noun} such as [{as_written(value)}]" if noun == A_LIST and isinstance(value, str) else noun


def _keys_in_words(whose: str, keys: list[str]) -> str:
    more = ", …" if len(keys) > FIRST_KEYS else ""
    return f" ({whose} keys: {', '.join(keys[:FIRST_KEYS])}{more})" if keys else ""


def _likeliest(alternatives: list[list[_Found]], value: Any, path: KeyPath) -> _Found:
    """Returns the findings of the alternative that was probably meant.

    An alternative that takes this kind of value was meant, and of several the one with the fewest findings.
    """
    same_kind = [found for found in alternatives if not all(one.kinds and _at(one, path) for one in found)]
    if not same_kind:
        kinds = [kind for found in alternatives for one in found for kind in one.kinds]
        return _Found((Finding(path, kinds_message(kinds, value)),), tuple(kinds))
    best = min(same_kind, key=lambda found: sum(len(one.findings) for one in found))
    return _Found(tuple(finding for one in best for finding in one.findings))


def _at(found: _Found, path: KeyPath) -> bool:
    return all(finding.path == path for finding in found.findings)


def _keys(node: _Tree, path: KeyPath, model: type[BaseModel]) -> Iterator[_Found]:
    """Yields unknown and missing keys of one table. A missing key and its misspelling are one finding."""
    missing = _names(node, "missing")
    for name in _names(node, "extra_forbidden"):
        loc = node.below[name].here[0]["loc"]
        if write := _synonym(name, models_at(model, path, loc)):
            missing = [one for one in missing if not write.startswith(f"{one} = ")]
            yield _Found((Finding((*path, name), f"unknown key '{name}': write {write}", "key"),))
            continue
        meant = nearest(name, missing)
        if meant is not None:
            missing.remove(meant)
        text = _unknown(name, meant, known_keys(model, path, loc), _next_to(name, path, model), places_of(model, name))
        yield _Found((Finding((*path, name), text, "key"),))
    for name in missing:
        yield _Found((Finding(path, f"'{name}' is missing{_in_table(path)}"),))


def _names(node: _Tree, kind: str) -> list[str]:
    return [str(key) for key, child in node.below.items() for details in child.here if details["type"] == kind]


def _synonym(name: str, models: Iterable[type[BaseModel]]) -> str | None:
    """Returns what to write instead of a word of other programs, if one of the models knows it."""
    found = (each.synonym(name) for each in models if hasattr(each, "synonym"))
    return next((write for write in found if write is not None), None)


def _next_to(name: str, path: KeyPath, model: type[BaseModel]) -> str:
    """Returns which table inside or around this one knows the key, in words; empty if none does, or too many."""
    if not path:
        return ""
    below = [key for key in known_keys(model, path) if name in _names_below(model, (*path, key))]
    if below:
        return f"inside {' or '.join(map(repr, below))}" if len(below) <= MOST_INSIDE else ""
    around = (end for end in range(len(path) - 1, 0, -1) if name in known_keys(model, path[:end]))
    return next((f"next to '{path[end]}', not inside it" for end in around if isinstance(path[end], str)), "")


def _names_below(model: type[BaseModel], path: KeyPath) -> set[str]:
    """Returns the keys of a table, or of the tables in a list or a list of lists."""
    return {name for here in (path, (*path, 0), (*path, 0, 0)) for name in known_keys(model, here)}


def _unknown(name: str, meant: str | None, known: list[str], close_by: str, elsewhere: list[str]) -> str:
    if close_by:
        return f"unknown key '{name}' (it belongs {close_by})"
    near = did_you_mean(name, [meant] if meant is not None else known)
    if near:
        return f"unknown key '{name}'{near}"
    if len(elsewhere) == 1:
        return f"unknown key '{name}' (it belongs {elsewhere[0]})"
    if 0 < len(known) <= MOST_LISTED:
        return f"unknown key '{name}' (known here: {', '.join(known)})"
    return f"unknown key '{name}'"


def _in_table(path: KeyPath) -> str:
    names = [part for part in path if isinstance(part, str)]
    if not names:
        return ""
    return f" in [[{'.'.join(names)}]]" if isinstance(path[-1], int) else f" in [{'.'.join(names)}]"


def same_key(key: str | int, value: Any) -> bool:
    """Returns whether the document's value has that key or index."""
    if isinstance(value, dict):
        return key in value
    return isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value)


def _inside(value: Any, key: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None


def _steps(details: ErrorDetails, data: Any) -> list[str | int | _Tag]:
    """Returns pydantic's location as steps through the document; other parts become tags.

    Of all ways to walk it, this is the one that uses the most of it, tags before keys.
    """
    loc = details["loc"]
    if loc[-1:] == ("[key]",):
        loc = loc[:-1]
    return list(_walk(loc, data, last_is_missing=details["type"] == "missing").steps)


@dataclass(frozen=True, slots=True)
class _Walked:
    used: int
    steps: tuple[str | int | _Tag, ...] = ()

    def after(self, step: str | int | _Tag) -> _Walked:
        return _Walked(self.used + (not isinstance(step, _Tag)), (step, *self.steps))


_NOWHERE = _Walked(-1_000_000)


def _walk(loc: tuple[str | int, ...], value: Any, *, last_is_missing: bool) -> _Walked:
    if not loc:
        return _Walked(0)
    first, rest = loc[0], loc[1:]
    if last_is_missing and not rest:
        return _Walked(1, (first,)) if isinstance(value, dict) and first not in value else _NOWHERE.after(first)
    if not same_key(first, value):
        return _skip(first, rest, value, last_is_missing=last_is_missing)
    taken = _walk(rest, _inside(value, first), last_is_missing=last_is_missing).after(first)
    if len(loc) > LONGEST_WEIGHED:
        return taken
    skipped = _skip(first, rest, value, last_is_missing=last_is_missing)
    return max(skipped, taken, key=lambda walked: walked.used)


def _skip(first: str | int, rest: tuple[str | int, ...], value: Any, *, last_is_missing: bool) -> _Walked:
    """Takes the part for a tag. An index is never one, but a validator may have made a list of another value."""
    if isinstance(first, int) and isinstance(value, list | dict):
        return _NOWHERE.after(first)
    return _walk(rest, value, last_is_missing=last_is_missing).after(_Tag(str(first)))
