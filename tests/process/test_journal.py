"""Checks that a service leaves only JSON in systemd's journal, and that the documented recipes read it there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from router.cli import streams
from tests.docs.blocks import blocks

RECIPES = [
    command
    for block in blocks("sh", "bash")
    for command in block.text.splitlines()
    if "journalctl" in command and "| jq" in command
]
EXPORT = Path(__file__).parents[1] / "corpus" / "journal" / "export.jsonl"
"""Holds the unit's journal as systemd 252 exported it (`journalctl -o json`, some fields only): a start, two moves, a
reload, a refused reload, a crash with its stack, a restart, a stop, and a start with rules that do not load."""
SYSTEMD = [
    "Starting connect-router.service - connect-router: moves waiting Amazon Connect tasks and e-mails by rules...",
    "Started connect-router.service - connect-router: moves waiting Amazon Connect tasks and e-mails by rules.",
    "connect-router.service: Watchdog timeout (limit 5s)!",
    "Fatal Python error: Aborted",
    '  File "/opt/connect-router/lib/router/daemon/cycle.py", line 106 in act',
    "",
    "42",
    '"a text"',
    "[1, 2]",
    "null",
    "connect-router.service: Failed with result 'watchdog'.",
]
"""Lines of the unit's journal that are not of the service, and some that are JSON without being an object."""


def journal_of(bench, *arguments, command="run"):
    """Returns the status, and the lines that a process of the service leaves, as systemd would run it."""
    path = bench.folder / "journal"
    with path.open("wb") as journal:
        found = os.fstat(journal.fileno())
        done = subprocess.run(
            [sys.executable, "-m", "router", command, *arguments],
            cwd=bench.folder,
            env={**bench.environment, "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"},
            stdout=journal,
            stderr=journal,
            timeout=100,
            check=False,
        )
    return done.returncode, path.read_text().splitlines()


@pytest.fixture
def lines(bench):
    """Returns the log of one pass that moved a contact and ended in order."""
    bench.enqueue()
    status, lines = journal_of(bench, "--once", "--enforce")
    assert status == 0
    return lines


def exported(lines, form):
    """Returns the lines as `journalctl -o cat` or `-o json` prints them, with systemd's in between."""
    mixed = [line for pair in zip(lines, SYSTEMD * len(lines), strict=False) for line in pair] + SYSTEMD
    if form == "cat":
        return mixed
    entries = [
        {
            "MESSAGE": line,
            "PRIORITY": "6",
            "SYSLOG_IDENTIFIER": "systemd" if line in SYSTEMD else "connect-router",
            "UNIT": "connect-router.service",
            "__REALTIME_TIMESTAMP": str(1_795_000_000_000_000 + number),
        }
        for number, line in enumerate(mixed)
    ]
    # What is no UTF-8 is an array of bytes, and what is too long is null (systemd's Journal JSON Format).
    strange = [{**entries[0], "MESSAGE": [27, 91, 255]}, {**entries[0], "MESSAGE": None}, {"PRIORITY": "6"}]
    return [json.dumps(entry) for entry in [*strange, *entries]]


def test_every_line_of_a_service_in_the_journal_is_json(lines):
    events = [json.loads(line)["event"] for line in lines]

    assert events[0] == "service.starting"
    assert "contact.transferred" in events


@pytest.mark.parametrize(
    ("mistake", "status", "message"),
    [
        (("config.toml", "[poll]\nevry = 3\n"), 78, "config.toml:"),
        (("rules/10-late.toml", "[[rule]]\nname = 3\n"), 78, "rules/10-late.toml:2:8"),
        (("config.toml", '[ledger]\nurl = "sqlite:no/such/folder/ledger.db"\n'), 1, "no such folder"),
    ],
    ids=["configuration", "rules", "ledger"],
)
def test_a_service_that_cannot_start_says_why_in_json(bench, mistake, status, message):
    name, text = mistake
    path = bench.folder / name
    path.write_text(path.read_text().partition("[ledger]")[0] + text if "config" in name else text)

    ended, lines = journal_of(bench)

    assert ended == status
    (*_, told) = [json.loads(line) for line in lines]
    assert (told["event"], told["level"]) == ("service.failed", "error")
    assert message in told["message"]


