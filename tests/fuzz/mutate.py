"""Files that are nearly right: made from sound ones by what people, editors and broken disks do to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

TOKEN: re.Pattern[bytes] = re.compile(
    rb'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[A-Za-z0-9_+:.-]+|\s+|.',
    re.DOTALL,
)
VALUES: tuple[bytes, ...] = (
    *(b"0", b"-1", b"1", b"3.5", b"1e400", b"-inf", b"nan", b"9" * 400, b"9" * 5_000, b"0x" + b"f" * 80, b"1_000"),
    *(b"true", b"false", b"[]", b"{}", b"[[]]", b"[{}]", b"[[[1]]]", b'""', b"''", b'"*"', b'"x"', b"''''''"),
    *(b'"0s"', b'"5m"', b'"99999d"', b'"9' + b"9" * 300 + b'h"', b'"1h-5m"', b'"100%"', b'"1e9%"', b'"-3%"'),
    *(b'"breach"', b'"breach - 99999999h"', b'"breach +"', b'"breach + 1h"', b'"VOICE"'),
    *(b'"TASK"', b'["TASK", "EMAIL"]', b'"no_eligible_destination"'),
    *(b'"queue"', b'"open"', b'"nothing"', b'"observe"', b'"enforce"', b'"+10m"', b'"tail"'),
    *(b"2026-01-01", b"07:32:00", b"2026-01-01T00:00:00Z", b"2026-02-30T00:00:00Z", b"0001-01-01T00:00:00+23:59"),
    *(b"9999-12-31T23:59:59-23:59", b"2026-01-01T00:00:00", b"2026-01-01T24:00:00Z", b"1-1-1"),
    *(b"{ min = 1 }", b"{ max = -1 }", b"{ min = 5, max = 1 }", b'{ min = "1h" }', b'{ not = "a" }'),
    *(b'{ matches = "(" }', b'{ matches = "(a+)+$" }', b'{ matches = "\\\\p{L}{1000}" }', b'{ matches = "(?=a)" }'),
    b'{ matches = "' + b"(" * 400 + b")" * 400 + b'" }',
    *(b'{ matches = "(((a{99}){99}){99})" }', b'{ matches = "[[:x:]]" }', b"{ present = 1 }"),
    *(b'"\\u0000"', b'"\\ud800"', b'"\\U0010ffff"', b'"\\u202e"', b'"\\n"', b'"\\x1b[2J"', b'"a\\\nb"'),
    *('"ÄÖÜ ﷽ 👩‍👩‍👧"'.encode(), '"\u202egnilliB"'.encode(), '"e\u0301"'.encode()),
    *('"\u2028"'.encode(), b'"' + b"a" * 20_000 + b'"'),
)
PIECES: tuple[bytes, ...] = (
    *(b'"', b"'", b'"""', b"'''", b"[", b"]", b"{", b"}", b"=", b",", b".", b"\n", b"\r", b"\r\n", b"\t", b"#", b"\\"),
    *(b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b"\x1b[31m", "\u202e".encode(), "\u2028".encode()),
    *(b"[[rule]]\n", b"[rule.match]\n", b"[rule.sla]\n", b"[rule.guard]\n", b"[[rule.step]]\n", b"[[rule.step.to]]\n"),
    *(b"[[example]]\n", b"[defaults]\n", b"[lists]\n", b"[connect]\n", b"[quotas]\n", b"[[queues]]\n", b"[a.b.c.d]\n"),
    *(b"any = [{", b"none = [[", b'tags."" = 1\n', b"a.b.c = 1\n", b'"" = ""\n', b"= 1\n", b"inf = inf\n"),
)
OPEN, CLOSE = (b"[", b"{ any = [", b"{ a = ", b"("), (b"]", b"] }", b" }", b")")
NEST = (3, 30, 300, 5_000)


