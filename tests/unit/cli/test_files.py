"""Checks the command ``files``: what it writes, and that it overwrites nothing."""

import json
from pathlib import Path

import pytest

from router.cli import main

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def written(tmp_path, capsys):
    folder = tmp_path / "new" / "files"
    assert main(["files", str(folder)]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(paths) == sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path for path in paths}


def test_the_files_of_the_repository_are_copied(written):
    made = {name for name in written if name.split("/")[0] in ("schemas", "terraform")}
    copied = set(written) - made

    assert {
        "config.toml",
        "Containerfile",
        "requirements.lock",
        "systemd/connect-router.service",
        "systemd/connect-router@.service",
        "monitoring/alerts.yml",
        "monitoring/grafana-dashboard.json",
    } <= copied
    assert {f"rules/{path.name}" for path in (CHECKOUT / "rules").iterdir()} <= copied
    for name in copied:
        assert written[name].read_bytes() == (CHECKOUT / name).read_bytes(), name


@pytest.mark.parametrize("of", ["rules", "config"])
def test_the_schemas_are_those_that_schema_prints(written, of, capsys):
    main(["schema", of])

    assert written[f"schemas/{of}.schema.json"].read_text() == capsys.readouterr().out


@pytest.mark.parametrize("to", ["queue", "agent"])
def test_the_flows_are_those_that_flow_prints_without_a_default(written, to, capsys):
    queue = "11111111-2222-3333-4444-555555555555"
    main(["flow", to, "--fallback", queue, "--format", "terraform"])

    printed = capsys.readouterr().out
    assert written[f"terraform/flow-to-{to}/main.tf"].read_text() == printed.replace(f'  default     = "{queue}"\n', "")


def test_a_second_run_changes_nothing_and_a_file_that_differs_is_kept(written, tmp_path, capsys):
    folder = written["config.toml"].parent
    assert main(["files", str(folder)]) == 0
    written["config.toml"].write_text("mine")
    written["rules/" + next((CHECKOUT / "rules").iterdir()).name].unlink()

    assert main(["files", str(folder)]) == 1
    assert "has other files: config.toml; nothing is written" in capsys.readouterr().err
    assert written["config.toml"].read_text() == "mine"
    assert not all(path.exists() for path in written.values())


def test_the_schema_that_is_written_is_json(written):
    assert json.loads(written["schemas/config.schema.json"].read_text())["title"] == "connect-router config.toml"
