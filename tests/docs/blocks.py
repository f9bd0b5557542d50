"""The fenced blocks of README.md and docs/, and what a comment on the line before one says of it.

``<!-- connect-router status -->``: the block is what this command prints; with ``(exits 1)``, with that status.
``<!-- parsed only: PROGRAM, …: REASON -->``: these programs cannot run where the tests do; ``*``: none of it can.
``<!-- not run: REASON -->``: it is no input of anything that could run here.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
FENCE = re.compile(r"^(?:<!-- (?P<said>.+?) -->\n)?```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPTLESS = re.compile(r"\s*(#|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """``language`` is the first word of the fence's info, ``frame`` the second: what has to stand around a fragment.
    ``said`` is the comment before it."""

    page: str
    line: int
    language: str
    frame: str
    text: str
    said: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def printed_by(self) -> list[str] | None:
        """The arguments of the ``connect-router`` command whose output it is."""
        found = re.fullmatch(r"connect-router (.*?)(?: \(exits \d+\))?", self.said)
        return shlex.split(found[1]) if found else None

    @property
    def exits(self) -> int:
        found = re.search(r"\(exits (\d+)\)$", self.said)
        return int(found[1]) if found else 0

    @property
    def parsed_only(self) -> frozenset[str]:
        """Programs that are not run; ``*``: none is."""
        found = re.fullmatch(r"parsed only: ([^:]+): .+", self.said)
        return frozenset(name.strip() for name in found[1].split(",")) if found else frozenset()

    @property
    def not_run(self) -> bool:
        return re.fullmatch(r"not run: .+", self.said) is not None

    def commands(self) -> list[str]:
        """The lines of a shell block that are commands, those that go on joined."""
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
            said=found["said"] or "",
        )
        for found in FENCE.finditer(text)
    ]


def program(command: str) -> str:
    """The first word that is no assignment; empty where nothing is run."""
    return next((word for word in command.split() if not re.match(r"[A-Z_]+=", word)), "")
