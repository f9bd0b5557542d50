"""Loads rule files into a rule set: all files or none, every mistake of every file at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from pydantic import ValidationError

from router.problems import Place, Problem, Problems, did_you_mean
from router.rules.compile import Compiler
from router.rules.example import Example, compile_example
from router.rules.file.expansion import expand, part_of
from router.rules.file.rule_table import RuleFile
from router.rules.promise import compile_promises
from router.rules.rule import Rule, RuleSet, Step
from router.toml_source import KeyPath, TomlSource, findings, read_bytes

DEEPEST = 24
"""No rule nests deeper that somebody is meant to read; much deeper, and reading it would exhaust the stack."""


def too_deep(source: TomlSource) -> KeyPath | None:
    """Returns the path at which the file nests too deeply, or ``None``."""
    waiting: list[tuple[KeyPath, object]] = [((), source.data)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > DEEPEST:
            return path
        if isinstance(value, dict):
            waiting.extend(((*path, key), inside) for key, inside in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, index), inside) for index, inside in enumerate(value))
    return None


# One rule file is read as far as possible, because one broken rule must not hide the mistakes of the others.


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """Holds the parts of a file that could be read, in ``document``; ``rules``, ``examples`` and ``promises`` are their
    indexes in the file.

    ``whole`` is false if defaults or lists are missing from it.
    """

    source: TomlSource
    document: RuleFile
    rules: tuple[int, ...]
    examples: tuple[int, ...]
    promises: tuple[int, ...]
    whole: bool

    @property
    def rule_names(self) -> list[tuple[int, str]]:
        """Returns the names of all rules of the file with their indexes, also of rules that could not be read."""
        rules = self.source.data.get("rule")
        found = enumerate(rules if isinstance(rules, list) else ())
        return [(index, rule["name"]) for index, rule in found if isinstance(rule, dict) and _is_text(rule.get("name"))]


def parse_file(source: TomlSource, problems: list[Problem], broken: Collection[KeyPath] = ()) -> ParsedFile:
    """Returns the parts of a file that could be read, and adds its mistakes to ``problems``.

    ``broken`` are the paths whose mistakes are among the problems already; the parts around them are not read.
    """
    deep = too_deep(source)
    if deep is not None:
        problems.append(source.problem(deep, f"nested deeper than {DEEPEST} tables and lists"))
        return ParsedFile(source, RuleFile(), (), (), (), False)
    try:
        document = RuleFile.model_validate(source.data)
    except ValidationError as error:
        found = [one for one in findings(error, source.data, RuleFile) if not _reported(one.path, source, broken)]
        problems.extend({source.problem(one.path, one.message, of=one.of) for one in found})
        places = [details["loc"] for details in error.errors(include_url=False)]
        return _rest(source, {part_of(path) for path in (*places, *broken)})
    if broken:
        return _rest(source, {part_of(path) for path in broken})
    rules, examples = _indexes(document.rule), _indexes(document.example)
    return ParsedFile(source, document, rules, examples, _indexes(document.promise), True)


def _reported(path: KeyPath, source: TomlSource, broken: Collection[KeyPath]) -> bool:
    graft = source.grafted(path)
    around = any(all(one == other for one, other in zip(path, each, strict=False)) for each in broken)
    return around or (graft is not None and graft[0].copied)


def _rest(source: TomlSource, broken: set[Any]) -> ParsedFile:
    data = source.data
    rules = _sound(data, "rule", broken)
    examples = _sound(data, "example", broken)
    promises = _sound(data, "promise", broken)
    lists = data.get("lists") if isinstance(data.get("lists"), dict) else {}
    kept: dict[str, Any] = {
        "rule": [data["rule"][index] for index in rules],
        "example": [data["example"][index] for index in examples],
        "promise": [data["promise"][index] for index in promises],
        "lists": {name: value for name, value in (lists or {}).items() if ("lists", name) not in broken},
        "defaults": data.get("defaults", {}) if ("defaults",) not in broken else {},
    }
    whole = ("defaults",) not in broken
    return ParsedFile(source, RuleFile.model_validate(kept), rules, examples, promises, whole)


def _sound(data: dict[str, Any], name: str, broken: set[Any]) -> tuple[int, ...]:
    values = data.get(name)
    if not isinstance(values, list):
        return ()
    return tuple(index for index in range(len(values)) if (name, index) not in broken)


def _indexes(values: list[Any]) -> tuple[int, ...]:
    return tuple(range(len(values)))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


Sources = tuple[tuple[str, bytes], ...]


def load_rules(path: Path) -> RuleSet:
    """Returns the rules of a folder (every ``*.toml`` in it, in name order, no hidden files) or of one file.

    Raises ``Problems`` with every mistake in any of them.
    """
    problems: list[Problem] = []
    sources = _sources(path, problems)
    try:
        ruleset = parse_rules(sources)
    except Problems as refused:
        problems.extend(refused.problems)
    if problems:
        raise Problems(problems)
    return ruleset


def _sources(path: Path, problems: list[Problem]) -> Sources:
    return tuple((str(file), data) for file in _files(path) if (data := _read(file, problems)) is not None)


def parse_rules(sources: Iterable[tuple[str, bytes]]) -> RuleSet:
    """Returns the rules of exactly these bytes. Raises ``Problems``."""
    given = tuple(sources)
    problems: list[Problem] = []
    read = _parsed(given, problems)
    expansion = expand(read, problems)
    files = [parse_file(source, problems, expansion.broken[source.file]) for source in read]
    _check_names(files, problems)
    rules: list[Rule] = []
    for file in files:
        rules.extend(_compile(file, problems))
    named = {name for file in files for _, name in file.rule_names}
    by_name = {rule.name: rule for rule in rules}
    examples: list[Example] = []
    for file in files:
        for table, index in zip(file.document.example, file.examples, strict=True):
            examples.append(compile_example(table, file.source.place(("example", index))))
            _check_example(examples[-1], index, file.source, named, by_name, problems)
    tables = [
        (file.source.place, index, table)
        for file in files
        for table, index in zip(file.document.promise, file.promises, strict=True)
    ]
    promises = compile_promises(tables, rules, problems)
    if problems:
        raise Problems(problems)
    return RuleSet(
        rules=tuple(rules),
        revision=revision_of(given),
        files=tuple(file for file, _ in given),
        examples=tuple(examples),
        promises=promises,
        sources=given,
        warnings=tuple(expansion.warnings),
    )


def revision_of(sources: Iterable[tuple[str, bytes]]) -> str:
    """Returns a hash of the files' names and bytes: the same rules have the same revision on every machine."""
    digest = hashlib.sha256()
    for file, data in sources:
        name = PurePath(file).name.encode("utf-8", "surrogateescape")
        digest.update(b"%d %s %d " % (len(name), name, len(data)) + data)
    return digest.hexdigest()[:12]


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        names = [file for file in path.iterdir() if file.suffix == ".toml" and not file.name.startswith(".")]
        found = sorted((file for file in names if not file.is_dir()), key=lambda file: file.name)
    except OSError as error:
        raise Problems([Problem(str(path), 0, 0, f"cannot be read: {error.strerror}")]) from None
    if not found:
        raise Problems([Problem(str(path), 0, 0, "no rule file (*.toml) in this folder"), *unread_files(path)])
    return found


