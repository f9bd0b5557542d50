"""Finds the place of everything in a TOML file, and the mistake of a file that is none."""

from __future__ import annotations

import itertools
import os
import re
from typing import Any
from unittest.mock import patch

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from router.problems import Problems
from router.toml_source import TomlSource, read_bytes
from router.toml_source.positions import Spots

AWKWARD = '''\
# a comment
title = "x" # another
[b."c d"]
x.y = { z = [1, {q=2}], "w" = """
hi""" }
'lit eral'."" = 3
[[r]]
n = 1
[[r.s]]
m = [ { "é" = "ü", z = 1 }, # here
      [2, [3]] ]
[[r.s]]
[r.s.t]
q = 2026-01-01T00:00:00Z
[[r]]
t = { a = [ # here
  1,
  ], "b\\u001b" = "\\u0041", c = 07:32:00 }
d = 1979-05-27 07:32:00Z # a space
u = 5
'''


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("title",), (2, 1), (2, 9)),
        (("b", "c d"), (3, 4), (3, 1)),
        (("b", "c d", "x"), (4, 1), (4, 1)),
        (("b", "c d", "x", "y"), (4, 3), (4, 7)),
        (("b", "c d", "x", "y", "z"), (4, 9), (4, 13)),
        (("b", "c d", "x", "y", "z", 1, "q"), (4, 18), (4, 20)),
        (("b", "c d", "x", "y", "w"), (4, 25), (4, 31)),
        (("b", "c d", "lit eral", ""), (6, 12), (6, 17)),
        (("r",), (7, 3), (7, 1)),
        (("r", 0), (7, 3), (7, 1)),
        (("r", 0, "n"), (8, 1), (8, 5)),
        (("r", 0, "s", 0), (9, 5), (9, 1)),
        (("r", 0, "s", 0, "m", 0, "z"), (10, 20), (10, 24)),
        (("r", 0, "s", 0, "m", 1, 1, 0), (11, 12), (11, 12)),
        (("r", 0, "s", 1), (12, 5), (12, 1)),
        (("r", 0, "s", 1, "t"), (13, 6), (13, 1)),
        (("r", 0, "s", 1, "t", "q"), (14, 1), (14, 5)),
        (("r", 1), (15, 3), (15, 1)),
        (("r", 1, "t", "a", 0), (17, 3), (17, 3)),
        (("r", 1, "t", "b\x1b"), (18, 6), (18, 18)),
        (("r", 1, "t", "c"), (18, 28), (18, 32)),
        (("r", 1, "d"), (19, 1), (19, 5)),
        (("r", 1, "u"), (20, 1), (20, 5)),
    ],
)
def test_keys_and_values_have_a_place(path, key, value):
    source = TomlSource.parse("a.toml", AWKWARD.encode())
    assert (source.position(path, of="key"), source.position(path, of="value")) == (key, value)


@pytest.mark.parametrize(
    ("path", "around"),
    [
        (("zebra",), (1, 1)),
        (("r", 1, "t", "zebra"), (16, 5)),
        (("r", 7), (7, 1)),
        (("b", "c d", "zebra", "x", 4), (3, 1)),
        (("title", 0), (2, 9)),
    ],
)
def test_what_is_not_in_the_file_has_the_place_of_what_is_around_it(path, around):
    source = TomlSource.parse("a.toml", AWKWARD.encode())
    assert source.position(path, of="key") == source.position(path, of="value") == around


def test_the_values_are_those_of_the_reader():
    assert TomlSource.parse("a.toml", AWKWARD.encode()).data == tomli.loads(AWKWARD)


def test_lines_that_end_as_on_windows_have_the_same_places():
    source = TomlSource.parse("a.toml", AWKWARD.replace("\n", "\r\n").encode())
    assert source.position(("r", 0, "s", 0, "m", 1, 1, 0), of="value") == (11, 12)
    assert source.position(("r", 1, "u"), of="value") == (20, 5)


