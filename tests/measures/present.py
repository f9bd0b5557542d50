"""Reads and lowers the figures that the language test allows while the project is rewritten: ``present.toml``.

The file has a table for each package, folder of tests and page, and one for each whole. No figure may rise. A package
without a table is bounded by its whole only. Therefore files may move. When every target is met, the file is deleted,
and with it this module.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.measures.findings import RULES, Finding, by_package

FILE = Path(__file__).parent / "present.toml"


def allowed() -> dict[str, Counter[str]]:
    if not FILE.exists():
        return {}
    return {name: Counter(table) for name, table in tomllib.loads(FILE.read_text(encoding="utf-8")).items()}


def counted(found: Iterable[Finding]) -> dict[str, Counter[str]]:
    """Counts the findings of each package and of each whole: ``router``, ``tests``, ``docs``."""
    counts = by_package(found)
    for name, count in list(counts.items()):
        whole = name.split("/")[0]
        counts[whole if whole in ("router", "tests") else "docs"].update(count)
    return counts


def lower(found: Iterable[Finding]) -> None:
    """Writes the lower of the allowed and the present figure for every table, and a table for each new package."""
    before, now = allowed(), counted(found)
    tables = []
    for name, count in sorted(now.items()):
        figures = {rule: min(count[rule], before[name][rule]) if name in before else count[rule] for rule in RULES}
        lines = [f"{rule} = {figure}" for rule, figure in figures.items() if figure]
        if lines:
            tables.append("\n".join([f'["{name}"]', *lines]) + "\n")
    FILE.write_text("\n".join(tables), encoding="utf-8")
