"""Finds the words that the project replaces by plainer ones, with the word to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

NEGATED = (
    r"(?:no|nothing|nobody|none|there (?:is|are)|(?:it|that|this|they|Connect|AWS)"
    r" (?:is not|are not|was not|were not|does not|do not|did not|has no|have no|cannot|may not))\b"
)
"""What follows *where* in the sense of *if*: hardly any place is described by what it lacks."""
LITERAL = r"(?:(?<=`` )|(?<=CODE )|(?<=None )|(?<=True )|(?<=False )|(?<=null ))"
VERB_AFTER_SO = r"(?:that|far|long|many|much|as|is|are|does|do|has|have|can)\b"
END_OF_NO_MORE = r"[.,;:)!?]|$| (?:and|or|but|where|when|if|because|in|on|at|to)\b"
CLAUSE = r"(?:whether|how|what|when|where|why|which|with|the|an?|that|it|None|True|False|CODE|``)"

PLAIN: tuple[tuple[str, str], ...] = (
    (r"tell|tells|telling|told|say|says|saying|said", "log, report, show, print"),
    (r"ask|asks|asked|asking", "call, request, query"),
    (r"mend|mends|mended|mending", "fix"),
    (r"beside", "next to, in addition to"),
    (r"in vain", "without success, failed"),
    (r"save for|save (?:that|where|when|what|who|in|by)", "except"),
    (r"anew|once more", "again"),
    (r"of late|by now|as yet", "recently, already, not yet"),
    (rf"(?<!cost )(?<!costs )no more(?={END_OF_NO_MORE})", "no longer"),
    (r"(?<=[,;:] )for (?:it|they|there|we|nobody|nothing|this is|that is|these are|those are)", "because"),
    (rf"(?:(?<=[,;:] )so|(?<![\w,;:] )So)(?! {VERB_AFTER_SO})", "therefore, or a new sentence"),
    (rf"{LITERAL}where|where(?= {NEGATED})", "if"),
    (r"goes|comes|stands|stood|keeps|eats|presses", "the exact verb"),
)
"""No pattern finds *as* for *when*, or outside of code *answer* for *return*, without finding good uses too."""
IN_CODE = (
    *PLAIN,
    (rf"(?<!\bthe )(?<!\bits )(?<!\bno )(?<!\bof )(?<!['’]s )answers?(?= {CLAUSE})(?! that\b)", "return"),
)

EXCEPTIONS: tuple[tuple[str, str], ...] = (("goes offline", "the status of an agent is named so in Amazon Connect"),)
"""Phrases in which such a word is right, each with the reason."""


def left_column(text: str, *, code: bool) -> Iterator[tuple[int, str, str]]:
    """Yields position, word and replacement. ``code``: the text is a docstring, a comment or a message."""
    text = re.sub(r"(``?)([^`]+)\1", _crossed_out, text.replace("\n", " "))
    for phrase, _ in EXCEPTIONS:
        text = re.sub(re.escape(phrase), "x" * len(phrase), text, flags=re.IGNORECASE)
    for pattern, instead in _IN_CODE if code else _PLAIN:
        for found in pattern.finditer(text):
            yield found.start(), found[0], instead


def _crossed_out(quoted: re.Match[str]) -> str:
    return quoted[1] + "x" * len(quoted[2]) + quoted[1]


def _compiled(table: tuple[tuple[str, str], ...]) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(rf"(?<![\w`.-])(?:{pattern})(?![\w-])", re.IGNORECASE), instead) for pattern, instead in table]


_PLAIN, _IN_CODE = _compiled(PLAIN), _compiled(IN_CODE)