class Writer:
    """Documents in which every key and every value is a number of its own, so that a search in the text finds it."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.numbers = itertools.count(1_000)
        self.leaves: list[tuple[tuple[str | int, ...], str, int]] = []

    def key(self) -> tuple[str, str]:
        name = f"k{next(self.numbers)}"
        written = self.draw(st.sampled_from(["{0}", '"{0}é"', "'{0} ü'"])).format(name)
        return written, written.strip("\"'")

    def value(self, path: tuple[str | int, ...], depth: int, key: str) -> str:
        kinds = ["leaf", "leaf", "text", "array", "inline"]
        kind = self.draw(st.sampled_from(kinds if depth else ["leaf"]))
        if kind == "array":
            items = [self.value((*path, n), depth - 1, key) for n in range(self.draw(st.integers(1, 3)))]
            separator: str = self.draw(st.sampled_from([", ", ",\n  ", ", # é ] {\n"]))
            return f"[{separator.join(items)} ]"
        if kind == "inline":
            return "{" + ", ".join(self.pair(path, depth - 1) for _ in range(self.draw(st.integers(1, 3)))) + "}"
        number = next(self.numbers)
        self.leaves.append((path, key, number))
        if kind == "text":
            number_text = f'"{number} é ] }} # \\" "'
            return str(self.draw(st.sampled_from([number_text, f"'{number} [ {{'", f'"""{number}\n"" é ]"""'])))
        return str(number)

    def pair(self, path: tuple[str | int, ...], depth: int) -> str:
        keys = [self.key() for _ in range(self.draw(st.integers(1, 2)))]
        dotted = tuple(name for _, name in keys)
        written = ".".join(text for text, _ in keys)
        return f"{written} = {self.value((*path, *dotted), depth, keys[-1][0])}"

    def document(self) -> str:
        text = "".join(self.pair((), 2) + "\n" for _ in range(self.draw(st.integers(0, 2))))
        for _ in range(self.draw(st.integers(1, 3))):
            written, name = self.key()
            if self.draw(st.booleans()):
                text += f"[{written}]\n" + "".join(self.pair((name,), 2) + "\n" for _ in range(2))
                continue
            for n in range(self.draw(st.integers(1, 3))):
                inner, inner_name = self.key()
                text += f"[[{written}]]\n" + self.pair((name, n), 2) + "\n"
                text += f"[[ {written} . {inner} ]]\n" + self.pair((name, n, inner_name, 0), 2) + "\n"
        return text


@given(st.data())
def test_every_key_and_value_of_any_document_is_where_the_text_has_it(data):
    writer = Writer(data.draw)
    text = writer.document()
    source = TomlSource.parse("a.toml", text.encode())
    for path, key, number in writer.leaves:
        line, column = source.position(path, of="value")
        assert re.match(rf"[\"']*{number}\b", text.split("\n")[line - 1][column - 1 :]), (path, text)
        if isinstance(path[-1], str):
            line, column = source.position(path, of="key")
            assert text.split("\n")[line - 1][column - 1 :].startswith(key), (path, text)


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode) | st.text(alphabet="[]{}=\"'#,.\n\\ a1-:+T", max_size=80).map(str.encode))  # fmt: skip # noqa: E501
def test_any_bytes_are_read_or_reported(data):
    try:
        outcome: TomlSource | Problems = TomlSource.parse("a.toml", data)
    except Problems as problems:
        outcome = problems
    if isinstance(outcome, Problems):
        assert outcome.problems
        assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in outcome.problems)


def reported(data: bytes | str) -> list[str]:
    with pytest.raises(Problems) as caught:
        TomlSource.parse("a.toml", data.encode() if isinstance(data, str) else data)
    return [str(problem).removeprefix("a.toml:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("a = " + "[" * 5000, "1:5: lists and tables are nested too deeply"),
        ("b = 1\na = " + "{ x = [" * 101 + "] }" * 101, "2:5: lists and tables are nested too deeply"),
        ("b = 1\na = " + "9" * 5000, "2:5: this number is too large"),
        ("a.b = 1\na.b.c = 2\n", "2:10: a key or table before this one already has that name"),
        ('a = """x\n\n', "1:5: this text has no closing quote"),
        ("a = '''x\n''\n", "1:5: this text has no closing quote"),
        ('a = { x = "b }\n', "1:11: this text has no closing quote"),
        ("[a]\n[b]\n[a]\n", "3:2: 'a' is defined a second time (first in line 1)"),
        ("[a]\n[[a]]\n", "2:3: 'a' is defined a second time (first in line 1)"),
        ("[[a]]\n[a]\n", "2:2: 'a' is defined a second time (first in line 1)"),
        ("a = ['b', 'c]\nd = 'x'\n", "1:11: this text has no closing quote"),
        ("a = 'b\nc = \"x\" # it's\n", "1:5: this text has no closing quote"),
        ("a = {x = 1, x = 2}", "1:13: 'x' is defined a second time (first in line 1)"),
        (b"# " + b"x" * 10_000_000, "1:1: the file is larger than 10 MB"),
        (b"a = '\xc3\xa9' # \xff", "1:11: the file is not UTF-8 (byte 0xff)"),
    ],
)
def test_what_is_wrong_is_reported_in_one_line(data, line):
    assert reported(data) == [line]


