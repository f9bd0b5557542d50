"""Finds the fenced blocks of README.md and docs/, and the comment on the line before each.

``<!-- connect-router status -->``: the block is the output of this command; with ``(exits 1)``, with that exit status.
``<!-- parsed only: PROGRAM, …: REASON -->``: these programs cannot run in the tests; ``*``: no program can.
``<!-- not run: REASON -->``: no program that runs here reads the block.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
FENCE = re.compile(
    r"^(?:<!-- (?P<comment>.+?) -->\n)?```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
PROMPTLESS = re.compile(r"\s*(#|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Holds a block. ``language`` is the first word of the fence's info; ``comment`` is the comment before the block.

    ``frame`` is the second word of the info: the text that must surround a fragment."""

    page: str
    line: int
    language: str
    frame: str
    text: str
    comment: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def printed_by(self) -> list[str] | None:
        """Returns the arguments of the ``connect-router`` command that prints the block."""
        found = re.fullmatch(r"connect-router (.*?)(?: \(exits \d+\))?", self.comment)
        return shlex.split(found[1]) if found else None

    @property
    def exits(self) -> int:
        found = re.search(r"\(exits (\d+)\)$", self.comment)
        return int(found[1]) if found else 0

    @property
    def parsed_only(self) -> frozenset[str]:
        """Returns the programs that are not run. ``*``: no program is."""
        found = re.fullmatch(r"parsed only: ([^:]+): .+", self.comment)
        return frozenset(name.strip() for name in found[1].split(",")) if found else frozenset()

    @property
    def not_run(self) -> bool:
        return re.fullmatch(r"not run: .+", self.comment) is not None

    def commands(self) -> list[str]:
        """Returns the commands of a shell block. Continued lines are joined."""
        joined = self.text.replace("\\\n", " ")
        return [line.strip() for line in joined.splitlines() if not PROMPTLESS.match(line)]


def blocks(*languages: str) -> list[Block]:
    found = [block for page in PAGES for block in _of(page)]
    return [block for block in found if block.language in languages] if languages else found


def _of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page.name,
            line=text.count("\n", 0, found.start("info")) + 1,
            language=found["info"].partition(" ")[0],
            frame=found["info"].partition(" ")[2],
            text=found["text"],
            comment=found["comment"] or "",
        )
        for found in FENCE.finditer(text)
    ]


def program(command: str) -> str:
    """Returns the first word that is no assignment. It is empty if the line runs no program."""
    return next((word for word in command.split() if not re.match(r"[A-Z_]+=", word)), "")
