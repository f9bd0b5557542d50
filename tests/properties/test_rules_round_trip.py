"""Checks that rules survive being written to a file again, and that a thousand rules load fast."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.durations import format_duration
from router.problems import Problems
from router.rules.file.expansion import VAR, expand
from router.rules.file.rule_table import RuleFile
from router.rules.load import parse_rules
from router.rules.rule import RuleSet
from router.toml_source import TomlSource
from tests.builders.effort import scaled

ROOT = Path(__file__).resolve().parents[2]


def loads(path: Path) -> bool:
    try:
        parse_rules([(path.name, path.read_bytes())])
    except Problems:
        return False
    return True


CANDIDATES = [*(ROOT / "rules").glob("*.toml"), *(ROOT / "tests" / "corpus" / "rules" / "lint").glob("*.toml")]
LOADING = sorted(path for path in CANDIDATES if loads(path))


def as_toml(value: object) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{as_toml(key)} = {as_toml(one)}" for key, one in value.items()) + " }"
        case list():
            return "[" + ", ".join(as_toml(one) for one in value) + "]"
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat()
        case timedelta():
            return f'"{format_duration(value)}"'
        case str():
            value = f"${value}" if VAR.fullmatch(value) else value
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def written_again(text: str) -> RuleSet:
    """Returns the rules of the file written from its own model: model to JSON to model to TOML."""
    source = TomlSource.parse("r.toml", text.encode())
    expand([source], [])
    document = RuleFile.model_validate(source.data)
    again = RuleFile.model_validate_json(document.model_dump_json(by_alias=True, exclude_unset=True))
    assert again == document
    tables = again.model_dump(by_alias=True, exclude_unset=True)
    toml = "".join(f"{key} = {as_toml(value)}\n" for key, value in tables.items())
    return parse_rules([("r.toml", toml.encode())])


def test_there_are_files_to_try():
    assert len(LOADING) >= 60


@pytest.mark.parametrize("path", LOADING, ids=lambda path: path.stem)
def test_a_file_that_loads_says_the_same_when_written_again(path):
    rules = parse_rules([(path.name, path.read_bytes())]).rules
    assert [rule.fingerprint for rule in written_again(path.read_text()).rules] == [rule.fingerprint for rule in rules]


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8).filter(str.strip)
spans = st.integers(1, 500).map(lambda count: f"{count}m")
warnings = words.map(lambda text: text.replace("{", "{{").replace("}", "}}"))
names = words | st.lists(words, min_size=1, max_size=2) | words.map(lambda text: {"not": text})
waits = spans | spans.map(lambda least: {"min": least})
matches = st.fixed_dictionaries(
    {"queue": words}, optional={"name": names, "waited": waits, "tags": st.dictionaries(words, words, min_size=1)}
)
steps = st.fixed_dictionaries({"at": spans, "to": st.just([{"queue": "A", "flow": "F"}])}, optional={"warn": warnings})


@st.composite
def rule_files(draw: st.DrawFn) -> str:
    rules = [
        {"name": f"r{number}", "match": draw(matches), "step": draw(st.lists(steps, max_size=1))}
        for number in range(draw(st.integers(1, 3)))
    ]
    return f"rule = {as_toml(rules)}\n"


@given(rule_files())
@settings(max_examples=scaled(150))
def test_generated_files_say_the_same_when_written_again(text):
    rules = parse_rules([("r.toml", text.encode())]).rules
    assert [rule.fingerprint for rule in written_again(text).rules] == [rule.fingerprint for rule in rules]


def test_a_thousand_rules_load(capsys):
    count = scaled(1000)
    rules = "".join(
        f'[[rule]]\nname = "r{number}"\n[rule.match]\nchannel = "EMAIL"\nqueue = ["Q{number}", "Q{number} *"]\n'
        f'tags.team = {{ not = "x" }}\n[rule.sla]\ntarget = "4h"\n[[rule.step]]\nat = "50%"\n'
        f'to = [{{ queue = "Over {number}", slots_available = {{ min = 1 }} }}]\n[[rule.step]]\nat = "breach"\n'
        f'to = [{{ agent = "a{number}" }}, {{ queue = "Supervisors" }}]\nwarn = "late"\n'
        for number in range(count)
    )
    text = '[defaults]\nflow = "F"\nagent_flow = "E"\n' + rules
    began = time.perf_counter()
    loaded = parse_rules([("r.toml", text.encode())])
    with capsys.disabled():
        print(f"\n{count:,} rules loaded in {time.perf_counter() - began:.2f} s")
    assert len(loaded.rules) == count
