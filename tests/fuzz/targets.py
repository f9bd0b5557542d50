"""Lists the ways in that a file, a variable or a command line has, and what may come out of them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import mkdtemp

from router.cli.context import overrides_of
from router.cli.errors import CommandFailed
from router.cli.output.ladders import ladder_json
from router.cli.parser import COMMANDS, parsed
from router.decide.snapshot import Limits
from router.model import Directory
from router.problems import Problem, Problems, printable
from router.prove.examples import prove_examples
from router.prove.lint import lint
from router.rules.bind import bind
from router.rules.load import parse_rules
from router.sandbox import Scenario
from router.settings import load_settings
from router.settings.sources import keys, variables
from router.toml_source import read_bytes
from tests.fuzz.mutate import Mutator

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
JARGON = re.compile(r"pydantic|[Ii]nput should|validation error|<class|function-|Traceback|object at 0x|^None")
LOADED, REFUSED, FOUND = "loaded", "refused", "loaded, with findings"


class BadlyTold(AssertionError):
    """Reports a mistake that is not printed like every mistake: one line, at its place, in words."""


@dataclass(frozen=True, slots=True)
class Target:
    """Makes the input of one number (``made``); ``run`` returns its result, and raises for what must not be."""

    name: str
    made: Callable[[Random], object]
    run: Callable[[object], str]


def targets() -> tuple[Target, ...]:
    folder = Path(mkdtemp(prefix="fuzz-"))
    rules = _mutator(_rules(), lambda data: _load_rules([data]))
    config = _mutator(_config(), lambda data: _load_settings((data, {}, {}), folder))
    scenario = _mutator(_scenarios(), _load_scenario)
    return (
        Target("rules", lambda random: _files(rules, random), _load_rules),
        Target("config", lambda random: _sources(config, random), lambda given: _load_settings(given, folder)),
        Target("command line", lambda random: _words(config, random), _parse),
        Target("scenario", scenario.file, _load_scenario),
    )


def _mutator(corpus: list[bytes], load: Callable[[bytes], str]) -> Mutator:
    return Mutator(corpus, [data for data in corpus if load(data) != REFUSED])


def _rules() -> list[bytes]:
    return _bytes_of((ROOT / "rules").glob("*.toml"), (ROOT / "tests" / "corpus" / "rules").rglob("*.toml"))


def _config() -> list[bytes]:
    return _bytes_of([ROOT / "config.toml"], (ROOT / "tests" / "corpus" / "config").glob("*.toml"))


def _scenarios() -> list[bytes]:
    return [*_bytes_of((ROOT / "router" / "sandbox" / "scenarios").glob("*.toml")), SCENARIO]


def _bytes_of(*found: Iterable[Path]) -> list[bytes]:
    return [path.read_bytes() for paths in found for path in sorted(paths)]


SCENARIO = b"""\
[instance]
index_lag = "2s"
[[queues]]
name = "Billing"
[[backlog]]
queue = "Billing"
channel = "TASK"
count = 3
waited = ["1m", "3h"]
"""


def _files(mutator: Mutator, random: Random) -> object:
    """Returns a folder of one file; now and then two."""
    return [mutator.file(random) for _ in range(2 if random.random() < 0.1 else 1)]


def _load_rules(given: object) -> str:
    assert isinstance(given, list)
    files = [(f"{number}.toml", data) for number, data in enumerate(given)]
    sources = dict(files)
    try:
        ruleset = parse_rules(files)
    except Problems as refused:
        _told(refused, sources)
        return REFUSED
    findings = lint(ruleset, poll_every=timedelta(seconds=15), max_transfers=3)
    bind(ruleset, Directory(), agents_known=True)
    results, _ = prove_examples(ruleset, ruleset.examples, now=NOW, limits=Limits(), covering=True)
    for rule in ruleset.rules:
        ladder_json(rule)
    failed = [Problem(one.place.file, one.place.line, one.place.column, one.message) for one in results if one.message]
    for problem in (*findings, *failed):
        well_told(problem, sources)
    return FOUND if findings or failed else LOADED


def _sources(mutator: Mutator, random: Random) -> object:
    """Returns a file, variables and overrides; mostly the file alone is changed."""
    environ = {random.choice(_VARIABLES): mutator.text(random, _WORDS) for _ in range(random.choice(_OTHERS))}
    if random.random() < 0.02:
        environ[f"CONNECT_ROUTER_{mutator.text(random, _VARIABLES)}"] = "1"
    overrides = {random.choice(_KEYS): mutator.text(random, _WORDS) for _ in range(random.choice(_OTHERS))}
    return mutator.file(random), environ, overrides


def _load_settings(given: object, folder: Path) -> str:
    assert isinstance(given, tuple)
    data, environ, overrides = given
    path = folder / "config.toml"
    path.write_bytes(data)
    try:
        load_settings(path, environ=environ, overrides=overrides)
    except Problems as refused:
        named = {f"environment:{name}" for name in environ} | {f"--set {name}" for name in overrides}
        _told(refused, {str(path): data}, named=named)
        return REFUSED
    return LOADED


def _words(mutator: Mutator, random: Random) -> object:
    """Returns a command line: a command with options of its own and of others, and with words that are none."""
    words = [random.choice((*COMMANDS, *COMMANDS, *COMMANDS, "", "-", "chekc"))]
    for _ in range(random.randrange(6)):
        words.append(random.choice((*_OPTIONS, mutator.text(random, _OPTIONS), mutator.text(random, _WORDS))))
        if words[-1] == "--set":
            words.append(f"{random.choice((*_KEYS, mutator.text(random, _KEYS)))}={mutator.text(random, _WORDS)}")
        elif random.random() < 0.4:
            words.append(mutator.text(random, _WORDS))
    if random.random() < 0.1:
        random.shuffle(words)
    return [word.replace("\0", "") for word in words]  # no operating system hands one over


def _parse(given: object) -> str:
    assert isinstance(given, list)
    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            arguments = parsed(given)
    except SystemExit as ended:
        told = err.getvalue()
        if ended.code in (0, None) and not told:
            return LOADED  # --help, --version
        if ended.code not in (2, 78) or told.count("\n") != 1 or not _shown(told[:-1]):
            raise BadlyTold(f"exit {ended.code}: {told!r}") from None
        return REFUSED
    try:
        overrides = overrides_of(arguments)
        config = Path(arguments.config) if arguments.config is not None else ROOT / "config.toml"
        load_settings(config, environ={}, overrides=overrides)
    except CommandFailed as failed:
        if not all(_shown(line) for line in failed.lines):
            raise BadlyTold(f"{failed.lines!r}") from None
        return REFUSED
    except Problems as refused:
        data, named = _content(config), {f"--set {name}" for name in overrides}
        # A file that cannot be read has no lines to name.
        sources = {} if data is None else {str(config): data}
        _told(refused, sources, named=named if sources else {*named, str(config)})
        return REFUSED
    return LOADED


def _content(path: Path) -> bytes | None:
    try:
        return read_bytes(path)
    except Problems:
        return None


def _load_scenario(given: object) -> str:
    assert isinstance(given, bytes)
    try:
        Scenario.parse("s.toml", given)
    except Problems as refused:
        _told(refused, {"s.toml": given})
        return REFUSED
    return LOADED


def _told(refused: Problems, sources: dict[str, bytes], *, named: Iterable[str] = ()) -> None:
    if not refused.problems:
        raise BadlyTold("refused without a reason")
    for problem in refused.problems:
        if problem.file not in named:
            well_told(problem, sources)
        elif problem.line or not _shown(str(problem)):
            raise BadlyTold(str(problem))


def well_told(problem: Problem, sources: dict[str, bytes]) -> None:
    data = sources.get(problem.file)
    if data is None:
        raise BadlyTold(f"of no file: {problem!r}")
    lines = data.decode(errors="replace").split("\n")
    if not 1 <= problem.line <= len(lines) or not 1 <= problem.column <= len(lines[problem.line - 1]) + 1:
        raise BadlyTold(f"at no place: {problem!r}")
    if not _shown(str(problem)) or not problem.message or JARGON.search(problem.message):
        raise BadlyTold(f"not in words: {problem!r}")


def _shown(line: str) -> bool:
    """Returns one line of a readable length, with nothing that could move a cursor."""
    return len(line.splitlines()) == 1 and line == printable(line) and len(line) < 5_000 and not JARGON.search(line)


_KEYS = [".".join(path) for path in keys()]
_VARIABLES = sorted(variables())
_OTHERS = (0, 0, 0, 0, 0, 0, 1, 3)
_OPTIONS = (
    *("--config", "--set", "--log-level", "--json", "--observe", "--enforce", "--once", "--last-good", "--help"),
    *("--strict", "--live", "--coverage", "--min-coverage", "--junit", "--rule", "--queue", "--flow", "--contact"),
    *("--all", "--for", "--comment", "--watch", "--wait", "--scenario", "--port", "--since", "--until", "--"),
)
_WORDS = (
    *("5s", "1h30m", "99999d", "0", "8", "-1", "1e9", "nan", "true", "observe", "enforce", "off", "debug", "TASK"),
    *("TASK,EMAIL", "[1, 2]", "{ rate = 1, burst = 2 }", "sqlite::memory:", "dynamodb:T", "127.0.0.1:9464", "0.8"),
    *("us-east-1", "11111111-2222-3333-4444-555555555555", "2026-01-01", "2026-01-01T00:00:00Z", "x", "", " ", "é"),
)