def test_the_last_good_rules_are_no_plain_lines_either(bench, reading, ending):
    service = bench.start("run")
    reading(service, "service.ready")
    ending(service)
    (bench.folder / "rules" / "10-late.toml").write_text("[[rule]]\nname = 3\n")

    _, lines = journal_of(bench, "--once", "--observe", "--last-good")

    assert "rules.last_good" in [json.loads(line)["event"] for line in lines]


def test_a_reload_by_systemd_leaves_only_the_lines_of_the_service(bench, reading, ending):
    service = bench.start("run")
    reading(service, "service.ready")
    assert journal_of(bench, command="reload") == (0, [])
    (bench.folder / "rules" / "10-late.toml").write_text("[[rule]]\nname = 3\n")
    refused, why = journal_of(bench, command="reload")
    ending(service)
    unserved, nobody = journal_of(bench, command="reload")

    assert (refused, unserved) == (1, 1)
    for lines, message in ((why, "rules/10-late.toml:2:8"), (nobody, "no service answers on")):
        found = [json.loads(line) for line in lines]
        assert {(line["event"], line["level"]) for line in found} == {("reload.failed", "error")}
        assert message in " ".join(line["message"] for line in found)


def test_a_person_on_a_pipe_still_reads_words(bench):
    (bench.folder / "config.toml").write_text("[poll]\nevry = 3\n")
    done = bench.run_process("run", JOURNAL_STREAM="1:2")

    assert done.returncode == 78
    assert done.stderr.startswith("config.toml:")


def test_standard_error_without_a_file_is_no_journal(monkeypatch):
    class Nowhere:
        def fileno(self):
            raise OSError

    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    monkeypatch.setattr(sys, "stderr", Nowhere())
    assert not streams.in_journal()


def read_export():
    entries = [json.loads(line) for line in EXPORT.read_text(encoding="utf-8").splitlines()]
    lines = [entry["MESSAGE"] for entry in entries if entry["SYSLOG_IDENTIFIER"] == "connect-router"]
    return entries, lines


def test_every_line_of_the_service_in_a_real_journal_is_json_except_the_stack_of_a_crash():
    _, lines = read_export()
    start = lines.index("Fatal Python error: Aborted")
    end = next(number for number, line in enumerate(lines) if number > start and line.startswith("{"))

    events = [json.loads(line)["event"] for line in lines[:start] + lines[end:]]
    assert {"contact.transferred", "rules.rejected", "reload.failed", "service.failed"} <= set(events)


@pytest.fixture
def journals(lines):
    """Returns two journals, each as `-o cat` and `-o json` print it, and the moved contacts in them."""
    entries, real = read_export()
    made = {form: exported(lines, form) for form in ("cat", "json")}
    real_forms = {"cat": [entry["MESSAGE"] for entry in entries], "json": [json.dumps(entry) for entry in entries]}
    start = real.index("Fatal Python error: Aborted")
    return (made, [json.loads(line) for line in lines]), (real_forms, [json.loads(line) for line in real[:start]])


@pytest.mark.skipif(shutil.which("jq") is None or shutil.which("bash") is None, reason="bash or jq is missing")
@pytest.mark.parametrize("number", [0, 1], ids=["made", "real"])
def test_each_recipe_reads_a_journal_with_lines_that_are_not_of_the_service(journals, tmp_path, number):
    forms, events = journals[number]
    programs = tmp_path / "programs"
    programs.mkdir()
    for form, printed in forms.items():
        (tmp_path / form).write_text("\n".join(printed) + "\n")
    script = programs / "journalctl"
    script.write_text(f'#!/bin/bash\ncd "{tmp_path}"\n[[ " $* " == *" json "* ]] && exec cat json\nexec cat cat\n')
    script.chmod(0o755)
    moved = next(one for one in events if one["event"] == "contact.transferred")
    variables = {"CHAIN": moved["chain_id"], "CONTACT": moved["contact_id"]}
    foreign = {line for line in forms["cat"] if not line.startswith("{")}
    assert len(RECIPES) >= 6

    for recipe in RECIPES:
        environment = {**variables, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", recipe], env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), recipe
        if 'level == "error"' not in recipe or number == 1:
            assert done.stdout, f"it shows nothing: {recipe}"
        assert not set(done.stdout.splitlines()) & foreign, recipe
