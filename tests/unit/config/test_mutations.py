"""Changes configurations at random: loading them returns settings or located problems, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tomli
from hypothesis import given
from hypothesis import strategies as st

from router.problems import Problems
from router.settings import Settings, load_settings
from router.settings.sources import keys, variables

FILE = Path(__file__).resolve().parents[3] / "config.toml"
SHIPPED = FILE.read_bytes()
WORDS = [b"", b"=", b"[", b"]]", b"{", b"}", b'"', b"'''", b"\n", b"#", b"\0", b"\xff", b"-1", b"nan", b"9" * 30, b"\r",
         b"[[x]]\n", b"true", b'"15m"', b'"x"', b"{ rate = 1 }", b"1979-05-27T07:32:00", b"\xe2\x80\xae", b"x.y = 1\n",
         ]  # fmt: skip

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["15m", "TASK"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def outcome(path: Path, **sources: Any) -> Settings | Problems:
    try:
        return load_settings(path, **{"environ": {}, "overrides": {}, **sources})
    except Problems as problems:
        return problems


def load(path: Path, **sources: Any) -> None:
    reported = outcome(path, **sources)
    if isinstance(reported, Problems):
        assert reported.problems
        assert len(str(reported).split("\n")) == len(str(reported).splitlines()) == len(reported.problems)
        assert "\x1b" not in str(reported)
        assert not re.search("[Ii]nput should|pydantic|Traceback", str(reported))


@given(st.data())
def test_any_change_to_the_shipped_file_is_read_or_reported(tmp_path_factory, data):
    mutated = SHIPPED
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(mutated)))
        end = data.draw(st.integers(begin, min(len(mutated), begin + 40)))
        word = data.draw(st.sampled_from(WORDS) | st.binary(max_size=6))
        mutated = mutated[:begin] + word + mutated[end:]
    path = tmp_path_factory.getbasetemp() / "mutated.toml"
    path.write_bytes(mutated)
    load(path)


@given(st.data())
def test_any_value_in_place_of_another_is_read_or_reported_at_its_line(tmp_path_factory, data):
    lines = SHIPPED.decode().split("\n")
    number = data.draw(st.sampled_from([n for n, line in enumerate(lines) if " = " in line and line[0] != "#"]))
    value = data.draw(st.sampled_from(["1", "-1", "1.5", "true", '""', '"x"', "[]", "{}", "[[1]]", "{ a = {} }", "inf",
                                       "2026-01-01", '"9999d"', '"0s"', '["TASK", 1]', '"\\u0000"']))  # fmt: skip
    lines[number] = f"{lines[number].partition(' = ')[0]} = {value}"
    path = tmp_path_factory.getbasetemp() / "replaced.toml"
    path.write_text("\n".join(lines))
    tomli.loads(path.read_text())
    reported = outcome(path)
    if isinstance(reported, Problems):
        at_lines = {problem.line for problem in reported.problems}
        assert number + 1 in at_lines or any("is shorter than" in problem.message for problem in reported.problems)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_reported(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "bytes.toml"
    path.write_bytes(data)
    load(path)


@given(st.dictionaries(st.sampled_from([".".join(path) for path in keys()]) | st.text(max_size=10), values, max_size=4))
def test_any_override_is_taken_or_reported(overrides):
    load(FILE, overrides=overrides)


@given(st.dictionaries(st.sampled_from(sorted(variables())), st.text(max_size=12), max_size=4))
def test_any_variable_is_taken_or_reported(environ):
    reported = outcome(FILE, environ=environ)
    if isinstance(reported, Problems):
        assert {problem.file.removeprefix("environment:") for problem in reported.problems} <= {*environ, str(FILE)}
