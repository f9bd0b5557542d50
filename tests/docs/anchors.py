"""Gives each row of docs/messages.md an anchor, named by the row's first message: ``make pictures``."""

import re
from collections import Counter
from pathlib import Path

from router.cli.commands.message import ROW, entries

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"
WORDS = 6


def anchored(page: str) -> str:
    """Returns the page with an anchor in each row. Two rows that begin with the same words get a number."""
    used: Counter[str] = Counter()
    rows = iter(entries(page))
    return "".join(
        _row(line, next(rows).messages[0], used) if ROW.match(line) else line for line in page.splitlines(True)
    )


def _row(line: str, message: str, used: Counter[str]) -> str:
    name = "-".join(re.findall(r"[a-z0-9_.]*[a-z0-9]", message.lower())[:WORDS])
    used[name] += 1
    anchor = name if used[name] == 1 else f"{name}-{used[name]}"
    found = ROW.match(line)
    assert found is not None
    return f'| {found["cell"]} | <a id="{anchor}"></a>{found["remedy"]} |\n'


if __name__ == "__main__":
    PAGE.write_text(anchored(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