PUT_AWAY = ("~", ".bak", ".backup", ".disabled", ".off", ".old", ".orig", ".rej", ".sample", ".save", ".swp", ".tmp",
            ".dpkg-dist", ".dpkg-new", ".dpkg-old", ".rpmnew", ".rpmorig", ".rpmsave")  # fmt: skip
"""Ends of names by which people, editors and package managers put a file away."""


def unread_files(path: Path) -> list[Problem]:
    """Returns a warning for each entry of the rules folder that looks like rules and is not read.

    Hidden entries, and files that were put away by their names, are not meant to be read.
    """
    try:
        entries = sorted(path.iterdir()) if path.is_dir() else []
    except OSError:
        return []
    visible = [entry for entry in entries if not entry.name.startswith(".")]
    return [Problem(str(entry), 0, 0, why, "warning") for entry in visible if (why := _why_unread(entry)) is not None]


def _why_unread(entry: Path) -> str | None:
    name = entry.name.casefold()
    if entry.is_dir():
        rules = [file for file in entry.rglob("*") if file.suffix.casefold() == ".toml"]
        return "rule files in a subfolder are not read; move them up" if rules or name.endswith(".toml") else None
    if entry.suffix == ".toml" or ".toml" not in name or name.endswith(PUT_AWAY):
        return None
    return 'this file is not read, because its name does not end in ".toml"; rename it'


def _read(file: Path, problems: list[Problem]) -> bytes | None:
    try:
        return read_bytes(file)
    except Problems as error:
        problems.extend(error.problems)
        return None


def _parsed(sources: Iterable[tuple[str, bytes]], problems: list[Problem]) -> list[TomlSource]:
    found: list[TomlSource] = []
    for file, data in sources:
        try:
            found.append(TomlSource.parse(file, data))
        except Problems as error:
            problems.extend(error.problems)
    return found


def _check_names(files: list[ParsedFile], problems: list[Problem]) -> None:
    first: dict[str, Place] = {}
    for file in files:
        for index, name in file.rule_names:
            path = ("rule", index, "name")
            place = file.source.place(path)
            if name in first:
                message = f"a rule called {json.dumps(name, ensure_ascii=False)} exists already at {first[name]}"
                problems.append(file.source.problem(path, message))
            first.setdefault(name, place)


def _compile(file: ParsedFile, problems: list[Problem]) -> list[Rule]:
    compiler = Compiler(
        source=file.source,
        defaults=file.document.defaults,
        lists=file.document.lists,  # type: ignore[arg-type]
        problems=problems,
        whole=file.whole,
    )
    return [compiler.rule(table, index) for table, index in zip(file.document.rule, file.rules, strict=True)]


def _check_example(
    example: Example, index: int, source: TomlSource, named: set[str], rules: dict[str, Rule], problems: list[Problem]
) -> None:
    """Reports an example whose rule or step does not exist: an example of a renamed rule proves nothing."""
    expect = example.expect
    if expect is None:
        return
    path = ("example", index, "expect")
    if expect.rule not in named:
        hint = did_you_mean(expect.rule, named)
        problems.append(source.problem((*path, "rule"), f"no rule is called '{expect.rule}'{hint}"))
    elif expect.step is not None and expect.rule in rules:
        wrong = _wrong_step(expect.step, rules[expect.rule].steps)
        if wrong is not None:
            problems.append(source.problem((*path, "step"), wrong))


def _wrong_step(number: int, steps: tuple[Step, ...]) -> str | None:
    if number <= len(steps):
        return None
    return f"the rule has {len(steps)} {'step' if len(steps) == 1 else 'steps'}, there is no step {number}"
