"""Reads and lowers the figures that the language test allows while the project is rewritten: ``present.toml``.

The file has a table for each package, folder of tests and page. No figure may rise, nor may the sum of all packages,
of all tests, or of all pages. A package without a table is bounded by that sum only. Therefore files may move. When
every target is met, the file is deleted, and with it this module.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.measures.findings import RULES, Finding, by_package

FILE = Path(__file__).parent / "present.toml"


def allowed() -> dict[str, Counter[str]]:
    """Returns the figures that each package and each whole may have."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return _with_wholes({name: Counter(table) for name, table in tables.items()})


def counted(found: Iterable[Finding]) -> dict[str, Counter[str]]:
    """Counts the findings of each package and of each whole: ``router``, ``tests``, ``docs``."""
    return _with_wholes(by_package(found))


def _with_wholes(parts: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    wholes = {whole: Counter[str]() for whole in ("router", "tests", "docs")}
    for name, count in parts.items():
        folder = name.split("/")[0]
        wholes[folder if folder in wholes else "docs"].update(count)
    return parts | wholes


def lower(found: Iterable[Finding]) -> None:
    """Writes the lower of the allowed and the present figure for every table, and a table for each new package."""
    before, now = allowed(), by_package(found)
    tables = []
    for name, count in sorted(now.items()):
        figures = {rule: min(count[rule], before[name][rule]) if name in before else count[rule] for rule in RULES}
        lines = [f"{rule} = {figure}" for rule, figure in figures.items() if figure]
        if lines:
            tables.append("\n".join([f'["{name}"]', *lines]) + "\n")
    FILE.write_text("\n".join(tables), encoding="utf-8")
