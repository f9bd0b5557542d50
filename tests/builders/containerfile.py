"""Reads the Containerfile."""

from __future__ import annotations

import shlex
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
_LINES = (CHECKOUT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
STEPS = [line.split(maxsplit=1) for line in _LINES if line and not line.startswith("#")]


def values(instruction: str) -> list[str]:
    return [value for name, value in STEPS if name == instruction]


def environment() -> dict[str, str]:
    words = shlex.split(values("ENV")[0])
    return {name: value for name, _, value in (word.partition("=") for word in words)}
