"""Compares docs/configuration.md with the program: every key has its true default, and the examples load."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import tomli
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from router.cli import main
from router.connect.search import MAX_SPAN
from router.problems import Problems
from router.search.planner import LONG_AGO_EVERY
from router.settings import DOCUMENTED_QUOTAS, Settings, load_settings
from router.settings.sources import keys, variables

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/configuration.md").read_text()
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ROWS = dict(re.findall(r"^\| `([a-z_.]+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", PAGE, re.MULTILINE))


def defaults(model: type[BaseModel], above: str = "") -> dict[str, Any]:
    """Returns the defaults by dotted key, as JSON has them, without the quotas of single operations."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= {} if name in DOCUMENTED_QUOTAS else defaults(field.annotation, f"{above}{name}.")
        else:
            found[above + name] = field.default
    return found


def written(key: str) -> Any:
    dumped: Any = Settings.model_validate({"connect": {"instance": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}})
    dumped = dumped.model_dump(mode="json")
    for part in key.split("."):
        dumped = dumped[part]
    return dumped


def test_every_key_is_documented_and_no_other():
    assert set(ROWS) == set(defaults(Settings))


@pytest.mark.parametrize("key", sorted(ROWS))
def test_a_key_is_documented_with_its_true_default(key):
    if defaults(Settings)[key] is PydanticUndefined:
        assert ROWS[key] == "required"
    elif defaults(Settings)[key] is None:
        assert ROWS[key] == "none"
    else:
        assert tomli.loads(f"value = {ROWS[key].strip('`')}")["value"] == written(key)


def test_the_table_of_quotas_is_the_programs():
    rows = re.findall(r"^\| `([A-Za-z]+)` \| ([0-9.]+) \| ([0-9]+) \|$", PAGE, re.MULTILINE)
    assert {operation: (float(rate), int(burst)) for operation, rate, burst in rows} == {
        operation: (quota.rate, quota.burst) for operation, quota in DOCUMENTED_QUOTAS.items()
    }


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_loads(block, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(block)
    load_settings(path, environ={}, overrides={})


def test_there_are_examples():
    assert len(BLOCKS) == 3


def test_the_examples_of_variables_mean_what_stands_beside_them(tmp_path):
    rows = re.findall(r"^\| `([^`]+ = [^`]+)` \| `(CONNECT_ROUTER_[A-Z_]+)=([^`]+)`", PAGE, re.MULTILINE)
    assert len(rows) == 5
    path = tmp_path / "config.toml"
    for line, name, value in rows:
        path.write_text(f"{line}\n{BLOCKS[0]}")
        by_file = load_settings(path, environ={}, overrides={})
        path.write_text(BLOCKS[0])
        assert load_settings(path, environ={name: value.strip("'")}, overrides={}) == by_file
        assert name in variables()


def test_the_mistakes_shown_are_those_that_are_reported(tmp_path, monkeypatch):
    """Makes the page's own sample of output again."""
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(f'{BLOCKS[0]}\n[poll]\nevry = "15s"\nsweep = 300\n\n\n\n\n[ledger]\nkeep = "30d"\n')
    with pytest.raises(Problems) as caught:
        load_settings(Path("config.toml"), environ={"CONNECT_ROUTER_EXECUTE__WORKERS": "200"}, overrides={})
    assert f"```text\n{caught.value}\n```" in PAGE


def test_every_key_can_be_given_in_the_environment():
    assert len(variables()) == len(keys())


def test_the_smallest_file_is_enough_beside_one_rule_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(BLOCKS[0])
    Path("rules").mkdir()
    Path("rules/10.toml").write_text('[[rule]]\nname = "r"\nmatch.queue = "A"\nstep = [{ at = "1h", warn = "late" }]\n')

    assert main(["check"]) == 0
    assert "connect-router also needs the folder `rules` next to `config.toml`" in PAGE


def test_the_page_has_the_span_of_a_full_scan():
    assert f"queued in the last {MAX_SPAN.days} days" in PAGE
    assert timedelta(hours=1) == LONG_AGO_EVERY


@pytest.mark.parametrize("region", ["eu-west-2", "us-gov-west-1"])
def test_the_shipped_file_takes_an_arn_of_any_region(tmp_path, region):
    path = tmp_path / "config.toml"
    arn = f"arn:aws:connect:{region}:111122223333:instance/11111111-2222-3333-4444-555555555555"
    shipped = (ROOT / "config.toml").read_text()
    path.write_text(re.sub(r'^instance = "[^"]*"', f'instance = "{arn}"', shipped, flags=re.MULTILINE))

    assert load_settings(path, environ={}, overrides={}).connect.region == region


def test_the_shipped_files_name_no_schema_that_is_not_there():
    for file in (ROOT / "config.toml", *(ROOT / "rules").glob("*.toml")):
        for named in re.findall(r"^#:schema (.*)$", file.read_text(), re.MULTILINE):
            assert (file.parent / named).exists(), file
