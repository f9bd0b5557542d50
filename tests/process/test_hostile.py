"""Checks that hostile input moves no cursor and forges no line, and that no customer's data is stored."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
import unicodedata

import pytest

NASTY = '\x1b[2J\x1b]0;mine\x07\r\n{"event": "forged"}\n\u202e\u2066\u200b\u2028\x9b31m[bold red]<b>&amp;%s{0}'
SECRET = "Xyzzy-Plugh"
"""In every value of the customer's: name, attributes, addresses, tags, segment attributes."""
HUGE = (SECRET + NASTY) * 400
"""More than 32 KB: as long as Connect lets all attributes of a contact be."""

RULES = """
[defaults]
flow = "{flow}"

[[rule]]
name = "late"
description = "names as they come"
[rule.match]
queue = "Bad *"
name = "*"
attributes.note = {{ present = true }}
tags.of = "*"
[[rule.step]]
at = "30m"
warn = "late"
[[rule.step]]
at = "1h"
to = [{{ agent_from = "attributes.note", flow = "{agents}" }}, {{ queue = "{queue}" }}]
"""


@pytest.fixture
def hostile(bench):
    world = bench.sandbox.world
    world.add_queue(f"Bad {NASTY}")
    target = world.add_queue(f"Worse {NASTY}")
    flow = world.add_flow(f"Flow {NASTY}", type="QUEUE_TRANSFER")
    agents = world.add_flow(f"Agents {NASTY}", type="AGENT_TRANSFER")
    world.add_hours(f"Hours {NASTY}", week={})
    rules = bench.folder / "rules" / "10-late.toml"
    rules.write_text(RULES.format(queue=target.id, flow=flow.id, agents=agents.id))
    bench.contact = bench.enqueue(
        f"Bad {NASTY}",
        channel="EMAIL",
        name=(SECRET + NASTY)[:500],
        attributes={"note": HUGE, NASTY: SECRET},
        tags={"of": SECRET},
        segment_attributes={"mine": SECRET},
        from_address=f"{SECRET}@customer.example",
        to_address="billing@ours.example",
    )
    return bench


