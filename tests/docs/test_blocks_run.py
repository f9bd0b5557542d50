"""Runs the commands of README.md and docs/ as written, and compares their output with the pages."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time

import pytest

from tests.docs.blocks import CHECKOUT, blocks, program
from tests.docs.shape import missing, shape
from tests.docs.stand import LIMIT_S, open_stand

pytestmark = [
    pytest.mark.uses("threads", "sockets", "processes"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("bash") is None or shutil.which("jq") is None, reason="bash or jq is missing"),
]

ASKS_THE_SERVICE = re.compile(r"connect-router (status|reload|pause|resume|retry|history)|journalctl|sqlite3")
MOVES = re.compile(r"connect-router run")
AS_A_WHOLE = "tutorial.md"
"""The page whose blocks need those before them: test_tutorial.py follows it."""
SHELL = [one for one in blocks("sh", "bash") if "*" not in one.parsed_only and one.page != AS_A_WHOLE]
SAMPLES = [one for one in blocks("", "text") if one.printed_by is not None and one.page != AS_A_WHOLE]
BROKEN = {
    "configuration.md": (
        "config.toml",
        '[connect]\ninstance = "11111111-2222-3333-4444-555555555555"\n\n[poll]\nevry = "5s"\nevery = 300\n'
        'lookback = "90d"\n\n\n\n[ledger]\nkeep = "30d"\n',
        {"CONNECT_ROUTER_EXECUTE__WORKERS": "200"},
    ),
    "rules.md": (
        "rules/30-billing.toml",
        '[defaults]\nflow = "Overflow to queue"\n\n\n[[rule]]\nname = "billing-mail"\ndescription = "Four hours"\n\n\n'
        '[rule.match]\nqueue = "Billing"\nchanel = "EMAIL"\n\n[rule.sla]\ntarget = "4h"\n\n\n[[rule.step]]\n'
        'at = "half of it"\nto = [{ queue = "Billing Overflow" }]\n',
        {},
    ),
}
"""The file whose mistakes a page shows, and the environment's part in them."""


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory):
    with open_stand(tmp_path_factory.mktemp("at-rest"), service=False) as stand:
        plan = stand.json("plan")
        moved = [one for one in plan if (one["rule"], one["channel"]) == ("billing-overflow", "EMAIL")]
        # It takes the least urgent contact, because more urgent ones have the free slots.
        stand.contact = [one["contact_id"] for one in moved if one["to_queue"] == "Billing Overflow"][-1]
        yield stand


@pytest.fixture(scope="module")
def emptied(tmp_path_factory):
    """Opens a folder for commands that move the contacts, so that the samples of the others stay true."""
    with open_stand(tmp_path_factory.mktemp("emptied"), service=False) as stand:
        yield stand


@pytest.fixture(scope="module")
def lively(tmp_path_factory):
    with open_stand(tmp_path_factory.mktemp("lively"), service=True) as stand:
        yield stand


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """Opens another folder, whose service gets no commands. Its output shows only its own work."""
    with open_stand(tmp_path_factory.mktemp("untouched"), service=True) as stand:
        yield stand


def runs(block):
    """Runs one line after the other. Lines within one quotation run together."""
    if any(program(command) not in ("connect-router", "journalctl", "export", "umask") for command in block.commands()):
        text = block.text.replace("\\\n", " ")
        run = [command for command in block.commands() if program(command) not in block.parsed_only]
        return run if block.parsed_only else [text]
    return [command for command in block.commands() if program(command) not in block.parsed_only]


@pytest.mark.parametrize("block", [block for block in SHELL if runs(block)], ids=str)
def test_commands_do_what_the_page_says(block, request):
    kind = "lively" if ASKS_THE_SERVICE.search(block.text) else "emptied" if MOVES.search(block.text) else "at_rest"
    stand = request.getfixturevalue(kind)
    for command in runs(block):
        if resumed := re.match(r"connect-router resume (.*?)( --config .*)?$", command):
            stand.run(f"connect-router pause {resumed[1]} --for 1h --comment before")
        # A second service needs another ledger.
        apart = {"CONNECT_ROUTER_LEDGER__URL": "sqlite:another.db"} if MOVES.search(command) else {}

        done = stand.run_once(command) if " demo " in command else stand.run(command.replace(" -f ", " "), **apart)

        assert done.status == 0, (command, done.stdout[-500:], done.stderr)


@pytest.mark.parametrize("block", [one for one in SAMPLES if one.page not in BROKEN], ids=str)
def test_what_the_page_shows_is_what_is_printed(block, request):
    assert block.printed_by is not None
    command = shlex.join(["connect-router", *block.printed_by])
    stand = request.getfixturevalue("untouched" if ASKS_THE_SERVICE.search(command) else "at_rest")
    done = stand.run_once(command) if stand.service is None else stand.run(command)
    until = time.monotonic() + LIMIT_S
    while stand.service is not None and missing(block.text, done.stdout) and time.monotonic() < until:
        done = stand.run(command)

    assert done.status == block.exits
    assert missing(block.text, done.stdout) == [], done.stdout


@pytest.mark.parametrize("block", [one for one in SAMPLES if one.page in BROKEN], ids=str)
def test_the_mistakes_that_a_page_shows_are_told_so(block, tmp_path):
    file, text, environment = BROKEN[block.page]
    shutil.copy(CHECKOUT / "config.toml", tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "00-other.toml").write_text('[[rule]]\nname = "exclusion-rule"\nmatch.queue = "General"\n')
    (tmp_path / file).write_text(text, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONNECT_ROUTER_")}

    done = subprocess.run(
        [sys.executable, "-m", "router", "check"],
        cwd=tmp_path, env={**kept, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (block.exits, block.text)


def test_samples_are_not_all_of_one_command():
    assert {block.printed_by[0] for block in SAMPLES if block.printed_by} >= {
        "check", "plan", "explain", "history", "status", "sandbox", "demo",
    }  # fmt: skip


def test_a_word_that_is_not_printed_is_seen():
    printed = "cycle 6 ended 0s ago, took 2.0 s\nqueue  waiting\nBilling  15"

    assert missing("cycle 12 ended 3s ago, took 11.3 s\nClaims  4", printed) == []
    assert missing("cycle 12 ended 3s ago, it took 11.3 s", printed) == ["cycle 12 ended 3s ago, it took 11.3 s"]
    assert shape("8a86387f-6757-4342-97d3-c89b151d1f66  EMAIL  Billing  2h57m") == "ID CHANNEL NAME SPAN"


def test_every_command_of_the_pages_that_is_only_parsed_says_why():
    for block in blocks("sh", "bash"):
        known = {"connect-router", "journalctl", "export", "umask"} | block.parsed_only
        if "*" not in known and not re.search(r"^\S+/python -c '", block.text, re.MULTILINE):
            assert {program(command) for command in block.commands()} <= known, block
    assert subprocess.run(["jq", "--version"], capture_output=True, check=False).returncode == 0