@dataclass(frozen=True, slots=True)
class Mutator:
    """``corpus`` are whole files, ``sound`` those that load: half of what is changed begins with one of them, so that
    what follows after reading is reached. Tokens, lines and tables of all are put into each."""

    corpus: Sequence[bytes]
    sound: Sequence[bytes]

    def file(self, random: Random) -> bytes:
        """Returns a file of the corpus with one change or more; seldom one of random bytes."""
        if random.random() < 0.01:
            return random.randbytes(random.randrange(200))
        data = random.choice(self.sound if random.random() < 0.5 else self.corpus)
        for _ in range(_few(random)):
            data = random.choice(self._changes())(data, random)
        return data[:200_000]

    def text(self, random: Random, given: Sequence[str]) -> str:
        """Returns a word for a command line or a variable: one of those, a value of a file, or a changed one."""
        if random.random() < 0.4:
            return random.choice(given)
        if random.random() < 0.5:
            return random.choice(VALUES).decode(errors="surrogateescape").strip('"')
        data = random.choice(given).encode()
        return _bytes(data, random).decode(errors="surrogateescape").replace("\0", "")

    def _changes(self) -> tuple[Callable[[bytes, Random], bytes], ...]:
        return (
            *(_value, _value, _value, _token, _token, self._foreign_token, self._foreign_line, self._foreign_block),
            *(_lines_swapped, _line_repeated, _line_dropped, _bytes, _piece, _truncated, _nested, _dotted, _renamed),
        )

    def _foreign_token(self, data: bytes, random: Random) -> bytes:
        tokens = TOKEN.findall(data) or [b""]
        tokens[random.randrange(len(tokens))] = random.choice(TOKEN.findall(random.choice(self.corpus)) or [b""])
        return b"".join(tokens)

    def _foreign_line(self, data: bytes, random: Random) -> bytes:
        lines = data.split(b"\n")
        lines.insert(random.randrange(len(lines) + 1), random.choice(random.choice(self.corpus).split(b"\n")))
        return b"\n".join(lines)

    def _foreign_block(self, data: bytes, random: Random) -> bytes:
        blocks = random.choice(self.corpus).split(b"\n\n")
        return data + b"\n" + random.choice(blocks) + b"\n"


def _few(random: Random) -> int:
    return min(1 + int(random.expovariate(1.2)), 6)


def _value(data: bytes, random: Random) -> bytes:
    """Returns another value for a key."""
    places = [found.end() for found in re.finditer(rb"= ?", data)]
    if not places:
        return data + random.choice(VALUES)
    at = random.choice(places)
    ends = [end for stop in (b"\n", b",", b" }", b"]") if (end := data.find(stop, at)) >= 0]
    return data[:at] + random.choice(VALUES) + data[min(ends, default=len(data)) :]


def _token(data: bytes, random: Random) -> bytes:
    tokens = TOKEN.findall(data) or [b""]
    one, other = random.randrange(len(tokens)), random.randrange(len(tokens))
    kind = random.randrange(3)
    if kind == 0:
        tokens[one], tokens[other] = tokens[other], tokens[one]
    elif kind == 1:
        del tokens[one]
    else:
        tokens[one] = random.choice(VALUES)
    return b"".join(tokens)


def _lines_swapped(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _line_repeated(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    one = random.randrange(len(lines))
    return b"\n".join([*lines[:one], *[lines[one]] * random.choice((2, 3, 50)), *lines[one + 1 :]])


def _line_dropped(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    del lines[random.randrange(len(lines))]
    return b"\n".join(lines)


def _bytes(data: bytes, random: Random) -> bytes:
    changed = bytearray(data or b"x")
    for _ in range(random.choice((1, 1, 3, 10))):
        at = random.randrange(len(changed))
        changed[at] = changed[at] ^ (1 << random.randrange(8)) if random.random() < 0.5 else random.randrange(256)
    return bytes(changed)


def _piece(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(PIECES) + data[at + random.choice((0, 0, 1, 5)) :]


def _truncated(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] if random.random() < 0.7 else data[at:]


def _nested(data: bytes, random: Random) -> bytes:
    """Nests brackets deeply, closed or not, as a value or just somewhere."""
    kind, depth = random.randrange(len(OPEN)), random.choice(NEST)
    deep = OPEN[kind] * depth + (b"1" + CLOSE[kind] * depth if random.random() < 0.6 else b"")
    places = [found.end() for found in re.finditer(rb"= ?", data)] or [len(data)]
    at = random.choice(places)
    end = data.find(b"\n", at)
    return data[:at] + deep + (data[end:] if end >= 0 else b"")


def _dotted(data: bytes, random: Random) -> bytes:
    """Adds a key, or a table's name, of very many parts."""
    name = b".".join([random.choice((b"a", b'""', b"rule", b"match", b"any", b"tags"))] * random.choice(NEST))
    line = random.choice((b"[%s]", b"[[%s]]", b"%s = 1", b"x = { %s = 1 }")) % name
    lines = data.split(b"\n")
    lines.insert(random.randrange(len(lines) + 1), line)
    return b"\n".join(lines)


def _renamed(data: bytes, random: Random) -> bytes:
    """Changes a key: a letter too many, too few, or of another case."""
    keys = list(re.finditer(rb"[A-Za-z_]{2,}", data))
    if not keys:
        return data
    found = random.choice(keys)
    key, at = found.group(), random.randrange(len(found.group()))
    new = random.choice((key[:at] + key[at + 1 :], key[:at] + b"x" + key[at:], key.upper(), key[::-1], key * 300))
    return data[: found.start()] + new + data[found.end() :]
