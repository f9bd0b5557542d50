"""Where every key and value of a TOML document stands, from tree-sitter's tree of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

import tomli
import tree_sitter_toml
from tree_sitter import Language, Node, Parser

_TOKEN = re.compile(
    rb'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    rb"|'''.*?'''(?:'{0,2})"
    rb'|"(?:\\.|[^"\\\n])*"'
    rb"|'[^'\n]*'"
    rb"|#[^\n]*"
    rb"|[\[\]{}\n]",
    re.DOTALL,
)
_NEW_ESCAPES = re.compile(rb"\\(?:e|x[0-9A-Fa-f]{2})|(\\.)", re.DOTALL)
_TRAILING_COMMA = re.compile(rb",(\s*)\}")


@dataclass(slots=True)
class Spot:
    """One key with its value: the byte offsets of both, and what stands inside the value."""

    key: int
    value: int
    inside: dict[str | int, Spot] = field(default_factory=dict)
    elements: bool = False
    """The value is an array of tables: a header that names it means its last element."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A key or table that is defined twice: the offset of the second and of the first."""

    name: str
    at: int
    first: int


@dataclass(frozen=True, slots=True)
class Spots:
    root: Spot
    repeated: tuple[Repeated, ...]


def find_spots(data: bytes) -> Spots:
    """Every key and value that tree-sitter can make out; what it cannot is left out, so that a place is looked for in
    what encloses it. Never raises, whatever the bytes."""
    tree = _parser().parse(data)
    if tree.root_node.has_error:  # TOML 1.1, which the grammar does not know, or a mistake
        tree = _parser().parse(_as_toml_1_0(data))
    return _Walk(data).document(tree.root_node)


@dataclass(slots=True)
class _Walk:
    data: bytes
    repeated: list[Repeated] = field(default_factory=list)

    def document(self, node: Node) -> Spots:
        root = Spot(0, 0)
        for child in node.named_children:
            if child.type == "pair":
                self._value(*self._pair(root, child))
            elif child.type in {"table", "table_array_element"}:
                within = child.named_children
                header = self._table if child.type == "table" else self._element
                self._pairs(header(root, child, within), within)
        return Spots(root, tuple(self.repeated))

    def _pairs(self, spot: Spot, children: list[Node]) -> None:
        for child in children:
            if child.type == "pair":
                self._value(*self._pair(spot, child))

    def _pair(self, table: Spot, node: Node) -> tuple[Spot, Node | None]:
        children = node.named_children
        parts = self._key(children)
        value = next((child for child in reversed(children) if child.type not in _NO_VALUES), None)
        if not parts:
            return Spot(node.start_byte, node.start_byte), None
        for name, at in parts[:-1]:
            table = table.inside.setdefault(name, Spot(at, at))
        name, at = parts[-1]
        spot = Spot(at, at if value is None else value.start_byte)
        self._define(table, name, spot)
        return spot, value

    def _define(self, table: Spot, name: str, spot: Spot) -> None:
        before = table.inside.get(name)
        if before is None:
            table.inside[name] = spot
        else:
            self.repeated.append(Repeated(name, spot.key, before.key))

    def _value(self, spot: Spot, node: Node | None) -> None:
        """Values nest as deep as the reader allows (400), so this keeps a stack of its own."""
        waiting = [(spot, node)]
        while waiting:
            spot, node = waiting.pop()
            if node is None:
                continue
            kind = node.type
            if kind == "inline_table":
                waiting.extend(self._pair(spot, child) for child in node.named_children if child.type == "pair")
            elif kind == "array":
                for index, child in enumerate(_values(node)):
                    spot.inside[index] = Spot(child.start_byte, child.start_byte)
                    waiting.append((spot.inside[index], child))

    def _table(self, root: Spot, node: Node, children: list[Node]) -> Spot:
        above, name, at = self._header(root, node, children)
        spot = above.inside.get(name)
        if spot is None:
            spot = above.inside[name] = Spot(at, node.start_byte)
        elif spot.value == spot.key:  # named in passing before, by a longer header
            spot.key, spot.value = at, node.start_byte
        else:
            self.repeated.append(Repeated(name, at, spot.key))
        return spot

    def _element(self, root: Spot, node: Node, children: list[Node]) -> Spot:
        above, name, at = self._header(root, node, children)
        array = above.inside.setdefault(name, Spot(at, node.start_byte, elements=True))
        if not array.elements:
            self.repeated.append(Repeated(name, at, array.key))
        element = array.inside[len(array.inside)] = Spot(at, node.start_byte)
        return element

    def _header(self, spot: Spot, node: Node, children: list[Node]) -> tuple[Spot, str, int]:
        parts = self._key(children) or [("", node.start_byte)]
        for name, at in parts[:-1]:
            spot = spot.inside.setdefault(name, Spot(at, at))
            if spot.elements and spot.inside:
                # a table of the same name, which is a mistake of its own, may have put its keys among the elements
                spot = spot.inside.get(len(spot.inside) - 1, spot)
        name, at = parts[-1]
        return spot, name, at

    def _key(self, children: list[Node]) -> list[tuple[str, int]]:
        """The parts of the (dotted) key that a pair or header begins with, in order."""
        first = next((child for child in children if child.type in _KEYS), None)
        waiting = [] if first is None else [first]
        parts = []
        while waiting:
            part = waiting.pop()
            kind = part.type
            if kind == "dotted_key":
                waiting.extend(child for child in reversed(part.named_children) if child.type in _KEYS)
            else:
                begin = part.start_byte
                parts.append((self._name(begin, part.end_byte, bare=kind == "bare_key"), begin))
        return parts

    def _name(self, begin: int, end: int, *, bare: bool) -> str:
        raw = self.data[begin:end].decode(errors="replace")
        if bare:
            return raw
        try:
            return next(iter(tomli.loads(f"{raw} = 0")))
        except (ValueError, StopIteration):
            return raw.strip("\"'")


_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})
_NO_VALUES = frozenset({"comment", "ERROR"}) | _KEYS


def _values(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type not in _NO_VALUES]


def _as_toml_1_0(data: bytes) -> bytes:
    """The document with what TOML 1.1 added (line ends, comments and a last comma in inline tables, two escapes)
    painted over by as many bytes, so that every offset stays true."""
    painted = bytearray(data)
    open_brackets: list[bytes] = []
    for token in _TOKEN.finditer(data):
        text = token.group()
        if text in {b"[", b"{"}:
            open_brackets.append(text)
        elif text in {b"]", b"}"}:
            if open_brackets:
                open_brackets.pop()
        elif text.startswith(b'"'):
            painted[token.start() : token.end()] = _NEW_ESCAPES.sub(_painted_escape, text)
        elif b"{" in open_brackets and not text.startswith(b"'"):
            painted[token.start() : token.end()] = b" " * len(text)
    return _TRAILING_COMMA.sub(lambda found: b" " + found[1] + b"}", bytes(painted))


def _painted_escape(found: re.Match[bytes]) -> bytes:
    return found[1] or b"_" * len(found[0])


@lru_cache(maxsize=1)
def _parser() -> Parser:
    return Parser(Language(tree_sitter_toml.language()))
