"""Finds where every key and value of a TOML document is, and what in it TOML 1.0 does not allow.

The reader, tomli, returns values without positions and accepts TOML 1.1. The scan here runs after it, over text that it
accepted, or over the part of a text before its error. Therefore it checks nothing that the reader checks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import tomli

DEEPEST = 200
"""Lists and tables inside each other in one value; the scan needs two stack frames for each."""

_BLANK = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_SPACES = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}'
    r"|'''(?:[^']++|'(?!''))*+'{3,5}"
    r'|(?!""")"(?:[^"\\\n]++|\\.)*+"'
    r"|(?!''')'[^'\n]*'",
    re.DOTALL,
)
_SIMPLE = re.compile(
    r'(?P<key>[A-Za-z0-9_-]++)[ \t]*+=[ \t]*+(?P<value>"(?!"")[^"\\\n]*+"|(?:[0-9]++|true|false)(?=[\s,}]))'
)
"""A bare key with a value of the most frequent kinds. It is found at once, because files of rules have thousands."""
_NUMBER_OR_DATE = re.compile(r"\d{4}-\d\d-\d\d \d[^\s,\]}#]*|[^\s,\]}#]+")
_ESCAPE = re.compile(r"\\(?:(?P<new>e|x[0-9A-Fa-f]{2})|.)", re.DOTALL)
_TIME_WITHOUT_SECONDS = re.compile(r"(?:\d{4}-\d\d-\d\d[Tt\s])?(\d\d:\d\d)(?![:\d])")


@dataclass(slots=True)
class Spot:
    """Holds the offsets, in characters, of one key and of its value, and the spots inside the value."""

    key: int
    value: int
    inside: dict[str | int, Spot] = field(default_factory=dict)
    elements: bool = False
    """The value is an array of tables: a header that names it means its last element."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """Holds a key or table that is defined twice: the offsets of the second and of the first definition."""

    name: str
    at: int
    first: int


class SyntaxMistake(Exception):
    """Reports what is no TOML 1.0 at the offset ``at``, in characters; ``str()`` is the message."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at


class _End(Exception):
    """Ends the scan of a text that breaks off in the middle of a statement."""


class _TooDeep(Exception):
    """Ends the scan of a value that has more levels than ``DEEPEST``."""


