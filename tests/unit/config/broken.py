"""The corpus of broken configurations: what each file says about itself in its first comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "config"


@dataclass(frozen=True, slots=True)
class Broken:
    """``told`` are the expected lines, without the file's name. A file that cannot begin with a comment (its first
    bytes are what is wrong) has them in a sidecar, ``NAME.expected``."""

    path: Path
    told: tuple[str, ...]
    environ: dict[str, str]
    overrides: dict[str, str]


def corpus() -> list[Broken]:
    return [_read(path) for path in sorted(CORPUS.glob("*.toml"))]


def _read(path: Path) -> Broken:
    sidecar = path.with_suffix(".expected")
    text = sidecar.read_text() if sidecar.exists() else path.read_bytes().decode(errors="replace")
    said = re.findall(r"^# (told|env|set): (.*?)\r?$", text, re.MULTILINE)
    pairs = [(kind, *value.partition("=")[::2]) for kind, value in said if kind != "told"]
    return Broken(
        path=path,
        told=tuple(value for kind, value in said if kind == "told"),
        environ={name: value for kind, name, value in pairs if kind == "env"},
        overrides={name: value for kind, name, value in pairs if kind == "set"},
    )
