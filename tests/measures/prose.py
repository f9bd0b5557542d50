"""Cuts text into sentences: the prose of a Markdown page without its code, and the first sentence of a docstring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

END = re.compile(r"(?<=[.!?…])[\"”’)*_]*\s+(?=[\"“(*_]*[A-Z0-9])")
NO_END = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|No|approx)\.|^\d+\.)$")
PRONOUN = re.compile(
    r"[\"“(*_]*(?:(?:It|They)\b(?!['’])"
    r"|(?:This|That|These|Those|Both|Neither|Others|The (?:same|former|latter|others?|rest))"
    r" (?:is|are|was|were|has|have|had|does|do|did|can|cannot|may|must|will|would|also|only|never|not|then"
    r"|counts?|holds?|means?|shows?|needs?|applies|apply|works?|depends?|happens?)\b)"
)
"""A first word that means a thing of an earlier sentence."""
CODE = "CODE"
"""Replaces a piece of inline code: one word, whatever the code is."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, list item, heading or table cell, and the line of the file that it begins on."""

    line: int
    text: str
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the line of the file that it begins on."""

    line: int
    text: str

    @property
    def length(self) -> int:
        return sum(any(letter.isalnum() for letter in word) for word in self.text.split())

    @property
    def complete(self) -> bool:
        """Distinguishes a sentence from a few words in a cell, whose number means nothing."""
        return self.length > 8 or re.search(r"[.!?…:][\"”’)*_]*$", self.text.rstrip()) is not None


def sentences(passage: Passage) -> Iterator[Sentence]:
    begin = 0
    for end in [*(match for match in END.finditer(passage.text)), None]:
        stop = end.start() if end else len(passage.text)
        text = passage.text[begin:stop]
        if end and NO_END.search(text.strip()):
            continue
        if text.strip():
            yield Sentence(passage.line + passage.text.count("\n", 0, begin), " ".join(text.split()))
        begin = end.end() if end else stop


def begins_with_a_pronoun(sentence: str) -> bool:
    """Returns whether the subject is only a pronoun, so that the sentence alone does not show what it is about."""
    return PRONOUN.match(sentence) is not None


def first_sentence(docstring: str) -> str:
    paragraph = re.split(r"\n\s*\n", docstring.strip())[0]
    plain = re.sub(r"``.+?``|`[^`\n]+`", CODE, paragraph, flags=re.DOTALL)
    return next((sentence.text for sentence in sentences(Passage(1, plain))), "")


def passages(page: Path) -> list[Passage]:
    """Returns the prose of a Markdown page. Code, comments and the targets of links are left out."""
    return list(_passages(_without_code(page.read_text(encoding="utf-8"))))


def _without_code(text: str) -> str:
    for pattern, replacement in (
        (r"<!--.*?-->", ""),
        (r"^[ >]*(```|~~~).*?^[ >]*\1[^\n]*$", ""),
        (r"(`+)(?!`).+?(?<!`)\1(?!`)", CODE),
        (r"^\[[^\]]+\]:[^\n]*$", ""),
        (r"\]\([^)]*\)", "]"),
        (r"<?https?://[^\s>)]+>?", CODE),
    ):
        # A finding must name the right line. Therefore a part that is left out leaves its line ends.
        text = re.sub(pattern, partial(_left_out, replacement), text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"[\[\]]", "", text)


def _left_out(replacement: str, part: re.Match[str]) -> str:
    return replacement + "\n" * part[0].count("\n")


def _passages(text: str) -> Iterator[Passage]:
    begin, lines = 0, list[str]()

    def flush() -> Iterator[Passage]:
        if "".join(lines).strip():
            yield Passage(begin, "\n".join(lines))
        lines.clear()

    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"^\s*(> ?)*", "", raw)
        item = re.match(r"([-*+]|\d+[.)])\s+", line)
        if not line or line.startswith(("#", "|")) or item or re.fullmatch(r"[-*_ ]{3,}", line):
            yield from flush()
        if line.startswith("#"):
            yield Passage(number, line.lstrip("# "), heading=True)
        elif line.startswith("|"):
            yield from (Passage(number, cell) for cell in line.split("|") if re.search(r"\w", cell))
        elif line:
            if not lines:
                begin = number
            lines.append(line[item.end() :] if item else line)
    yield from flush()