class Spots:
    """Finds the spots of one document, line ends as ``\\n``: ``root`` holds them.

    Raises ``SyntaxMistake`` for syntax of TOML 1.1, a text without a closing quote, and values that nest too deeply.
    """

    def __init__(self, text: str) -> None:
        self.root = Spot(0, 0)
        self.repeated: list[Repeated] = []
        self._text = text
        self._at = 0
        try:
            self._document()
        except _End:
            return

    def _document(self) -> None:
        table = self.root
        while self._skip(_BLANK):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._statement(table)

    def _statement(self, table: Spot) -> None:
        if self._simple(table):
            return
        spot = self._pair(table)
        try:
            self._value(spot, depth=0)
        except _TooDeep:
            raise SyntaxMistake(spot.value, "lists and tables are nested too deeply") from None

    def _simple(self, table: Spot) -> bool:
        """Skips a simple key with its value; returns whether one begins here."""
        found = _SIMPLE.match(self._text, self._at)
        if found is None or found["key"] in table.inside:
            return False
        table.inside[found["key"]] = Spot(found.start(), found.start("value"))
        self._at = found.end()
        return True

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Skips what the pattern matches; returns whether any text is left."""
        found = pattern.match(self._text, self._at)
        self._at = self._at if found is None else found.end()
        return self._at < len(self._text)

    def _next(self) -> str:
        """Returns the next character and stays before it."""
        if self._at >= len(self._text):
            raise _End
        return self._text[self._at]

    def _pair(self, table: Spot) -> Spot:
        """Returns the spot of the key that begins here, and skips to its value."""
        (*above, (name, at)) = self._key()
        for part, part_at in above:
            table = table.inside.setdefault(part, Spot(part_at, part_at))
        spot = Spot(at, at)
        if name in table.inside:
            self.repeated.append(Repeated(name, at, table.inside[name].key))
        else:
            table.inside[name] = spot
        self._at += 1  # the equals sign
        self._skip(_SPACES)
        spot.value = self._at
        return spot

    def _key(self) -> list[tuple[str, int]]:
        """Returns the parts of a dotted key, each with its offset; skips the spaces after it."""
        parts = []
        while True:
            self._skip(_SPACES)
            begin = self._at
            if self._next() in "\"'":
                parts.append((next(iter(tomli.loads(f"{self._string()} = 0"))), begin))
            elif self._skip(_BARE_KEY) and self._at == begin:
                raise _End
            else:
                parts.append((self._text[begin : self._at], begin))
            self._skip(_SPACES)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _header(self) -> Spot:
        begin = self._at
        array = self._text.startswith("[[", begin)
        self._at += 2 if array else 1
        (*above, (name, at)) = self._key()
        self._at += 2 if array else 1
        table = self.root
        for part, part_at in above:
            table = table.inside.setdefault(part, Spot(part_at, part_at))
            if table.elements:
                table = table.inside[len(table.inside) - 1]
        return self._element(table, name, at, begin) if array else self._table(table, name, at, begin)

    def _table(self, above: Spot, name: str, at: int, begin: int) -> Spot:
        spot = above.inside.get(name)
        if spot is None:
            spot = above.inside[name] = Spot(at, begin)
        elif spot.value == spot.key:  # only a longer header or key has named it until now
            spot.key, spot.value = at, begin
        else:
            self.repeated.append(Repeated(name, at, spot.key))
        return spot

    def _element(self, above: Spot, name: str, at: int, begin: int) -> Spot:
        array = above.inside.setdefault(name, Spot(at, begin, elements=True))
        if not array.elements:
            self.repeated.append(Repeated(name, at, array.key))
            raise _End
        element = array.inside[len(array.inside)] = Spot(at, begin)
        return element

    def _value(self, spot: Spot, *, depth: int) -> None:
        if depth > DEEPEST:
            raise _TooDeep
        match self._next():
            case "[":
                self._array(spot, depth)
            case "{":
                self._inline_table(spot, depth)
            case '"' | "'":
                self._string()
            case _:
                self._number_or_date()

    def _array(self, spot: Spot, depth: int) -> None:
        self._at += 1
        while self._skip(_BLANK) and self._next() != "]":
            if self._next() == ",":
                self._at += 1
                continue
            element = spot.inside[len(spot.inside)] = Spot(self._at, self._at)
            self._value(element, depth=depth + 1)
        self._at += 1

    def _inline_table(self, spot: Spot, depth: int) -> None:
        begin = self._at
        comma: int | None = None
        self._at += 1
        while True:
            self._skip(_SPACES)
            match self._next():
                case "\n" | "#":
                    raise SyntaxMistake(begin, "TOML 1.0 has an inline table on one line: write it so, or as a [table]")
                case "}" if comma is not None:
                    raise SyntaxMistake(comma, "TOML 1.0 has no comma after the last entry of an inline table")
                case "}":
                    self._at += 1
                    return
                case ",":
                    comma = self._at
                    self._at += 1
                case _:
                    comma = None
                    if not self._simple(spot):
                        self._value(self._pair(spot), depth=depth + 1)

    def _string(self) -> str:
        """Returns the text with its quotes, as it is written, and skips it."""
        found = _STRING.match(self._text, self._at)
        if found is None:
            raise SyntaxMistake(self._at, "this text has no closing quote")
        if found[0].startswith('"') and "\\" in found[0]:
            self._check_escapes(found[0])
        self._at = found.end()
        return found[0]

    def _check_escapes(self, written: str) -> None:
        for escape in _ESCAPE.finditer(written):
            if escape["new"]:
                code = "001b" if escape["new"] == "e" else f"00{escape['new'][1:]}"
                message = f"TOML 1.0 has no escape {escape[0]}: write \\u{code}"
                raise SyntaxMistake(self._at + escape.start(), message)

    def _number_or_date(self) -> None:
        found = _NUMBER_OR_DATE.match(self._text, self._at)
        if found is None:
            raise _End
        short = _TIME_WITHOUT_SECONDS.match(found[0])
        if short is not None:
            message = f"TOML 1.0 has no time without seconds: write {short[1]}:00"
            raise SyntaxMistake(self._at + short.start(1), message)
        self._at = found.end()
