"""Loads broken configurations; each file lists the problems that must be reported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from router.problems import Problems
from router.settings import load_settings

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "config"


@dataclass(frozen=True, slots=True)
class Broken:
    """Holds a file and its expected lines, ``reported``, without the file's name.

    A file whose first bytes are wrong cannot begin with comments; it has them in a sidecar, ``NAME.expected``.
    """

    path: Path
    reported: list[str]
    environ: dict[str, str]
    overrides: dict[str, str]


def read(path: Path) -> Broken:
    sidecar = path.with_suffix(".expected")
    text = sidecar.read_text() if sidecar.exists() else path.read_text()
    said = re.findall(r"^# (problem|env|set): (.*)$", text, re.MULTILINE)
    pairs = {kind: [value.split("=", 1) for each, value in said if each == kind] for kind in ("env", "set")}
    return Broken(
        path=path,
        reported=[value for kind, value in said if kind == "problem"],
        environ=dict(pairs["env"]),
        overrides=dict(pairs["set"]),
    )


def files() -> list[Path]:
    return sorted(CORPUS.glob("*.toml"))


def test_the_corpus_is_there():
    assert len(files()) >= 90
    assert all(read(path).reported for path in files())


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_broken_configuration_is_reported_as_it_says(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    broken = read(path)
    with pytest.raises(Problems) as caught:
        load_settings(Path(path.name), environ=broken.environ, overrides=broken.overrides)
    assert [str(problem).removeprefix(f"{path.name}:") for problem in caught.value.problems] == broken.reported


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_every_line_of_the_corpus_is_one_line_that_a_terminal_can_show(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    broken = read(path)
    with pytest.raises(Problems) as caught:
        load_settings(Path(path.name), environ=broken.environ, overrides=broken.overrides)
    assert all(line.isprintable() for line in str(caught.value).split("\n"))
