"""Checks the fuzzer itself on a few hundred inputs at every run, and that it notices what it must notice."""

import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "run.py"


def test_no_input_of_the_short_form_is_badly_told_or_hangs():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--count", "600", "--workers", "1"], capture_output=True, text=True, check=False
    )

    assert "600 inputs" in done.stdout, done.stderr
    assert (done.returncode, "findings: 0" in done.stdout) == (0, True), done.stdout


@pytest.fixture
def fuzzer(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])  # the script adds the checkout
    return runpy.run_path(str(SCRIPT))


def judged(fuzzer, run):
    tally = fuzzer["Tally"]()
    before = signal.signal(signal.SIGVTALRM, fuzzer["_hangs"])
    try:
        targets = [fuzzer["targets"].Target("planted", lambda random: b"", run)] * 4
        fuzzer["judge"](0, 1, tuple(targets), tally, limit_s=0.2)
    finally:
        signal.signal(signal.SIGVTALRM, before)
    return [finding.kind for finding in tally.findings]


def test_an_exception_is_a_finding(fuzzer):
    assert judged(fuzzer, lambda given: {}[given]) == ["KeyError"]


def test_an_input_that_takes_too_long_is_a_finding(fuzzer):
    def spin(_given):
        while True:
            pass

    assert judged(fuzzer, spin) == ["Hangs"]


@pytest.mark.parametrize(
    ("file", "line", "column", "message"),
    [
        ("other.toml", 1, 1, "x"),
        ("0.toml", 0, 0, "x"),
        ("0.toml", 3, 1, "x"),
        ("0.toml", 2, 9, "x"),
        ("0.toml", 2, 1, ""),
        ("0.toml", 2, 1, "Input should be a valid string"),
    ],
    ids=["of another file", "no place", "a line too far", "a column too far", "no words", "another's words"],
)
def test_a_mistake_that_is_not_at_its_place_or_not_in_words_is_a_finding(fuzzer, file, line, column, message):
    targets = fuzzer["targets"]
    with pytest.raises(targets.BadlyTold):
        targets.well_told(targets.Problem(file, line, column, message), {"0.toml": b"a = 1\nb = 2"})
