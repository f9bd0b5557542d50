"""Finds a message of the product on the page docs/messages.md, which travels in the wheel: the command ``message``."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from router.cli.context import shipped
from router.cli.errors import DONE, FOUND
from router.events.messages import MESSAGES

PAGE = "docs/messages.md"
EVENTS = "docs/log-events.md"
DESCRIPTION = """\
Explains a message of this program: what to do about it, and where docs/messages.md has it. An event that needs nothing
is in docs/log-events.md. TEXT is the message as it
was printed, a line of the log, the name of an event or the reason of a hold. This command makes no call to AWS."""
EXAMPLE = """\
  connect-router message contact.stray
  connect-router message "unknown key 'chanel' (did you mean 'channel'?)"
"""
SIMILAR = 0.6
"""The share of a text's words that a similar message has."""
MOST = 3
"""The entries that are printed, the best first, if they fit at least half as well."""
EVENT = re.compile(r"^### `(?P<name>[^`]+)`\n+(?P<text>.+?)\n\n", re.MULTILINE | re.DOTALL)
ROW = re.compile(r'^\| (?P<cell>`.+?) \| (?:<a id="(?P<anchor>[^"]*)"></a>)?(?P<remedy>.+) \|$')


@dataclass(frozen=True, slots=True)
class Entry:
    """Holds a row of the page: the messages that share a remedy, each with … for every value in it."""

    section: str
    messages: tuple[str, ...]
    anchor: str
    remedy: str
    page: str = PAGE

    def fitting(self, text: str) -> dict[str, int]:
        """Returns the messages that are in the text, or that the text is a part of, with the letters in common."""
        known = {one: _letters(one) for one in self.messages if _pattern(one).search(text)}
        return known or {one: _letters(text) for one in self.messages if " " in text and text.lower() in one.lower()}

    def similar(self, text: str) -> dict[str, int]:
        """Returns the messages with most of the text's words, at least two of them, with the letters of these words."""
        given = _words(text)
        shared = {one: given & _words(one) for one in self.messages}
        most = {one: words for one, words in shared.items() if len(words) >= max(2, SIMILAR * len(given))}
        return {one: sum(map(len, words)) for one, words in most.items()}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="+", metavar="TEXT", help="the message, or a part of it; quotes are not needed")


def run(arguments: argparse.Namespace) -> int:
    text = _of_log_line(" ".join(arguments.text))
    page = shipped(PAGE).read_text(encoding="utf-8")
    known = list(entries(page))
    named = {message for entry in known for message in entry.messages}
    known += [one for one in logged_events(shipped(EVENTS).read_text(encoding="utf-8")) if one.messages[0] not in named]
    known = [replace(one, messages=(*one.messages, *_logged_as(one.messages))) for one in known]
    fitting = {entry: entry.fitting(text) for entry in known}
    scores = {entry: max(messages.values()) for entry, messages in fitting.items() if messages}
    similar = not scores
    if similar:
        fitting = {entry: entry.similar(text) for entry in known}
        scores = {entry: max(messages.values()) for entry, messages in fitting.items() if messages}
    least = max(scores.values(), default=0) / 2
    found = sorted((entry for entry, score in scores.items() if score >= least), key=lambda entry: -scores[entry])
    if similar and found:
        print(f"no message of {PAGE} is in this text; these are similar:\n")
    for number, entry in enumerate(found[:MOST]):
        print(*([""] if number else []), *(f"  {message}" for message in fitting[entry]), sep="\n")
        print(f"{entry.section}: {_plain(entry.remedy)}")
        print(f"{entry.page}#{entry.anchor}")
    if not found:
        print(f"no message of {PAGE} is in this text; give it as it was printed, from its first word to its last")
    return DONE if found else FOUND


def entries(page: str) -> Iterator[Entry]:
    """Yields the rows of the page's tables. A message with a backtick is between double backticks."""
    section = ""
    for line in page.splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ")
        elif row := ROW.match(line):
            spans = row["cell"].split("<br>")
            cut = ((span, 2 if span.startswith("``") else 1) for span in spans)
            messages = tuple(normal(span[ticks:-ticks]) for span, ticks in cut)
            yield Entry(section, messages, row["anchor"] or "", row["remedy"])


def logged_events(page: str) -> Iterator[Entry]:
    """Yields the events of docs/log-events.md, each with the first paragraph about it."""
    for section in EVENT.finditer(page):
        name = section["name"]
        yield Entry("Log events", (name,), name.replace(".", ""), " ".join(section["text"].split()), EVENTS)


def _logged_as(names: Iterable[str]) -> Iterator[str]:
    """Yields the sentences of the events among these names, with … for every value."""
    for name in names:
        sentence = normal(re.sub(r"\{\w+(:\w+)?\}", "…", MESSAGES.get(name, "")))
        if _letters(sentence):
            yield sentence


def normal(text: str) -> str:
    """Returns a text on one line, with one … for each unknown part."""
    return re.sub(r"…+", "…", " ".join(text.split()))


def _of_log_line(text: str) -> str:
    """Returns the event, the reason and the texts of a log line in JSON; any other text as it is."""
    try:
        line = json.loads(text)
    except ValueError:
        return normal(text)
    return normal(" ".join(str(value) for value in line.values())) if isinstance(line, dict) else normal(text)


def _pattern(message: str) -> re.Pattern[str]:
    """Returns the pattern of a printed message: … is any text. The message begins and ends with a whole word."""
    parts = r"\s*.*?\s*".join(re.escape(part.strip()) for part in message.split("…"))
    return re.compile(rf"(?<![\w.-]){parts}(?![\w-])", 0 if message.isupper() else re.IGNORECASE)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9_]{2,}", text.lower()))


def _letters(message: str) -> int:
    return sum(character.isalpha() for character in message)


def _plain(markdown: str) -> str:
    """Returns the text of a cell as a terminal shows it: a link is its text, with its page in brackets."""
    linked = re.sub(r"\[([^]]+)\]\((#[^)]+)\)", rf"\1 ({PAGE}\2)", markdown)
    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", r"\1 (docs/\2)", re.sub(r"\[([^]]+)\]\(\1\)", r"docs/\1", linked))
