"""Checks that no log line is longer than its readers take, and that no line is glued to half of another."""

import io
import json
import os

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from router import logs
from router.log_lines import LONGEST_LINE, shortened
from router.log_queue import _writer_to

pytestmark = pytest.mark.usefixtures("restored_logging")
LONG_VALUES = {
    "a text": "x" * 100_000,
    "a text of umlauts": "ü€" * 50_000,
    "quotes": '"\\' * 50_000,
    "a list": [f"rules/{number}.toml:1:1: a mistake" for number in range(5_000)],
    "a list of one text": ["y" * 100_000],
    "a set": {f"queue {number}" for number in range(10_000)},
    "a table": {f"queue {number}": number for number in range(10_000)},
    "a table in a list": [{"queue": "z" * 100} for _ in range(2_000)],
}


def line_of(format, **fields):
    stream = io.StringIO()
    logs.configure(stream=stream, format=format)
    structlog.get_logger("router").error("rules.rejected", **fields)
    written = stream.getvalue()
    assert written.count("\n") == 1
    assert len(written.encode()) <= LONGEST_LINE
    return written


@pytest.mark.parametrize("format", ["json", "console"])
@pytest.mark.parametrize("value", LONG_VALUES.values(), ids=LONG_VALUES)
def test_a_line_is_never_longer_than_container_runtimes_and_journald_take(value, format):
    written = line_of(format, errors=value, path="rules")

    assert len(written) > 2_000, "as much as possible is shown"
    if format == "json":
        line = json.loads(written)
        assert (line["event"], line["path"], line["shortened"]) == ("rules.rejected", "rules", ["errors"])


def test_a_list_shows_its_beginning_and_how_many_more_there_are():
    errors = LONG_VALUES["a list"]
    assert isinstance(errors, list)

    found = json.loads(line_of("json", errors=errors))["errors"]

    assert found[:-1] == errors[: len(found) - 1]
    assert found[-1] == f"… {len(errors) - len(found) + 1} more"
    assert len(found) > 300


def test_many_long_values_share_the_line():
    values = {f"field_{number}": "v" * 20_000 for number in range(20)}

    line = json.loads(line_of("json", **values))

    assert all(len(line[key]) > 500 for key in values)


def test_a_line_of_usual_length_is_as_it_was():
    assert "shortened" not in json.loads(line_of("json", errors=["e" * 1_000] * 15))


@given(st.dictionaries(st.text(max_size=20), st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=3_000),
    lambda inside: st.lists(inside, max_size=20) | st.dictionaries(st.text(max_size=9), inside, max_size=20),
), max_size=12))  # fmt: skip
def test_a_shortened_event_is_json_and_names_what_was_shortened(event):
    event.pop("shortened", None)
    short = shortened(event, 4_000)

    json.dumps(short)
    assert {key for key in event if short[key] != event[key]} <= set(short["shortened"])


def test_a_line_after_one_that_was_cut_off_begins_a_line_of_its_own(tmp_path, monkeypatch):
    path, real, room = tmp_path / "log", os.write, [100]

    def full(descriptor, data):
        """Writes as a disk with little room does: as much as fits, and then nothing."""
        if room[0] <= 0:
            raise OSError(28, "No space left on device")
        written = real(descriptor, bytes(data)[: room[0]])
        room[0] -= written
        return written

    with path.open("w") as stream:
        write = _writer_to(stream, "utf-8")
        monkeypatch.setattr(os, "write", full)
        write(b"a" * 79 + b"\n")
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                write(b"b" * 79 + b"\n")
        room[0] = 1
        with pytest.raises(OSError, match="No space"):
            write(b"c" * 79 + b"\n")
        room[0] = 1_000
        write(b"d" * 79 + b"\n")
        write(b"e" * 79 + b"\n")

    assert path.read_text().splitlines() == ["a" * 79, "b" * 20, "d" * 79, "e" * 79]


@pytest.mark.parametrize(("left", "expected"), [("half", "half\n{}\n"), ("whole\n", "whole\n{}\n"), ("", "{}\n")])
def test_a_line_after_half_a_line_of_an_earlier_process_begins_a_line_of_its_own(tmp_path, left, expected):
    path = tmp_path / "log"
    path.write_text(left)

    with path.open("a") as stream:
        _writer_to(stream, "utf-8")(b"{}\n")

    assert path.read_text() == expected
