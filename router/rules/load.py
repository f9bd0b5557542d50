"""Rule files to a rule set: all files or none, every mistake of every file at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path, PurePath

from router.problems import Problem, Problems, did_you_mean
from router.rules.compile import Compiler
from router.rules.compile_example import compile_example
from router.rules.example import Example
from router.rules.parsed_file import ParsedFile, parse_file
from router.rules.rule import Place, Rule, RuleSet, Step
from router.toml_source import TomlSource, read_bytes

Sources = tuple[tuple[str, bytes], ...]


def load_rules(path: Path) -> RuleSet:
    """The rules of a folder (every ``*.toml`` in it, in name order, no hidden files) or of one file.

    Raises ``Problems`` with everything that is wrong in any of them.
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


def read_sources(path: Path) -> Sources:
    """The files as they are shown in messages, with their bytes, each read once. Raises ``Problems`` where the folder
    or a file cannot be read, or holds no rule file."""
    problems: list[Problem] = []
    sources = _sources(path, problems)
    if problems:
        raise Problems(problems)
    return sources


def _sources(path: Path, problems: list[Problem]) -> Sources:
    return tuple((str(file), data) for file in _files(path) if (data := _read(file, problems)) is not None)


def parse_rules(sources: Iterable[tuple[str, bytes]]) -> RuleSet:
    """The rules of these very bytes. Raises ``Problems``."""
    given = tuple(sources)
    problems: list[Problem] = []
    files = [parse_file(source, problems) for source in _parsed(given, problems)]
    _check_names(files, problems)
    rules: list[Rule] = []
    for file in files:
        rules.extend(_compile(file, problems))
    named = {name for file in files for _, name in file.rule_names}
    by_name = {rule.name: rule for rule in rules}
    examples: list[Example] = []
    for file in files:
        for table, index in zip(file.document.example, file.examples, strict=True):
            place = Place(file.source.file, *file.source.position(("example", index), of="value"))
            examples.append(compile_example(table, place))
            _check_example(examples[-1], index, file.source, named, by_name, problems)
    if problems:
        raise Problems(problems)
    return RuleSet(
        rules=tuple(rules),
        revision=revision_of(given),
        files=tuple(file for file, _ in given),
        examples=tuple(examples),
        sources=given,
    )


def revision_of(sources: Iterable[tuple[str, bytes]]) -> str:
    """A hash over the files' names and bytes: the same rules have the same revision wherever they are installed."""
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
        raise Problems([Problem(str(path), 0, 0, "no rule file (*.toml) in this folder")])
    return found


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
            place = Place(file.source.file, *file.source.position(path, of="value"))
            if name in first:
                message = f"a rule called {json.dumps(name, ensure_ascii=False)} stands at {first[name]} already"
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
    """Whether the rule and step that it names exist: an example of a rule that was renamed proves nothing."""
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
    return f"the rule has {len(steps)} {'step' if len(steps) == 1 else 'steps'}, so no step {number}"
