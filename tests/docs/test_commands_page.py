"""Checks that docs/commands.md has every command, option and exit status, and that its samples are true."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from router.cli import errors
from router.cli.parser import COMMANDS, parsers
from router.durations import format_duration

CHECKOUT = Path(__file__).parents[2]
TEXT = (CHECKOUT / "docs" / "commands.md").read_text(encoding="utf-8")
COMMON = TEXT.partition("## What all commands have in common")[2].partition("\n## ")[0]


OPTION = re.compile(r"--[a-z][a-z-]*")


def section(command):
    found = re.search(rf"^## {command}$(.*?)(?=^## |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, command
    return found[1]


def options(command):
    """Returns what ``--help`` shows: options by their long names, and arguments."""
    _, commands = parsers()
    actions = commands[command].configured()._actions
    shown = [action for action in actions if action.help != "==SUPPRESS=="]
    return [action.option_strings[-1] if action.option_strings else action.dest for action in shown]


def blocks(text, language=""):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def test_every_command_has_its_section_and_nothing_else_has():
    assert re.findall(r"^## (\w+)$", TEXT, flags=re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_described(command):
    told = section(command) + COMMON
    words = {
        "contact_id": "CONTACT_ID",
        "shell": "SHELL",
        "of": "config",
        "action": "create-table",
        "to": "queue",
        "folder": "DIR",
        "text": "TEXT",
        "what": "template",
        "before": "A",
        "after": "B",
    }
    for option in options(command):
        named = option if option.startswith("-") else f"`{words[option]}`"
        assert named in told, f"{command} {option}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_that_is_described_exists_or_is_said_not_to(command):
    text = section(command)
    refused = {option for line in re.findall(r"[^.]*not offered", text) for option in OPTION.findall(line)}
    of_others = {"--instance-id"}
    named = set(OPTION.findall(text)) - refused - of_others

    assert named <= set(options(command))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_help_are_those_of_the_page(command):
    _, commands = parsers()
    epilog = commands[command].configured().epilog or ""
    examples = [line.strip() for line in epilog.splitlines()[1:] if line.strip()]

    assert examples
    assert examples == blocks(section(command), "sh")[0].splitlines()


def test_every_exit_status_is_on_the_page():
    rows = [re.findall(r"\d+", cell) for cell in re.findall(r"^\| ([\d, ]+) \|", COMMON, flags=re.MULTILINE)]
    constants = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}

    assert {int(number) for row in rows for number in row} == constants


@pytest.mark.uses("processes")
def test_the_output_of_check_is_what_it_prints():
    done = subprocess.run(
        [sys.executable, "-m", "router", "check"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )

    (shown,) = re.findall(r"<!-- connect-router check -->\n```\n(.*?)```\n", TEXT, flags=re.DOTALL)
    rules = shown.split("\n\n")
    assert rules.count("…") == 2
    assert [rule for rule in rules if rule != "…"] == [rule for rule in done.stdout.split("\n\n") if rule in rules]


def test_the_json_of_plan_has_the_fields_that_it_prints():
    (sample,) = json.loads(blocks(section("plan"), "json")[0])
    source = (CHECKOUT / "router" / "cli" / "output" / "decisions.py").read_text(encoding="utf-8")

    fields = re.findall(r'^        "([a-z_]+)": ', source.partition("def as_json")[2], flags=re.MULTILINE)
    assert list(sample) == fields


def test_the_samples_of_plan_show_the_same_decision():
    """Compares the table with the JSON: they are of one look."""
    sample, *_ = blocks(section("plan"), "json")
    rows = [re.split(r"\s{2,}", line) for line in section("plan").splitlines() if re.match("[0-9a-f]{8}-", line)]
    (shown,) = json.loads(sample)
    waited = format_duration(timedelta(seconds=shown["waited_s"] // 60 * 60))
    facts = [shown["contact_id"], shown["channel"], shown["queue"], waited, shown["rule"], str(shown["step"])]

    assert facts in [[*row[:4], *row[7:9]] for row in rows if row[9] == shown["decision"]]
