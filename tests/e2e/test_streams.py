"""Checks what commands print on a terminal that is not UTF-8, and to a reader that has gone."""

import os
import subprocess
import sys

import pytest

RULES = """
[defaults]
flow = "Überlauf → Köln"

[[rule]]
name = "late"
description = "Größe 5 €"
[rule.match]
queue = "Köln"
[rule.sla]
target = "1h"
[[rule.step]]
at = "breach"
to = [{ queue = "Köln Überlauf" }]
"""


@pytest.fixture
def abroad(bench):
    world = bench.sandbox.world
    for queue in ("Köln", "Köln Überlauf"):
        world.add_queue(queue)
    world.add_flow("Überlauf → Köln", type="QUEUE_TRANSFER")
    (bench.folder / "rules" / "10-late.toml").write_text(RULES, encoding="utf-8")
    bench.contact = bench.enqueue("Köln")
    return bench


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_commands_escape_what_cannot_be_written(abroad, encoding):
    commands = [
        ["check", "--live"], ["plan", "--enforce"], ["explain", abroad.contact],
        ["run", "--once", "--enforce", "--set", "log.format=console"],
        ["history", "--names"],
    ]  # fmt: skip
    seen = {}
    for command in commands:
        # The log is written to the descriptor, which only a process has.
        run = abroad.run_process if command[0] == "run" else abroad.run
        done = run(*command, encoding=encoding)
        assert done.returncode == 0, (command, done.stderr)
        assert "bug" not in done.stderr, command
        seen[command[0]] = done.stdout.encode(encoding)
    name = "Köln Überlauf".encode(encoding, "backslashreplace")
    for of in ("plan", "explain", "run", "history"):
        assert name in seen[of], of
    assert b"contact.transferred" in seen["run"], "no line of the log is dropped"


def test_status_escapes_what_cannot_be_written(abroad):
    from tests.e2e.bench import end, until_event

    service = abroad.start("run")
    until_event(service, "cycle.finished")
    done = subprocess.run(
        [sys.executable, "-m", "router", "status"], cwd=abroad.folder, capture_output=True, timeout=100,
        env={**abroad.environment, "PYTHONIOENCODING": "ascii"}, check=False,
    )  # fmt: skip
    end(service)

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"K\\xf6ln" in done.stdout


def test_history_to_a_reader_that_has_gone_is_status_141(abroad):
    assert abroad.run("run", "--once", "--enforce").returncode == 0
    for command in (["history"], ["explain", abroad.contact]):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-m", "router", *command], cwd=abroad.folder, stdout=writing, stderr=subprocess.PIPE,
            env=abroad.environment, timeout=100, check=False,
        )  # fmt: skip
        os.close(writing)

        assert done.returncode == 141, (command, done.stderr)
        assert b"Traceback" not in done.stderr