def test_only_the_first_syntax_error_of_a_file_is_reported():
    assert reported("[[rule]]\nname = a\n[[rule]\nname = 'b'\nat 5m\n") == [
        '2:8: expected a value, found "a" (put text in quotes; write true and false in small letters)'
    ]


ONE_LINE = "TOML 1.0 has an inline table on one line: write it so, or as a [table]"
NO_COMMA = "TOML 1.0 has no comma after the last entry of an inline table"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = {\n x = 1 }", f"1:5: {ONE_LINE}"),
        ("a = { x = 1\n}", f"1:5: {ONE_LINE}"),
        ("a = { x = 1, # one\n y = 2 }", f"1:5: {ONE_LINE}"),
        ("a = 1\nb = [ { x = 1, y = {\n} } ]", f"2:20: {ONE_LINE}"),
        ("a = { x = 1, }", f"1:12: {NO_COMMA}"),
        ("a = { x = { y = 1 ,} }", f"1:19: {NO_COMMA}"),
        ('a = "x\\e"', "1:7: TOML 1.0 has no escape \\e: write \\u001b"),
        ('a = "\\\\e"\nb = """\n\\x1B"""', "3:1: TOML 1.0 has no escape \\x1B: write \\u001B"),
        ('"k\\x41" = 1', "1:3: TOML 1.0 has no escape \\x41: write \\u0041"),
        ("a = 07:32", "1:5: TOML 1.0 has no time without seconds: write 07:32:00"),
        ("a = [ 1979-05-27T07:32Z ]", "1:18: TOML 1.0 has no time without seconds: write 07:32:00"),
        ("a = 1979-05-27 07:32+01:00", "1:16: TOML 1.0 has no time without seconds: write 07:32:00"),
        ("a = { x = 1, }\na = 2\n", f"1:12: {NO_COMMA}"),
        ("a = { x = 1, }\nb = 'c\n", f"1:12: {NO_COMMA}"),
    ],
)
def test_syntax_of_toml_1_1_is_refused(text, line):
    assert reported(text) == [line]


@pytest.mark.parametrize(
    "text",
    ["a = { x = [\n1, # one\n2,\n], y = '''\n{\n''' }", "a = '\\e, }'", 'a = "\\\\x41"', "a = 07:32:00"],
)
def test_syntax_of_toml_1_0_is_not_refused(text):
    assert TomlSource.parse("a.toml", text.encode()).data == tomli.loads(text)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "nul"])
def test_what_is_no_file_is_reported(kind, tmp_path):
    path = tmp_path / ("a\0b" if kind == "nul" else "x.toml")
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(Problems) as caught:
        read_bytes(path, shown="x.toml")
    assert [str(problem) for problem in caught.value.problems] == [
        {
            "missing": "x.toml: there is no such file",
            "folder": "x.toml: this is not a file but a folder",
            "pipe": "x.toml: this is not a file",
            "nul": "x.toml: no file can have this name",
        }[kind]
    ]


SIMPLE = st.sampled_from(
    ['a = "x"', "b-1 = 12", 'c = ""', "d = true", "e = 1.5", 'g = "\\t"', 'h.i = "y"', '"j" = 1', "k = 07:32:00"]
)


@given(st.lists(SIMPLE, unique=True, min_size=1, max_size=8), st.sampled_from([" # here", "", "  "]))
def test_keys_with_simple_values_are_where_a_scan_of_every_character_finds_them(pairs, after):
    text = "".join(f"{pair}{after}\n" for pair in pairs) + f"[t]\nm = [{{ {', '.join(pairs)} }}]\n"
    quick = Spots(text).root
    with patch("router.toml_source.positions._SIMPLE", re.compile(r"(?!)")):
        assert Spots(text).root == quick
