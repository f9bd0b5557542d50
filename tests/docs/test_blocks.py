"""Checks that each block of README.md and docs/ is valid: TOML for the product, JSON, systemd units, commands.

test_blocks_run.py runs the commands that can run."""

from __future__ import annotations

import configparser
import json
import shlex
import shutil
import subprocess

import pytest
import tomli

from router.cli.parser import parsed
from router.rules.file.rule_table import RuleFile
from router.rules.load import parse_rules
from router.sandbox import Scenario
from router.settings import Settings, load_settings
from tests.docs.blocks import CHECKOUT, PAGES, blocks, program

KNOWN = {"toml", "json", "yaml", "ini", "sh", "bash", "text", ""}
FRAMES = {
    "": "{}",
    "match": '[[rule]]\nname = "r"\n[rule.match]\n{}',
    "step": (
        '[defaults]\nflow = "F"\nagent_flow = "E"\n[[rule]]\nname = "r"\nmatch.queue = "Q"\nsla.target = "4h"\n{}'
    ),
}
CONNECT = '[connect]\ninstance = "11111111-2222-3333-4444-555555555555"\n'


def test_every_fence_that_begins_is_seen():
    assert sum(page.read_text(encoding="utf-8").count("\n```") for page in PAGES) == 2 * len(blocks())
    assert {block.language for block in blocks()} <= KNOWN


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_toml_is_taken_by_the_product(block, tmp_path):
    text = FRAMES[block.frame].format(block.text) if block.frame else block.text
    tables = set(tomli.loads(text))
    path = tmp_path / "block.toml"

    if tables <= set(Settings.model_fields):
        path.write_text(text if "connect" in tables else CONNECT + text, encoding="utf-8")
        load_settings(path, environ={}, overrides={})
    elif tables <= {info.alias or name for name, info in RuleFile.model_fields.items()}:
        assert parse_rules([(str(block), text.encode())]).rules
    else:
        path.write_text(text, encoding="utf-8")
        Scenario.load(path)


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_json(block):
    json.loads(block.text)


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_is_yaml(block):
    yaml = pytest.importorskip("yaml")
    assert isinstance(yaml.safe_load(block.text), dict)


@pytest.mark.uses("processes")
@pytest.mark.parametrize("block", blocks("ini"), ids=str)
def test_a_drop_in_is_one_that_systemd_takes_for_the_unit(block, tmp_path):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(block.text)
    assert parser.sections()
    if shutil.which("systemd-analyze") is None:
        return
    unit = tmp_path / "connect-router.service"
    text = (CHECKOUT / "systemd" / unit.name).read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/connect-router/bin/connect-router", shutil.which("true") or "/bin/true"))
    (tmp_path / f"{unit.name}.d").mkdir()
    (tmp_path / f"{unit.name}.d" / "block.conf").write_text(block.text, encoding="utf-8")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )

    assert "block.conf" not in done.stderr, done.stderr


@pytest.mark.uses("processes")
@pytest.mark.parametrize("block", blocks("sh", "bash"), ids=str)
def test_commands_are_commands_and_those_of_the_product_have_options_that_it_knows(block):
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
    for command in block.commands():
        if program(command) == "connect-router" and "--help" not in command and "--version" not in command:
            words = shlex.split(command.partition("|")[0].partition(" > ")[0], comments=True)
            parsed(words[words.index("connect-router") + 1 :])


@pytest.mark.parametrize("block", blocks("", "text"), ids=str)
def test_what_is_neither_code_nor_data_says_what_printed_it_or_that_nothing_here_can(block):
    assert block.printed_by or block.not_run, "a comment before it: see tests/docs/blocks.py"


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_a_comment_before_a_block_is_one_that_means_something(block):
    assert not block.comment or block.printed_by or block.parsed_only or block.not_run
    assert not block.parsed_only or block.language in ("sh", "bash")
    assert block.parsed_only <= {"*"} | {program(command) for command in block.commands()}