def unprintable(text):
    """Returns the characters, except line ends, that could affect a terminal or a reader of lines."""
    return {char for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


def assert_harmless(done):
    for text in (done.stdout, done.stderr):
        assert unprintable(text) == set()
        assert "Traceback" not in text
        assert [line for line in text.splitlines() if line.startswith('{"event": "forged"')] == []


READING = [
    ["plan"],
    ["plan", "--json"],
    ["explain", "CONTACT"],
    ["explain", "CONTACT", "--json"],
    ["explain", NASTY],
    ["check", "--live"],
    ["check", "--live", "--json"],
    ["policy", "--live"],
    ["history", NASTY],
    ["plan", "--set", f"connect.region={NASTY}"],
    ["check", NASTY],
]


@pytest.mark.parametrize("command", READING, ids=lambda command: ascii(" ".join(command))[:20])
def test_what_commands_print_holds_no_control_character(hostile, command):
    done = hostile.run(*(hostile.contact if one == "CONTACT" else one for one in command))

    assert_harmless(done)
    assert done.stdout + done.stderr != ""
    if command[0] == "plan" and "--set" not in command:
        assert "Bad " in done.stdout
        assert SECRET not in done.stdout + done.stderr
    if command == ["explain", "CONTACT"]:
        assert SECRET in done.stdout, "who asks about one contact is shown what its rule compares"


def test_a_run_its_log_its_history_and_its_ledger(hostile):
    """Follows a contact all the way, as JSON and as text. No output contains the customer's data."""
    observed = hostile.run("run", "--once", "--observe", "--set", "log.format=console")
    enforced = hostile.run("run", "--once", "--enforce")
    history = [
        hostile.run("history", *arguments)
        for arguments in (["--names"], ["--names", "--json"], [hostile.contact], ["--undo-plan", "1"])
    ]
    afterwards = hostile.run("explain", hostile.contact, "--json")

    for done in (observed, enforced, *history, afterwards):
        assert_harmless(done)
        assert done.returncode == 0, done.stdout + done.stderr
    assert {one.to_queue for one in hostile.sandbox.world.transfers} == {f"Worse {NASTY}"}
    assert "contact.would_transfer" in observed.stdout
    stamp = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
    assert all(stamp.match(line) for line in observed.stdout.splitlines()), "one line each"
    events = [json.loads(line) for line in enforced.stdout.splitlines()]
    (moved,) = (line for line in events if line["event"] == "contact.transferred")
    names = (moved["from_queue"], moved["to_queue"], moved["flow"])
    assert names == (f"Bad {NASTY}", f"Worse {NASTY}", f"Flow {NASTY}")
    assert "Worse " in history[0].stdout

    written = [path.read_bytes() for path in hostile.folder.rglob("*") if path.is_file() and "ledger" in path.name]
    assert len(b"".join(written)) > 10_000
    said = [done.stdout + done.stderr for done in (observed, enforced, *history)]
    for value in (SECRET, "customer.example"):
        assert [text for text in said if value in text] == []
        assert [content for content in written if value.encode() in content] == []
        assert [content for content in written if value.encode("utf-16-le") in content] == []


def test_status_pause_and_reload_of_a_running_service(hostile, reading, ending):
    service = hostile.start("run", "--enforce")
    reading(service, "contact.landed")
    asked = [
        hostile.run("status"),
        hostile.run("status", "--json"),
        hostile.run("pause", "--queue", f"Bad {NASTY}", "--for", "5m", "--comment", NASTY),
        hostile.run("pause", "--rule", NASTY, "--for", "5m", "--comment", "x"),
        hostile.run("status"),
        hostile.run("pause", "--all", "--for", "5m", "--comment", NASTY),
        hostile.run("resume", "--queue", f"Bad {NASTY}"),
        hostile.run("resume", "--flow", f"Flow {NASTY}"),
        hostile.run("retry", "--rule", NASTY),
    ]
    assert "Bad " in asked[2].stdout
    assert "Bad " in asked[6].stdout
    (hostile.folder / "rules" / "20-bad.toml").write_text('[[rule]]\nname = "a\\u001b[2J\\u202e"\n', encoding="utf-8")
    asked.append(hostile.run("reload"))
    lines, _ = ending(service)

    for done in asked:
        assert_harmless(done)
        assert SECRET not in done.stdout + done.stderr
    assert [done.returncode for done in asked[:2]] == [0, 0]
    assert asked[-1].returncode == 1
    assert SECRET not in json.dumps(lines)
    made = [path for path in hostile.folder.iterdir() if path.name not in ("rules", "config.toml")]
    assert [path.name for path in made if "ledger" in path.name] != []
    assert [path.name for path in made if path.stat().st_mode & 0o007] == []


PROGRESS = re.compile(r"\x1b\[\?25[lh]|\r?(\x1b\[(1A|2K))+")
"""What rich sends to hide the cursor, and to replace the line of the progress."""


@pytest.mark.parametrize("command", [["plan"], ["explain", "CONTACT"], ["run", "--once", "--observe"]], ids=" ".join)
def test_on_a_terminal_only_the_programs_own_colours_reach_it(hostile, command):
    shown = on_a_terminal(hostile, [hostile.contact if one == "CONTACT" else one for one in command])

    left = PROGRESS.sub("", re.sub(r"\x1b\[[0-9;]*m", "", shown)).replace("\r\n", "\n")
    assert "late" in left
    assert unprintable(left) == set()


def on_a_terminal(bench, command):
    """Returns all that is sent to a terminal, from standard output and standard error."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "router", *command],
        cwd=bench.folder,
        env={**bench.environment, "TERM": "xterm-256color", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    sent, end = b"", time.monotonic() + 50
    try:
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    chunk = os.read(ours, 65536)
                except OSError:  # the other side has closed it
                    break
                if not chunk:
                    break
                sent += chunk
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    return sent.decode("utf-8", "replace")
