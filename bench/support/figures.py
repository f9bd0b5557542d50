"""Figures: printed, and written into docs/performance.md, each benchmark into its own section."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"

Row = tuple[str, str, str, str]
HEADER: Row = ("", "connect-router", "alternative", "target")


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def report(name: str, rows: list[Row], *, method: str) -> None:
    """``rows``: what, this product, the alternative (with the ratio), and the target with whether it is met. With
    ``BENCH_WRITE=1`` the section of that name on the page is replaced."""
    widths = [max(len(row[n]) for row in (HEADER, *rows)) for n in range(4)]
    for row in (HEADER, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), flush=True)
    if os.environ.get("BENCH_WRITE") == "1":
        _write(name, rows, method)


def _write(name: str, rows: list[Row], method: str) -> None:
    lines = [
        f"<!-- bench:{name} -->",
        "",
        method,
        "",
        *("| " + " | ".join(row) + " |" for row in (HEADER, ("---",) * 4, *rows)),
        "",
        f"Measured with `bench/{name}.py` on {datetime.now(UTC):%Y-%m-%d}: {machine()}, machine load"
        f" {os.getloadavg()[0]:.1f} at the end.",
        "",
        f"<!-- /bench:{name} -->",
    ]
    text = PAGE.read_text(encoding="utf-8")
    section = re.compile(rf"<!-- bench:{name} -->.*?<!-- /bench:{name} -->", re.DOTALL)
    if not section.search(text):
        raise SystemExit(f"{PAGE.name} has no section for {name}")
    PAGE.write_text(section.sub(lambda _: "\n".join(lines), text), encoding="utf-8")


def met(reached: bool) -> str:
    return "met" if reached else "NOT met"
