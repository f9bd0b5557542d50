"""Recognises the verb of a first sentence. It knows the verbs of ``verbs.txt`` and hardly any grammar."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


def word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ARTICLES = word_set(
    "a an the its their his this that these those each every all both any no one two either another it them"
    " itself what which whether how why when where who until code"
)
NOUN_MARKERS = word_set(
    "of which who whose with by behind under per are is was were has have had may might must can could will would"
)
"""Words that follow a plural noun and hardly ever a verb: "Moves of other contacts", "Transfers which were made"."""
AUXILIARIES = word_set(
    "is are was were has have had does do did may might must can could will would shall should cannot isn't"
    " aren't wasn't doesn't don't didn't can't won't hasn't haven't"
)
SPEAKING = word_set("records reports shows notes answers checks returns marks proves logs tells says ensures")
"""Verbs that take a clause with *that* or *which*. After other words of double meaning, *that* describes a noun."""
QUESTIONS = word_set("what who whoever whatever whose which where how why whether")
"""First words of a clause in the place of a noun. A sentence names the thing instead."""
SUBJECTS = word_set("that which who they you we it and or never always also only code")
WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")


def third_person(verb: str) -> str:
    irregular = {"be": "is", "have": "has"}
    if verb in irregular:
        return irregular[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


@cache
def verbs() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Returns the three groups of ``verbs.txt``, in the third person: plain verbs, double meanings, mostly nouns."""
    text = (Path(__file__).parent / "verbs.txt").read_text(encoding="utf-8")
    groups = [
        {third_person(word) for line in group.splitlines() if not line.startswith("#") for word in line.split()}
        for group in text.split("\n\n")
    ]
    _, plain, double, nouns = (frozenset(group) for group in groups)
    return plain - double - nouns, double - nouns, nouns


@cache
def base_forms() -> frozenset[str]:
    plain, _, _ = verbs()
    text = (Path(__file__).parent / "verbs.txt").read_text(encoding="utf-8")
    return frozenset(word for word in text.split() if third_person(word) in plain)


def words(sentence: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in WORD.findall(sentence)]


def begins_with_a_verb(sentence: str) -> bool:
    """Distinguishes "Moves the contact" from "Moves of other contacts"."""
    said = words(sentence)
    if not said or re.match(r"[^A-Za-z]", sentence):
        return False
    plain, double, nouns = verbs()
    first, second, third = [*said, "", "", ""][:3]
    if first in plain:
        return True
    if first in nouns:
        return second in ARTICLES and second not in ("that", "which", "who", "what")
    if first not in double or re.match(r"[A-Za-z]+(\W*$|[:;,(])", sentence):
        return False
    if second in ("that", "which", "who"):
        return first in SPEAKING and third not in NOUN_MARKERS
    return second not in NOUN_MARKERS


def is_a_sentence(sentence: str) -> bool:
    """Returns whether there is a verb. A clause in the place of a noun ("What was moved") is no sentence."""
    if begins_with_a_verb(sentence):
        return True
    said = words(re.split(r"[;:](?: |$)", sentence)[0])
    return bool(said) and said[0] not in QUESTIONS and any(_finite(said, at) for at in range(1, len(said)))


def _finite(said: list[str], at: int) -> bool:
    before, word, after = said[at - 1], said[at], (said[at + 1] if at + 1 < len(said) else "")
    plain, double, nouns = verbs()
    if word in AUXILIARIES or word in plain:
        return True
    if word in double or word in nouns:
        return before in SUBJECTS or after in ARTICLES
    return word in base_forms() and (before in SUBJECTS or (before.endswith("s") and after in ARTICLES))
