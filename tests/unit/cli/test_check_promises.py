"""Checks the output of ``check --prove``, its exit statuses, JSON and JUnit."""

import json
import sys
from xml.etree import ElementTree

import pytest

from router.runtime import install_command

PROMISES = """
[[promise]]
name = "{name}"
says = "People hear of late mail"
match = {{ channel = "EMAIL", queue = "Billing" }}
within = "{within}"
act = ["warn"]
"""
UNKNOWN = r"""
[[promise]]
name = "odd"
match.name = { matches = "\\bx" }
never.to = "General"
"""


def add(command, text):
    command.rules.write_text(command.rules.read_text() + text)


def test_a_proved_promise_is_printed_and_exits_0(command):
    add(command, PROMISES.format(name="late", within="30m"))

    done = command("check", "--prove")

    assert (done.status, done.err) == (0, "")
    assert "PROVED   late: People hear of late mail\n" in done.out
    assert done.out.endswith("1 of 1 example passed, 1 of 1 promise proved, 0 errors, 0 warnings\n")


def test_a_broken_promise_is_an_error_with_a_contact_that_breaks_it(command):
    add(command, PROMISES.format(name="late", within="20m"))

    done = command("check", "--prove")

    assert done.status == 1
    why = "rule 'late' governs it, and its next step is due in 10m"
    assert done.err == f'rules/10-late.toml:25:1: promise "late" is broken: {why} (rules/10-late.toml:5:1), after 20m\n'
    contact = 'contact = { channel = "EMAIL", queue = "Billing", waited = "20m" }'
    assert (
        f'rules/10-late.toml:5:1: {why}, after 20m\n           [[example]]\n           name = "breaks late"\n'
        in done.out
    )
    assert f"           {contact}\n" in done.out


def test_an_unknown_promise_is_a_warning(command):
    add(command, UNKNOWN)

    lenient, strict = command("check", "--prove"), command("check", "--prove", "--strict")

    assert (lenient.status, strict.status) == (0, 1)
    reason = r'the regular expression "\bx" has \b, which no proof covers'
    assert lenient.err == f'rules/10-late.toml:25:1: warning: promise "odd" is neither proved nor broken: {reason}\n'


def test_json_and_junit_have_each_promise(command, tmp_path):
    add(command, PROMISES.format(name="kept", within="1h") + PROMISES.format(name="broken", within="5m") + UNKNOWN)
    file = tmp_path / "junit.xml"

    done = command("check", "--prove", "--json", "--junit", str(file))

    found = {one["name"]: one for one in json.loads(done.out)["promises"]}
    assert {name: one["outcome"] for name, one in found.items()} == {
        "kept": "proved",
        "broken": "broken",
        "odd": "unknown",
    }
    assert found["broken"]["causes"][0]["example"].startswith("[[example]]")
    suite = ElementTree.parse(file).getroot()
    failed = {one.get("name"): len(one) for one in suite if str(one.get("classname")).startswith("promise.")}
    assert failed == {"kept": 0, "broken": 1, "odd": 0}
    assert suite.get("failures") == "1"


def test_without_prove_promises_are_only_read(command, monkeypatch):
    add(command, PROMISES.format(name="late", within="5m"))
    monkeypatch.setitem(sys.modules, "z3", None)

    done = command("check")

    assert (done.status, done.err) == (0, "")
    assert "PROVED" not in done.out
    assert "promises" not in done.out


def test_without_the_solver_one_line_shows_how_to_install_it(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)

    done = command("check", "--prove")

    assert (done.status, done.out) == (2, "")
    assert done.err == f"connect-router: --prove needs the package z3-solver: {install_command('z3-solver')}\n"


@pytest.mark.parametrize("text", ["a\x1bb", "é"])
def test_a_promise_prints_no_control_characters(command, text):
    escaped = text.replace("\x1b", "\\u001b")
    add(command, PROMISES.format(name="late", within="30m").replace("late mail", escaped))

    done = command("check", "--prove")

    assert "\x1b" not in done.out + done.err
